//! Parts of a collection, and sums over it.

use std::collections::BTreeMap;

use super::{Quantities, Quantity, Ranges, Resource, Resources, Value};
use crate::ids::Role;

impl Resources {
    /// The resources for which `keep` holds.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&Resource) -> bool) -> Self {
        // Most often it holds for all, and then copies share their memory.
        if self.0.iter().all(|entry| keep(&entry.resource)) {
            return self.clone();
        }
        Self(self.0.iter().filter(|entry| keep(&entry.resource)).cloned().collect())
    }

    /// What is kept for `role` itself, or for any role if none is given.
    #[must_use]
    pub fn reserved(&self, role: Option<&Role>) -> Self {
        self.filter(|one| match role {
            None => one.is_reserved(),
            Some(_) => one.reservation_role() == role,
        })
    }

    /// What is kept for nobody.
    #[must_use]
    pub fn unreserved(&self) -> Self {
        self.filter(|one| !one.is_reserved())
    }

    /// What may be taken back at any time.
    #[must_use]
    pub fn revocable(&self) -> Self {
        self.filter(|one| one.revocable)
    }

    /// What may not be taken back.
    #[must_use]
    pub fn non_revocable(&self) -> Self {
        self.filter(|one| !one.revocable)
    }

    /// What several tasks may use at once.
    #[must_use]
    pub fn shared(&self) -> Self {
        self.filter(|one| one.shared)
    }

    /// What one task alone may use.
    #[must_use]
    pub fn non_shared(&self) -> Self {
        self.filter(|one| !one.shared)
    }

    /// The persistent volumes.
    #[must_use]
    pub fn persistent(&self) -> Self {
        self.filter(Resource::is_persistent)
    }

    /// What tasks of `role` may use.
    #[must_use]
    pub fn allocatable_to(&self, role: &Role) -> Self {
        self.filter(|one| one.is_allocatable_to(role))
    }

    /// Marks all as offered or given to `role`.
    pub fn allocate(&mut self, role: &Role) {
        self.set_allocation(Some(role));
    }

    /// Removes every mark of a role it is offered or given to.
    pub fn unallocate(&mut self) {
        self.set_allocation(None);
    }

    /// All of it, marked as offered or given to `role`.
    #[must_use]
    pub fn allocated_to(&self, role: &Role) -> Self {
        let mut all = self.clone();
        all.allocate(role);
        all
    }

    /// All of it without allocation marks.
    #[must_use]
    pub fn unallocated(&self) -> Self {
        let mut all = self.clone();
        all.unallocate();
        all
    }

    fn set_allocation(&mut self, role: Option<&Role>) {
        let mut marks = self.0.iter().map(|entry| entry.resource.allocation.as_ref());
        let first = marks.next();
        // Entries with one mark in common stay in order and apart when it changes for all.
        if marks.all(|mark| Some(mark) == first) {
            for entry in self.0.iter_mut() {
                entry.resource.allocation = role.cloned();
            }
            return;
        }
        let entries = std::mem::take(&mut self.0);
        for entry in entries.iter() {
            let resource = Resource { allocation: role.cloned(), ..entry.resource.clone() };
            self.add_entry(&resource, entry.count);
        }
    }

    /// The parts by the role they are offered or given to; unmarked resources are left out.
    pub fn allocations(&self) -> BTreeMap<Role, Self> {
        let mut parts = BTreeMap::<Role, Self>::new();
        for entry in self.0.iter() {
            if let Some(role) = &entry.resource.allocation {
                parts.entry(role.clone()).or_default().0.push(entry.clone());
            }
        }
        parts
    }

    /// The parts by the role they are kept for; unreserved resources are left out.
    pub fn reservations(&self) -> BTreeMap<Role, Self> {
        let mut parts = BTreeMap::<Role, Self>::new();
        for entry in self.0.iter() {
            if let Some(role) = entry.resource.reservation_role() {
                parts.entry(role.clone()).or_default().0.push(entry.clone());
            }
        }
        parts
    }

    /// All of it as if nothing were reserved, allocated or a volume: what quota and totals count.
    #[must_use]
    pub fn stripped(&self) -> Self {
        self.0
            .iter()
            .map(|entry| Resource {
                revocable: entry.resource.revocable,
                ..Resource::new(entry.resource.name.clone(), entry.resource.value.clone())
            })
            .collect()
    }

    /// The sums of all amounts by name. What is shared counts once; ranges and sets do not count.
    pub fn quantities(&self) -> Quantities {
        let mut sums = Quantities::default();
        for entry in self.0.iter() {
            if let Value::Scalar(amount) = entry.resource.value {
                sums.add(&entry.resource.name, amount);
            }
        }
        sums
    }

    /// The sum of all amounts of `name`.
    pub fn scalar(&self, name: &str) -> Quantity {
        self.named(name).fold(Quantity::ZERO, |sum, value| match value {
            Value::Scalar(amount) => sum.saturating_add(*amount),
            _ => sum,
        })
    }

    /// All numbers of `name`.
    pub fn ranges(&self, name: &str) -> Ranges {
        self.named(name).fold(Ranges::default(), |all, value| match value {
            Value::Ranges(ranges) => all.union(ranges),
            _ => all,
        })
    }

    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Value> + 'a {
        self.iter().filter(move |one| one.name.as_str() == name).map(|one| &one.value)
    }

    /// Cuts the amounts of `name` down until they sum up to `most` at most. What cannot be divided
    /// and does not fit is left out.
    pub fn shrink(&mut self, name: &str, most: Quantity) {
        let mut left = most;
        self.0.retain_mut(|entry| {
            let indivisible = entry.resource.is_atom();
            let resource = &mut entry.resource;
            let Value::Scalar(amount) = &mut resource.value else { return true };
            if resource.name.as_str() != name {
                return true;
            }
            if *amount > left {
                if indivisible || !left.is_positive() {
                    return false;
                }
                *amount = left;
            }
            left = left.saturating_sub(*amount);
            true
        });
    }
}
