//! One resource: a name, how much of it, and everything that sets it apart from others of its name.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::{Disk, DiskSource, Quantity, Ranges, Reservation, Reservations, Set};
use crate::ids::{ResourceProviderId, Role};

/// A resource's name. The first-class ones cost no memory of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceName {
    /// Processors; may be fractions.
    Cpus,
    /// Memory in megabytes.
    Mem,
    /// Disk space in megabytes.
    Disk,
    /// Graphics processors; whole ones only.
    Gpus,
    /// Network ports.
    Ports,
    /// Whatever else an operator has to share out.
    Other(Arc<str>),
}

impl ResourceName {
    /// The name as the wire spells it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Cpus => "cpus",
            Self::Mem => "mem",
            Self::Disk => "disk",
            Self::Gpus => "gpus",
            Self::Ports => "ports",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for ResourceName {
    fn from(name: &str) -> Self {
        match name {
            "cpus" => Self::Cpus,
            "mem" => Self::Mem,
            "disk" => Self::Disk,
            "gpus" => Self::Gpus,
            "ports" => Self::Ports,
            other => Self::Other(other.into()),
        }
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much of a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// An amount.
    Scalar(Quantity),
    /// Numbers.
    Ranges(Ranges),
    /// Names.
    Set(Set),
}

impl Value {
    /// Whether it is nothing, or less.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Scalar(amount) => !amount.is_positive(),
            Self::Ranges(ranges) => ranges.is_empty(),
            Self::Set(set) => set.is_empty(),
        }
    }

    /// Whether `other` is a part of it; values of two kinds never are.
    pub fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scalar(own), Self::Scalar(other)) => own >= other,
            (Self::Ranges(own), Self::Ranges(other)) => own.contains(other),
            (Self::Set(own), Self::Set(other)) => own.contains(other),
            _ => false,
        }
    }

    /// Adds `other` if it is of the same kind.
    pub(super) fn add(&mut self, other: &Self) {
        match (self, other) {
            (Self::Scalar(own), Self::Scalar(other)) => *own = own.saturating_add(*other),
            (Self::Ranges(own), Self::Ranges(other)) => *own = own.union(other),
            (Self::Set(own), Self::Set(other)) => *own = own.union(other),
            _ => {}
        }
    }

    /// Takes `other` away as far as it is here.
    pub(super) fn subtract(&mut self, other: &Self) {
        match (self, other) {
            (Self::Scalar(own), Self::Scalar(other)) => *own = own.saturating_sub(*other),
            (Self::Ranges(own), Self::Ranges(other)) => *own = own.subtract(other),
            (Self::Set(own), Self::Set(other)) => *own = own.subtract(other),
            _ => {}
        }
    }

    /// A number for the kind, to keep kinds apart in order.
    pub(super) fn kind(&self) -> u8 {
        match self {
            Self::Scalar(_) => 0,
            Self::Ranges(_) => 1,
            Self::Set(_) => 2,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(amount) => amount.fmt(f),
            Self::Ranges(ranges) => ranges.fmt(f),
            Self::Set(set) => set.fmt(f),
        }
    }
}

/// A resource. Two can be added or subtracted only if all but `value` is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// What it is.
    pub name: ResourceName,
    /// How much.
    pub value: Value,
    /// For whom it is kept, outermost first; empty if for anybody.
    pub reservations: Reservations,
    /// The role it is offered or given to, if it is.
    pub allocation: Option<Role>,
    /// What sets a piece of disk apart: where it lies, what is kept on it.
    pub disk: Option<Arc<Disk>>,
    /// Who provides it, if not the agent itself.
    pub provider: Option<ResourceProviderId>,
    /// Whether it may be taken back at any time.
    pub revocable: bool,
    /// Whether several tasks may use it at once.
    pub shared: bool,
}

impl Resource {
    /// An unreserved amount of `name`.
    pub fn scalar(name: impl Into<ResourceName>, amount: Quantity) -> Self {
        Self::new(name, Value::Scalar(amount))
    }

    /// An unreserved `value` of `name`.
    pub fn new(name: impl Into<ResourceName>, value: Value) -> Self {
        Self {
            name: name.into(),
            value,
            reservations: Reservations::default(),
            allocation: None,
            disk: None,
            provider: None,
            revocable: false,
            shared: false,
        }
    }

    /// Whether it is kept for a role.
    pub fn is_reserved(&self) -> bool {
        !self.reservations.is_empty()
    }

    /// The role it is kept for: that of the innermost reservation.
    pub fn reservation_role(&self) -> Option<&Role> {
        self.reservations.last().map(Reservation::role)
    }

    /// Whether tasks of `role` may use it: it is unreserved, or reserved to the role or one above.
    pub fn is_allocatable_to(&self, role: &Role) -> bool {
        self.reservation_role().is_none_or(|own| own == role || own.is_ancestor_of(role))
    }

    /// Whether it is a persistent volume.
    pub fn is_persistent(&self) -> bool {
        self.disk.as_ref().is_some_and(|disk| disk.persistence.is_some())
    }

    /// Whether it can be used only as a whole and never merged: what is shared or persistent, a
    /// mount, a block device, a known raw volume.
    pub(super) fn is_atom(&self) -> bool {
        if self.shared {
            return true;
        }
        let Some(disk) = &self.disk else { return false };
        if disk.persistence.is_some() {
            return true;
        }
        disk.source.as_ref().is_some_and(DiskSource::is_indivisible)
    }

    /// The order in a collection: `Equal` means that both make one entry.
    pub(super) fn place(&self, other: &Self) -> Ordering {
        let order = self
            .name
            .cmp(&other.name)
            .then_with(|| self.value.kind().cmp(&other.value.kind()))
            .then_with(|| self.reservations.cmp(&other.reservations))
            .then_with(|| self.allocation.cmp(&other.allocation))
            .then_with(|| self.disk.cmp(&other.disk))
            .then_with(|| self.provider.cmp(&other.provider))
            .then_with(|| self.revocable.cmp(&other.revocable))
            .then_with(|| self.shared.cmp(&other.shared));
        if order.is_eq() && self.is_atom() { self.value.cmp(&other.value) } else { order }
    }
}
