//! Max-min fairness of one thing, for policies and for whoever simulates them.

use reeve_module_sdk::allocator::{Amounts, Change, KindIx};

use crate::kinds::Kinds;
use crate::policy::{Measured, Policy};

/// What is named `tasks` is their number.
const TASKS: &str = "tasks";

/// Max-min fairness: a share is an amount of one resource, or a number of tasks.
#[derive(Clone, Debug)]
pub enum MaxMin {
    /// One resource; its number once the cluster has it.
    Resource {
        /// Its name.
        name: String,
        /// Its number, if known.
        kind: Option<KindIx>,
    },
    /// Tasks, and agents held without a task.
    Tasks,
}

impl MaxMin {
    /// Fairness of a resource by its name, or of `tasks`.
    pub fn of(what: &str) -> Self {
        match what {
            TASKS => Self::Tasks,
            name => Self::Resource { name: name.to_owned(), kind: None },
        }
    }
}

impl Policy for MaxMin {
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
