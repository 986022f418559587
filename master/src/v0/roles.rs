//! Roles: those that frameworks have or resources are reserved for.

use std::collections::{BTreeMap, BTreeSet};

use reeve_master_core::view::Snapshot;
use reeve_model::{FrameworkId, Quantities, Resources, Role};
use reeve_transport::{Request, Response};

use super::json::Writer;
use super::resources::quantities;
use crate::office::Leader;
use crate::sight::{Depth, Sight};

/// What is known of a role.
#[derive(Debug, Default)]
pub struct RoleFacts {
    /// Frameworks that have the role.
    pub frameworks: BTreeSet<FrameworkId>,
    /// What tasks and executors hold in it.
    pub used: Resources,
    /// What is offered in it.
    pub offered: Resources,
    /// What is reserved for it.
    pub reserved: Resources,
}

/// Every role, by name.
pub fn known(snapshot: &Snapshot) -> BTreeMap<Role, RoleFacts> {
    // Everybody has `*`, so it is listed even if nobody holds anything in it.
    let mut roles = BTreeMap::from([(Role::any(), RoleFacts::default())]);
    for view in snapshot.frameworks.values() {
        for role in &view.record.info.roles {
            let facts = roles.entry(role.clone()).or_default();
            facts.frameworks.insert(view.record.id.clone());
        }
    }
    for view in snapshot.agents.values() {
        for (role, used) in view.used.allocations() {
            roles.entry(role).or_default().used += used;
        }
        for (role, offered) in view.offered.allocations() {
            roles.entry(role).or_default().offered += offered;
        }
        for (role, reserved) in view.record.total.reservations() {
            roles.entry(role).or_default().reserved += reserved;
        }
    }
    roles
}

/// `GET /roles`.
pub fn roles(leader: &Leader, request: &Request) -> Result<Response, Response> {
    let sight = Sight::of(leader, request, Depth::Frameworks)?;
    let mut roles = known(&sight);
    roles.retain(|role, _| sight.shows_role(role));
    Ok(Writer::response(|w| {
        w.key("roles").array(&roles, |w, (role, facts)| w.object(|w| fields(w, role, facts)));
    }))
}

fn fields(w: &mut Writer, role: &Role, facts: &RoleFacts) {
    let (used, offered) = (facts.used.quantities(), facts.offered.quantities());
    let reserved = facts.reserved.quantities();
    let none = Quantities::new();
    w.field("name", role.as_str());
    w.field("weight", 1.0);
    w.key("quota").object(|w| {
        w.field("role", role.as_str());
        quantities(w.key("guarantee"), &none);
        quantities(w.key("limit"), &none);
        let unreserved = facts.used.unreserved().quantities();
        quantities(w.key("consumed"), &(reserved.clone() + &unreserved));
    });
    quantities(w.key("allocated"), &used);
    quantities(w.key("offered"), &offered);
    quantities(w.key("reserved"), &reserved);
    quantities(w.key("resources"), &(used + &offered));
    w.key("frameworks").array(&facts.frameworks, |w, id| w.value(id.as_str()));
}
