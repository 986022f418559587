//! The facts that reach the agent's core. Ids, times of day and chance come in with them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reeve_machine::Wall;
use reeve_model::{
    AgentId, ContainerId, DrainConfig, ExecutorId, ExecutorInfo, FrameworkId, FrameworkInfo,
    KillPolicy, Pid, Resources, TaskId, TaskInfo, TaskStatus, Uuid,
};

use crate::recovery::Recovered;

/// One connection of an executor, an event stream or its driver's registration, numbered by the shell and never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// One durable write, numbered by the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub u64);

/// An event and the time of day at which the shell saw it.
#[derive(Clone, Debug)]
pub struct Event {
    /// The time of day, for statuses and records that people read.
    pub wall: Wall,
    /// A fresh random id: for the container or the status update this event may give rise to.
    /// Further ids within one step are derived from it.
    pub fresh: Uuid,
    /// What happened.
    pub kind: Kind,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Checkpoints were read and surviving containers looked for.
    Recovered(Box<Recovered>),
    /// A write is durable.
    Committed(WriteId),
    /// A write failed; what depends on it is refused.
    CommitFailed(WriteId, String),

    /// The leading master is known, or there is none.
    MasterDetected(Option<Pid>),
    /// The connection to the master broke.
    MasterLinkBroken(Pid),
    /// An attempt to prove to this master who the agent is has ended.
    Authenticated(Pid, Proof),
    /// From the master.
    FromMaster(Pid, FromMaster),

    /// An executor opens its event stream (EX-1).
    ExecutorSubscribes(StreamId, Box<ExecutorSubscription>),
    /// An executor's stream ended from its side.
    ExecutorStreamClosed(StreamId),
    /// An executor reports a status (EX-2).
    ExecutorUpdates(FrameworkId, ExecutorId, Box<TaskStatus>),
    /// An executor's message to its scheduler (EX-3).
    ExecutorMessage(FrameworkId, ExecutorId, Bytes),

    /// The container's first process runs.
    ContainerStarted(ContainerId, u32),
    /// The container could not be made; it has been undone.
    ContainerFailed(ContainerId, LaunchFailure),
    /// The container is gone and cleaned up.
    ContainerEnded(ContainerId, Ending),
    /// A container's resources could not be changed.
    ContainerUpdateFailed(ContainerId, String),

    /// What may be offered as revocable in all, whoever holds it.
    Oversubscribes(Resources),
    /// An executor must go so that others get what they were granted.
    Corrects(Correction),

    /// How full the disk of the work directory is, in thousandths (RC-8).
    DiskUsage(u32),
    /// A path was deleted (or could not be).
    PathRemoved(String, Result<(), String>),
    /// The time of [`reeve_machine::Machine::deadline`] has come.
    Deadline,
    /// The daemon stops (SIGTERM leaves executors alone; SIGUSR1 unregisters first).
    Stops {
        /// Whether to leave the cluster for good.
        unregister: bool,
    },
}

/// How an attempt to prove who the agent is ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The master knows the agent's principal.
    Accepted,
    /// The name or the secret is wrong: no other attempt will do better.
    Refused,
    /// Something went wrong, and what.
    Failed(String),
}

/// Messages from the master (LP-10).
#[derive(Clone, Debug)]
pub enum FromMaster {
    /// `SlaveRegisteredMessage`.
    Registered(AgentId, Option<Duration>),
    /// `SlaveReregisteredMessage` with what the master missed.
    Reregistered(AgentId, Option<Duration>, Vec<(FrameworkId, Vec<TaskStatus>)>),
    /// `PingSlaveMessage`; the answer goes to the sender.
    Ping(Pid, bool),
    /// `RunTaskMessage`.
    Run {
        /// The framework.
        framework: Arc<FrameworkInfo>,
        /// The task.
        task: Arc<TaskInfo>,
        /// Whether this agent may start the executor; if unset it decides itself.
        launch_executor: Option<bool>,
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
        /// As in `Run`.
        launch_executor: Option<bool>,
    },
    /// `KillTaskMessage`.
    Kill(FrameworkId, TaskId, Option<KillPolicy>),
    /// `StatusUpdateAcknowledgementMessage`.
    Acknowledge(FrameworkId, TaskId, Uuid),
    /// `ShutdownExecutorMessage`.
    ShutdownExecutor(FrameworkId, ExecutorId),
    /// `ShutdownFrameworkMessage`.
    ShutdownFramework(FrameworkId),
    /// `UpdateFrameworkMessage`.
    UpdateFramework(FrameworkId, Option<Arc<FrameworkInfo>>, Option<Pid>),
    /// `FrameworkToExecutorMessage`.
    Message(FrameworkId, ExecutorId, Bytes),
    /// `CheckpointResourcesMessage`.
    CheckpointResources(Resources),
    /// `DrainSlaveMessage`: kill all tasks.
    Drain(DrainConfig),
    /// `ShutdownMessage`: kill everything and stop.
    Shutdown(String),
}

/// SUBSCRIBE of an executor, or the registration of its driver, parsed.
#[derive(Clone, Debug)]
pub struct ExecutorSubscription {
    /// Its framework.
    pub framework: FrameworkId,
    /// Its id.
    pub executor: ExecutorId,
    /// Tasks it has and no update of which is acknowledged.
    pub tasks: Vec<Arc<TaskInfo>>,
    /// Updates that are not acknowledged.
    pub updates: Vec<TaskStatus>,
    /// Where its driver listens; none over HTTP.
    pub driver: Option<Pid>,
}

/// Why a container could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchFailure {
    /// What the framework reads.
    pub message: String,
}

/// An executor that must go, if it holds revocable resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Its framework.
    pub framework: FrameworkId,
    /// Its id.
    pub executor: ExecutorId,
    /// Its container, lest a later one of the same id be meant.
    pub container: ContainerId,
    /// Why, for the framework.
    pub reason: String,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// The wait status of the first process, if it is known.
    pub status: Option<i32>,
    /// The limit it broke, if it was killed for that: the resource and a message with the numbers.
    pub limitation: Option<(String, String)>,
}
