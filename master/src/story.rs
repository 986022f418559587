//! What becomes of agents, frameworks and tasks, told in the log: one line for each event that an
//! operator may look for later. It follows the core's facts on the readers' task, so that it takes
//! no time of the core's. What goes wrong in the daemon itself is told where it happens.

use reeve_master_core::view::{
    AgentRecord, Change, Departure, ExecutorRecord, FrameworkRecord, TaskBody, TaskRecord,
};
use reeve_model::{AgentId, FrameworkId, TaskStatus};

use crate::readers::Readers;

/// Tells of a fact that readers do not see yet.
pub fn tell(readers: &Readers, change: &Change) {
    match change {
        Change::Agent(record) => agent(readers, record),
        Change::AgentLeft(id, departure) => agent_left(id, departure),
        Change::Framework(record) => framework(readers, record),
        Change::FrameworkCompleted(id, _) => tracing::info!(framework = %id, "a framework ended"),
        Change::ExecutorAdded(record) => executor(record),
        Change::ExecutorRemoved(framework, agent, executor) => {
            tracing::debug!(%executor, %framework, %agent, "an executor is gone");
        }
        Change::TasksAdded(records) => records.iter().for_each(|record| task(record)),
        Change::TaskProgressed { framework, status, .. } => status_of(framework, status),
        Change::TaskRefused(framework, status) | Change::LostTaskEnded(framework, status) => {
            status_of(framework, status);
        }
        Change::Quota(role, quota) => tracing::info!(%role, ?quota, "a quota is set"),
        Change::Weight(role, weight) => tracing::info!(%role, weight, "a weight is set"),
        Change::OfferMade(offer) => {
            tracing::debug!(offer = %offer.id, framework = %offer.framework, "an offer is made");
        }
        Change::OfferEnded(offer, end) => tracing::debug!(%offer, ?end, "an offer ended"),
        Change::InverseOfferMade(offer) => {
            let (framework, agent) = (&offer.framework, &offer.agent_id);
            tracing::debug!(%framework, %agent, "a framework is asked whether an agent may go");
        }
        Change::InverseOfferEnded(offer, Some(answer)) => {
            let (framework, agent) = (&offer.framework, &offer.agent_id);
            let accepted = answer.accepted;
            tracing::info!(%framework, %agent, accepted, "a framework says whether an agent may go");
        }
        Change::Maintenance(windows, machines) => {
            let (windows, machines) = (windows.len(), machines.len());
            tracing::info!(windows, machines, "what is known of maintenance changed");
        }
        Change::Led { awaited, .. } if !awaited.is_empty() => {
            tracing::info!(agents = awaited.len(), "agents of the leader before are awaited");
        }
        Change::Led { .. }
        | Change::RemovalScheduled
        | Change::RemovalCanceled
        | Change::AgentForgotten(_)
        | Change::InverseOfferEnded(_, None)
        | Change::AnswersVoid(_)
        | Change::TaskRemoved(..)
        | Change::Operated(..) => {}
    }
}

fn agent(readers: &Readers, record: &AgentRecord) {
    let (agent, host) = (&record.id, record.info.hostname.as_str());
    let before = readers.look(|now| now.agents.get(agent).map(|before| before.record.clone()));
    match before {
        None if record.reregistered.is_none() => {
            let (pid, resources) = (&record.pid, &record.total);
            tracing::info!(%agent, host, %pid, %resources, "an agent registered");
        }
        None => tracing::info!(%agent, host, pid = %record.pid, "an agent returned"),
        Some(before) => {
            match (before.connected, record.connected) {
                (true, false) => tracing::warn!(%agent, host, "an agent is disconnected"),
                (false, true) => tracing::info!(%agent, host, "an agent is connected again"),
                _ => {}
            }
            if before.connected && record.connected && before.active != record.active {
                let what = if record.active { "is offered again" } else { "is not offered" };
                tracing::info!(%agent, host, "an agent {what}");
            }
        }
    }
}

fn agent_left(agent: &AgentId, departure: &Departure) {
    match departure {
        Departure::Unreachable { awaited: false, .. } => {
            tracing::warn!(%agent, "an agent is unreachable");
        }
        Departure::Unreachable { awaited: true, .. } => {
            tracing::warn!(%agent, "an agent has not returned and counts as unreachable");
        }
        Departure::Removed(why) => tracing::info!(%agent, "an agent left: {}", why.text()),
        Departure::Gone(_) => tracing::warn!(%agent, "an agent is gone, as an operator said"),
    }
}

fn framework(readers: &Readers, record: &FrameworkRecord) {
    let (framework, name) = (&record.id, record.info.name.as_str());
    let before =
        readers.look(|now| now.frameworks.get(framework).map(|before| before.record.clone()));
    match (before.is_some_and(|before| before.connected), record.connected) {
        (false, true) => {
            let user = record.info.user.as_str();
            tracing::info!(%framework, name, user, "a framework is subscribed");
        }
        (true, false) => {
            let within = record.info.failover_timeout;
            tracing::info!(%framework, name, ?within, "a framework is away, and may return");
        }
        _ => {}
    }
}

fn executor(record: &ExecutorRecord) {
    let (executor, framework, agent) = (&record.info.id, &record.framework, &record.agent);
    tracing::debug!(%executor, %framework, %agent, "an executor runs");
}

fn task(record: &TaskRecord) {
    let TaskRecord { id: task, framework, agent, .. } = record;
    match &record.body {
        TaskBody::Launched(_) => {
            let (name, resources) = (&*record.name, &record.resources);
            tracing::info!(%task, %framework, %agent, name, %resources, "a task is launched");
        }
        TaskBody::Reported(_) => {
            tracing::info!(%task, %framework, %agent, "an agent has a task: {}", record.state);
        }
    }
}

fn status_of(framework: &FrameworkId, status: &TaskStatus) {
    let TaskStatus { task, state, .. } = status;
    let agent = status.agent.as_ref().map(tracing::field::display);
    let (reason, why) = (status.reason.map(tracing::field::display), status.message.as_deref());
    tracing::info!(%task, %framework, agent, reason, why, "a task is {state}");
}
