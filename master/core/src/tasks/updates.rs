//! Status updates from agents, and their acknowledgement (FL-10).

use std::sync::Arc;

use reeve_model::{AgentId, Pid, StatusUpdate, TaskId, TaskState, TaskStatus, Uuid};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::TaskIx;
use crate::effect::ToAgent;
use crate::master::Master;
use crate::step::Step;
use crate::view::{Change, TaskEnd};

impl Master {
    /// An agent passes on a task's status. What comes from an agent that is not registered is
    /// dropped: it sends it again. Of a framework that is over nobody wants to hear: its end is told
    /// again, since it reached only agents where it was known to have something.
    pub(crate) fn status_updated(&mut self, step: &mut Step<'_>, pid: &Pid, update: StatusUpdate) {
        let StatusUpdate { framework, executor, agent, mut status, uuid, latest_state, .. } =
            update;
        let Some(agent) = agent.or_else(|| status.agent.clone()) else { return };
        let Some(ix) = self.agents.speaking(pid, &agent) else { return };
        let Some(fx) = self.frameworks.find(&framework) else {
            if self.frameworks.is_completed(&framework) {
                step.agent(pid, ToAgent::ShutdownFramework(framework));
            }
            return;
        };
        status.uuid = uuid.or(status.uuid);
        status.agent = Some(agent.clone());
        status.executor = status.executor.or(executor);
        let tracked = self.frameworks.get(fx).and_then(|f| f.tasks.get(&status.task).copied());
        let elsewhere =
            tracked.is_some_and(|tx| self.tasks.get(tx).is_some_and(|task| task.agent != ix));
        if elsewhere {
            // The framework has another task of this id by now; see `add_known_task`.
            if let Some(uuid) = status.uuid {
                let ack = ToAgent::Acknowledge(agent, framework, status.task, uuid);
                step.agent(pid, ack);
            }
            return;
        }
        let latest = self.told_state(fx, latest_state.unwrap_or(status.state));
        status.state = self.told_state(fx, status.state);
        if let Some(tx) = tracked {
            self.say_why(tx, &mut status);
        }
        self.pass_on(step, fx, status.clone());
        match tracked {
            Some(tx) => self.progress(step, tx, latest, status),
            // A launch that was written off has arrived late. What runs on an agent is told when it
            // registers again, and that is what an agent does that hears it is not connected.
            None if !latest.is_terminal() => step.agent(pid, ToAgent::Ping { connected: false }),
            None => {}
        }
    }

    /// A task has a new status. With its first terminal state it gives its resources back.
    pub(super) fn progress(
        &mut self,
        step: &mut Step<'_>,
        tx: TaskIx,
        latest: TaskState,
        status: TaskStatus,
    ) {
        let Some(task) = self.tasks.get_mut(tx) else { return };
        let before = task.state;
        if !before.is_terminal() {
            task.state = latest;
        }
        let (now, needs_ack) = (task.state, status.uuid.is_some());
        task.update = status.uuid.map(|uuid| (status.state, uuid));
        let status = Arc::new(status);
        task.status = Some(status.clone());
        let (fx, ix, id) = (task.framework, task.agent, task.id.clone());
        let freed = (now.is_terminal() && !before.is_terminal())
            .then(|| (task.role(), task.resources.clone()));
        if let Some(framework) = self.frameworks.get(fx) {
            let framework = framework.id.clone();
            step.changed(Change::TaskProgressed { framework, task: id, latest: now, status });
        }
        if let Some((role, resources)) = freed {
            self.release(step, (fx, ix), role, resources);
        }
        if now.is_terminal() && !needs_ack {
            self.forget_task(step, tx, TaskEnd::Completed);
        }
    }

    /// A scheduler acknowledges an update. The acknowledgement of a terminal state ends the task.
    pub(crate) fn acknowledge(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        agent: &AgentId,
        task: TaskId,
        uuid: Uuid,
    ) {
        let Some(ix) = self.agents.find(agent) else { return };
        let Some(framework) = self.frameworks.get(fx) else { return };
        let owner = framework.id.clone();
        let tracked = framework.tasks.get(&task).copied();
        let tracked = tracked.and_then(|tx| Some((tx, self.tasks.get(tx)?)));
        let mut over = None;
        if let Some((tx, tracked)) = tracked.filter(|(_, tracked)| tracked.agent == ix) {
            // Nothing was passed on that could be acknowledged.
            let Some((state, current)) = tracked.update else { return };
            if !self.hears(ix) {
                return;
            }
            over = (state.is_terminal() && current == uuid).then_some(tx);
        }
        // First: with its last task, an agent may be gone.
        self.send_to(step, agent, ToAgent::Acknowledge(agent.clone(), owner, task, uuid));
        if let Some(tx) = over {
            self.forget_task(step, tx, TaskEnd::Completed);
        }
    }

    fn hears(&self, ix: AgentIx) -> bool {
        self.agents.get(ix).is_some_and(|agent| agent.state == crate::agents::State::Connected)
    }

    /// The master no longer tracks a task. Its resources were given back before.
    pub(super) fn forget_task(&mut self, step: &mut Step<'_>, tx: TaskIx, end: TaskEnd) {
        let Some(task) = self.tasks.remove(step.now, tx) else { return };
        if let Some(agent) = self.agents.get_mut(task.agent) {
            agent.tasks.remove(&tx);
        }
        if let Some(framework) = self.frameworks.get_mut(task.framework) {
            framework.tasks.swap_remove(&task.id);
            framework.leave(task.agent);
            step.changed(Change::TaskRemoved(framework.id.clone(), task.id, end));
        }
        self.drained_if_empty(step, task.agent);
    }
}
