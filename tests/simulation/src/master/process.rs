//! A master's process: it leads for a term, stands by, and may lead again.
//!
//! ```text
//!   standby ──elected──▶ fencing ──the registry is ours──▶ leading
//!      ▲                    │                                │
//!      └────────────────────┴── the lease is over, deposed ──┘
//! ```

use std::time::Duration;

use reeve_machine::Tick;
use reeve_machine::sim::Node;

use super::registry::File;
use super::term::Term;
use crate::allocators::AnyAllocator;
use crate::cluster::Cluster;
use crate::faults::Fault;
use crate::parcel::{Parcel, ms, secs};
use crate::sabotage::Sabotage;

/// A master's process.
#[derive(Debug)]
pub struct MasterHost {
    /// Where it runs.
    pub node: Node,
    /// What it has while it leads.
    pub term: Option<Box<Term>>,
    /// Whether it asked for the registry, to lead when it has it.
    pub(super) fencing: bool,
    /// The registry of a master without rivals.
    pub(super) file: File,
}

impl MasterHost {
    /// A master that has never led.
    pub fn new(node: Node) -> Self {
        MasterHost { node, term: None, fencing: false, file: File::default() }
    }

    /// Its disk behaves like this from now on.
    pub fn disk(&mut self, slow: Duration, full: bool) {
        (self.file.slow, self.file.full) = (slow, full);
    }
}

impl Cluster {
    /// A master's process starts. One without rivals leads at once.
    pub(crate) fn master_starts(&mut self, which: usize) {
        let master = &mut self.masters[which];
        let node = master.node;
        master.term = None;
        master.fencing = false;
        master.file.clear = Tick::ZERO;
        self.world.restart(node);
        if self.ensemble.is_some() {
            return self.elector_starts(node);
        }
        self.terms += 1;
        let (number, records) = (self.terms, self.masters[which].file.records.clone());
        self.master_leads(which, number, &records);
        self.announce_master(node);
    }

    /// The registry is read: a term begins.
    pub(super) fn master_leads(&mut self, which: usize, number: u64, records: &super::Records) {
        // Whoever starts it may have configured another allocator meanwhile.
        let allocator = AnyAllocator::some(&mut self.dice);
        let machine = self.judge.next_allocator();
        let term = Term::new(number, allocator, machine, records.clone());
        self.masters[which].term = Some(Box::new(term));
        self.tell(|| format!("master {which} leads term {number}"));
        self.led += 1;
        let found = records.recovered(number);
        self.master_step(which, reeve_master_core::event::Kind::Recovered(Box::new(found)));
    }

    /// Its candidacy stands otherwise than before.
    pub(crate) fn master_stands(&mut self, which: usize) {
        if !self.master_may_act(which) {
            return self.master_steps_down(which);
        }
        let master = &mut self.masters[which];
        if master.term.is_none() && !master.fencing {
            master.fencing = true;
            self.registry_fences(which);
        }
    }

    /// Whether nobody else can lead at this moment.
    pub(crate) fn master_may_act(&self, which: usize) -> bool {
        let node = self.masters[which].node;
        let now = self.world.clock(node);
        self.ensemble.is_none() || self.clients.get(&node).is_some_and(|client| client.leads(now))
    }

    /// Before anything else that happens to a master: one whose lease is over, as after a pause,
    /// must not act on it.
    pub(crate) fn master_checks_lease(&mut self, which: usize) {
        let master = &self.masters[which];
        let acts = master.term.is_some() || master.fencing;
        if acts && !self.master_may_act(which) && self.sabotage != Some(Sabotage::KeepsLeading) {
            self.master_steps_down(which);
        }
    }

    /// The process goes on without its cores, streams and links. What it sent is under way still.
    pub(crate) fn master_steps_down(&mut self, which: usize) {
        self.judge_presence(which);
        let master = &mut self.masters[which];
        master.fencing = false;
        let node = master.node;
        let Some(mut term) = master.term.take() else { return };
        self.tell(|| format!("master {which} steps down from term {}", term.number));
        if !self.peace {
            self.fault(Fault::SteppedDown);
        }
        for (to, attempt) in term.take_streams() {
            self.world.send(node, to, Parcel::StreamEnds(attempt));
        }
        // Half of the time its connections to agents go with it, with what is on them.
        if self.dice.one_in(2) {
            for which in 0..self.agents.len() {
                let agent = self.agents[which].node;
                self.world.cut(node, agent, true);
            }
        }
    }

    /// A leader that cannot go on lets others: it resigns and contends anew, or its process ends.
    pub(super) fn master_gives_up(&mut self, which: usize) {
        if self.ensemble.is_none() || self.dice.one_in(2) {
            self.master_crashes(which);
            return;
        }
        let node = self.masters[which].node;
        self.elector_resigns(node);
        self.master_steps_down(which);
        self.elector_starts(node);
    }

    /// The process ends, with all that it has; its supervisor starts it again.
    pub(crate) fn master_crashes(&mut self, which: usize) -> bool {
        let node = self.masters[which].node;
        if !self.world.is_up(node) {
            return false;
        }
        self.judge_presence(which);
        let wait = self.dice.duration(ms(500)..secs(30));
        self.world.crash(node);
        self.world.outside(wait, Parcel::Restart(node));
        let master = &mut self.masters[which];
        master.fencing = false;
        master.term = None;
        self.clients.remove(&node);
        self.file_torn(which);
        true
    }

    /// The master that leads, as everybody would see it who sees everything.
    pub(crate) fn leading(&self) -> Option<usize> {
        let leads = |which: &usize| {
            let master = &self.masters[*which];
            let up = self.world.is_up(master.node);
            up && master.term.is_some() && self.master_may_act(*which)
        };
        (0..self.masters.len()).find(leads)
    }

    /// The term of a master, if it leads.
    pub(crate) fn term(&mut self, which: usize) -> Option<&mut Term> {
        self.masters[which].term.as_deref_mut()
    }
}
