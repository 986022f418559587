//! KILL (SC-8, FL-11).

use reeve_model::{AgentId, KillPolicy, TaskId};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::TaskIx;
use crate::agents::State;
use crate::effect::ToAgent;
use crate::master::Master;
use crate::step::Step;

impl Master {
    /// A scheduler wants a task to end. For one that is not tracked, reconciliation answers.
    pub(crate) fn kill(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        id: &TaskId,
        on: Option<AgentId>,
        policy: Option<KillPolicy>,
    ) {
        let Some(framework) = self.frameworks.get(fx) else { return };
        let Some(tx) = framework.tasks.get(id).copied() else {
            return self.reconcile_one(step, fx, id, on.as_ref());
        };
        let at = self.tasks.get(tx).and_then(|task| self.agents.get(task.agent));
        if on.is_none_or(|on| at.is_some_and(|agent| agent.id == on)) {
            self.kill_task(step, tx, policy);
        }
    }

    /// Has an agent kill a task; one that is not connected is told when it is back.
    pub(super) fn kill_task(
        &mut self,
        step: &mut Step<'_>,
        tx: TaskIx,
        policy: Option<KillPolicy>,
    ) {
        let Some(task) = self.tasks.get_mut(tx) else { return };
        let Some(agent) = self.agents.get(task.agent) else { return };
        let Some(framework) = self.frameworks.get(task.framework) else { return };
        if agent.state == State::Connected {
            let kill = ToAgent::Kill(framework.id.clone(), task.id.clone(), policy);
            step.agent(&agent.pid, kill);
        } else {
            task.kill = Some(policy);
        }
    }

    /// An agent is back: it hears of the kills that it missed.
    pub(crate) fn kill_again(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        let Some(agent) = self.agents.get(ix) else { return };
        for tx in &agent.tasks {
            let Some(task) = self.tasks.get_mut(*tx) else { continue };
            let Some(policy) = task.kill.take() else { continue };
            let Some(framework) = self.frameworks.get(task.framework) else { continue };
            let kill = ToAgent::Kill(framework.id.clone(), task.id.clone(), policy);
            step.agent(&agent.pid, kill);
        }
    }
}
