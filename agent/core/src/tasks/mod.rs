//! Tasks: how they reach their executor, how they are killed, and what is reported of them (FL-9,
//! FL-11).

mod drain;
mod kill;
mod run;
mod statuses;

use std::sync::Arc;

use reeve_model::{KillPolicy, StatusUpdate, TaskId, TaskInfo, TaskState};

use crate::view::{Stage, TaskRow};

pub(crate) use run::Assignment;

/// A task that is not terminal and acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) info: Arc<TaskInfo>,
    pub(crate) stage: Stage,
    /// Whether its record is being written.
    pub(crate) saving: bool,
    /// The latest status of each state it was in, oldest first.
    pub(crate) statuses: Vec<Arc<StatusUpdate>>,
    /// The group it came with, itself included.
    pub(crate) group: Option<Arc<[TaskId]>>,
    /// It was to be killed, in this way.
    pub(crate) kill: Option<Option<KillPolicy>>,
}

impl Task {
    pub(crate) fn new(info: Arc<TaskInfo>, saving: bool, group: Option<Arc<[TaskId]>>) -> Self {
        Task { info, stage: Stage::Queued, saving, statuses: Vec::new(), group, kill: None }
    }

    pub(crate) fn state(&self) -> TaskState {
        self.statuses.last().map_or(TaskState::Staging, |update| update.status.state)
    }

    /// Takes a status in. Of repeated ones of the same state only the last is kept, so that health
    /// checks of a year do not fill the memory.
    pub(crate) fn take(&mut self, update: Arc<StatusUpdate>) {
        let state = update.status.state;
        if self.statuses.last().is_some_and(|last| last.status.state == state) {
            self.statuses.pop();
        }
        if state.is_terminal() {
            self.stage = Stage::Terminated;
        }
        self.statuses.push(update);
    }

    pub(crate) fn row(&self) -> TaskRow {
        TaskRow { info: self.info.clone(), stage: self.stage, statuses: self.statuses.clone() }
    }
}
