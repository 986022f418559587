//! Tasks that end without a word of their agent: it is gone, or their framework is.

use reeve_machine::Wall;
use reeve_model::{Reason, TaskState};

use super::{Speech, TaskIx};
use crate::frameworks::Lost;
use crate::master::Master;
use crate::step::Step;
use crate::view::{Change, TaskEnd};

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

    /// A task's agent is out of reach (AGM-6): its framework is told, its resources are not there
    /// any more, but it may come back.
    pub(crate) fn task_unreachable(
        &mut self,
        step: &mut Step<'_>,
        tx: TaskIx,
        since: Wall,
        message: &str,
    ) {
        let Some(task) = self.tasks.get(tx) else { return };
        if task.state.is_terminal() {
            return self.forget_task(step, tx, TaskEnd::Completed);
        }
        let Some(agent) = self.agents.get(task.agent).map(|agent| agent.id.clone()) else { return };
        let (fx, ix, executor) = (task.framework, task.agent, task.executor.clone());
        let (id, resources) = (task.id.clone(), task.resources.clone());
        let state = self.told_state(fx, TaskState::Unreachable);
        let message = message.to_owned();
        let speech = Speech { state, reason: Reason::AgentRemoved, message };
        let mut status = speech.status(step, id.clone(), Some(agent.clone()), executor.clone());
        status.unreachable_time = Some(since.0);
        self.pass_on(step, fx, status.clone());
        if let Some(framework) = self.frameworks.get(fx) {
            step.changed(Change::TaskProgressed {
                framework: framework.id.clone(),
                task: id.clone(),
                latest: state,
                status: status.into(),
            });
        }
        self.recover(step, fx, ix, resources, None);
        self.forget_task(step, tx, TaskEnd::Unreachable);
        let cap = self.options.max_unreachable_tasks_per_framework;
        let Some(framework) = self.frameworks.get_mut(fx) else { return };
        framework.unreachable.insert(id, Lost { agent, executor });
        while framework.unreachable.len() > cap {
            let Some((oldest, _)) = framework.unreachable.shift_remove_index(0) else { break };
            step.changed(Change::TaskRemoved(framework.id.clone(), oldest, TaskEnd::Forgotten));
        }
    }
}
