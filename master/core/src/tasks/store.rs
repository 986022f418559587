//! The tasks that the master tracks.

use std::sync::Arc;
use std::time::Duration;

use reeve_machine::Tick;
use reeve_model::{ExecutorId, KillPolicy, Resources, TaskId, TaskState, TaskStatus, Uuid};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::GivesWay;
use crate::slab::Slab;

/// A task, as a dense number that is used again once the task is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskIx(pub u32);

/// All tasks on registered agents.
#[derive(Debug)]
pub(crate) struct Tasks {
    tracked: Slab<Task>,
    next_number: u64,
}

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
    /// It must end for others, and why.
    pub gives_way: Option<Arc<GivesWay>>,
    /// Given by the store: tasks that this master learned of later have higher numbers.
    pub number: u64,
}

impl Tasks {
    pub fn new() -> Self {
        Tasks { tracked: Slab::new(Duration::ZERO), next_number: 0 }
    }

    pub fn get(&self, ix: TaskIx) -> Option<&Task> {
        self.tracked.get(ix.0)
    }

    pub fn get_mut(&mut self, ix: TaskIx) -> Option<&mut Task> {
        self.tracked.get_mut(ix.0)
    }

    pub fn insert(&mut self, now: Tick, mut task: Task) -> TaskIx {
        task.number = self.next_number;
        self.next_number += 1;
        TaskIx(self.tracked.insert(now, task))
    }

    pub fn remove(&mut self, now: Tick, ix: TaskIx) -> Option<Task> {
        self.tracked.remove(now, ix.0)
    }

    pub fn iter(&self) -> impl Iterator<Item = (TaskIx, &Task)> {
        self.tracked.iter().map(|(at, task)| (TaskIx(at), task))
    }
}
