//! What each framework holds on each agent: who can give back, and what a task needs. Kept only
//! where the module has to know.

use std::collections::BTreeMap;

use reeve_module_sdk::allocator::{AgentIx, Amounts, KindIx};

use crate::classes::Client;

/// What a client has on an agent, or altogether.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// Without reservations: those are no use to others.
    pub(crate) unreserved: Amounts,
    pub(crate) tasks: u32,
}

/// All that is held, by place and by client.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    places: BTreeMap<(AgentIx, Client), Held>,
    clients: BTreeMap<Client, Held>,
}

impl Holdings {
    /// A client holds more or less.
    pub(crate) fn hold(&mut self, agent: AgentIx, client: Client, delta: &Amounts) {
        let place = self.places.entry((agent, client)).or_default();
        place.unreserved.add(delta);
        let altogether = self.clients.entry(client).or_default();
        altogether.unreserved.add(delta);
        self.forget_if_nothing(agent, client);
    }

    /// A client has so many tasks on an agent; returns whether that is more than before.
    pub(crate) fn set_tasks(&mut self, agent: AgentIx, client: Client, tasks: u32) -> bool {
        let place = self.places.entry((agent, client)).or_default();
        let before = std::mem::replace(&mut place.tasks, tasks);
        let altogether = self.clients.entry(client).or_default();
        altogether.tasks = altogether.tasks.saturating_sub(before) + tasks;
        self.forget_if_nothing(agent, client);
        tasks > before
    }

    fn forget_if_nothing(&mut self, agent: AgentIx, client: Client) {
        let is_nothing = |held: &Held| held.unreserved.is_empty() && held.tasks == 0;
        if self.places.get(&(agent, client)).is_some_and(is_nothing) {
            self.places.remove(&(agent, client));
        }
        if self.clients.get(&client).is_some_and(is_nothing) {
            self.clients.remove(&client);
        }
    }

    /// What a task of the client needs, by those that it has.
    pub(crate) fn usual_task(&self, client: Client) -> Option<Amounts> {
        let held = self.clients.get(&client).filter(|held| held.tasks > 0)?;
        let tasks = i64::from(held.tasks);
        let part = |(kind, amount): (KindIx, i64)| (kind, (amount + tasks - 1) / tasks);
        Some(Amounts::new(held.unreserved.iter().map(part)))
    }

    /// The agents where anybody holds anything.
    pub(crate) fn agents(&self) -> Vec<AgentIx> {
        let mut agents: Vec<AgentIx> = self.places.keys().map(|(agent, _)| *agent).collect();
        agents.dedup();
        agents
    }

    /// What is held on an agent, and by whom.
    pub(crate) fn on(&self, agent: AgentIx) -> impl Iterator<Item = (Client, &Held)> {
        let all = self.places.range((agent, Default::default())..);
        all.take_while(move |((at, _), _)| *at == agent).map(|((_, client), held)| (*client, held))
    }
}
