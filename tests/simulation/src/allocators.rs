//! The allocators that a simulated master may have.

use std::fmt;
use std::time::Duration;

use reeve_allocation_engine::{Dominant, Engine, MaxMin, Options};
use reeve_allocator_priority::{Preemption, Priority, Settings};
use reeve_machine::Chance;
use reeve_module_sdk::allocator::{Allocator, Change, FrameworkIx, RoleIx, Room};

use crate::parcel::secs;

/// Any of them.
pub struct AnyAllocator(&'static str, Box<dyn Allocator>);

impl AnyAllocator {
    /// Dominant resource fairness, as often as all others together.
    pub fn some(dice: &mut Chance) -> Self {
        match dice.below(4) {
            0 => Self("fair", Box::new(Engine::new(MaxMin::of("tasks"), Options::default()))),
            1 => Self("priority", Box::new(Priority::new(settings()))),
            _ => Self::drf(),
        }
    }

    /// Dominant resource fairness.
    pub fn drf() -> Self {
        Self("drf", Box::new(Engine::<Dominant>::default()))
    }
}

/// Frameworks in the role `batch` give way to others, who do not wait for long.
fn settings() -> Settings {
    Settings {
        roles: vec![("batch".to_owned(), 1)],
        default_class: 0,
        ageing: secs(60),
        preemption: Some(Preemption { patience: secs(4), grace: secs(3) }),
        ..Settings::new(&["high", "low"])
    }
}

impl fmt::Debug for AnyAllocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Allocator for AnyAllocator {
    fn apply(&mut self, changes: &[Change]) {
        self.1.apply(changes);
    }

    fn allocate(&mut self, now: Duration, room: &mut Room) -> bool {
        self.1.allocate(now, room)
    }

    fn explain(&self, framework: FrameworkIx, role: RoleIx) -> Vec<String> {
        self.1.explain(framework, role)
    }
}
