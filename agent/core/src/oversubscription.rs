//! What may be offered beyond what the agent has, and who must go when that is wanted back (AM-1).

use reeve_model::{Reason, Resources, TaskState};

use crate::agent::Agent;
use crate::effect::{Effect, ToMaster};
use crate::event::Correction;
use crate::executors::{Cause, State};
use crate::step::Step;
use crate::view::Change;

impl Agent {
    /// So much may be offered as revocable. The master hears of it if that is news.
    pub(crate) fn oversubscribes(&mut self, step: &mut Step<'_>, resources: Resources) {
        if self.oversubscribed.as_ref() == Some(&resources) {
            return;
        }
        step.change(Change::Oversubscribed(resources.clone()));
        self.oversubscribed = Some(resources);
        self.tell_oversubscribed(step);
    }

    /// What the master is told when this agent joins, and whenever it changes.
    pub(crate) fn tell_oversubscribed(&self, step: &mut Step<'_>) {
        if let (Some(master), Some(id)) = (self.registered_with().cloned(), self.info.id.clone()) {
            let message = ToMaster::Update(id, self.oversubscribed.clone());
            step.emit(Effect::ToMaster(master, message));
        }
    }

    /// Ends an executor that holds what can be taken back; any other is left alone.
    pub(crate) fn correct(&mut self, step: &mut Step<'_>, correction: &Correction) {
        let Correction { framework, executor, container, reason } = correction;
        let Some(executor) = self.executor(framework, executor) else { return };
        let lives = matches!(executor.state, State::Registering | State::Running { .. });
        if executor.container != *container || !lives || executor.needs().revocable().is_empty() {
            return;
        }
        step.change(Change::Preempted);
        let cause = Cause {
            state: self.lost_in(framework, TaskState::Gone),
            reason: Reason::ContainerPreempted,
            message: format!("Container preempted by QoS correction: {reason}"),
        };
        self.terminate(step, container, Some(cause));
    }
}
