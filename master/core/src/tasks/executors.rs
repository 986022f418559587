//! Custom and default executors: where they are, what they hold, messages to and from them.

use std::sync::Arc;

use bytes::Bytes;
use reeve_model::{AgentId, ExecutorId, ExecutorInfo, FrameworkId};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use crate::effect::{ToAgent, ToScheduler};
use crate::master::Master;
use crate::step::Step;
use crate::view::{Change, ExecutorRecord};

impl Master {
    /// An executor is on an agent from now on; says whether it was not before. Its resources are
    /// the caller's business.
    pub(crate) fn add_executor(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        ix: AgentIx,
        info: &Arc<ExecutorInfo>,
    ) -> bool {
        let Some(framework) = self.frameworks.get_mut(fx) else { return false };
        let Some(agent) = self.agents.get_mut(ix) else { return false };
        let key = (fx, info.id.clone());
        if agent.executors.contains_key(&key) {
            return false;
        }
        agent.executors.insert(key, info.clone());
        framework.arrive(ix);
        step.changed(Change::ExecutorAdded(Arc::new(ExecutorRecord {
            framework: framework.id.clone(),
            agent: agent.id.clone(),
            info: info.clone(),
        })));
        true
    }

    /// An executor is on an agent no longer; its resources are free. Says whether it was there.
    pub(crate) fn remove_executor(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        ix: AgentIx,
        id: &ExecutorId,
    ) -> bool {
        let Some(agent) = self.agents.get_mut(ix) else { return false };
        let Some(info) = agent.executors.remove(&(fx, id.clone())) else { return false };
        let agent = agent.id.clone();
        if let Some(framework) = self.frameworks.get_mut(fx) {
            framework.leave(ix);
            step.changed(Change::ExecutorRemoved(framework.id.clone(), agent, id.clone()));
        }
        self.recover(step, fx, ix, info.resources.clone(), None);
        true
    }

    /// Whether the executor has tasks on the agent that did not end.
    pub(crate) fn has_live_tasks(
        &self,
        fx: FrameworkIx,
        ix: AgentIx,
        executor: &ExecutorId,
    ) -> bool {
        self.agents.get(ix).is_some_and(|agent| {
            agent.tasks.iter().filter_map(|tx| self.tasks.get(*tx)).any(|task| {
                task.framework == fx
                    && task.executor.as_ref() == Some(executor)
                    && !task.state.is_terminal()
            })
        })
    }

    /// An executor ended. What becomes of its tasks, the agent tells on its own.
    pub(crate) fn executor_exited(
        &mut self,
        step: &mut Step<'_>,
        agent: &AgentId,
        framework: &FrameworkId,
        executor: &ExecutorId,
        status: i32,
    ) {
        let Some(ix) = self.agents.find(agent) else { return };
        let Some(fx) = self.frameworks.find(framework) else { return };
        if self.remove_executor(step, fx, ix, executor) {
            let ended = Some((executor.clone(), status));
            self.tell(step, fx, ToScheduler::Failure(agent.clone(), ended));
        }
    }

    /// An executor's message to its scheduler; lost if that is not there (SE-7).
    pub(crate) fn executor_message(
        &self,
        step: &mut Step<'_>,
        agent: AgentId,
        framework: &FrameworkId,
        executor: ExecutorId,
        data: Bytes,
    ) {
        if self.agents.find(&agent).is_none() {
            return;
        }
        if let Some(fx) = self.frameworks.find(framework) {
            self.tell(step, fx, ToScheduler::Message(agent, executor, data));
        }
    }

    /// MESSAGE: a scheduler's message to an executor; lost if its agent is not there (SC-14).
    pub(crate) fn message_executor(
        &self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        agent: &AgentId,
        executor: ExecutorId,
        data: Bytes,
    ) {
        let Some(framework) = self.frameworks.get(fx) else { return };
        let message = ToAgent::Message(agent.clone(), framework.id.clone(), executor, data);
        self.send_to(step, agent, message);
    }

    /// SHUTDOWN: a scheduler wants an executor to end (SC-9).
    pub(crate) fn shutdown_executor(
        &self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        executor: ExecutorId,
        agent: &AgentId,
    ) {
        let Some(framework) = self.frameworks.get(fx) else { return };
        let message = ToAgent::ShutdownExecutor(framework.id.clone(), executor);
        self.send_to(step, agent, message);
    }
}
