//! Agents that are not there, and since when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reeve_machine::Wall;
use reeve_model::AgentId;

/// Agents of one kind that are not there, and since when.
#[derive(Debug, Default)]
pub(crate) struct Absent {
    since: BTreeMap<AgentId, Wall>,
    /// The same, the longest first.
    longest: BTreeSet<(Wall, AgentId)>,
}

impl Absent {
    pub fn insert(&mut self, id: AgentId, since: Wall) {
        self.remove(&id);
        self.longest.insert((since, id.clone()));
        self.since.insert(id, since);
    }

    pub fn remove(&mut self, id: &AgentId) -> Option<Wall> {
        let since = self.since.remove(id)?;
        self.longest.remove(&(since, id.clone()));
        Some(since)
    }

    pub fn get(&self, id: &AgentId) -> Option<Wall> {
        self.since.get(id).copied()
    }

    /// Those that are too many, or away for longer than `age` (MA-5).
    pub fn outdated(
        &self,
        now: Wall,
        age: Duration,
        count: usize,
    ) -> impl Iterator<Item = &AgentId> {
        let excess = self.longest.len().saturating_sub(count);
        self.longest
            .iter()
            .enumerate()
            .take_while(move |(at, (since, _))| *at < excess || now.since(*since) > age)
            .map(|(_, (_, id))| id)
    }
}
