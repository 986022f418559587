//! What the agent's core wants done. The shell carries effects out in order.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reeve_model::{
    AgentId, AgentInfo, ContainerId, DrainConfig, ExecutorId, ExecutorInfo, FrameworkId,
    FrameworkInfo, KillPolicy, Limits, Pid, Resources, StatusUpdate, TaskId, TaskInfo, TaskState,
    Uuid,
};

use crate::event::{StreamId, WriteId};
use crate::view::Change;

/// What the shell must do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Make a record durable, then report `Committed`.
    Checkpoint(WriteId, Record),
    /// Send a message to the master.
    ToMaster(Pid, ToMaster),
    /// Prove to the master who this agent is, and report `Authenticated`; an attempt that is going
    /// on is of no interest any more.
    Authenticate(Pid),
    /// Watch the connection to the master; report `MasterLinkBroken`.
    Link(Pid),
    /// Send an event to an executor.
    ToExecutor(StreamId, ToExecutor),
    /// End an executor's stream after what was sent on it.
    CloseExecutor(StreamId),
    /// Ask an executor's driver that outlived the agent to come back (`ReconnectExecutorMessage`).
    Reconnect(Pid),
    /// Make a container; report `ContainerStarted` or `ContainerFailed`, later `ContainerEnded`.
    Launch(Box<Launch>),
    /// Change what a container may use.
    Update(ContainerId, Allowance),
    /// Say again what a container that outlived the agent may use. Nothing hangs on it: what was
    /// set for it is still set.
    Remind(ContainerId, Allowance),
    /// Kill all of a container and clean up; `ContainerEnded` follows. Idempotent.
    Destroy(ContainerId),
    /// Delete a path of the work directory (garbage collection); report `PathRemoved`.
    Remove(String),
    /// The read model changed.
    Changed(Change),
    /// Something that operators should read in the log.
    Notice(String),
    /// The daemon is to exit; the text says why.
    Exit(String),
    /// The same, because it can't go on: it is to exit as failed.
    Fail(String),
}

/// What a container may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// What it can count on: the executor's resources and those of its tasks.
    pub resources: Resources,
    /// How much more it may use where there is room.
    pub limits: Limits,
}

/// What to start.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The container's id.
    pub container: ContainerId,
    /// The framework.
    pub framework: Arc<FrameworkInfo>,
    /// The executor; its `kind` tells whether it is the command executor.
    pub executor: Arc<ExecutorInfo>,
    /// For the command executor, its task.
    pub task: Option<Arc<TaskInfo>>,
    /// The sandbox, relative to the work directory (RC-1).
    pub sandbox: String,
    /// What it may use.
    pub allowance: Allowance,
    /// The user it runs as.
    pub user: Option<String>,
    /// Whether the framework checkpoints, so that the executor waits for a restarted agent.
    pub checkpoint: bool,
}

/// A record of the checkpoint tree (RC-1), in the order written.
#[derive(Clone, Debug)]
pub enum Record {
    /// `meta/slaves/<id>/slave.info` and the `latest` link.
    Agent(Arc<AgentInfo>),
    /// `framework.info` (and `framework.pid`).
    Framework(Arc<FrameworkInfo>, Option<Pid>),
    /// `executor.info` and the run directory of the container.
    Executor(FrameworkId, Arc<ExecutorInfo>, ContainerId),
    /// `pids/forked.pid` is the shell's to write when the container starts; this marks that the
    /// executor speaks HTTP (`http.marker`).
    HttpMarker(FrameworkId, ExecutorId, ContainerId),
    /// `pids/libprocess.pid` instead, for an executor's driver that listens there.
    DriverPid(FrameworkId, ExecutorId, ContainerId, Pid),
    /// `tasks/<id>/task.info`.
    Task(FrameworkId, ExecutorId, ContainerId, Arc<TaskInfo>),
    /// Append an update to `tasks/<id>/task.updates`.
    Update(FrameworkId, ExecutorId, ContainerId, Arc<StatusUpdate>),
    /// Append an acknowledgement to `tasks/<id>/task.updates`.
    Acknowledged(FrameworkId, ExecutorId, ContainerId, TaskId, Uuid),
    /// `executor.sentinel`: the run is over and all is acknowledged.
    Sentinel(FrameworkId, ExecutorId, ContainerId),
    /// `meta/resources/resources.info`: reservations and volumes.
    Resources(Resources),
    /// `meta/slaves/<id>/drain.config`: how the agent is being emptied; none removes it.
    Drain(Option<DrainConfig>),
    /// Remove the `latest` link: the next start joins the cluster as a new agent.
    Forget(AgentId),
}

/// Messages to the master (LP-9).
#[derive(Clone, Debug)]
pub enum ToMaster {
    /// `RegisterSlaveMessage`.
    Register(Box<Enrolment>),
    /// `ReregisterSlaveMessage` with all that runs here.
    Reregister {
        /// The agent itself, its id set.
        enrolment: Box<Enrolment>,
        /// Tasks with their latest state and the state of the update under way.
        tasks: Vec<TaskReport>,
        /// Executors.
        executors: Vec<(FrameworkId, Arc<ExecutorInfo>)>,
        /// Their frameworks.
        frameworks: Vec<Arc<FrameworkInfo>>,
    },
    /// `UnregisterSlaveMessage`.
    Unregister(AgentId),
    /// `UpdateSlaveMessage` after (re-)registration, and when what may be offered as revocable
    /// changes; none if that is not known yet.
    Update(AgentId, Option<Resources>),
    /// `PongSlaveMessage`.
    Pong,
    /// `StatusUpdateMessage`.
    Status(Arc<StatusUpdate>),
    /// `ExecutorToFrameworkMessage`.
    Message(FrameworkId, ExecutorId, Bytes),
    /// `ExitedExecutorMessage` with the wait status.
    ExecutorExited(FrameworkId, ExecutorId, i32),
}

/// What an agent says of itself when it joins.
#[derive(Clone, Debug, PartialEq)]
pub struct Enrolment {
    /// Its description; the resources are those of its settings, without reservations made since.
    pub info: Arc<AgentInfo>,
    /// Reservations and volumes it has checkpointed.
    pub checkpointed: Resources,
}

/// A task as this agent reports it (`mesos.Task`).
#[derive(Clone, Debug)]
pub struct TaskReport {
    /// The framework.
    pub framework: FrameworkId,
    /// Its executor; none for a command task.
    pub executor: Option<ExecutorId>,
    /// The task.
    pub task: Arc<TaskInfo>,
    /// Its latest state.
    pub state: TaskState,
    /// The statuses so far, oldest first.
    pub statuses: Vec<Arc<StatusUpdate>>,
    /// The update that waits for its acknowledgement.
    pub pending: Option<Arc<StatusUpdate>>,
}

/// Events to an executor (§1.6).
#[derive(Clone, Debug)]
pub enum ToExecutor {
    /// It is subscribed.
    Subscribed {
        /// The executor.
        executor: Arc<ExecutorInfo>,
        /// Its framework.
        framework: Arc<FrameworkInfo>,
        /// Its container.
        container: ContainerId,
    },
    /// Run a task.
    Launch(Arc<TaskInfo>),
    /// Run tasks together.
    LaunchGroup(Vec<Arc<TaskInfo>>),
    /// Kill a task.
    Kill(TaskId, Option<KillPolicy>),
    /// An update is safe with the agent.
    Acknowledged(TaskId, Uuid),
    /// A message of the scheduler.
    Message(Bytes),
    /// Stop all tasks and exit within the grace period.
    Shutdown(Duration),
    /// It is not wanted here.
    Error(String),
    /// The connection lives.
    Heartbeat,
}
