//! What a step knows of the moment, and where its effects go.

use std::sync::Arc;

use reeve_machine::{Tick, Wall};
use reeve_model::{Pid, Seconds};

use crate::allocation;
use crate::effect::{Effect, Scheduler, ToAgent, ToScheduler};
use crate::view::{Change, TaskRecord};

/// One step: the moment, and the effects so far.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    pub now: Tick,
    pub wall: Wall,
    pub out: &'a mut Vec<Effect>,
}

impl Step<'_> {
    pub fn push(&mut self, effect: Effect) {
        self.out.push(effect);
    }

    pub fn agent(&mut self, pid: &Pid, message: ToAgent) {
        self.out.push(Effect::ToAgent(pid.clone(), message));
    }

    pub fn scheduler(&mut self, to: &Scheduler, event: ToScheduler) {
        self.out.push(Effect::ToScheduler(to.clone(), event));
    }

    pub fn allocation(&mut self, event: allocation::Event) {
        self.out.push(Effect::Allocation(event));
    }

    pub fn changed(&mut self, change: Change) {
        self.out.push(Effect::Changed(change));
    }

    /// Tells readers of tasks of one agent, if there are any.
    pub fn tasks_added(&mut self, tasks: Vec<Arc<TaskRecord>>) {
        if !tasks.is_empty() {
            self.changed(Change::TasksAdded(tasks));
        }
    }

    /// The time of day as statuses carry it.
    pub fn seconds(&self) -> Seconds {
        Seconds(self.wall.to_seconds())
    }
}

/// An id `<master><mark><number>`.
pub(crate) fn numbered(master: &str, mark: &str, number: u64) -> Arc<str> {
    format!("{master}{mark}{number}").into()
}
