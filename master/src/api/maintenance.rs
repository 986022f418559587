//! The maintenance of machines (MO-14, V0-11, V0-12): the calls and the older endpoints share what
//! is here. Who may see or change which machines, the authorizer says of each.

use std::collections::BTreeMap;

use reeve_access::{Permissions, thing, unanswered};
use reeve_master_core::event::{Ask, MaintenanceChange};
use reeve_master_core::view::{Answered, Snapshot};
use reeve_model::{FrameworkId, MachineId, MachineMode, Window};
use reeve_module_sdk::authorizer::Object;
use reeve_transport::{Principal, Request, Response};
use reeve_wire::v1;
use reeve_wire::v1::allocator::InverseOfferStatus;
use reeve_wire::v1::allocator::inverse_offer_status::Status;
use reeve_wire::v1::maintenance::cluster_status::DrainingMachine;
use reeve_wire::v1::maintenance::{ClusterStatus, Schedule};
use tokio::runtime::Handle;

use super::changes::ask;
use super::state::time;
use crate::office::Leader;

/// UPDATE_MAINTENANCE_SCHEDULE: this is the whole schedule from now on.
pub async fn set_schedule(
    leader: &Leader,
    sender: Option<&Principal>,
    wanted: &Schedule,
) -> Result<Response, Response> {
    let windows: Result<Vec<_>, _> = wanted.windows.iter().map(Window::try_from).collect();
    let windows = windows.map_err(|why| Response::bad_request(why.to_string()))?;
    let machines = windows.iter().flat_map(|window| &window.machines);
    may(&leader.permissions, sender, "update_maintenance_schedules", machines).await?;
    Ok(ask(leader, Ask::Maintenance(MaintenanceChange::Schedule(windows))).await)
}

/// START_MAINTENANCE: these machines are down, their agents go.
pub async fn take_down(
    leader: &Leader,
    sender: Option<&Principal>,
    wanted: &[v1::MachineId],
) -> Result<Response, Response> {
    let machines = machines(wanted)?;
    may(&leader.permissions, sender, "start_maintenances", &machines).await?;
    Ok(ask(leader, Ask::Maintenance(MaintenanceChange::Start(machines))).await)
}

/// STOP_MAINTENANCE: these machines are up, and not in the schedule any more.
pub async fn bring_up(
    leader: &Leader,
    sender: Option<&Principal>,
    wanted: &[v1::MachineId],
) -> Result<Response, Response> {
    let machines = machines(wanted)?;
    may(&leader.permissions, sender, "stop_maintenances", &machines).await?;
    Ok(ask(leader, Ask::Maintenance(MaintenanceChange::Stop(machines))).await)
}

fn machines(wanted: &[v1::MachineId]) -> Result<Vec<MachineId>, Response> {
    let machines: Result<Vec<_>, _> = wanted.iter().map(MachineId::try_from).collect();
    machines.map_err(|why| Response::bad_request(why.to_string()))
}

/// The schedule as its reader may see it. Must be called on a thread that may block.
///
/// # Errors
///
/// If the authorizer gives no answer (503).
pub fn schedule(leader: &Leader, request: &Request) -> Result<Schedule, Response> {
    let snapshot = leader.snapshot();
    let mut windows = Vec::clone(&snapshot.schedule);
    let all: Vec<MachineId> = windows.iter().flat_map(|window| window.machines.clone()).collect();
    let mut seen = seen(leader, request, "get_maintenance_schedules", &all)?.into_iter();
    for window in &mut windows {
        window.machines.retain(|_| seen.next() == Some(true));
    }
    windows.retain(|window| !window.machines.is_empty());
    Ok(Schedule { windows: windows.iter().map(Window::to_wire).collect() })
}

/// Which machines are about to go down and which are, as the reader may see it. Must be called on
/// a thread that may block.
///
/// # Errors
///
/// If the authorizer gives no answer (503).
pub fn status(leader: &Leader, request: &Request) -> Result<ClusterStatus, Response> {
    let snapshot = leader.snapshot();
    let all: Vec<MachineId> = snapshot.machines.keys().cloned().collect();
    let seen = seen(leader, request, "get_maintenance_statuses", &all)?;
    let mut answers = answers(&snapshot);
    let mut status = ClusterStatus::default();
    let machines = snapshot.machines.values().zip(seen).filter(|(_, yes)| *yes);
    for (machine, _) in machines {
        let id = machine.id.to_wire();
        match machine.mode {
            MachineMode::Draining => {
                let statuses = answers.remove(&machine.id).unwrap_or_default();
                status.draining_machines.push(DrainingMachine { id, statuses });
            }
            MachineMode::Down => status.down_machines.push(id),
        }
    }
    Ok(status)
}

/// What frameworks have answered last to inverse offers, by machine; once for each of its agents.
fn answers(snapshot: &Snapshot) -> BTreeMap<MachineId, Vec<InverseOfferStatus>> {
    let mut machines = BTreeMap::<MachineId, Vec<InverseOfferStatus>>::new();
    for (agent, answers) in &snapshot.answers {
        let Some(view) = snapshot.agents.get(agent) else { continue };
        let statuses = machines.entry(view.record.machine()).or_default();
        statuses.extend(answers.iter().map(|(framework, answer)| answer_of(framework, *answer)));
    }
    machines
}

fn answer_of(framework: &FrameworkId, answer: Answered) -> InverseOfferStatus {
    let status = if answer.accepted { Status::Accept } else { Status::Decline };
    InverseOfferStatus {
        status: status.into(),
        framework_id: framework.to_wire(),
        timestamp: time(answer.at),
    }
}

fn seen(
    leader: &Leader,
    request: &Request,
    action: &'static str,
    machines: &[MachineId],
) -> Result<Vec<bool>, Response> {
    let things = machines.iter().map(object).collect();
    let asked = leader.permissions.each(request.principal.as_ref(), action, things);
    Handle::current().block_on(asked).map_err(unanswered)
}

async fn may(
    permissions: &Permissions,
    sender: Option<&Principal>,
    action: &'static str,
    machines: impl IntoIterator<Item = &MachineId>,
) -> Result<(), Response> {
    let mut things: Vec<Object> = machines.into_iter().map(object).collect();
    if things.is_empty() {
        // To clear the schedule takes permission, too.
        things.push(thing([]));
    }
    let answers = permissions.each(sender, action, things).await.map_err(unanswered)?;
    if answers.iter().all(|yes| *yes) {
        return Ok(());
    }
    Err(Response::forbidden("403 Forbidden."))
}

/// What is known of a machine: its names, either of which may stand in a rule.
fn object(machine: &MachineId) -> Object {
    let names = [&machine.hostname, &machine.ip].into_iter().filter(|name| !name.is_empty());
    thing(names.map(|name| ("machine", name.as_str())))
}
