//! Operators' calls that change something: each is permitted, checked, and then the core's. Those
//! that take agents out of use are in `upkeep`, those about machines in `maintenance`.

use reeve_access::thing;
use reeve_master_core::event::{Ask, QuotaChange};
use reeve_model::{AgentId, Role};
use reeve_transport::{Principal, Response};
use reeve_wire::v1::WeightInfo;
use reeve_wire::v1::master::Call;
use reeve_wire::v1::master::call::{Type, UpdateQuota};
use reeve_wire::v1::quota::QuotaRequest;

use super::operator::invalid;
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
) -> Option<Result<Response, Response>> {
    Some(match kind {
        Type::MarkAgentGone => mark_gone(leader, sender, call).await,
        Type::DrainAgent => upkeep::drain(leader, sender, call).await,
        Type::DeactivateAgent => upkeep::deactivate(leader, sender, call).await,
        Type::ReactivateAgent => upkeep::reactivate(leader, sender, call).await,
        Type::UpdateMaintenanceSchedule => maintenance::update(leader, sender, call).await,
        Type::StartMaintenance => maintenance::start(leader, sender, call).await,
        Type::StopMaintenance => maintenance::stop(leader, sender, call).await,
        Type::UpdateQuota => match &call.update_quota {
            Some(wanted) => update_quota(leader, sender, wanted).await,
            None => Err(invalid("Expecting 'update_quota' to be present")),
        },
        Type::SetQuota => match &call.set_quota {
            Some(wanted) => set_quota(leader, sender, wanted.quota_request.clone()).await,
            None => Err(invalid("Expecting 'set_quota' to be present")),
        },
        Type::RemoveQuota => match &call.remove_quota {
            Some(wanted) => remove_quota(leader, sender, &wanted.role).await,
            None => Err(invalid("Expecting 'remove_quota' to be present")),
        },
        Type::UpdateWeights => match &call.update_weights {
            Some(wanted) => update_weights(leader, sender, &wanted.weight_infos).await,
            None => Err(invalid("Expecting 'update_weights' to be present")),
        },
        _ => return None,
    })
}

/// The action of declaring an agent gone.
pub(super) const MARK_GONE: &str = "mark_agents_gone";

async fn mark_gone(
    leader: &Leader,
    sender: Option<&Principal>,
    call: &Call,
) -> Result<Response, Response> {
    let Some(wanted) = &call.mark_agent_gone else {
        return Err(invalid("Expecting 'mark_agent_gone' to be present"));
    };
    leader.permissions.check(sender, MARK_GONE, thing([])).await?;
    Ok(ask(leader, Ask::MarkGone(AgentId::new(wanted.agent_id.value.as_str()))).await)
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

/// Asks the core, and says what it answers.
pub(super) async fn ask(leader: &Leader, ask: Ask) -> Response {
    leader.ask(|reply| Input::Asks(ask, reply)).await
}
