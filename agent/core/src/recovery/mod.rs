//! What a starting agent finds: the checkpoint tree (RC-1) as the shell read it, and what became
//! of the containers meanwhile. Turning it into the state of the agent is in `rebuild`.

mod rebuild;
mod sameness;

use std::sync::Arc;

use reeve_model::{
    AgentInfo, ContainerId, DrainConfig, ExecutorInfo, FrameworkInfo, Pid, Resources, StatusUpdate,
    TaskId, TaskInfo, Uuid,
};

use crate::event::Ending;

/// Everything that was found. Nothing at all on a machine's first start.
#[derive(Clone, Debug, Default)]
pub struct Recovered {
    /// `slave.info` of the latest agent, its id set.
    pub agent: Option<Arc<AgentInfo>>,
    /// `resources.info`: reservations and volumes.
    pub resources: Resources,
    /// `drain.config`: how the agent was being emptied.
    pub drain: Option<DrainConfig>,
    /// The machine was booted since (`boot_id` differs), so nothing can have survived.
    pub rebooted: bool,
    /// Frameworks of the latest agent.
    pub frameworks: Vec<RecoveredFramework>,
    /// Directories, relative to the work directory, that belong to nobody any more: of earlier
    /// agents, of runs before the latest, of what could not be read. They are collected (RC-8).
    pub leftovers: Vec<String>,
    /// How many things were found damaged, for the counters.
    pub errors: u64,
}

/// A framework's directory.
#[derive(Clone, Debug)]
pub struct RecoveredFramework {
    /// `framework.info`.
    pub info: Arc<FrameworkInfo>,
    /// `framework.pid`, of a v0 driver.
    pub pid: Option<Pid>,
    /// Its executors that are not over.
    pub executors: Vec<RecoveredExecutor>,
}

/// The latest run of an executor.
#[derive(Clone, Debug)]
pub struct RecoveredExecutor {
    /// `executor.info`.
    pub info: Arc<ExecutorInfo>,
    /// The run.
    pub container: ContainerId,
    /// `executor.sentinel` is there: the run is over and all is acknowledged.
    pub over: bool,
    /// What became of the container.
    pub fate: Fate,
    /// Where its driver listens; none if it spoke HTTP, or had not spoken yet.
    pub driver: Option<Pid>,
    /// Its tasks.
    pub tasks: Vec<RecoveredTask>,
    /// Tasks that it may have and of which nothing else can be read: it is told to kill them.
    pub strangers: Vec<TaskId>,
}

/// What became of a container while no agent watched it.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Its first process runs; the shell watches it and will report `ContainerEnded`.
    Alive(u32),
    /// It is gone and cleaned up.
    Ended(Ending),
    /// It is gone, or was never made, and nobody knows more.
    Unknown,
}

/// A task's directory.
#[derive(Clone, Debug)]
pub struct RecoveredTask {
    /// `task.info`.
    pub info: Arc<TaskInfo>,
    /// `task.updates`, in the order written.
    pub log: Vec<Logged>,
}

/// One record of `task.updates`.
#[derive(Clone, Debug)]
pub enum Logged {
    /// A status update.
    Update(Arc<StatusUpdate>),
    /// The acknowledgement of one.
    Acknowledged(Uuid),
}
