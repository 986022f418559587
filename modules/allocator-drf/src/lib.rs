//! Hierarchical dominant resource fairness, Mesos's default policy of allocation. README.md says
//! what it does and which parameters it has.
//!
//! Lives here: the module's parameters. Does not live here: how it works, which is
//! `modules/allocation-engine`.

use std::time::Duration;

use reeve_allocation_engine::{Dominant, Engine};
use reeve_module_sdk::allocator::{Allocator, Change, FrameworkIx, RoleIx, Room};
use reeve_module_sdk::{Failed, Module, Parameters};

pub use reeve_allocation_engine::{Offer, Options};

/// Hierarchical dominant resource fairness.
#[derive(Debug, Default)]
pub struct Drf(Engine<Dominant>);

impl Drf {
    /// An allocator that knows nothing yet.
    pub fn new(options: Options) -> Self {
        Self(Engine::new(Dominant, options))
    }
}

impl Module for Drf {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        let offer = match parameters.text("offer") {
            None | Some("agent") => Offer::Agent,
            Some("share") => Offer::Share,
            Some(other) => {
                return Err(Failed::new(format!("offer is 'agent' or 'share', not '{other}'")));
            }
        };
        Ok(Self::new(Options::offering(offer)))
    }
}

impl Allocator for Drf {
    fn apply(&mut self, changes: &[Change]) {
        self.0.apply(changes);
    }

    fn allocate(&mut self, now: Duration, room: &mut Room) -> bool {
        self.0.allocate(now, room)
    }

    fn explain(&self, framework: FrameworkIx, role: RoleIx) -> Vec<String> {
        self.0.explain(framework, role)
    }
}

reeve_module_sdk::module! {
    allocator: Drf,
    name: "drf",
    author: "The Reeve authors",
    description: "Hierarchical dominant resource fairness with weights and quota",
    parameters: [
        ("offer", "agent|share", "agent", "Size of an offer: all that is free on an agent, or no more than a framework's fair share."),
    ],
}
