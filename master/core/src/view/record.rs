//! What readers see of one agent, framework, executor or task.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use reeve_machine::Wall;
use reeve_model::{
    AgentId, AgentInfo, Deactivation, ExecutorId, ExecutorInfo, FrameworkId, FrameworkInfo,
    MachineId, OfferConstraints, Pid, Resources, Role, TaskId, TaskInfo, TaskState, TaskStatus,
    Uuid,
};
use smallvec::SmallVec;

use crate::machines::machine_of;

/// An agent.
#[derive(Clone, Debug)]
pub struct AgentRecord {
    /// Its id.
    pub id: AgentId,
    /// What it said of itself, with its id.
    pub info: Arc<AgentInfo>,
    /// Where it listens.
    pub pid: Pid,
    /// Its SemVer version.
    pub version: String,
    /// Numbers of its capabilities.
    pub capabilities: Vec<i32>,
    /// When it registered.
    pub registered: Wall,
    /// When it last came back.
    pub reregistered: Option<Wall>,
    /// Whether its connection stands.
    pub connected: bool,
    /// Whether its resources are offered.
    pub active: bool,
    /// Whether and how an operator has taken it out of use.
    pub deactivated: Option<Deactivation>,
    /// When it was told to empty itself.
    pub drain_told: Option<Wall>,
    /// All it has: reservations and volumes applied, oversubscribed resources included.
    pub total: Resources,
    /// The version of its resources, opaque.
    pub resource_version: Option<Uuid>,
}

impl AgentRecord {
    /// The machine it is on.
    pub fn machine(&self) -> MachineId {
        machine_of(&self.info, &self.pid)
    }
}

/// What a framework answered to an inverse offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Whether the agent may go, as far as it is concerned.
    pub accepted: bool,
    /// When it said so.
    pub at: Wall,
}

/// A framework.
#[derive(Clone, Debug)]
pub struct FrameworkRecord {
    /// Its id.
    pub id: FrameworkId,
    /// What it said of itself, with its id.
    pub info: Arc<FrameworkInfo>,
    /// Where its v0 driver listens; none for a v1 scheduler.
    pub pid: Option<Pid>,
    /// Whether it gets offers.
    pub active: bool,
    /// Whether its scheduler is connected.
    pub connected: bool,
    /// Whether its scheduler has not come since this master leads.
    pub recovered: bool,
    /// When it first subscribed.
    pub registered: Wall,
    /// When it last subscribed again.
    pub reregistered: Option<Wall>,
    /// When it ended.
    pub unregistered: Option<Wall>,
    /// Roles it wants no offers for.
    pub suppressed: BTreeSet<Role>,
    /// What agents it wants offers of.
    pub constraints: Option<Arc<OfferConstraints>>,
}

impl FrameworkRecord {
    /// A framework that ended under an earlier leader: nothing but its description is left.
    pub(crate) fn ended(info: Arc<FrameworkInfo>, registered: Wall) -> Self {
        FrameworkRecord {
            id: info.id.clone().unwrap_or_else(|| FrameworkId::new("")),
            info,
            pid: None,
            active: false,
            connected: false,
            recovered: false,
            registered,
            reregistered: None,
            unregistered: None,
            suppressed: BTreeSet::new(),
            constraints: None,
        }
    }
}

/// An executor.
#[derive(Clone, Debug)]
pub struct ExecutorRecord {
    /// Its framework.
    pub framework: FrameworkId,
    /// Where it runs.
    pub agent: AgentId,
    /// What it is; its resources carry allocation info.
    pub info: Arc<ExecutorInfo>,
}

/// Statuses of a task. Most tasks have one, for which there is room without memory of its own.
pub type Statuses = SmallVec<[Arc<TaskStatus>; 1]>;

/// A task.
#[derive(Clone, Debug)]
pub struct TaskRecord {
    /// Its id.
    pub id: TaskId,
    /// Its name.
    pub name: Arc<str>,
    /// Its framework.
    pub framework: FrameworkId,
    /// Where it runs.
    pub agent: AgentId,
    /// Its executor; none for a command task.
    pub executor: Option<ExecutorId>,
    /// Its newest state.
    pub state: TaskState,
    /// What it asked for, with allocation info.
    pub resources: Resources,
    /// Its statuses, oldest first; of equal states in a row only the last.
    pub statuses: Statuses,
    /// Everything else about it.
    pub body: TaskBody,
}

impl TaskRecord {
    /// The role its resources were given to.
    pub fn role(&self) -> Option<&Role> {
        self.resources.iter().next()?.allocation.as_ref()
    }
}

/// Where the rest of a task's description comes from.
#[derive(Clone, Debug)]
pub enum TaskBody {
    /// From the scheduler that launched it.
    Launched(Arc<TaskInfo>),
    /// From the agent that reported it: the fields of the encoded `Task` that the record does not
    /// name.
    Reported(Bytes),
}
