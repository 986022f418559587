//! How many tasks a client counts for: what it holds on each agent, and how many tasks it has
//! there. Kept only for policies that count tasks.

use std::collections::BTreeMap;

use reeve_module_sdk::allocator::{AgentIx, Amounts};

/// What one client has on one agent.
#[derive(Debug, Default)]
struct Place {
    held: Amounts,
    tasks: u32,
    /// Whether an offer is out that is not answered yet.
    offered: bool,
}

impl Place {
    /// An offer that is out counts as one task more, and so does what is held without any: who
    /// sits on offers must not look poor.
    fn counts(&self) -> i64 {
        if self.held.is_empty() {
            return 0;
        }
        (i64::from(self.tasks) + i64::from(self.offered)).max(1)
    }
}

/// All places where somebody holds something.
#[derive(Debug, Default)]
pub(crate) struct Places(BTreeMap<(u32, AgentIx), Place>);

impl Places {
    /// A client holds more or less on an agent, perhaps as an offer; returns by how much its count
    /// changes. What comes back is the answer to an offer.
    pub(crate) fn hold(
        &mut self,
        client: u32,
        agent: AgentIx,
        delta: &Amounts,
        granted: bool,
    ) -> i64 {
        let place = self.0.entry((client, agent)).or_default();
        let before = place.counts();
        place.held.add(delta);
        place.offered = granted;
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
        place.offered = false;
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
