//! All that a leader has, and loses when it leads no more.

use std::collections::BTreeMap;
use std::time::Duration;

use reeve_machine::sim::Node;
use reeve_machine::{Machine, Tick};
use reeve_master_core::allocation::{self, Host};
use reeve_master_core::effect::Mutation;
use reeve_master_core::event::{Event, Kind, StreamId, WriteId};
use reeve_master_core::{Effect, Master, Options, View};

use super::registry::Records;
use super::streams::Streams;
use crate::allocators::AnyAllocator;
use crate::cluster::Cluster;
use crate::laws::Ledger;
use crate::parcel::{APART, Parcel, ms, secs};

/// A leader's term.
#[derive(Debug)]
pub struct Term {
    /// Which one; each is led under an id of its own.
    pub number: u64,
    /// The decisions.
    pub core: Master,
    /// The allocation machine.
    pub host: Host<AnyAllocator>,
    /// The machine's number; what machines of other numbers say does not count.
    pub allocator: u64,
    /// Whether the master has begun to tell it all from the beginning.
    pub introduced: bool,
    /// What readers see.
    pub view: View,
    /// What the allocation machine may do.
    pub ledger: Ledger,
    /// Messages between the two machines that are under way.
    pub between: usize,
    pub(super) streams: Streams,
    /// What is in the registry, as far as it was told.
    pub(super) records: Records,
    /// Mutations without an answer.
    pub(super) unwritten: BTreeMap<WriteId, Mutation>,
    pub(super) wake: Option<Tick>,
    pub(super) host_wake: Option<Tick>,
    pub(super) host_clear: Tick,
    pub(super) grant_clear: Tick,
}

/// What happens within a term, and to nobody if it is over.
#[derive(Clone, Debug)]
pub enum InTerm {
    /// A write of the registry's file is over.
    Synced(WriteId, Mutation, bool),
    /// The master's deadline, perhaps.
    Wakes(Tick),
    /// The allocation machine's deadline, perhaps.
    HostWakes(Tick),
    /// The master tells the allocation machine.
    Allocation(Box<allocation::Event>),
    /// The allocation machine of that number grants.
    Granted(u64, Vec<allocation::Granted>),
    /// The allocation machine of that number takes back.
    Reclaimed(u64, Vec<allocation::Reclaimed>),
    /// Another allocation machine, of this number, is in the place of the one before.
    AllocatorReplaced(u64),
}

fn options() -> Options {
    // Shorter than by default, so that a run sees it pass.
    Options { agent_reregister_timeout: secs(300), ..Options::default() }
}

impl Term {
    /// One that has just begun.
    pub fn new(number: u64, allocator: AnyAllocator, machine: u64, records: Records) -> Self {
        Term {
            number,
            core: Master::new(options()),
            host: Host::new(allocation::Options::default(), allocator),
            allocator: machine,
            introduced: true,
            view: View::new(&options()),
            ledger: Ledger::default(),
            between: 0,
            streams: Streams::default(),
            records,
            unwritten: BTreeMap::new(),
            wake: None,
            host_wake: None,
            host_clear: Tick::ZERO,
            grant_clear: Tick::ZERO,
        }
    }

    /// Whose streams end with it.
    pub(super) fn take_streams(&mut self) -> Vec<(Node, u64)> {
        self.streams.take_all()
    }
}

impl Cluster {
    /// Something that happens after a while, if the term lasts.
    pub(super) fn in_term(&mut self, which: usize, delay: Duration, what: InTerm) {
        let master = &self.masters[which];
        if let Some(term) = &master.term {
            self.world.local(master.node, delay, Parcel::InTerm(term.number, what));
        }
    }

    /// It happens.
    pub(crate) fn term_hears(&mut self, which: usize, number: u64, what: InTerm) {
        if self.term(which).is_none_or(|term| term.number != number) {
            return;
        }
        match what {
            InTerm::Synced(id, mutation, ok) => self.file_synced(which, id, mutation, ok),
            InTerm::Wakes(at) => self.master_woken(which, at),
            InTerm::HostWakes(at) => self.host_woken(which, at),
            InTerm::Allocation(event) => self.host_hears(which, *event),
            InTerm::Granted(by, granted) => self.granted(which, by, granted),
            InTerm::Reclaimed(by, reclaims) => self.reclaimed(which, by, reclaims),
            InTerm::AllocatorReplaced(number) => self.allocator_replaced(which, number),
        }
    }

    /// The core is told, if there is one.
    pub(crate) fn master_step(&mut self, which: usize, kind: Kind) {
        let now = self.world.clock(self.masters[which].node);
        let wall = self.wall(self.masters[which].node);
        self.tell(|| format!("master {which} <- {kind:?}"));
        let Some(term) = self.term(which) else { return };
        let number = term.number;
        let mut effects = Vec::new();
        term.core.step(now, Event { wall, kind }, &mut effects);
        if let Err(law) = term.core.check() {
            self.violated(format!("master {which}: {law}"));
        }
        self.world.mix(effects.len() as u64);
        self.judge_acts(which, number, &effects);
        for effect in self.sabotage_master(effects) {
            if self.term(which).is_none_or(|term| term.number != number) {
                return;
            }
            if !matches!(effect, Effect::Changed(_)) {
                self.tell(|| format!("master {which} -> {effect:?}"));
            }
            self.master_effect(which, effect);
        }
        self.master_wakes(which);
    }

    fn master_wakes(&mut self, which: usize) {
        let now = self.world.clock(self.masters[which].node);
        let Some(term) = self.term(which) else { return };
        let Some(due) = term.core.deadline() else { return };
        if term.wake.is_none_or(|wake| due < wake) {
            term.wake = Some(due);
            self.in_term(which, due.since(now), InTerm::Wakes(due));
        }
    }

    fn master_woken(&mut self, which: usize, at: Tick) {
        let now = self.world.clock(self.masters[which].node);
        let Some(term) = self.term(which) else { return };
        if term.wake == Some(at) {
            term.wake = None;
        }
        if term.core.deadline().is_some_and(|due| due <= now) {
            self.master_step(which, Kind::Deadline);
        } else {
            self.master_wakes(which);
        }
    }

    fn master_effect(&mut self, which: usize, effect: Effect) {
        let node = self.masters[which].node;
        match effect {
            Effect::Persist(id, mutation) => self.registry_writes(which, id, mutation),
            Effect::ToAgent(pid, message) => {
                self.judge_run(which, &message);
                if let Some(to) = self.node_of(&pid) {
                    self.world.send(node, to, Parcel::ToAgent(message));
                }
            }
            Effect::Link(pid) => {
                if let Some(peer) = self.node_of(&pid) {
                    self.world.watch(node, peer);
                }
            }
            Effect::Unlink(_) | Effect::Answer(..) => {}
            Effect::ToScheduler(to, event) => self.master_speaks(which, to, event),
            Effect::Close(stream) => self.stream_closes(which, stream),
            Effect::Allocation(event) => {
                let now = self.world.clock(self.masters[which].node);
                let delay = self.dice.duration(Duration::ZERO..ms(1));
                let Some(term) = self.term(which) else { return };
                let at = (term.host_clear + APART).max(now + delay);
                term.host_clear = at;
                term.between += 1;
                self.in_term(which, at.since(now), InTerm::Allocation(Box::new(event)));
            }
            Effect::Changed(change) => {
                if let Some(term) = self.term(which) {
                    term.view.apply(change);
                }
            }
            Effect::TookBack(back) => self.preempted += back.tasks.len() as u64,
            Effect::StepDown(_) => self.master_gives_up(which),
        }
    }

    fn stream_closes(&mut self, which: usize, stream: StreamId) {
        let node = self.masters[which].node;
        let Some(term) = self.term(which) else { return };
        if let Some((to, attempt)) = term.streams.close(stream) {
            self.world.send(node, to, Parcel::StreamEnds(attempt));
        }
    }
}
