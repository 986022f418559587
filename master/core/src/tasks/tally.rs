//! How many live tasks each framework has in each role on an agent: allocators may count by them.

use reeve_model::{Resources, Role};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::Task;
use crate::allocation;
use crate::few::Few;
use crate::master::Master;
use crate::step::Step;

/// The tasks of one agent that have not ended, by framework and role.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally(Few<(FrameworkIx, Role)>);

impl Tally {
    /// One task more.
    pub fn add(&mut self, framework: FrameworkIx, role: Role) {
        self.0.add((framework, role));
    }

    /// One task less.
    pub fn remove(&mut self, framework: FrameworkIx, role: Role) {
        self.0.remove(&(framework, role));
    }

    fn get(&self, framework: FrameworkIx, role: &Role) -> u32 {
        self.0.get(&(framework, role.clone()))
    }

    /// Every framework and role that has tasks, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (FrameworkIx, &Role, u32)> {
        self.0.iter().map(|((framework, role), count)| (*framework, role, count))
    }
}

impl Task {
    /// The role that its resources are allocated to.
    pub fn role(&self) -> Role {
        role_of(&self.resources)
    }
}

/// The role that resources are allocated to.
pub(crate) fn role_of(resources: &Resources) -> Role {
    let allocated = resources.iter().find_map(|one| one.allocation.clone());
    allocated.unwrap_or_else(Role::any)
}

impl Master {
    /// Tells the allocation machine how many tasks a framework has in a role on an agent now.
    pub(crate) fn tell_tasks(
        &self,
        step: &mut Step<'_>,
        framework: FrameworkIx,
        agent: AgentIx,
        role: Role,
    ) {
        let Some(known) = self.agents.get(agent) else { return };
        let count = known.tally.get(framework, &role);
        step.allocation(allocation::Event::Tasks { framework, role, agent, count });
    }

    /// A task has ended, or its agent is out of reach: what it held is free, and it counts no more.
    pub(super) fn release(
        &mut self,
        step: &mut Step<'_>,
        (fx, ix): (FrameworkIx, AgentIx),
        role: Role,
        resources: Resources,
    ) {
        self.recover(step, fx, ix, resources, None);
        if let Some(agent) = self.agents.get_mut(ix) {
            agent.tally.remove(fx, role.clone());
        }
        self.tell_tasks(step, fx, ix, role);
    }
}
