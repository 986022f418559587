//! The machine: events into the books, rounds of the module out of them.

use std::collections::BTreeMap;
use std::time::Duration;

use reeve_machine::{Machine, Tick};
use reeve_module_sdk::allocator::{AgentIx, Allocator, Change, Room};

use super::books::Books;
use super::event::{Effect, Event, Rule, Unlawful};
use super::grants::Outcome;
use super::options::Options;

/// After unlawful proposals the module is not asked again for this long, unless something happens: a
/// module that errs for ever must not spin.
const PAUSE_AFTER_UNLAWFUL: Duration = Duration::from_secs(1);

/// So many changes at the most are kept before the module is told.
const TOLD_AT_ONCE: usize = 1024;

/// The host of an allocator module.
#[derive(Debug)]
pub struct Host<A> {
    pub(super) books: Books,
    pub(super) allocator: A,
    room: Room,
    /// When the module is to be asked next.
    due: Option<Tick>,
    last_round: Option<Tick>,
    counters: Counters,
}

/// What has happened since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Times that the module was asked.
    pub rounds: u64,
    /// Grants carried out.
    pub offers: u64,
    /// Grants that only the host could see were in vain (constraints, filters on a part).
    pub held_back: u64,
    /// Grants that broke a rule.
    pub unlawful: BTreeMap<Rule, u64>,
    /// Proposals to take something back that were carried out.
    pub reclaims: u64,
    /// Proposals to take something back that broke a rule.
    pub unlawful_reclaims: BTreeMap<Rule, u64>,
}

impl<A: Allocator> Host<A> {
    /// A host that knows no agent and no framework.
    pub fn new(options: Options, allocator: A) -> Self {
        Self {
            books: Books::new(options),
            allocator,
            room: Room::default(),
            due: None,
            last_round: None,
            counters: Counters::default(),
        }
    }

    /// The module.
    pub fn allocator(&self) -> &A {
        &self.allocator
    }

    /// What has happened since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many places are giving something back, and how many should have and did not.
    pub fn reclaims(&self) -> (usize, u64) {
        (self.books.reclaims.under_way(), self.books.reclaims.overdue())
    }

    fn take_in(&mut self, event: Event) {
        let books = &mut self.books;
        match event {
            Event::AgentAdded { agent, info, total, used, active } => {
                books.add_agent(agent, *info, total, used, active);
            }
            Event::AgentChanged { agent, total } => books.change_agent(agent, total),
            Event::AgentActive { agent, active } => books.set_agent_active(agent, active),
            Event::AgentRemoved { agent } => books.remove_agent(agent),
            Event::FrameworkAdded { framework, info, suppressed, constraints, active } => {
                let active = Some(active);
                books.describe_framework(framework, info, suppressed, constraints, active);
            }
            Event::FrameworkChanged { framework, info, suppressed, constraints } => {
                books.describe_framework(framework, info, suppressed, constraints, None);
            }
            Event::FrameworkActive { framework, active } => {
                books.set_framework_active(framework, active);
            }
            Event::FrameworkRemoved { framework } => books.remove_framework(framework),
            Event::Suppress { framework, roles } => books.suppress(framework, roles),
            Event::Revive { framework, roles } => books.revive(framework, &roles),
            Event::Recover { framework, agent, resources, filter } => {
                books.recover(framework, agent, &resources, filter);
            }
            Event::Used { framework, agent, resources } => {
                books.use_resources(framework, agent, &resources);
            }
            Event::Converted { framework, agent, from, to } => {
                books.convert(framework, agent, &from, &to);
            }
            Event::Tasks { framework, role, agent, count } => {
                books.count_tasks(framework, &role, agent, count);
            }
            Event::Weight { role, weight } => {
                books.roles.set_weight(&role, weight.thousandths(), &mut books.changes);
            }
            Event::Quota { role, guarantees, limits } => {
                books.set_quota(&role, &guarantees, &limits);
            }
            Event::Introduction(_) | Event::Deadline => {}
        }
    }

    /// Tells the module the news.
    fn tell(&mut self) {
        let touched = std::mem::take(&mut self.books.touched);
        for agent in touched {
            self.tell_free(agent);
            if self.books.changes.len() >= TOLD_AT_ONCE {
                self.tell_changes();
            }
        }
        self.tell_changes();
    }

    fn tell_changes(&mut self) {
        self.allocator.apply(&self.books.changes);
        self.books.changes.clear();
    }

    fn tell_free(&mut self, agent: AgentIx) {
        let books = &mut self.books;
        let Some(known) = books.agent_mut(agent) else { return };
        known.touched = false;
        let grown = std::mem::take(&mut known.grown);
        if !known.free.is_empty() {
            let free = std::mem::take(&mut known.free);
            let (blocked, unblocked) = known.filters.reassess(&free, grown);
            known.free = free;
            blocked.into_iter().for_each(|client| books.tell_blocked(client, agent, true));
            unblocked.into_iter().for_each(|client| books.tell_blocked(client, agent, false));
        }
        let Some(known) = books.agent(agent) else { return };
        let free = known.free_for_module(&books.kinds, &books.roles);
        books.changes.push(Change::Free { agent, free });
    }

    /// Asks the module once and carries out what is lawful.
    fn run_round(&mut self, now: Tick, out: &mut Vec<Effect>) {
        self.tell();
        self.counters.rounds += 1;
        self.last_round = Some(now);
        self.room.budget = self.books.options.chunk.max(1);
        self.room.grants.clear();
        self.room.reclaims.clear();
        self.room.wake_after = 0;
        let more = self.allocator.allocate(now.since(Tick::ZERO), &mut self.room);
        let lawful = self.carry_out_grants(out) & self.carry_out_reclaims(out);
        self.due = match (lawful, more || self.books.news() != (0, 0)) {
            (false, _) => Some(now + PAUSE_AFTER_UNLAWFUL),
            (true, true) => Some(now),
            (true, false) => self.wish_to_wake().map(|after| now + after),
        };
    }

    /// After how long the module wants to be asked again though nothing changes. A module that
    /// names no time at all to speak of must not spin.
    fn wish_to_wake(&self) -> Option<Duration> {
        let wish = Some(self.room.wake_after).filter(|&after| after > 0);
        wish.map(|after| Duration::from_nanos(after).max(self.books.options.batch))
    }

    /// Settles every grant of the round; says whether all were lawful.
    fn carry_out_grants(&mut self, out: &mut Vec<Effect>) -> bool {
        let mut offers = Vec::with_capacity(self.room.grants.len());
        let mut lawful = true;
        for (place, grant) in self.room.grants.iter().enumerate() {
            match self.books.settle(self.counters.rounds, place, grant) {
                Outcome::Offered(granted) => offers.push(granted),
                Outcome::HeldBack => self.counters.held_back += 1,
                Outcome::Unlawful(rule) => {
                    lawful = false;
                    *self.counters.unlawful.entry(rule).or_default() += 1;
                    let (framework, agent) = (grant.framework, grant.agent);
                    out.push(Effect::Report(Unlawful { framework, agent, rule }));
                }
            }
        }
        self.counters.offers += offers.len() as u64;
        if !offers.is_empty() {
            out.push(Effect::Offer(offers));
        }
        lawful
    }

    /// The same for what is to be taken back.
    fn carry_out_reclaims(&mut self, out: &mut Vec<Effect>) -> bool {
        let (mut reclaims, mut lawful) = (Vec::new(), true);
        for wanted in &self.room.reclaims {
            match self.books.reclaim(wanted) {
                Ok(reclaim) => reclaims.extend(reclaim),
                Err(rule) => {
                    lawful = false;
                    *self.counters.unlawful_reclaims.entry(rule).or_default() += 1;
                    let (framework, agent) = (wanted.framework, wanted.agent);
                    out.push(Effect::Report(Unlawful { framework, agent, rule }));
                }
            }
        }
        self.counters.reclaims += reclaims.len() as u64;
        if !reclaims.is_empty() {
            out.push(Effect::Reclaim(reclaims));
        }
        lawful
    }
}

impl<A: Allocator> Machine for Host<A> {
    type Event = Event;
    type Effect = Effect;

    fn step(&mut self, now: Tick, event: Event, out: &mut Vec<Effect>) {
        self.books.now = now;
        let is_deadline = matches!(event, Event::Deadline);
        let before = self.books.news();
        self.take_in(event);
        self.books.expire();
        self.books.reclaims.expire(now);
        let news = self.books.news() != before;
        if news {
            // At once after a pause; under load, changes gather.
            let due = self.last_round.map_or(now, |last| now.max(last + self.books.options.batch));
            self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
        }
        if self.books.changes.len() >= TOLD_AT_ONCE {
            self.tell_changes();
        }
        if is_deadline && self.due.is_some_and(|due| due <= now) {
            self.run_round(now, out);
        }
    }

    fn deadline(&self) -> Option<Tick> {
        match (self.due, self.books.ends.next()) {
            (Some(due), Some(end)) => Some(due.min(end)),
            (due, end) => due.or(end),
        }
    }
}
