//! What one core says in the words of the other: the part of the wire that matters here.

use std::sync::Arc;

use reeve_agent_core::effect::{Enrolment, TaskReport, ToMaster};
use reeve_agent_core::event::FromMaster;
use reeve_master_core::effect::ToAgent;
use reeve_master_core::event::{AgentUpdate, Kind, KnownTask, Registration, Reregistration};
use reeve_model::{AgentId, AgentInfo, Pid, Uuid};

/// Capabilities that every agent here has, as in Mesos 1.11.
const CAPABILITIES: [i32; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// A master's message, as the agent reads it.
pub fn to_agent(message: ToAgent, master: &Pid) -> FromMaster {
    match message {
        ToAgent::Registered { agent, ping_timeout } => {
            FromMaster::Registered(agent, Some(ping_timeout))
        }
        ToAgent::Reregistered { agent, ping_timeout, missing } => {
            FromMaster::Reregistered(agent, Some(ping_timeout), missing)
        }
        ToAgent::Ping { connected } => {
            FromMaster::Ping(Pid::new("slave-observer(1)", master.address), connected)
        }
        ToAgent::Shutdown(reason) => FromMaster::Shutdown(reason),
        ToAgent::Run { framework, task, launch_executor, scheduler } => {
            let launch_executor = Some(launch_executor);
            FromMaster::Run { framework, task, launch_executor, scheduler }
        }
        ToAgent::RunGroup { framework, executor, tasks, launch_executor } => {
            let launch_executor = Some(launch_executor);
            FromMaster::RunGroup { framework, executor, tasks, launch_executor }
        }
        ToAgent::Kill(framework, task, policy) => FromMaster::Kill(framework, task, policy),
        ToAgent::Acknowledge(_, framework, task, uuid) => {
            FromMaster::Acknowledge(framework, task, uuid)
        }
        ToAgent::ShutdownExecutor(framework, executor) => {
            FromMaster::ShutdownExecutor(framework, executor)
        }
        ToAgent::ShutdownFramework(framework) => FromMaster::ShutdownFramework(framework),
        ToAgent::UpdateFramework(info, pid) => {
            let id = info.id.clone().unwrap_or_else(|| reeve_model::FrameworkId::new(""));
            FromMaster::UpdateFramework(id, Some(info), pid)
        }
        ToAgent::Message(_, framework, executor, data) => {
            FromMaster::Message(framework, executor, data)
        }
        ToAgent::CheckpointResources(resources) => FromMaster::CheckpointResources(resources),
        ToAgent::Drain(config) => FromMaster::Drain(config),
    }
}

/// A message of a life of an agent, as the master reads it.
pub fn to_master(
    message: ToMaster,
    from: &Pid,
    agent: Option<&AgentId>,
    life: u64,
) -> Option<Kind> {
    let pid = from.clone();
    Some(match message {
        ToMaster::Register(enrolment) => {
            Kind::AgentRegisters(pid, Box::new(registration(*enrolment, life)))
        }
        ToMaster::Reregister { enrolment, tasks, executors, frameworks } => {
            let registration = registration(*enrolment, life);
            let tasks = tasks.into_iter().map(known).collect();
            let again = Reregistration { registration, tasks, executors, frameworks };
            Kind::AgentReregisters(pid, Box::new(again))
        }
        ToMaster::Unregister(id) => Kind::AgentUnregisters(pid, id),
        ToMaster::Update(id, oversubscribed) => {
            let update = AgentUpdate { oversubscribed, resource_version: Some(version(life)) };
            Kind::AgentUpdates(pid, id, Box::new(update))
        }
        ToMaster::Pong => Kind::AgentPonged(pid),
        ToMaster::Status(update) => Kind::StatusUpdated(pid, Box::new((*update).clone())),
        ToMaster::Message(framework, executor, data) => {
            Kind::ExecutorMessage(agent?.clone(), framework, executor, data)
        }
        ToMaster::ExecutorExited(framework, executor, status) => {
            Kind::ExecutorExited(agent?.clone(), framework, executor, status)
        }
    })
}

/// Agents make one up with each start.
fn version(life: u64) -> Uuid {
    Uuid::from_chance(u128::from(life).to_be_bytes())
}

fn registration(enrolment: Enrolment, life: u64) -> Registration {
    Registration {
        info: AgentInfo::clone(&enrolment.info),
        version: "1.11.0".to_owned(),
        capabilities: CAPABILITIES.to_vec(),
        checkpointed: enrolment.checkpointed,
        resource_version: Some(version(life)),
    }
}

fn known(report: TaskReport) -> KnownTask {
    KnownTask {
        id: report.task.id.clone(),
        name: report.task.name.as_str().into(),
        framework: report.framework,
        executor: report.executor,
        state: report.state,
        resources: report.task.resources.clone(),
        statuses: report.statuses.iter().map(|update| Arc::new(update.status.clone())).collect(),
        update_state: report.pending.as_ref().map(|update| update.status.state),
        update_uuid: report.pending.as_ref().and_then(|update| update.uuid),
        rest: bytes::Bytes::new(),
    }
}
