//! Messages to agents (LP-10).

use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use reeve_master_core::effect::ToAgent;
use reeve_model::{Format, FrameworkId, FrameworkInfo, Pid, TaskStatus, WireError};
use reeve_wire::{Described, internal, v1};

use super::outbound::{AgentFacts, OBSERVER, Outbound};

impl Outbound {
    /// Sends a message to an agent.
    pub fn to_agent(&self, to: &Pid, message: ToAgent) {
        let facts = self.agents.get(to);
        let format = facts.map_or(Format::PostRefinement, |facts| facts.format);
        match message {
            ToAgent::Registered { agent, ping_timeout } => {
                let connection = Some(connection(ping_timeout));
                let slave_id = agent.to_wire();
                self.post(to, &internal::SlaveRegisteredMessage { slave_id, connection });
            }
            ToAgent::Reregistered { agent, ping_timeout, missing } => {
                let wire = internal::SlaveReregisteredMessage {
                    slave_id: agent.to_wire(),
                    reconciliations: missing.into_iter().map(reconciliation).collect(),
                    connection: Some(connection(ping_timeout)),
                };
                self.post(to, &wire);
            }
            ToAgent::Ping { connected } => {
                let body = internal::PingSlaveMessage { connected }.encode_to_vec();
                self.peers.send(OBSERVER, to, internal::PingSlaveMessage::NAME, &body);
            }
            ToAgent::Shutdown(text) => {
                self.post(to, &internal::ShutdownMessage { message: Some(text) });
            }
            ToAgent::Drain(config) => {
                self.post(to, &internal::DrainSlaveMessage { config: config.to_wire() });
            }
            ToAgent::CheckpointResources(resources) => {
                let Some(resources) = encoded(to, resources.to_wire(format)) else { return };
                self.post(to, &internal::CheckpointResourcesMessage { resources });
            }
            ToAgent::Run { .. } | ToAgent::RunGroup { .. } => {
                self.run(to, format, versions(facts), message);
            }
            other => self.forward(to, other),
        }
    }

    /// The messages that only carry ids.
    fn forward(&self, to: &Pid, message: ToAgent) {
        match message {
            ToAgent::Kill(framework, task, policy) => {
                let wire = internal::KillTaskMessage {
                    framework_id: framework.to_wire(),
                    task_id: task.to_wire(),
                    kill_policy: policy.map(|policy| policy.to_wire()),
                };
                self.post(to, &wire);
            }
            ToAgent::Acknowledge(agent, framework, task, uuid) => {
                let wire = internal::StatusUpdateAcknowledgementMessage {
                    slave_id: agent.to_wire(),
                    framework_id: framework.to_wire(),
                    task_id: task.to_wire(),
                    uuid: uuid.to_bytes(),
                };
                self.post(to, &wire);
            }
            ToAgent::ShutdownExecutor(framework, executor) => {
                let wire = internal::ShutdownExecutorMessage {
                    executor_id: Some(executor.to_wire()),
                    framework_id: Some(framework.to_wire()),
                };
                self.post(to, &wire);
            }
            ToAgent::ShutdownFramework(framework) => {
                let framework_id = framework.to_wire();
                self.post(to, &internal::ShutdownFrameworkMessage { framework_id });
            }
            ToAgent::UpdateFramework(info, scheduler) => {
                self.update_framework(to, &info, scheduler.as_ref());
            }
            ToAgent::Message(agent, framework, executor, data) => {
                let wire = internal::FrameworkToExecutorMessage {
                    slave_id: agent.to_wire(),
                    framework_id: framework.to_wire(),
                    executor_id: executor.to_wire(),
                    data,
                };
                self.post(to, &wire);
            }
            other => tracing::error!(?other, "a message to an agent has no encoding"),
        }
    }

    fn update_framework(&self, to: &Pid, info: &FrameworkInfo, scheduler: Option<&Pid>) {
        let Some(id) = &info.id else { return };
        let wire = internal::UpdateFrameworkMessage {
            framework_id: id.to_wire(),
            // An empty pid tells agents that the scheduler speaks HTTP (Mesos: agents parse
            // the field whenever it is there).
            pid: Some(scheduler.map(ToString::to_string).unwrap_or_default()),
            framework_info: Some(info.to_wire()),
        };
        self.post(to, &wire);
    }

    /// The messages that launch.
    fn run(
        &self,
        to: &Pid,
        format: Format,
        resource_version_uuids: Vec<internal::ResourceVersionUuid>,
        message: ToAgent,
    ) {
        match message {
            ToAgent::Run { framework, task, launch_executor, scheduler } => {
                let Some(task) = encoded(to, task.to_wire_bytes(format)) else { return };
                let wire = RunTask {
                    framework_id: framework.id.as_ref().map(FrameworkId::to_wire),
                    framework: framework.to_wire(),
                    pid: scheduler.map(|pid| pid.to_string()),
                    task,
                    resource_version_uuids,
                    launch_executor: Some(launch_executor),
                };
                self.post_as(to, internal::RunTaskMessage::NAME, &wire);
            }
            ToAgent::RunGroup { framework, executor, tasks, launch_executor } => {
                let Some(executor) = encoded(to, executor.to_wire_bytes(format)) else { return };
                let tasks = tasks.iter().map(|task| task.to_wire_bytes(format)).collect();
                let Some(tasks) = encoded(to, tasks) else { return };
                let wire = RunTaskGroup {
                    framework: framework.to_wire(),
                    executor,
                    task_group: TaskGroup { tasks },
                    resource_version_uuids,
                    launch_executor: Some(launch_executor),
                };
                self.post_as(to, internal::RunTaskGroupMessage::NAME, &wire);
            }
            other => tracing::error!(?other, "this message launches nothing"),
        }
    }
}

fn connection(timeout: Duration) -> internal::MasterSlaveConnection {
    internal::MasterSlaveConnection { total_ping_timeout_seconds: Some(timeout.as_secs_f64()) }
}

fn reconciliation(
    (framework, statuses): (FrameworkId, Vec<TaskStatus>),
) -> internal::ReconcileTasksMessage {
    internal::ReconcileTasksMessage {
        framework_id: framework.to_wire(),
        statuses: statuses.iter().map(TaskStatus::to_wire).collect(),
        framework: None,
    }
}

fn versions(facts: Option<&AgentFacts>) -> Vec<internal::ResourceVersionUuid> {
    let version = facts.and_then(|facts| facts.resource_version);
    let wire = version.map(|uuid| internal::ResourceVersionUuid {
        resource_provider_id: None,
        uuid: v1::Uuid { value: uuid.to_bytes() },
    });
    wire.into_iter().collect()
}

/// What an old agent cannot be told is not sent; the log says so.
fn encoded<T>(to: &Pid, encoded: Result<T, WireError>) -> Option<T> {
    encoded
        .map_err(
            |why| tracing::error!(agent = %to, "a message has no encoding for this agent: {why}"),
        )
        .ok()
}

/// `RunTaskMessage` with the task encoded already: a message that is only forwarded keeps the
/// fields that we do not know. (A field of bytes has the encoding of a message.)
#[derive(Clone, PartialEq, Message)]
struct RunTask {
    #[prost(message, optional, tag = "1")]
    framework_id: Option<v1::FrameworkId>,
    #[prost(message, required, tag = "2")]
    framework: v1::FrameworkInfo,
    #[prost(string, optional, tag = "3")]
    pid: Option<String>,
    #[prost(bytes = "bytes", required, tag = "4")]
    task: Bytes,
    #[prost(message, repeated, tag = "5")]
    resource_version_uuids: Vec<internal::ResourceVersionUuid>,
    #[prost(bool, optional, tag = "6")]
    launch_executor: Option<bool>,
}

/// `RunTaskGroupMessage` in the same way.
#[derive(Clone, PartialEq, Message)]
struct RunTaskGroup {
    #[prost(message, required, tag = "1")]
    framework: v1::FrameworkInfo,
    #[prost(bytes = "bytes", required, tag = "2")]
    executor: Bytes,
    #[prost(message, required, tag = "3")]
    task_group: TaskGroup,
    #[prost(message, repeated, tag = "4")]
    resource_version_uuids: Vec<internal::ResourceVersionUuid>,
    #[prost(bool, optional, tag = "5")]
    launch_executor: Option<bool>,
}

/// `TaskGroupInfo` in the same way.
#[derive(Clone, PartialEq, Message)]
struct TaskGroup {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    tasks: Vec<Bytes>,
}
