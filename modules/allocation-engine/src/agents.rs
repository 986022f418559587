//! The agents, what each has to give, and which are to be visited. Who gets it is in `visit`.

use std::collections::{BTreeSet, VecDeque};

use reeve_module_sdk::allocator::{AgentIx, Amounts, Free, Reserved};

use crate::mask::Mask;

/// What the module knows of one agent.
#[derive(Debug, Default)]
pub(crate) struct Agent {
    pub(crate) id: String,
    pub(crate) total: Amounts,
    pub(crate) reserved: Vec<Reserved>,
    pub(crate) needs: u32,
    pub(crate) free: Free,
    /// Clients that may not be offered this agent.
    pub(crate) blocked: Mask,
    /// Its ticket, if it is queued.
    queued: Option<u64>,
    /// Nobody is offered it for now.
    withheld: bool,
}

/// Agents by number; every agent with something free is queued or idle, or withheld.
///
/// ```text
///              Free, Unblocked, a new demand
///   idle ────────────────────────────────────▶ queued
///    ▲  (held back: idle because of quota)        │
///    └────────── visited, something is left ──────┘
/// ```
#[derive(Debug, Default)]
pub(crate) struct Agents {
    known: Vec<Option<Box<Agent>>>,
    /// With tickets: one that the agent no longer holds is void.
    queue: VecDeque<(AgentIx, u64)>,
    tickets: u64,
    idle: BTreeSet<AgentIx>,
    held_back: BTreeSet<AgentIx>,
    sweep_from: Option<AgentIx>,
}

impl Agents {
    pub(crate) fn get(&self, agent: AgentIx) -> Option<&Agent> {
        self.known.get(agent.0 as usize)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, agent: AgentIx) -> Option<&mut Agent> {
        self.known.get_mut(agent.0 as usize)?.as_deref_mut()
    }

    /// The agent, made if it is new.
    pub(crate) fn ensure(&mut self, agent: AgentIx) -> &mut Agent {
        let at = agent.0 as usize;
        if self.known.len() <= at {
            self.known.resize_with(at + 1, || None);
        }
        self.known[at].get_or_insert_default()
    }

    pub(crate) fn remove(&mut self, agent: AgentIx) -> Option<Box<Agent>> {
        self.idle.remove(&agent);
        self.held_back.remove(&agent);
        self.known.get_mut(agent.0 as usize)?.take()
    }

    /// The agents that have something to give.
    pub(crate) fn with_something_free(&self) -> impl Iterator<Item = (AgentIx, &Agent)> {
        let known = (0u32..).zip(&self.known);
        let known = known.filter_map(|(at, agent)| Some((AgentIx(at), agent.as_deref()?)));
        known.filter(|(_, agent)| !agent.free.is_empty())
    }

    /// What the agent has to give has changed.
    pub(crate) fn set_free(&mut self, agent: AgentIx, free: Free) {
        let Some(known) = self.get_mut(agent) else { return };
        known.free = free;
        if known.free.is_empty() {
            known.queued = None;
            self.idle.remove(&agent);
            self.held_back.remove(&agent);
        } else {
            self.wake(agent);
        }
    }

    /// Somebody may want the agent who did not or could not before.
    pub(crate) fn wake(&mut self, agent: AgentIx) {
        let ticket = self.tickets;
        let Some(known) = self.get_mut(agent) else { return };
        if known.queued.is_some() || known.withheld || known.free.is_empty() {
            return;
        }
        known.queued = Some(ticket);
        self.tickets += 1;
        self.queue.push_back((agent, ticket));
        self.idle.remove(&agent);
        self.held_back.remove(&agent);
    }

    /// Nobody is offered the agent until it is released.
    pub(crate) fn withhold(&mut self, agent: AgentIx) {
        let Some(known) = self.get_mut(agent) else { return };
        known.withheld = true;
        known.queued = None;
        self.idle.remove(&agent);
        self.held_back.remove(&agent);
    }

    /// The agent is offered again.
    pub(crate) fn release(&mut self, agent: AgentIx) {
        let Some(known) = self.get_mut(agent) else { return };
        known.withheld = false;
        self.wake(agent);
    }

    /// A client wants offers from now on, or smaller ones than before.
    pub(crate) fn wake_for(&mut self, client: u32) {
        let idle = std::mem::take(&mut self.idle);
        for agent in idle {
            if self.get(agent).is_some_and(|known| known.blocked.has(client)) {
                self.idle.insert(agent);
            } else {
                self.wake(agent);
            }
        }
    }

    /// The next agent to visit.
    pub(crate) fn next_queued(&mut self) -> Option<AgentIx> {
        while let Some((agent, ticket)) = self.queue.pop_front() {
            let Some(known) = self.get_mut(agent) else { continue };
            if known.queued == Some(ticket) {
                known.queued = None;
                return Some(agent);
            }
        }
        None
    }

    /// The next agent that quota held back; `None` once all were seen.
    pub(crate) fn next_held_back(&mut self) -> Option<AgentIx> {
        let from = self.sweep_from.unwrap_or_default();
        let next = self.held_back.range(from..).next().copied();
        self.sweep_from = next.map(|agent| AgentIx(agent.0.saturating_add(1)));
        next
    }

    /// The agent was visited and keeps what it still has until something changes.
    pub(crate) fn rest(&mut self, agent: AgentIx, held_back: bool) {
        if self.get(agent).is_none_or(|known| known.free.is_empty()) {
            self.idle.remove(&agent);
            self.held_back.remove(&agent);
            return;
        }
        self.idle.insert(agent);
        if held_back {
            self.held_back.insert(agent);
        } else {
            self.held_back.remove(&agent);
        }
    }

    pub(crate) fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }
}
