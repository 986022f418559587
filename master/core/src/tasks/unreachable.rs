//! Tasks whose agent is out of reach: until it is back, or nobody remembers it (AGM-6).

use reeve_machine::Wall;
use reeve_model::{AgentId, Reason, TaskId, TaskState};
use reeve_module_sdk::allocator::FrameworkIx;

use super::{Speech, TaskIx};
use crate::frameworks::Lost;
use crate::master::Master;
use crate::step::Step;
use crate::view::{Change, TaskEnd};

impl Master {
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
        let (id, role, resources) = (task.id.clone(), task.role(), task.resources.clone());
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
        self.release(step, (fx, ix), role, resources);
        self.forget_task(step, tx, TaskEnd::Unreachable);
        self.frameworks.lose_task(fx, id, Lost { agent, executor });
        self.cap_unreachable(step, fx);
    }

    fn cap_unreachable(&mut self, step: &mut Step<'_>, fx: FrameworkIx) {
        let cap = self.options.max_unreachable_tasks_per_framework;
        loop {
            let Some(framework) = self.frameworks.get(fx) else { return };
            if framework.unreachable.len() <= cap {
                return;
            }
            let Some(oldest) = framework.unreachable.keys().next().cloned() else { return };
            self.forget_unreachable(step, fx, &oldest);
        }
    }

    /// An agent is back, and this is what it did not bring: it is gone for good.
    pub(crate) fn tasks_not_brought_back(&mut self, step: &mut Step<'_>, agent: &AgentId) {
        for (fx, task) in self.frameworks.lost_on(agent) {
            self.forget_unreachable(step, fx, &task);
            if self.told_state(fx, TaskState::Gone) != TaskState::Gone {
                // Who knows no partitions was told LOST, and need not be told again.
                continue;
            }
            let speech = Speech {
                state: TaskState::Gone,
                reason: Reason::AgentReregistered,
                message: "Agent reregistered without the task".to_owned(),
            };
            let status = speech.status(step, task, Some(agent.clone()), None);
            self.pass_on(step, fx, status);
        }
    }

    /// An unreachable agent is gone, and so is what was on it. Who knows no partitions was told
    /// LOST, and is told so again, as by Mesos.
    pub(crate) fn unreachable_are_gone(
        &mut self,
        step: &mut Step<'_>,
        agent: &AgentId,
        message: &str,
    ) {
        for (fx, task) in self.frameworks.lost_on(agent) {
            let (state, reason) = self.gone_words(fx);
            let executor = self.frameworks.executor_of_lost(fx, &task);
            let speech = Speech { state, reason, message: message.to_owned() };
            let status = speech.status(step, task.clone(), Some(agent.clone()), executor);
            self.pass_on(step, fx, status.clone());
            if let Some(framework) = self.frameworks.get(fx) {
                let id = framework.id.clone();
                step.changed(Change::LostTaskEnded(id, status.into()));
            }
            self.frameworks.find_task(fx, &task);
        }
    }

    /// An agent is not remembered any more, and neither is what was on it.
    pub(crate) fn forget_unreachable_on(&mut self, step: &mut Step<'_>, agent: &AgentId) {
        for (fx, task) in self.frameworks.lost_on(agent) {
            self.forget_unreachable(step, fx, &task);
        }
    }

    fn forget_unreachable(&mut self, step: &mut Step<'_>, fx: FrameworkIx, task: &TaskId) {
        if !self.frameworks.find_task(fx, task) {
            return;
        }
        if let Some(framework) = self.frameworks.get(fx) {
            let id = framework.id.clone();
            step.changed(Change::TaskRemoved(id, task.clone(), TaskEnd::Forgotten));
        }
    }
}
