//! Messages to the master (LP-9).

use std::sync::Arc;

use bytes::Bytes;
use reeve_agent_core::effect::{Enrolment, TaskReport, ToMaster};
use reeve_model::{AgentId, ExecutorInfo, Format, FrameworkId, FrameworkInfo, Resources};
use reeve_wire::{internal, v1};

use super::resources;

/// What an agent can do (§12.1 item 17): a stock master refuses or filters one that can less.
/// Without `RESOURCE_PROVIDER` it tells all that is reserved after each change, instead of changes
/// that an agent must apply and answer.
const CAPABILITIES: &[v1::agent_info::capability::Type] = &[
    v1::agent_info::capability::Type::MultiRole,
    v1::agent_info::capability::Type::HierarchicalRole,
    v1::agent_info::capability::Type::ReservationRefinement,
    v1::agent_info::capability::Type::AgentDraining,
    v1::agent_info::capability::Type::TaskResourceLimits,
];

/// What the shell knows of this agent that messages repeat.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Its id, once it has one.
    pub agent: Option<AgentId>,
    /// Its pid, where updates are acknowledged to. A Mesos master dies of an update without one.
    pub pid: String,
    /// The version of its resources: changes whenever they do.
    pub resource_version: [u8; 16],
}

/// A message by its full name and its bytes.
pub fn encode(message: &ToMaster, identity: &Identity) -> (&'static str, Bytes) {
    match message {
        ToMaster::Register(enrolment) => pack(&register(identity, enrolment)),
        ToMaster::Reregister { enrolment, tasks, executors, frameworks } => {
            let about = register(identity, enrolment);
            pack(&reregister(identity, about, tasks, executors, frameworks))
        }
        ToMaster::Unregister(agent) => {
            pack(&internal::UnregisterSlaveMessage { slave_id: agent.to_wire() })
        }
        ToMaster::Update(agent, oversubscribed) => {
            pack(&update(agent, oversubscribed.as_ref(), identity))
        }
        ToMaster::Pong => pack(&internal::PongSlaveMessage {}),
        ToMaster::Status(update) => {
            let pid = Some(identity.pid.clone());
            pack(&internal::StatusUpdateMessage { update: update.to_wire(), pid })
        }
        ToMaster::Message(framework, executor, data) => {
            pack(&internal::ExecutorToFrameworkMessage {
                slave_id: own_id(identity),
                framework_id: framework.to_wire(),
                executor_id: executor.to_wire(),
                data: data.clone(),
            })
        }
        ToMaster::ExecutorExited(framework, executor, status) => {
            pack(&internal::ExitedExecutorMessage {
                slave_id: own_id(identity),
                framework_id: framework.to_wire(),
                executor_id: executor.to_wire(),
                status: *status,
            })
        }
    }
}

fn pack<M: reeve_wire::WireMessage>(message: &M) -> (&'static str, Bytes) {
    (M::NAME, reeve_wire::encode(message))
}

fn own_id(identity: &Identity) -> v1::AgentId {
    identity.agent.as_ref().map(AgentId::to_wire).unwrap_or_default()
}

fn version(identity: &Identity) -> Option<v1::Uuid> {
    Some(v1::Uuid { value: Bytes::copy_from_slice(&identity.resource_version) })
}

fn capabilities() -> Vec<v1::agent_info::Capability> {
    let one = |kind: &v1::agent_info::capability::Type| v1::agent_info::Capability {
        r#type: Some(*kind as i32),
    };
    CAPABILITIES.iter().map(one).collect()
}

pub(crate) fn slave(info: &reeve_model::AgentInfo) -> reeve_wire::SlaveInfo {
    info.to_slave_info(Format::PreRefinement)
        .or_else(|_| info.to_slave_info(Format::PostRefinement))
        .unwrap_or_default()
}

fn register(identity: &Identity, enrolment: &Enrolment) -> internal::RegisterSlaveMessage {
    internal::RegisterSlaveMessage {
        slave: slave(&enrolment.info),
        checkpointed_resources: resources(&enrolment.checkpointed),
        version: Some(reeve_v0::MESOS_VERSION.to_owned()),
        agent_capabilities: capabilities(),
        resource_version_uuid: version(identity),
    }
}

fn reregister(
    identity: &Identity,
    about: internal::RegisterSlaveMessage,
    tasks: &[TaskReport],
    executors: &[(FrameworkId, Arc<ExecutorInfo>)],
    frameworks: &[Arc<FrameworkInfo>],
) -> internal::ReregisterSlaveMessage {
    internal::ReregisterSlaveMessage {
        slave: about.slave,
        checkpointed_resources: about.checkpointed_resources,
        executor_infos: executors.iter().map(|(id, info)| executor(id, info)).collect(),
        tasks: tasks.iter().map(|report| task(identity, report)).collect(),
        frameworks: frameworks.iter().map(|info| info.to_wire()).collect(),
        completed_frameworks: Vec::new(),
        version: about.version,
        agent_capabilities: about.agent_capabilities,
        resource_version_uuid: about.resource_version_uuid,
    }
}

fn update(
    agent: &AgentId,
    oversubscribed: Option<&Resources>,
    identity: &Identity,
) -> internal::UpdateSlaveMessage {
    internal::UpdateSlaveMessage {
        slave_id: agent.to_wire(),
        update_oversubscribed_resources: oversubscribed.map(|_| true),
        oversubscribed_resources: oversubscribed.map(resources).unwrap_or_default(),
        operations: Some(internal::update_slave_message::Operations::default()),
        resource_version_uuid: version(identity),
        resource_providers: Some(internal::update_slave_message::ResourceProviders::default()),
    }
}

/// An executor as the master is told of it: always with its framework.
pub(crate) fn executor(framework: &FrameworkId, info: &ExecutorInfo) -> v1::ExecutorInfo {
    let mut wire = info.details();
    wire.resources = resources(&info.resources);
    wire.framework_id = Some(framework.to_wire());
    wire
}

/// A task as the master and readers of this agent are told of it.
pub(crate) fn task(identity: &Identity, report: &TaskReport) -> v1::Task {
    let details = report.task.details();
    v1::Task {
        name: report.task.name.clone(),
        task_id: report.task.id.to_wire(),
        framework_id: report.framework.to_wire(),
        executor_id: report.executor.as_ref().map(|id| id.to_wire()),
        agent_id: own_id(identity),
        state: report.state.into(),
        resources: resources(&report.task.resources),
        statuses: report.statuses.iter().map(|update| update.status.to_wire()).collect(),
        status_update_state: report.pending.as_ref().map(|update| update.status.state.into()),
        status_update_uuid: report
            .pending
            .as_ref()
            .and_then(|update| update.uuid)
            .map(|uuid| Bytes::copy_from_slice(uuid.as_bytes())),
        labels: details.labels,
        discovery: details.discovery,
        container: details.container,
        health_check: details.health_check,
        kill_policy: details.kill_policy,
        user: details.command.and_then(|command| command.user),
        limits: details.limits,
    }
}
