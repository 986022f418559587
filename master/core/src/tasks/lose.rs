//! Tasks that end without a word of their agent: it is gone, or their framework is.

use reeve_model::{Reason, TaskState};
use reeve_module_sdk::allocator::FrameworkIx;

use super::{Speech, TaskIx};
use crate::master::Master;
use crate::step::Step;
use crate::view::TaskEnd;

impl Master {
    /// A task is gone with its agent.
    pub(crate) fn lose_task(
        &mut self,
        step: &mut Step<'_>,
        tx: TaskIx,
        reason: Reason,
        message: &str,
    ) {
        self.end_task(step, tx, TaskState::Gone, reason, message, true);
    }

    /// A task is gone with its agent, as an operator says (AGM-6).
    pub(crate) fn task_gone(&mut self, step: &mut Step<'_>, tx: TaskIx, message: &str) {
        let Some(task) = self.tasks.get(tx) else { return };
        let (state, reason) = self.gone_words(task.framework);
        self.end_task(step, tx, state, reason, message, true);
    }

    /// What a framework is told of a task on a gone agent.
    pub(super) fn gone_words(&self, fx: FrameworkIx) -> (TaskState, Reason) {
        match self.told_state(fx, TaskState::GoneByOperator) {
            state @ TaskState::GoneByOperator => (state, Reason::AgentRemovedByOperator),
            state => (state, Reason::AgentRemoved),
        }
    }

    /// A task ends with its framework, which is not told any more.
    pub(crate) fn kill_removed(
        &mut self,
        step: &mut Step<'_>,
        tx: TaskIx,
        reason: Reason,
        message: &str,
    ) {
        self.end_task(step, tx, TaskState::Killed, reason, message, false);
    }

    fn end_task(
        &mut self,
        step: &mut Step<'_>,
        tx: TaskIx,
        state: TaskState,
        reason: Reason,
        message: &str,
        tell: bool,
    ) {
        let Some(task) = self.tasks.get(tx) else { return };
        if task.state.is_terminal() {
            // It ended before; only the acknowledgement is missing, and will not come.
            return self.forget_task(step, tx, TaskEnd::Completed);
        }
        let state = self.told_state(task.framework, state);
        let agent = self.agents.get(task.agent).map(|agent| agent.id.clone());
        let speech = Speech { state, reason, message: message.to_owned() };
        let status = speech.status(step, task.id.clone(), agent, task.executor.clone());
        if tell {
            self.pass_on(step, task.framework, status.clone());
        }
        self.progress(step, tx, state, status);
    }
}
