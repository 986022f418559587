//! How many live tasks each framework has in each role on an agent: allocators may count by them.

use std::collections::BTreeMap;

use reeve_model::{Resources, Role};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::Task;
use crate::allocation;
use crate::master::Master;
use crate::step::Step;

/// The tasks of one agent that have not ended, by framework and role.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally(BTreeMap<(FrameworkIx, Role), u32>);

impl Tally {
    /// One task more.
    pub fn add(&mut self, framework: FrameworkIx, role: Role) {
        *self.0.entry((framework, role)).or_default() += 1;
    }

    /// One task less.
    pub fn remove(&mut self, framework: FrameworkIx, role: Role) {
        let key = (framework, role);
        if let Some(count) = self.0.get_mut(&key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(&key);
            }
        }
    }

    fn get(&self, framework: FrameworkIx, role: &Role) -> u32 {
        self.0.get(&(framework, role.clone())).copied().unwrap_or(0)
    }

    /// Every framework and role that has tasks, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (FrameworkIx, &Role, u32)> {
        self.0.iter().map(|((framework, role), count)| (*framework, role, *count))
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
