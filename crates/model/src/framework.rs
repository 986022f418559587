//! Who subscribes: a framework's description of itself (FI-1 to FI-3).

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use reeve_wire::v1;

use crate::error::WireError;
use crate::ids::{FrameworkId, Principal, Role};
use crate::resources::{Format, MinAllocatable};
use crate::units::duration;

/// What a framework says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameworkInfo {
    /// The user its tasks run as unless they say otherwise.
    pub user: String,
    /// Its name, for people.
    pub name: String,
    /// Its id, from its second subscription on.
    pub id: Option<FrameworkId>,
    /// How long its tasks outlive its connection.
    pub failover_timeout: Duration,
    /// Whether its tasks outlive an agent's restart.
    pub checkpoint: bool,
    /// The one role, or the roles of a framework with MULTI_ROLE.
    pub roles: Vec<Role>,
    /// Where it runs, for people.
    pub hostname: String,
    /// Who it claims, or has proved, to be.
    pub principal: Option<Principal>,
    /// Its own user interface, for people.
    pub webui_url: String,
    /// What it understands.
    pub capabilities: Capabilities,
    /// How small an offer may be, by role.
    pub offer_filters: BTreeMap<Role, MinAllocatable>,
    /// Labels and fields unknown here, as they came.
    pub rest: Bytes,
}

/// What a framework understands, as a set (FI-2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(u32);

/// Defines the members of [`Capabilities`] with the wire's numbers.
macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident $constant:ident = $number:literal,)*) => {
        impl Capabilities {
            $(
                $(#[$doc])*
                pub const $constant: Self = Self(1 << $number);

                $(#[$doc])*
                pub const fn $name(self) -> bool {
                    self.0 & Self::$constant.0 != 0
                }
            )*
        }
    };
}

capabilities!(
    /// Takes resources that may be taken back.
    revocable_resources REVOCABLE_RESOURCES = 1,
    /// Knows `TASK_KILLING`.
    task_killing_state TASK_KILLING_STATE = 2,
    /// Wants offers of agents with graphics processors.
    gpu_resources GPU_RESOURCES = 3,
    /// Takes shared volumes.
    shared_resources SHARED_RESOURCES = 4,
    /// Knows the finer states of loss.
    partition_aware PARTITION_AWARE = 5,
    /// Has several roles.
    multi_role MULTI_ROLE = 6,
    /// Knows stacks of reservations.
    reservation_refinement RESERVATION_REFINEMENT = 7,
    /// Wants offers of other regions.
    region_aware REGION_AWARE = 8,
);

impl Capabilities {
    /// None.
    pub const fn none() -> Self {
        Self(0)
    }

    /// What is in either.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in this.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The numbers on the wire, ascending.
    pub fn numbers(self) -> impl Iterator<Item = i32> {
        (0..31).filter(move |number| self.0 & 1 << number != 0)
    }

    /// In which format resources are written for who has these.
    pub const fn format(self) -> Format {
        if self.reservation_refinement() { Format::PostRefinement } else { Format::PreRefinement }
    }

    /// Takes the numbers on the wire; unknown and newer ones are left out.
    pub fn from_numbers(numbers: impl IntoIterator<Item = i32>) -> Self {
        let known = numbers.into_iter().filter(|number| (1..=8).contains(number));
        Self(known.fold(0, |set, number| set | 1 << number))
    }
}

impl FrameworkInfo {
    /// Whether `role` is one of its roles.
    pub fn has_role(&self, role: &Role) -> bool {
        self.roles.contains(role)
    }

    /// As the wire carries it.
    pub fn to_wire(&self) -> v1::FrameworkInfo {
        let multi = self.capabilities.multi_role();
        let roles = || self.roles.iter().map(Role::to_string);
        // The rest was encoded, or decoded once, so it decodes; if not, the labels are lost.
        let rest = Rest::decode(self.rest.clone()).unwrap_or_default();
        let filters = self.offer_filters.iter().map(|(role, filter)| {
            let filters = v1::OfferFilters { min_allocatable_resources: Some(filter.to_wire()) };
            (role.to_string(), filters)
        });
        let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        #[allow(deprecated)]
        v1::FrameworkInfo {
            user: self.user.clone(),
            name: self.name.clone(),
            id: self.id.as_ref().map(FrameworkId::to_wire),
            failover_timeout: Some(self.failover_timeout.as_secs_f64()),
            checkpoint: Some(self.checkpoint),
            role: if multi { None } else { roles().next() },
            roles: if multi { roles().collect() } else { Vec::new() },
            hostname: text(&self.hostname),
            principal: self.principal.as_ref().map(Principal::to_string),
            webui_url: text(&self.webui_url),
            capabilities: self
                .capabilities
                .numbers()
                .map(|number| v1::framework_info::Capability { r#type: Some(number) })
                .collect(),
            labels: rest.labels,
            offer_filters: filters.collect(),
        }
    }

    /// Its labels.
    pub fn labels(&self) -> Option<v1::Labels> {
        Rest::decode(self.rest.clone()).unwrap_or_default().labels
    }
}

/// What of a framework's description is only passed on.
#[derive(Clone, PartialEq, Message)]
struct Rest {
    #[prost(message, optional, tag = "11")]
    labels: Option<v1::Labels>,
}

impl TryFrom<v1::FrameworkInfo> for FrameworkInfo {
    type Error = WireError;

    fn try_from(wire: v1::FrameworkInfo) -> Result<Self, WireError> {
        if let Err(rule) = crate::validate::framework(&wire) {
            return Err(WireError::new("framework_info", format!("is invalid: {rule}")));
        }
        let capabilities =
            Capabilities::from_numbers(wire.capabilities.iter().filter_map(|one| one.r#type));
        #[allow(deprecated)]
        let role = wire.role.as_deref().unwrap_or("*");
        let roles = if capabilities.multi_role() {
            wire.roles.iter().map(|role| Role::new(role.as_str())).collect()
        } else {
            vec![Role::new(role)]
        };
        let filters = wire.offer_filters.iter().filter_map(|(role, filters)| {
            let least = filters.min_allocatable_resources.as_ref()?;
            Some((Role::new(role.as_str()), MinAllocatable::from(least)))
        });
        Ok(Self {
            offer_filters: filters.collect(),
            user: wire.user,
            name: wire.name,
            id: wire.id.filter(|id| !id.value.is_empty()).map(FrameworkId::from),
            failover_timeout: duration(wire.failover_timeout.unwrap_or_default())
                .map_err(|rule| WireError::new("framework_info.failover_timeout", rule))?,
            checkpoint: wire.checkpoint.unwrap_or_default(),
            roles,
            hostname: wire.hostname.unwrap_or_default(),
            principal: wire.principal.map(Principal::new),
            webui_url: wire.webui_url.unwrap_or_default(),
            capabilities,
            rest: Rest { labels: wire.labels }.encode_to_vec().into(),
        })
    }
}
