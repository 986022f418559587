//! Weighted max-min fairness of one resource, or of the number of tasks. README.md says what it
//! does and which parameters it has.
//!
//! Lives here: what a share is of, and the module's parameters. Does not live here: how it works,
//! which is `modules/allocation-engine`.

use std::time::Duration;

use reeve_allocation_engine::{Engine, Kinds, Measured, Options, Policy};
use reeve_module_sdk::allocator::{Allocator, Amounts, Change, FrameworkIx, KindIx, RoleIx, Room};
use reeve_module_sdk::{Failed, Module, Parameters};

/// The value of the parameter `resource` that means the number of tasks.
const TASKS: &str = "tasks";

/// What is shared fairly.
#[derive(Debug)]
enum Shared {
    /// One resource; its number once the cluster has it.
    Resource { name: String, kind: Option<KindIx> },
    /// Tasks, and agents held without a task.
    Tasks,
}

impl Policy for Shared {
    fn notice(&mut self, change: &Change) {
        if let (Self::Resource { name, kind }, Change::Kind { kind: number, name: new, .. }) =
            (self, change)
            && *new == name.as_str()
        {
            *kind = Some(*number);
        }
    }

    // All shares have the same total, so amounts are compared as they are: the order does not
    // change when the cluster grows.
    fn measure(&self, held: &Amounts, tasks: i64, _: &Kinds) -> Measured {
        let held = match self {
            Self::Resource { kind, .. } => kind.map_or(0, |kind| held.get(kind)),
            Self::Tasks => tasks,
        };
        Measured { held, total: 1 }
    }

    fn counts_tasks(&self) -> bool {
        matches!(self, Self::Tasks)
    }

    fn describe(&self, share: f64, kinds: &Kinds) -> String {
        match self {
            Self::Resource { kind: Some(kind), .. } => {
                format!("{} for each unit of its weight", kinds.describe_one(*kind, share as i64))
            }
            Self::Resource { name, kind: None } => {
                format!("no share yet: no agent has '{name}', which is what is shared fairly")
            }
            Self::Tasks => format!("{share} tasks for each unit of its weight"),
        }
    }
}

/// Weighted max-min fairness of one resource or of tasks.
#[derive(Debug)]
pub struct Fair(Engine<Shared>);

impl Fair {
    /// An allocator that shares a resource by its name, or `tasks`.
    pub fn new(resource: &str) -> Self {
        let shared = match resource {
            TASKS => Shared::Tasks,
            name => Shared::Resource { name: name.to_owned(), kind: None },
        };
        Self(Engine::new(shared, Options::default()))
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
