//! Effects as messages to agents and v0 drivers.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use reeve_master_core::effect::{ToAgent, ToScheduler};
use reeve_model::{AgentId, Capabilities, Format, FrameworkId, Pid, TaskStatus, Uuid, WireError};
use reeve_transport::Peers;
use reeve_wire::{Described, WireMessage, internal, v1};

use crate::identity::ACTOR;
use crate::schedulers::wire_offer;

/// The actor that pings: answers come back to it, and not to the queue of the master's other
/// messages in the senders' eyes (Mesos has one such actor per agent; agents only answer).
pub const OBSERVER: &str = "slave-observer(1)";

/// AgentInfo.Capability.RESERVATION_REFINEMENT: the agent knows stacks of reservations.
const REFINEMENT: i32 = 3;

/// What must be known of an agent to write to it.
#[derive(Clone, Debug)]
pub struct AgentFacts {
    format: Format,
    resource_version: Option<Uuid>,
}

impl AgentFacts {
    /// Of an agent with these capabilities and this version of its resources.
    pub fn new(capabilities: &[i32], resource_version: Option<Uuid>) -> Self {
        let refined = capabilities.contains(&REFINEMENT);
        let format = if refined { Format::PostRefinement } else { Format::PreRefinement };
        AgentFacts { format, resource_version }
    }
}

/// Writes messages to peers.
#[derive(Debug)]
pub struct Outbound {
    peers: Peers,
    master: v1::MasterInfo,
    agents: BTreeMap<Pid, AgentFacts>,
    pids: BTreeMap<AgentId, Pid>,
}

impl Outbound {
    /// Sends through `peers`, as the master that `master` describes.
    pub fn new(peers: Peers, master: v1::MasterInfo) -> Self {
        Outbound { peers, master, agents: BTreeMap::new(), pids: BTreeMap::new() }
    }

    /// Learns about an agent and where it is.
    pub fn know(&mut self, id: AgentId, pid: Pid, facts: AgentFacts) {
        let old = self.pids.insert(id, pid.clone());
        if let Some(old) = old.filter(|old| *old != pid) {
            self.agents.remove(&old);
        }
        self.agents.insert(pid, facts);
    }

    /// Forgets an agent.
    pub fn forget(&mut self, id: &AgentId) {
        if let Some(pid) = self.pids.remove(id) {
            self.agents.remove(&pid);
        }
    }

    /// Watches the connection to a peer.
    pub fn link(&self, pid: &Pid) {
        self.peers.link(pid);
    }

    /// Watches it no longer.
    pub fn unlink(&self, pid: &Pid) {
        self.peers.unlink(pid);
    }

    /// Sends a message to an agent.
    pub fn to_agent(&self, to: &Pid, message: ToAgent) {
        let facts = self.agents.get(to);
        let format = facts.map_or(Format::PostRefinement, |facts| facts.format);
        let versions = versions(facts);
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
            ToAgent::Run { framework, task, launch_executor, scheduler } => {
                let Some(task) = encoded(to, task.to_wire_bytes(format)) else { return };
                let wire = RunTask {
                    framework_id: framework.id.as_ref().map(FrameworkId::to_wire),
                    framework: framework.to_wire(),
                    pid: scheduler.map(|pid| pid.to_string()),
                    task,
                    resource_version_uuids: versions,
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
                    resource_version_uuids: versions,
                    launch_executor: Some(launch_executor),
                };
                self.post_as(to, internal::RunTaskGroupMessage::NAME, &wire);
            }
            ToAgent::Shutdown(text) => {
                self.post(to, &internal::ShutdownMessage { message: Some(text) });
            }
            ToAgent::CheckpointResources(resources) => {
                let Some(resources) = encoded(to, resources.to_wire(format)) else { return };
                self.post(to, &internal::CheckpointResourcesMessage { resources });
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
                let Some(id) = info.id.as_ref() else { return };
                let wire = internal::UpdateFrameworkMessage {
                    framework_id: id.to_wire(),
                    // An empty pid tells agents that the scheduler speaks HTTP (Mesos: agents
                    // parse the field whenever it is there).
                    pid: Some(scheduler.map(|pid| pid.to_string()).unwrap_or_default()),
                    framework_info: Some(info.to_wire()),
                };
                self.post(to, &wire);
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

    /// Sends an event to a v0 driver (LP-6).
    pub fn to_driver(
        &self,
        to: &Pid,
        framework: Option<&FrameworkId>,
        capabilities: Capabilities,
        event: ToScheduler,
    ) {
        let master_info = self.master.clone();
        match event {
            ToScheduler::Subscribed { framework, again } => {
                let framework_id = framework.to_wire();
                if again {
                    let wire = internal::FrameworkReregisteredMessage { framework_id, master_info };
                    self.post(to, &wire);
                } else {
                    self.post(
                        to,
                        &internal::FrameworkRegisteredMessage { framework_id, master_info },
                    );
                }
            }
            ToScheduler::Offers(offers) => {
                let wire = internal::ResourceOffersMessage {
                    pids: offers.iter().map(|offer| offer.pid.to_string()).collect(),
                    offers: offers.iter().map(|offer| wire_offer(offer, capabilities)).collect(),
                };
                self.post(to, &wire);
            }
            ToScheduler::Rescind(offer) => {
                let offer_id = offer.to_wire();
                self.post(to, &internal::RescindResourceOfferMessage { offer_id });
            }
            ToScheduler::Update(update) => {
                // Without a pid the driver acknowledges nothing; the master forwards
                // acknowledgements itself, so its own pid stands here (LP-12).
                let pid = update.uuid.map(|_| self.peers.pid(ACTOR).to_string());
                let update = update.to_wire();
                self.post(to, &internal::StatusUpdateMessage { update, pid });
            }
            ToScheduler::Message(agent, executor, data) => {
                let Some(framework) = framework else { return };
                let wire = internal::ExecutorToFrameworkMessage {
                    slave_id: agent.to_wire(),
                    framework_id: framework.to_wire(),
                    executor_id: executor.to_wire(),
                    data,
                };
                self.post(to, &wire);
            }
            ToScheduler::Failure(agent, None) => {
                self.post(to, &internal::LostSlaveMessage { slave_id: agent.to_wire() });
            }
            ToScheduler::Failure(agent, Some((executor, status))) => {
                let Some(framework) = framework else { return };
                let wire = internal::ExitedExecutorMessage {
                    slave_id: agent.to_wire(),
                    framework_id: framework.to_wire(),
                    executor_id: executor.to_wire(),
                    status,
                };
                self.post(to, &wire);
            }
            ToScheduler::Error(message) => {
                self.post(to, &internal::FrameworkErrorMessage { message });
            }
            // LP-6: drivers hear neither heartbeats nor statuses of operations.
            ToScheduler::Heartbeat | ToScheduler::OperationUpdate(_) => {}
        }
    }

    fn post<T: WireMessage>(&self, to: &Pid, message: &T) {
        self.post_as(to, T::NAME, message);
    }

    fn post_as(&self, to: &Pid, name: &str, message: &impl Message) {
        self.peers.send(ACTOR, to, name, &message.encode_to_vec());
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
