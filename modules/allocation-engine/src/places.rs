//! How many tasks a client counts for: what it holds on each agent, and how many tasks it has
//! there. Kept only for policies that count tasks.

use std::collections::BTreeMap;

use reeve_module_sdk::allocator::{AgentIx, Amounts};

/// What one client has on one agent.
#[derive(Debug, Default)]
struct Place {
    held: Amounts,
    tasks: u32,
}

impl Place {
    /// An agent that is offered, or held without a task yet, counts as one: who sits on offers
    /// must not look poor.
    fn counts(&self) -> i64 {
        if self.held.is_empty() { 0 } else { i64::from(self.tasks.max(1)) }
    }
}

/// All places where somebody holds something.
#[derive(Debug, Default)]
pub(crate) struct Places(BTreeMap<(u32, AgentIx), Place>);

impl Places {
    /// A client holds more or less on an agent; returns by how much its count changes.
    pub(crate) fn hold(&mut self, client: u32, agent: AgentIx, delta: &Amounts) -> i64 {
        let place = self.0.entry((client, agent)).or_default();
        let before = place.counts();
        place.held.add(delta);
        let change = place.counts() - before;
        if place.held.is_empty() {
            self.0.remove(&(client, agent));
        }
        change
    }

    /// A client has so many tasks on an agent; returns by how much its count changes.
    pub(crate) fn set_tasks(&mut self, client: u32, agent: AgentIx, tasks: u32) -> i64 {
        let place = self.0.entry((client, agent)).or_default();
        let before = place.counts();
        place.tasks = tasks;
        let change = place.counts() - before;
        if place.held.is_empty() && tasks == 0 {
            self.0.remove(&(client, agent));
        }
        change
    }

    /// A client is gone.
    pub(crate) fn forget(&mut self, client: u32) {
        let all = (client, AgentIx(0))..=(client, AgentIx(u32::MAX));
        let places: Vec<_> = self.0.range(all).map(|(&place, _)| place).collect();
        places.iter().for_each(|place| drop(self.0.remove(place)));
    }
}
