//! Weighted max-min fairness of one resource, or of the number of tasks. README.md says what it
//! does and which parameters it has.
//!
//! Lives here: the module's parameters. Does not live here: how it works, and what a share is of,
//! which is `modules/allocation-engine`.

use std::time::Duration;

use reeve_allocation_engine::{Engine, MaxMin, Options};
use reeve_module_sdk::allocator::{Allocator, Change, FrameworkIx, RoleIx, Room};
use reeve_module_sdk::{Failed, Module, Parameters};

/// Weighted max-min fairness of one resource or of tasks.
#[derive(Debug)]
pub struct Fair(Engine<MaxMin>);

impl Fair {
    /// An allocator that shares a resource by its name, or `tasks`.
    pub fn new(resource: &str) -> Self {
        Self(Engine::new(MaxMin::of(resource), Options::default()))
    }
}

impl Module for Fair {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        let resource = parameters.text("resource").unwrap_or("cpus").trim();
        if resource.is_empty() {
            return Err(Failed::new(
                "resource is empty: name a resource such as 'cpus', or 'tasks'",
            ));
        }
        Ok(Self::new(resource))
    }
}

impl Allocator for Fair {
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
    allocator: Fair,
    name: "fair",
    author: "The Reeve authors",
    description: "Weighted max-min fairness of one resource or of the number of tasks",
    parameters: [
        ("resource", "text", "cpus", "What is shared fairly: the name of a scalar resource, or 'tasks' for their number."),
    ],
}
