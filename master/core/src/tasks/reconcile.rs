//! RECONCILE: the states of tasks, on request (SC-12, mesos.md §5.5).

use reeve_model::{AgentId, Reason, TaskId, TaskState};
use reeve_module_sdk::allocator::FrameworkIx;

use super::{Speech, TaskIx};
use crate::master::Master;
use crate::step::Step;

impl Master {
    /// A scheduler asks for the states of these tasks, or of all it has.
    pub(crate) fn reconcile(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        tasks: Vec<(TaskId, Option<AgentId>)>,
    ) {
        if tasks.is_empty() {
            return self.reconcile_all(step, fx);
        }
        for (task, agent) in tasks {
            self.reconcile_one(step, fx, &task, agent.as_ref());
        }
    }

    fn reconcile_all(&self, step: &mut Step<'_>, fx: FrameworkIx) {
        let Some(framework) = self.frameworks.get(fx) else { return };
        for tx in framework.tasks.values() {
            self.tell_latest(step, fx, *tx);
        }
        for task in framework.unreachable.keys() {
            self.reconcile_one(step, fx, task, None);
        }
    }

    /// Tells the state of one task, by the first rule that applies.
    pub(super) fn reconcile_one(
        &self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        task: &TaskId,
        on: Option<&AgentId>,
    ) {
        let Some(framework) = self.frameworks.get(fx) else { return };
        if let Some(tx) = framework.tasks.get(task) {
            return self.tell_latest(step, fx, *tx);
        }
        let lost = framework.unreachable.get(task);
        let agent = on.or_else(|| lost.map(|lost| &lost.agent));
        let recovering = match agent {
            Some(agent) => self.agents.is_awaited(agent),
            None => self.agents.any_awaited(),
        };
        if recovering {
            // Its agent may know of it, and has time to come back.
            return;
        }
        let since = agent.and_then(|agent| self.agents.unreachable(agent));
        let (state, message) = match agent {
            Some(agent) if self.agents.find(agent).is_some() => {
                (TaskState::Gone, "Reconciliation: Task is unknown to the agent")
            }
            Some(_) if since.is_some() => {
                (TaskState::Unreachable, "Reconciliation: Task is unreachable")
            }
            Some(agent) if self.agents.is_gone(agent) => {
                (TaskState::GoneByOperator, "Reconciliation: Task is gone")
            }
            _ => (TaskState::Unknown, "Reconciliation: Task is unknown"),
        };
        let state = self.told_state(fx, state);
        let speech = Speech { state, reason: Reason::Reconciliation, message: message.to_owned() };
        let executor = lost.and_then(|lost| lost.executor.clone());
        let mut status = speech.status(step, task.clone(), agent.cloned(), executor);
        status.unreachable_time = since.map(|since| since.0);
        self.pass_on(step, fx, status);
    }

    /// Tells the state of the update that is being delivered, or the newest if none is.
    fn tell_latest(&self, step: &mut Step<'_>, fx: FrameworkIx, tx: TaskIx) {
        let Some(task) = self.tasks.get(tx) else { return };
        let state = task.update.map_or(task.state, |(state, _)| state);
        let speech = Speech {
            state: self.told_state(fx, state),
            reason: Reason::Reconciliation,
            message: "Reconciliation: Latest task state".to_owned(),
        };
        let agent = self.agents.get(task.agent).map(|agent| agent.id.clone());
        let mut status = speech.status(step, task.id.clone(), agent, task.executor.clone());
        if let Some(last) = &task.status {
            status.healthy = last.healthy;
            status.rest = last.rest_without_data();
        }
        self.pass_on(step, fx, status);
    }
}
