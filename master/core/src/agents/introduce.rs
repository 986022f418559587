//! What an allocation machine must know that takes the place of another.

use std::collections::BTreeMap;

use reeve_model::Resources;
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::store::Agent;
use crate::allocation;
use crate::master::Master;
use crate::step::Step;

impl Master {
    /// Tells a new allocation machine of every framework and agent. Filters are not kept: their
    /// frameworks decline once more.
    pub(crate) fn introduce(&mut self, step: &mut Step<'_>, number: u64) {
        step.allocation(allocation::Event::Introduction(number));
        self.roles.told().into_iter().for_each(|event| step.allocation(event));
        let frameworks: Vec<FrameworkIx> = self.frameworks.iter().map(|(fx, _)| fx).collect();
        for fx in frameworks {
            self.announce_framework(step, fx);
        }
        let agents: Vec<(AgentIx, BTreeMap<FrameworkIx, Resources>)> =
            self.agents.iter().map(|(ix, agent)| (ix, self.held_on(agent))).collect();
        for (ix, held) in agents {
            self.announce(step, ix, held.into_iter().collect());
        }
    }

    /// What each framework holds on an agent: offers, tasks that have not ended, executors.
    fn held_on(&self, agent: &Agent) -> BTreeMap<FrameworkIx, Resources> {
        let mut held: BTreeMap<FrameworkIx, Resources> = BTreeMap::new();
        let mut add = |framework, resources: &Resources| {
            *held.entry(framework).or_default() += resources;
        };
        let offers = agent.offers.iter().filter_map(|number| self.offers.get(*number));
        offers.for_each(|offer| add(offer.framework, &offer.offer.resources));
        let tasks = agent.tasks.iter().filter_map(|number| self.tasks.get(*number));
        for task in tasks.filter(|task| !task.state.is_terminal()) {
            add(task.framework, &task.resources);
        }
        for ((framework, _), executor) in &agent.executors {
            add(*framework, &executor.resources);
        }
        held
    }
}
