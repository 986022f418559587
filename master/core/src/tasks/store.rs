//! The tasks that the master tracks.

use std::sync::Arc;
use std::time::Duration;

use reeve_machine::Tick;
use reeve_model::{ExecutorId, KillPolicy, Resources, TaskId, TaskState, TaskStatus, Uuid};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use crate::slab::Slab;

/// A task, as a dense number that is used again once the task is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskIx(pub u32);

/// All tasks on registered agents.
#[derive(Debug)]
pub(crate) struct Tasks(Slab<Task>);

/// One task on a registered agent. It holds its resources until its newest state is terminal, and
/// is tracked until that is acknowledged (FL-10).
#[derive(Debug)]
pub(crate) struct Task {
    pub id: TaskId,
    pub framework: FrameworkIx,
    pub agent: AgentIx,
    pub executor: Option<ExecutorId>,
    pub resources: Resources,
    /// The newest state its agent knows.
    pub state: TaskState,
    /// The update being delivered: its state and what acknowledges it.
    pub update: Option<(TaskState, Uuid)>,
    /// The last status that was passed on.
    pub status: Option<Arc<TaskStatus>>,
    /// It is to be killed, but its agent was not there to be told.
    pub kill: Option<Option<KillPolicy>>,
}

impl Tasks {
    pub fn new() -> Self {
        Tasks(Slab::new(Duration::ZERO))
    }

    pub fn get(&self, ix: TaskIx) -> Option<&Task> {
        self.0.get(ix.0)
    }

    pub fn get_mut(&mut self, ix: TaskIx) -> Option<&mut Task> {
        self.0.get_mut(ix.0)
    }

    pub fn insert(&mut self, now: Tick, task: Task) -> TaskIx {
        TaskIx(self.0.insert(now, task))
    }

    pub fn remove(&mut self, now: Tick, ix: TaskIx) -> Option<Task> {
        self.0.remove(now, ix.0)
    }

    pub fn iter(&self) -> impl Iterator<Item = (TaskIx, &Task)> {
        self.0.iter().map(|(at, task)| (TaskIx(at), task))
    }
}
