//! The allocation machine beside the core, and the messages between the two.

use std::time::Duration;

use reeve_machine::{Machine, Tick};
use reeve_master_core::allocation::{self, Host};
use reeve_master_core::event::Kind;

use super::term::InTerm;
use crate::allocators::AnyAllocator;
use crate::cluster::Cluster;
use crate::parcel::{APART, ms};

impl Cluster {
    /// The allocator panics: from now on nothing that it said counts, and another knows nothing
    /// until the master has heard of it.
    pub(crate) fn allocator_fails(&mut self) -> bool {
        let Some(which) = self.leading() else { return false };
        let allocator = AnyAllocator::some(&mut self.dice);
        self.tell(|| format!("{allocator:?} takes over"));
        let number = self.judge.next_allocator();
        let Some(term) = self.term(which) else { return false };
        term.host = Host::new(allocation::Options::default(), allocator);
        term.allocator = number;
        term.introduced = false;
        term.between += 1;
        let delay = self.dice.duration(Duration::ZERO..ms(200));
        self.in_term(which, delay, InTerm::AllocatorReplaced(number));
        true
    }

    pub(super) fn allocator_replaced(&mut self, which: usize, number: u64) {
        if let Some(term) = self.term(which) {
            term.between -= 1;
            self.master_step(which, Kind::AllocatorReplaced(number));
        }
    }

    /// The allocation machine's grants reach the master.
    pub(super) fn granted(&mut self, which: usize, by: u64, granted: Vec<allocation::Granted>) {
        let Some(term) = self.term(which) else { return };
        term.between -= 1;
        if by == term.allocator {
            self.master_step(which, Kind::Granted(granted));
            self.audit(which);
        }
    }

    /// What it wants back reaches the master.
    pub(super) fn reclaimed(&mut self, which: usize, by: u64, back: Vec<allocation::Reclaimed>) {
        let Some(term) = self.term(which) else { return };
        term.between -= 1;
        if by == term.allocator {
            self.master_step(which, Kind::Reclaimed(back));
            self.audit(which);
        }
    }

    /// Now and then, when both machines must agree, their books are compared.
    fn audit(&mut self, which: usize) {
        let now_and_then = self.world.steps().is_multiple_of(8);
        let Some(term) = self.term(which) else { return };
        if term.between == 0
            && now_and_then
            && let Err(law) = term.ledger.audit(&term.view.snapshot())
        {
            self.violated(law);
        }
    }

    pub(super) fn host_hears(&mut self, which: usize, event: allocation::Event) {
        let now = self.world.clock(self.masters[which].node);
        let Some(term) = self.term(which) else { return };
        term.between -= 1;
        let own = term.allocator;
        term.introduced |=
            matches!(event, allocation::Event::Introduction(number) if number == own);
        if !term.introduced {
            return;
        }
        self.tell(|| format!("allocation {which} <- {event:?}"));
        let Some(term) = self.term(which) else { return };
        if let Err(law) = term.ledger.hears(&event, now) {
            self.violated(law);
        }
        self.host_step(which, event);
        self.audit(which);
    }

    pub(super) fn host_woken(&mut self, which: usize, at: Tick) {
        let now = self.world.clock(self.masters[which].node);
        let Some(term) = self.term(which) else { return };
        if term.host_wake == Some(at) {
            term.host_wake = None;
        }
        if term.host.deadline().is_some_and(|due| due <= now) {
            self.host_step(which, allocation::Event::Deadline);
        } else {
            self.host_wakes(which);
        }
    }

    fn host_step(&mut self, which: usize, event: allocation::Event) {
        let now = self.world.clock(self.masters[which].node);
        let mut effects = Vec::new();
        let Some(term) = self.term(which) else { return };
        term.host.step(now, event, &mut effects);
        for effect in effects {
            self.tell(|| format!("allocation {which} -> {effect:?}"));
            let Some(term) = self.term(which) else { return };
            let (number, ledger) = (term.allocator, &mut term.ledger);
            let verdict = match effect {
                allocation::Effect::Offer(granted) => {
                    let verdict = ledger.grants(&granted, now);
                    self.host_says(which, InTerm::Granted(number, granted));
                    verdict
                }
                allocation::Effect::Reclaim(reclaims) => {
                    let verdict = ledger.reclaims(&reclaims);
                    self.host_says(which, InTerm::Reclaimed(number, reclaims));
                    verdict
                }
                allocation::Effect::Report(unlawful) => {
                    Err(format!("the allocator module errs: {unlawful:?}"))
                }
            };
            if let Err(law) = verdict {
                self.violated(law);
            }
        }
        self.host_wakes(which);
    }

    /// What the allocation machine wants done is under way to the master.
    fn host_says(&mut self, which: usize, what: InTerm) {
        let now = self.world.clock(self.masters[which].node);
        let delay = self.dice.duration(Duration::ZERO..ms(2));
        let Some(term) = self.term(which) else { return };
        let at = (term.grant_clear + APART).max(now + delay);
        term.grant_clear = at;
        term.between += 1;
        self.in_term(which, at.since(now), what);
    }

    fn host_wakes(&mut self, which: usize) {
        let now = self.world.clock(self.masters[which].node);
        let Some(term) = self.term(which) else { return };
        let Some(due) = term.host.deadline() else { return };
        if term.host_wake.is_none_or(|wake| due < wake) {
            term.host_wake = Some(due);
            self.in_term(which, due.since(now), InTerm::HostWakes(due));
        }
    }
}
