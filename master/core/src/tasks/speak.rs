//! Statuses: those the master makes itself, and passing on any of them.

use std::sync::Arc;

use reeve_model::{
    AgentId, ExecutorId, Reason, Source, StatusUpdate, TaskId, TaskState, TaskStatus,
};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use crate::effect::ToScheduler;
use crate::master::Master;
use crate::step::Step;
use crate::view::Change;

/// What the master has to say of a task.
#[derive(Clone, Debug)]
pub(crate) struct Speech {
    pub state: TaskState,
    pub reason: Reason,
    pub message: String,
}

impl Speech {
    /// The status that says so. It has no uuid: nobody acknowledges the master.
    pub fn status(
        self,
        step: &Step<'_>,
        task: TaskId,
        agent: Option<AgentId>,
        executor: Option<ExecutorId>,
    ) -> TaskStatus {
        let mut status = TaskStatus::new(task, self.state);
        status.source = Some(Source::Master);
        status.reason = Some(self.reason);
        status.message = Some(self.message);
        status.agent = agent;
        status.executor = executor;
        status.timestamp = Some(step.seconds());
        status
    }
}

impl Master {
    /// The state as this framework is told of it (T-6).
    pub(crate) fn told_state(&self, fx: FrameworkIx, state: TaskState) -> TaskState {
        let aware = self
            .frameworks
            .get(fx)
            .is_some_and(|framework| framework.info.capabilities.partition_aware());
        if aware { state } else { state.without_partitions() }
    }

    /// Passes a status on, if there is a scheduler to hear it.
    pub(crate) fn pass_on(&self, step: &mut Step<'_>, fx: FrameworkIx, status: TaskStatus) {
        let Some(framework) = self.frameworks.get(fx) else { return };
        if !framework.is_connected() {
            return;
        }
        let update = StatusUpdate {
            framework: framework.id.clone(),
            executor: status.executor.clone(),
            agent: status.agent.clone(),
            timestamp: status.timestamp.unwrap_or_else(|| step.seconds()),
            uuid: status.uuid,
            latest_state: None,
            status,
        };
        self.tell(step, fx, ToScheduler::Update(Arc::new(update)));
    }

    /// Tells a framework of one of its tasks on a registered agent, in the master's own name.
    pub(crate) fn speak_of(
        &self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        task: &TaskId,
        agent: AgentIx,
        executor: Option<&ExecutorId>,
        speech: Speech,
    ) {
        let speech = Speech { state: self.told_state(fx, speech.state), ..speech };
        let agent = self.agents.get(agent).map(|agent| agent.id.clone());
        let status = speech.status(step, task.clone(), agent, executor.cloned());
        self.pass_on(step, fx, status);
    }

    /// Tells a framework that a task it wanted to launch is none.
    pub(crate) fn refuse_task(
        &self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        task: TaskId,
        agent: AgentId,
        speech: Speech,
    ) {
        let Some(framework) = self.frameworks.get(fx) else { return };
        let id = framework.id.clone();
        let speech = Speech { state: self.told_state(fx, speech.state), ..speech };
        let status = speech.status(step, task, Some(agent), None);
        step.changed(Change::TaskRefused(id, Arc::new(status.clone())));
        self.pass_on(step, fx, status);
    }
}
