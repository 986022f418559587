//! Agents that are to be given up, no faster than the operator allows (AGM-4), and not at all if
//! they are too many (AGM-5).

use std::collections::BTreeMap;
use std::time::Duration;

use reeve_machine::Tick;
use reeve_model::AgentId;

use super::Pending;
use crate::effect::{Effect, Mutation};
use crate::master::{Master, Timer};
use crate::step::Step;
use crate::view::Change;

/// How many agents a message names at the most.
const NAMED: usize = 10;

/// Why an agent is to be given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It does not answer pings.
    Silent,
    /// It did not come back after its connection broke.
    Disconnected,
    /// It did not come back to a new leader.
    Awaited,
}

/// Agents that wait to be given up, in their order.
#[derive(Debug)]
pub(crate) struct Removals {
    /// The shortest time between two; none: each at once.
    spacing: Option<Duration>,
    /// When the next may be.
    next: Tick,
    turns: BTreeMap<u64, (AgentId, Cause)>,
    waiting: BTreeMap<AgentId, u64>,
    last_turn: u64,
}

impl Removals {
    pub fn new(spacing: Option<Duration>) -> Self {
        Removals {
            spacing,
            next: Tick::ZERO,
            turns: BTreeMap::new(),
            waiting: BTreeMap::new(),
            last_turn: 0,
        }
    }

    pub fn waits(&self, id: &AgentId) -> bool {
        self.waiting.contains_key(id)
    }

    fn cause(&self, id: &AgentId) -> Option<Cause> {
        self.turns.get(self.waiting.get(id)?).map(|(_, cause)| *cause)
    }

    fn push(&mut self, id: AgentId, cause: Cause) {
        self.last_turn += 1;
        self.waiting.insert(id.clone(), self.last_turn);
        self.turns.insert(self.last_turn, (id, cause));
    }

    fn cancel(&mut self, id: &AgentId) -> bool {
        let Some(turn) = self.waiting.remove(id) else { return false };
        self.turns.remove(&turn).is_some()
    }

    /// The next whose turn it is.
    fn due(&mut self, now: Tick) -> Option<(AgentId, Cause)> {
        if now < self.next {
            return None;
        }
        let (_, (id, cause)) = self.turns.pop_first()?;
        self.waiting.remove(&id);
        Some((id, cause))
    }

    /// One was given up.
    fn used(&mut self, now: Tick) {
        self.next = self.spacing.map_or(now, |spacing| now + spacing);
    }

    /// When somebody's turn comes.
    fn deadline(&self) -> Option<Tick> {
        (!self.turns.is_empty()).then_some(self.next)
    }
}

impl Master {
    /// An agent is to be given up when its turn comes.
    pub(super) fn schedule_removal(&mut self, step: &mut Step<'_>, id: AgentId, cause: Cause) {
        if self.agents.removals.waits(&id) {
            return;
        }
        step.changed(Change::RemovalScheduled);
        self.agents.removals.push(id, cause);
        self.removals_due(step);
    }

    /// Gives up those whose turn it is.
    pub(crate) fn removals_due(&mut self, step: &mut Step<'_>) {
        while let Some((id, cause)) = self.agents.removals.due(step.now) {
            // What is being written about it brings it back, or takes it away.
            if self.agents.busy.contains(&id) {
                step.changed(Change::RemovalCanceled);
                continue;
            }
            self.agents.removals.used(step.now);
            self.mark_unreachable(step, id, cause);
        }
        match self.agents.removals.deadline() {
            Some(at) => self.timers.set(Timer::Removal, at),
            None => self.timers.cancel(&Timer::Removal),
        };
    }

    /// An agent is there after all, or is not to be waited for any longer.
    pub(super) fn cancel_removal(&mut self, step: &mut Step<'_>, id: &AgentId) {
        if self.agents.removals.cancel(id) {
            step.changed(Change::RemovalCanceled);
        }
    }

    /// An agent answered a ping: it need not be given up for silence.
    pub(super) fn break_silence(&mut self, step: &mut Step<'_>, id: &AgentId) {
        if self.agents.removals.cause(id) == Some(Cause::Silent) {
            self.cancel_removal(step, id);
        }
    }

    /// Nothing is offered of an agent that is given up; that it is, is written before anybody
    /// hears of it.
    fn mark_unreachable(&mut self, step: &mut Step<'_>, id: AgentId, cause: Cause) {
        if let Some(ix) = self.agents.find(&id) {
            self.deactivate(step, ix);
        } else if !self.agents.is_awaited(&id) {
            return;
        }
        self.agents.busy.insert(id.clone());
        let mutation = Mutation::MarkUnreachable(id.clone(), step.wall);
        self.persist(step, mutation, Pending::Unreachable(id, step.wall, cause));
    }

    /// Agents of an earlier leader did not come back in time (AGM-5).
    pub(crate) fn awaited_overdue(&mut self, step: &mut Step<'_>) {
        let missing = self.agents.awaited_ids();
        if let Err(why) = self.may_give_up(&missing) {
            return step.push(Effect::StepDown(why));
        }
        for id in missing {
            if !self.agents.busy.contains(&id) {
                self.schedule_removal(step, id, Cause::Awaited);
            }
        }
    }

    /// Whether so many agents may be given up after a failover; else why not.
    fn may_give_up(&self, missing: &[AgentId]) -> Result<(), String> {
        let limit = self.options.recovery_agent_removal_limit;
        let (count, known) = (missing.len(), self.agents.recovered);
        let share = 100.0 * count as f64 / known.max(1) as f64;
        if share <= limit {
            return Ok(());
        }
        let mut names: Vec<&str> = missing.iter().take(NAMED).map(AgentId::as_str).collect();
        if count > NAMED {
            names.push("…");
        }
        let timeout = self.options.agent_reregister_timeout.as_secs();
        Err(format!(
            "{count} of {known} agents ({share:.1}%) did not re-register within {timeout}secs \
             after the failover of the master, and recovery_agent_removal_limit allows {limit}% to \
             be given up. None was. Find out what keeps them away, or raise the limit. The agents: \
             {}",
            names.join(", ")
        ))
    }
}

impl Cause {
    /// The words that frameworks are told.
    pub fn text(self, reregister_timeout: Duration) -> String {
        let timeout = reregister_timeout.as_secs();
        match self {
            Cause::Silent => "health check timed out".to_owned(),
            Cause::Disconnected => {
                format!("agent did not re-register within {timeout}secs after disconnecting")
            }
            Cause::Awaited => {
                format!("agent did not re-register within {timeout}secs after master failover")
            }
        }
    }
}
