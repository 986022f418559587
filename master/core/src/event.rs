//! The facts that reach the master's core. Ids, times of day and chance come in with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use reeve_machine::Wall;
use reeve_model::{
    AgentId, AgentInfo, Deactivation, DrainConfig, ExecutorId, ExecutorInfo, Filters, FrameworkId,
    FrameworkInfo, KillPolicy, Machine, MachineId, OfferConstraints, OfferId, Operation,
    OperationId, Pid, Principal, Quantities, Resources, Role, StatusUpdate, TaskId, TaskState,
    Uuid, Window,
};

use crate::allocation;
use crate::roles::Quota;
use crate::view::Statuses;

/// One event stream of a scheduler, numbered by the shell and never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// One write to the registry, numbered by the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub u64);

/// One HTTP request that waits for the core's answer, numbered by the shell. Every event that
/// carries one is answered by exactly one [`crate::Effect::Answer`]: in the same step, unless
/// something must be durable first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Who makes a call, and with what claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// An HTTP request, and who sent it if that was asked. The core checks, in Mesos's order: the
    /// framework is known (400), it is the sender's (400), it is subscribed (403) by a stream of its own and not by a driver (403), the stream id is there
    /// (400) and is the current one (400). Only then is the call looked at.
    Request(RequestId, StreamClaim, Option<Principal>),
    /// A message of a v0 driver. What comes from another driver than the framework's is dropped.
    Driver(Pid),
}

/// What the `Mesos-Stream-Id` header of a call said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamClaim {
    /// There was no such header.
    Missing,
    /// It named no stream that the shell ever opened, or one that is closed.
    Unknown,
    /// It named this stream.
    Is(StreamId),
}

/// An event and the time of day at which the shell saw it.
#[derive(Clone, Debug)]
pub struct Event {
    /// The time of day, for statuses and records that people read.
    pub wall: Wall,
    /// What happened.
    pub kind: Kind,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Kind {
    /// The registry was read; the core may admit agents from now on.
    Recovered(Box<Recovered>),
    /// A write is durable.
    Committed(WriteId),
    /// A write failed for good; the master cannot go on as leader.
    CommitFailed(WriteId, String),

    /// An agent without an id asks to join (`RegisterSlaveMessage`).
    AgentRegisters(Pid, Box<Registration>),
    /// An agent returns with its id and what runs on it (`ReregisterSlaveMessage`).
    AgentReregisters(Pid, Box<Reregistration>),
    /// An agent leaves for good (`UnregisterSlaveMessage`).
    AgentUnregisters(Pid, AgentId),
    /// An agent's resources changed (`UpdateSlaveMessage`).
    AgentUpdates(Pid, AgentId, Box<AgentUpdate>),
    /// An agent answered a ping.
    AgentPonged(Pid),
    /// The connection to a peer (agent or driver) broke.
    LinkBroken(Pid),
    /// An agent passes on a task's status (`StatusUpdateMessage`).
    StatusUpdated(Pid, Box<StatusUpdate>),
    /// An executor's message to its scheduler.
    ExecutorMessage(AgentId, FrameworkId, ExecutorId, Bytes),
    /// An executor is gone; the number is its wait status.
    ExecutorExited(AgentId, FrameworkId, ExecutorId, i32),

    /// A scheduler opens an event stream. The core answers on it: `Subscribed` and `Heartbeat`,
    /// or `Error` and then [`crate::Effect::Close`]. For a v0 driver the id is only a number that
    /// is never used again.
    Subscribes(StreamId, Box<Subscription>),
    /// A scheduler's event stream ended from its side.
    StreamClosed(StreamId),
    /// A v0 driver aborts: no more offers, but its tasks stay (`DeactivateFrameworkMessage`).
    DriverDeactivates(Pid, FrameworkId),
    /// A scheduler calls. The shell has only parsed the call; the core checks the caller and
    /// answers a request.
    Calls(FrameworkId, Caller, Call),
    /// An operator ends a framework (`/teardown`).
    TeardownAsked(RequestId, FrameworkId),
    /// An operator asks for something else.
    Asks(RequestId, Ask),

    /// The allocation machine grants resources.
    Granted(Vec<allocation::Granted>),
    /// The allocation machine wants resources back, for others.
    Reclaimed(Vec<allocation::Reclaimed>),
    /// Another allocation machine, of this number, is in the place of the one before. It knows
    /// nothing.
    AllocatorReplaced(u64),
    /// The time of [`reeve_machine::Machine::deadline`] has come.
    Deadline,
}

/// What operators ask for.
#[derive(Clone, Debug)]
pub enum Ask {
    /// An agent is gone for good (MARK_AGENT_GONE).
    MarkGone(AgentId),
    /// An agent is to be emptied (DRAIN_AGENT).
    Drain(AgentId, DrainConfig),
    /// Nothing is to be offered of an agent (DEACTIVATE_AGENT).
    Deactivate(AgentId),
    /// An agent is to be used again (REACTIVATE_AGENT).
    Reactivate(AgentId),
    /// Maintenance is planned, begins or ends.
    Maintenance(MaintenanceChange),
    /// Roles get quota.
    Quota {
        /// Which and how much.
        change: QuotaChange,
        /// Whether it is set although the cluster does not have it, or the role has more.
        force: bool,
    },
    /// Roles get these weights, above 0 (UPDATE_WEIGHTS).
    Weights(Vec<(Role, f64)>),
}

/// A change of the maintenance of machines.
#[derive(Clone, Debug)]
pub enum MaintenanceChange {
    /// This is the whole schedule from now on (UPDATE_MAINTENANCE_SCHEDULE).
    Schedule(Vec<Window>),
    /// These machines are down (START_MAINTENANCE).
    Start(Vec<MachineId>),
    /// These machines are up, and not in the schedule any more (STOP_MAINTENANCE).
    Stop(Vec<MachineId>),
}

/// A change of top-level roles' quota.
#[derive(Clone, Debug)]
pub enum QuotaChange {
    /// Each of these (UPDATE_QUOTA).
    Update(Vec<(Role, Quota)>),
    /// So much for a role that has none yet (SET_QUOTA).
    Set(Role, Quantities),
    /// None for a role that has some (REMOVE_QUOTA).
    Remove(Role),
}

/// What the registry held.
#[derive(Clone, Debug, Default)]
pub struct Recovered {
    /// This master's id, the prefix of the ids it gives (`<id>-S0`, `<id>-0000`, `<id>-O0`).
    pub master: Arc<str>,
    /// Agents admitted by an earlier leader.
    pub agents: Vec<AgentInfo>,
    /// Agents that were unreachable, and since when.
    pub unreachable: Vec<(AgentId, Wall)>,
    /// Agents that may not come back.
    pub gone: Vec<(AgentId, Wall)>,
    /// Agents that are out of use.
    pub deactivated: Vec<(AgentId, Deactivation)>,
    /// When machines are to be down.
    pub schedule: Vec<Window>,
    /// The machines in the schedule.
    pub machines: Vec<Machine>,
    /// Frameworks that did not end.
    pub frameworks: Vec<RecoveredFramework>,
    /// Frameworks that ended.
    pub completed: Vec<CompletedFramework>,
    /// Quota of top-level roles.
    pub quotas: BTreeMap<Role, Quota>,
    /// Weights of roles.
    pub weights: BTreeMap<Role, f64>,
}

/// A framework that the registry holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveredFramework {
    /// The framework, with its id.
    pub info: Arc<FrameworkInfo>,
    /// When it first subscribed.
    pub registered: Wall,
}

/// A framework that ended, and is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedFramework {
    /// The framework, with its id.
    pub info: Arc<FrameworkInfo>,
    /// When it first subscribed.
    pub registered: Wall,
    /// When it ended.
    pub ended: Wall,
}

/// `RegisterSlaveMessage`, parsed.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The agent, without an id.
    pub info: AgentInfo,
    /// Its SemVer version; agents older than 1.0.0 are refused.
    pub version: String,
    /// Numbers of its capabilities (`AgentInfo.Capability.Type`).
    pub capabilities: Vec<i32>,
    /// Resources it has checkpointed: dynamic reservations and volumes.
    pub checkpointed: Resources,
    /// The version of its resources, opaque.
    pub resource_version: Option<Uuid>,
}

/// `ReregisterSlaveMessage`, parsed.
#[derive(Clone, Debug)]
pub struct Reregistration {
    /// What it would say when registering; its info carries the id.
    pub registration: Registration,
    /// Every task it knows that is not terminal and acknowledged.
    pub tasks: Vec<KnownTask>,
    /// Its executors.
    pub executors: Vec<(FrameworkId, Arc<ExecutorInfo>)>,
    /// The frameworks of those tasks.
    pub frameworks: Vec<Arc<FrameworkInfo>>,
}

/// A task as an agent knows it (`mesos.Task`).
#[derive(Clone, Debug)]
pub struct KnownTask {
    /// Its id.
    pub id: TaskId,
    /// Its name.
    pub name: Arc<str>,
    /// Its framework.
    pub framework: FrameworkId,
    /// Its executor; none for a command task.
    pub executor: Option<ExecutorId>,
    /// Its latest state.
    pub state: TaskState,
    /// What it holds, with allocation info.
    pub resources: Resources,
    /// The latest statuses, oldest first.
    pub statuses: Statuses,
    /// The state of the update that is being delivered, if any.
    pub update_state: Option<TaskState>,
    /// The id of that update.
    pub update_uuid: Option<Uuid>,
    /// The other fields of the encoded `Task` as they came (labels, discovery, container …).
    pub rest: Bytes,
}

/// `UpdateSlaveMessage`, parsed as far as the master acts on it.
#[derive(Clone, Debug, Default)]
pub struct AgentUpdate {
    /// Revocable resources on top of the agent's own, if the update speaks of them.
    pub oversubscribed: Option<Resources>,
    /// The version of its resources, opaque.
    pub resource_version: Option<Uuid>,
}

/// SUBSCRIBE, parsed.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The framework; its id is set when it returns.
    pub info: Arc<FrameworkInfo>,
    /// Roles it wants no offers for yet.
    pub suppressed: BTreeSet<Role>,
    /// What agents it wants offers of.
    pub constraints: Option<Arc<OfferConstraints>>,
    /// Where events go.
    pub channel: Channel,
    /// `force` of the v0 driver: take over from a scheduler that is still connected.
    pub force: bool,
}

/// How a scheduler is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A v1 event stream; the event's [`StreamId`] names it.
    Http,
    /// A v0 driver.
    Libprocess(Pid),
}

/// A call of a subscribed scheduler (SC-2 … SC-16).
#[derive(Clone, Debug)]
pub enum Call {
    /// End the framework and all it runs.
    Teardown,
    /// Use offers.
    Accept {
        /// Offers of one agent.
        offers: Vec<OfferId>,
        /// What to do with them, in order.
        operations: Vec<Operation>,
        /// For what is left over.
        filters: Filters,
    },
    /// Give offers back.
    Decline {
        /// The offers.
        offers: Vec<OfferId>,
        /// How long not to offer the same again.
        filters: Filters,
    },
    /// Want offers again, and forget filters; no roles means all.
    Revive(Vec<Role>),
    /// Want no offers; no roles means all.
    Suppress(Vec<Role>),
    /// Kill a task.
    Kill {
        /// The task.
        task: TaskId,
        /// Where it runs, if the scheduler knows.
        agent: Option<AgentId>,
        /// How to kill it, instead of the task's own policy.
        policy: Option<KillPolicy>,
    },
    /// Shut an executor down.
    Shutdown(ExecutorId, AgentId),
    /// A status update has arrived.
    Acknowledge {
        /// The agent that sent it.
        agent: AgentId,
        /// The task.
        task: TaskId,
        /// The update.
        uuid: Uuid,
    },
    /// An operation's status has arrived.
    AcknowledgeOperation {
        /// The agent of the operation.
        agent: Option<AgentId>,
        /// The operation.
        operation: OperationId,
        /// The update.
        uuid: Uuid,
    },
    /// Tell the states of these tasks; none means all.
    Reconcile(Vec<(TaskId, Option<AgentId>)>),
    /// Tell the states of these operations; none means all.
    ReconcileOperations(Vec<(OperationId, Option<AgentId>)>),
    /// A message to an executor.
    Message {
        /// The executor's agent.
        agent: AgentId,
        /// The executor.
        executor: ExecutorId,
        /// Opaque.
        data: Bytes,
    },
    /// A request for resources; allocators may listen to it, none of ours does.
    Request,
    /// The framework describes itself anew.
    UpdateFramework {
        /// The new description.
        info: Arc<FrameworkInfo>,
        /// Roles it wants no offers for.
        suppressed: BTreeSet<Role>,
        /// What agents it wants offers of.
        constraints: Option<Arc<OfferConstraints>>,
    },
    /// A call that the scheduler may not make, and why (403).
    Forbidden(String),
    /// Answers to inverse offers; recorded for `/maintenance/status`.
    AnswerInverseOffers {
        /// The inverse offers.
        offers: Vec<OfferId>,
        /// Whether they are accepted.
        accepted: bool,
        /// How long not to ask again.
        filters: Filters,
    },
}
