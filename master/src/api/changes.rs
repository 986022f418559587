//! Operators' calls that change something: each is permitted, checked, and then the core's. Those
//! that take agents out of use are in `upkeep`, those about machines in `maintenance`.

use reeve_access::thing;
use reeve_master_core::event::{Ask, QuotaChange};
use reeve_model::{AgentId, Role};
use reeve_transport::{Principal, Response};
use reeve_wire::v1::master::Call;
use reeve_wire::v1::master::call::{Type, UpdateQuota};
use reeve_wire::v1::quota::QuotaRequest;
use reeve_wire::v1::{self, WeightInfo};

use super::operator::required;
use super::{maintenance, upkeep};
use crate::office::Leader;
use crate::owner::Input;
use crate::quota;

/// The most roles that one call may change: all of them are written at once or none.
const MOST_ROLES: usize = 2_000;

/// Carries a call out if it is one of those.
pub async fn take(
    leader: &Leader,
    sender: Option<&Principal>,
    kind: Type,
    call: &Call,
) -> Result<Option<Response>, Response> {
    let answer = match kind {
        Type::MarkAgentGone => {
            let wanted = required(&call.mark_agent_gone, "mark_agent_gone")?;
            mark_gone(leader, sender, &wanted.agent_id).await
        }
        Type::DrainAgent => {
            upkeep::drain(leader, sender, required(&call.drain_agent, "drain_agent")?).await
        }
        Type::DeactivateAgent => {
            let wanted = required(&call.deactivate_agent, "deactivate_agent")?;
            upkeep::deactivate(leader, sender, &wanted.agent_id).await
        }
        Type::ReactivateAgent => {
            let wanted = required(&call.reactivate_agent, "reactivate_agent")?;
            upkeep::reactivate(leader, sender, &wanted.agent_id).await
        }
        Type::UpdateMaintenanceSchedule => {
            let wanted = &call.update_maintenance_schedule;
            let wanted = required(wanted, "update_maintenance_schedule")?;
            maintenance::set_schedule(leader, sender, &wanted.schedule).await
        }
        Type::StartMaintenance => {
            let wanted = required(&call.start_maintenance, "start_maintenance")?;
            maintenance::take_down(leader, sender, &wanted.machines).await
        }
        Type::StopMaintenance => {
            let wanted = required(&call.stop_maintenance, "stop_maintenance")?;
            maintenance::bring_up(leader, sender, &wanted.machines).await
        }
        Type::UpdateQuota => {
            update_quota(leader, sender, required(&call.update_quota, "update_quota")?).await
        }
        Type::SetQuota => {
            let wanted = required(&call.set_quota, "set_quota")?;
            set_quota(leader, sender, wanted.quota_request.clone()).await
        }
        Type::RemoveQuota => {
            let wanted = required(&call.remove_quota, "remove_quota")?;
            remove_quota(leader, sender, &wanted.role).await
        }
        Type::UpdateWeights => {
            let wanted = required(&call.update_weights, "update_weights")?;
            update_weights(leader, sender, &wanted.weight_infos).await
        }
        _ => return Ok(None),
    };
    answer.map(Some)
}

/// The action of declaring an agent gone.
pub(super) const MARK_GONE: &str = "mark_agents_gone";

async fn mark_gone(
    leader: &Leader,
    sender: Option<&Principal>,
    agent: &v1::AgentId,
) -> Result<Response, Response> {
    leader.permissions.check(sender, MARK_GONE, thing([])).await?;
    Ok(ask(leader, Ask::MarkGone(agent_id(agent))).await)
}

async fn update_quota(
    leader: &Leader,
    sender: Option<&Principal>,
    wanted: &UpdateQuota,
) -> Result<Response, Response> {
    check_count(wanted.quota_configs.len())?;
    let mut quotas = Vec::new();
    for config in &wanted.quota_configs {
        quota::check_top(&config.role, "Updating").map_err(Response::bad_request)?;
        let parsed = quota::parse(config);
        quotas.push(
            parsed.map_err(|why| Response::bad_request(format!("Invalid QuotaConfig: {why}")))?,
        );
    }
    for (role, _) in &quotas {
        may_set(leader, sender, "update_quotas", role).await?;
    }
    let (change, force) = (QuotaChange::Update(quotas), wanted.force());
    Ok(ask(leader, Ask::Quota { change, force }).await)
}

/// SET_QUOTA and `POST /quota`.
pub async fn set_quota(
    leader: &Leader,
    sender: Option<&Principal>,
    wanted: QuotaRequest,
) -> Result<Response, Response> {
    let wrong =
        |why: String| Response::bad_request(format!("Failed to validate set quota request: {why}"));
    let role = wanted.role.as_deref().ok_or("QuotaInfo must specify a role".to_owned());
    let role = role
        .and_then(|role| {
            Role::parse(role).map_err(|why| format!("QuotaInfo with invalid role: {why}"))
        })
        .map_err(wrong)?;
    let force = wanted.force();
    let guarantees = quota::guarantee(wanted.guarantee).map_err(wrong)?;
    quota::check_top(role.as_str(), "Setting").map_err(Response::bad_request)?;
    may_set(leader, sender, "update_quotas", &role).await?;
    let change = QuotaChange::Set(role, guarantees);
    Ok(ask(leader, Ask::Quota { change, force }).await)
}

/// REMOVE_QUOTA and `DELETE /quota/<role>`.
pub async fn remove_quota(
    leader: &Leader,
    sender: Option<&Principal>,
    role: &str,
) -> Result<Response, Response> {
    let role = Role::parse(role)
        .map_err(|why| Response::bad_request(format!("Failed to remove quota: {why}")))?;
    may_set(leader, sender, "update_quotas", &role).await?;
    Ok(ask(leader, Ask::Quota { change: QuotaChange::Remove(role), force: false }).await)
}

/// UPDATE_WEIGHTS and `PUT /weights`.
pub async fn update_weights(
    leader: &Leader,
    sender: Option<&Principal>,
    wanted: &[WeightInfo],
) -> Result<Response, Response> {
    check_count(wanted.len())?;
    let mut weights = Vec::new();
    for info in wanted {
        let (role, weight) = (info.role().trim(), info.weight);
        let wrong = |why: String| {
            let what = "Failed to validate update weights request JSON";
            Err(Response::bad_request(format!("{what}{why}")))
        };
        let role = match Role::parse(role) {
            Ok(role) => role,
            Err(why) => return wrong(format!(": Invalid role '{role}': {why}")),
        };
        if !(weight > 0.0 && weight.is_finite()) {
            return wrong(format!(
                " for role '{role}': Invalid weight '{weight}': Weights must be positive"
            ));
        }
        weights.push((role, weight));
    }
    for (role, _) in &weights {
        may_set(leader, sender, "update_weights", role).await?;
    }
    Ok(ask(leader, Ask::Weights(weights)).await)
}

fn check_count(roles: usize) -> Result<(), Response> {
    if roles <= MOST_ROLES {
        return Ok(());
    }
    let text = format!("{roles} roles are more than the {MOST_ROLES} that one call may change");
    Err(Response::bad_request(text))
}

async fn may_set(
    leader: &Leader,
    sender: Option<&Principal>,
    action: &'static str,
    role: &Role,
) -> Result<(), Response> {
    leader.permissions.check(sender, action, thing([("role", role.as_str())])).await
}

pub(super) fn agent_id(wire: &v1::AgentId) -> AgentId {
    AgentId::new(wire.value.as_str())
}

/// Asks the core, and says what it answers.
pub(super) async fn ask(leader: &Leader, ask: Ask) -> Response {
    leader.ask(|reply| Input::Asks(ask, reply)).await
}
