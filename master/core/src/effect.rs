//! What the master's core wants done. The shell carries effects out in order.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reeve_machine::Wall;
use reeve_model::{
    AgentId, AgentInfo, Deactivation, DrainConfig, ExecutorId, ExecutorInfo, FrameworkId,
    FrameworkInfo, KillPolicy, Machine, MachineId, OfferId, Pid, Quantities, Role, StatusUpdate,
    TaskId, TaskInfo, TaskStatus, Uuid, Window,
};

use crate::allocation;
use crate::answer::Answer;
use crate::event::{CompletedFramework, RequestId, StreamId, WriteId};
use crate::inverse_offers::InverseOffer;
use crate::offers::Offer;
use crate::roles::Quota;
use crate::view::Change;

/// What the shell must do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Make a mutation of the registry durable, then report `Committed`.
    Persist(WriteId, Mutation),
    /// Send a message to an agent.
    ToAgent(Pid, ToAgent),
    /// Watch the connection to a peer; report `LinkBroken`.
    Link(Pid),
    /// Forget the connection to a peer.
    Unlink(Pid),
    /// Send an event to a scheduler.
    ToScheduler(Scheduler, ToScheduler),
    /// Answer a request.
    Answer(RequestId, Answer),
    /// End a scheduler's stream after what was sent on it.
    Close(StreamId),
    /// Tell the allocation machine.
    Allocation(allocation::Event),
    /// The read model changed.
    Changed(Change),
    /// Log what was taken from a framework for others.
    TookBack(TookBack),
    /// This master cannot lead any longer; the text says why.
    StepDown(String),
}

/// What was taken from a framework for others, because the allocator wanted it.
#[derive(Clone, Debug)]
pub struct TookBack {
    /// The framework.
    pub framework: FrameworkId,
    /// In which role.
    pub role: Role,
    /// Where.
    pub agent: AgentId,
    /// The offers that were taken back.
    pub offers: Vec<OfferId>,
    /// The tasks that are being killed.
    pub tasks: Vec<TaskId>,
    /// What is wanted still, and is not to be had by ending offers or tasks.
    pub missing: Quantities,
    /// Why, as the allocator says.
    pub reason: Arc<str>,
}

/// Where a scheduler is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// On a v1 event stream.
    Stream(StreamId),
    /// Behind a v0 driver.
    Driver(Pid),
}

/// One mutation of the registry; a record per key.
#[derive(Clone, Debug)]
pub enum Mutation {
    /// An agent is admitted, or its description changed.
    Admit(Arc<AgentInfo>),
    /// An agent went out of reach.
    MarkUnreachable(AgentId, Wall),
    /// An unreachable agent is back.
    MarkReachable(Arc<AgentInfo>),
    /// Nothing is to be remembered of an agent.
    Remove(AgentId),
    /// An agent is gone since then, and may not come back.
    MarkGone(AgentId, Wall),
    /// An agent is out of use in this way.
    Deactivate(AgentId, Deactivation),
    /// An agent is in use again.
    Reactivate(AgentId),
    /// Machines have this maintenance ahead.
    Maintain {
        /// The whole schedule.
        windows: Arc<Vec<Window>>,
        /// Machines that are new in it or changed.
        machines: Vec<Machine>,
        /// Machines that are in it no longer.
        up: Vec<MachineId>,
    },
    /// These roles have this quota.
    SetQuotas(Vec<(Role, Quota)>),
    /// These roles have this weight.
    SetWeights(Vec<(Role, f64)>),
    /// A framework is described like this from now on; it first subscribed then.
    Describe(Arc<FrameworkInfo>, Wall),
    /// A framework ended.
    Complete {
        /// The framework.
        completed: CompletedFramework,
        /// Frameworks that ended long before, and are not to be remembered any longer.
        forgotten: Vec<FrameworkId>,
    },
    /// Nothing is to be remembered of a framework: nobody was ever told of it, or too many ended
    /// since.
    ForgetFramework(FrameworkId),
}

/// Messages to an agent (LP-10).
#[derive(Clone, Debug)]
pub enum ToAgent {
    /// `SlaveRegisteredMessage`.
    Registered {
        /// The id it has from now on.
        agent: AgentId,
        /// Without a ping for so long, it should look for a master again.
        ping_timeout: Duration,
    },
    /// `SlaveReregisteredMessage`.
    Reregistered {
        /// Its id.
        agent: AgentId,
        /// As in `Registered`.
        ping_timeout: Duration,
        /// Per framework, tasks the master knows and the agent did not name.
        missing: Vec<(FrameworkId, Vec<TaskStatus>)>,
    },
    /// `PingSlaveMessage`.
    Ping {
        /// Whether the master thinks the agent is connected.
        connected: bool,
    },
    /// `ShutdownMessage`.
    Shutdown(String),
    /// `DrainSlaveMessage`.
    Drain(DrainConfig),
    /// `RunTaskMessage`.
    Run {
        /// The framework.
        framework: Arc<FrameworkInfo>,
        /// The task, its resources with allocation info.
        task: Arc<TaskInfo>,
        /// Whether the agent is to start the executor (`launch_executor`).
        launch_executor: bool,
        /// Where a v0 driver listens.
        scheduler: Option<Pid>,
    },
    /// `RunTaskGroupMessage`.
    RunGroup {
        /// The framework.
        framework: Arc<FrameworkInfo>,
        /// The executor.
        executor: Arc<ExecutorInfo>,
        /// The tasks.
        tasks: Vec<Arc<TaskInfo>>,
        /// Whether the agent is to start the executor.
        launch_executor: bool,
    },
    /// `KillTaskMessage`.
    Kill(FrameworkId, TaskId, Option<KillPolicy>),
    /// `StatusUpdateAcknowledgementMessage`.
    Acknowledge(AgentId, FrameworkId, TaskId, Uuid),
    /// `ShutdownExecutorMessage`.
    ShutdownExecutor(FrameworkId, ExecutorId),
    /// `ShutdownFrameworkMessage`.
    ShutdownFramework(FrameworkId),
    /// `UpdateFrameworkMessage`.
    UpdateFramework(Arc<FrameworkInfo>, Option<Pid>),
    /// `FrameworkToExecutorMessage`.
    Message(AgentId, FrameworkId, ExecutorId, Bytes),
    /// `CheckpointResourcesMessage`: every reservation and volume of the agent.
    CheckpointResources(reeve_model::Resources),
}

/// Events to a scheduler (SE-1 … SE-10).
#[derive(Clone, Debug)]
pub enum ToScheduler {
    /// The framework is subscribed; `again` if it was known before (`FrameworkReregistered` of a
    /// v0 driver).
    Subscribed {
        /// Its id.
        framework: FrameworkId,
        /// Whether the master knew it.
        again: bool,
    },
    /// Offers.
    Offers(Vec<Arc<Offer>>),
    /// An offer is void.
    Rescind(OfferId),
    /// Inverse offers: may these agents go?
    InverseOffers(Vec<Arc<InverseOffer>>),
    /// An inverse offer is void.
    RescindInverse(OfferId),
    /// A task's status; the update's uuid is set if it must be acknowledged.
    Update(Arc<StatusUpdate>),
    /// An executor's message.
    Message(AgentId, ExecutorId, Bytes),
    /// An agent is lost, or (with an executor) an executor ended with this wait status.
    Failure(AgentId, Option<(ExecutorId, i32)>),
    /// The scheduler is wrong or replaced; it must stop.
    Error(String),
    /// The connection lives.
    Heartbeat,
    /// An operation's status (FINISHED, DROPPED …), for operations that had an id.
    OperationUpdate(Box<reeve_model::OperationStatus>),
}
