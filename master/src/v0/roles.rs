//! Roles: those that frameworks have or resources are reserved for.

use std::collections::{BTreeMap, BTreeSet};

use reeve_access::{thing, unanswered};
use reeve_master_core::view::Snapshot;
use reeve_model::{FrameworkId, Resources, Role};
use reeve_transport::{Request, Response};
use reeve_wire::json;
use reeve_wire::v1::WeightInfo;
use reeve_wire::v1::quota::QuotaStatus;
use tokio::runtime::Handle;

use super::json::Writer;
use super::resources::quantities;
use crate::office::Leader;
use crate::quota;
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
    for role in snapshot.quotas.keys().chain(snapshot.weights.keys()) {
        roles.entry(role.clone()).or_default();
    }
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
        w.key("roles").array(&roles, |w, (role, facts)| {
            w.object(|w| fields(w, &sight, role, facts));
        });
    }))
}

/// The weights that one reader sees.
pub fn weight_infos(sight: &Sight) -> Vec<WeightInfo> {
    let seen = sight.weights.iter().filter(|(role, _)| sight.shows_role(role));
    seen.map(|(role, weight)| WeightInfo { role: Some(role.to_string()), weight: *weight })
        .collect()
}

/// `GET /weights`.
pub fn weights(leader: &Leader, request: &Request) -> Result<Response, Response> {
    let infos = weight_infos(&Sight::of(leader, request, Depth::Frameworks)?);
    let infos: Vec<_> = infos.iter().map(json::to_value).collect();
    Ok(Response::json(serde_json::Value::from(infos).to_string()))
}

/// The quota that one reader sees (`get_quotas`). Must be called on a thread that may block.
///
/// # Errors
///
/// If the authorizer gives no answer (503).
pub fn quota_status(leader: &Leader, request: &Request) -> Result<QuotaStatus, Response> {
    let snapshot = leader.snapshot();
    let roles = snapshot.quotas.keys().map(|role| thing([("role", role.as_str())])).collect();
    let asked = leader.permissions.each(request.principal.as_ref(), "get_quotas", roles);
    let answers = Handle::current().block_on(asked).map_err(unanswered)?;
    let seen: Vec<_> =
        snapshot.quotas.iter().zip(answers).filter(|(_, yes)| *yes).map(|(one, _)| one).collect();
    Ok(quota::status(seen.into_iter()))
}

/// `GET /quota`.
pub fn quotas(leader: &Leader, request: &Request) -> Result<Response, Response> {
    Ok(Response::json(json::to_vec(&quota_status(leader, request)?)))
}

fn fields(w: &mut Writer, sight: &Sight, role: &Role, facts: &RoleFacts) {
    let (used, offered) = (facts.used.quantities(), facts.offered.quantities());
    let reserved = facts.reserved.quantities();
    let quota = sight.quotas.get(role).cloned().unwrap_or_default();
    w.field("name", role.as_str());
    w.field("weight", sight.weights.get(role).copied().unwrap_or(1.0));
    w.key("quota").object(|w| {
        w.field("role", role.as_str());
        quantities(w.key("guarantee"), &quota.guarantees);
        quantities(w.key("limit"), &quota.limits.iter().cloned().collect());
        let unreserved = facts.used.unreserved().quantities();
        quantities(w.key("consumed"), &(reserved.clone() + &unreserved));
    });
    quantities(w.key("allocated"), &used);
    quantities(w.key("offered"), &offered);
    quantities(w.key("reserved"), &reserved);
    quantities(w.key("resources"), &(used + &offered));
    w.key("frameworks").array(&facts.frameworks, |w, id| w.value(id.as_str()));
}
