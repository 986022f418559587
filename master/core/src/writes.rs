//! What waits for a write to be durable, and goes on when it is.

use reeve_model::FrameworkId;

use crate::agents;
use crate::effect::{Effect, Mutation};
use crate::event::WriteId;
use crate::frameworks;
use crate::machines;
use crate::master::Master;
use crate::roles;
use crate::step::Step;

/// What goes on when a write is durable.
#[derive(Debug)]
pub(crate) enum Pending {
    /// About an agent.
    Agent(agents::Pending),
    /// About this framework. Whatever comes for it meanwhile waits for that.
    Framework(FrameworkId, frameworks::Pending),
    /// About roles.
    Roles(roles::Pending),
    /// About machines.
    Machines(machines::Pending),
}

impl From<roles::Pending> for Pending {
    fn from(pending: roles::Pending) -> Self {
        Pending::Roles(pending)
    }
}

impl From<machines::Pending> for Pending {
    fn from(pending: machines::Pending) -> Self {
        Pending::Machines(pending)
    }
}

impl From<agents::Pending> for Pending {
    fn from(pending: agents::Pending) -> Self {
        Pending::Agent(pending)
    }
}

impl Master {
    /// Asks for a mutation to be made durable; `pending` goes on when it is.
    pub(crate) fn persist(
        &mut self,
        step: &mut Step<'_>,
        mutation: Mutation,
        pending: impl Into<Pending>,
    ) {
        let write = WriteId(self.next_write);
        self.next_write += 1;
        self.writes.insert(write, pending.into());
        step.push(Effect::Persist(write, mutation));
    }

    /// A write is durable: what waited for it goes on.
    pub(crate) fn committed(&mut self, step: &mut Step<'_>, write: WriteId) {
        match self.writes.remove(&write) {
            None => {}
            Some(Pending::Agent(pending)) => self.agent_written(step, pending),
            Some(Pending::Roles(pending)) => self.roles_written(step, pending),
            Some(Pending::Machines(pending)) => self.maintenance_written(step, pending),
            Some(Pending::Framework(id, pending)) => self.framework_written(step, &id, pending),
        }
    }
}
