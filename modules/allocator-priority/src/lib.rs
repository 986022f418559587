//! Strict priority classes, dominant resource fairness inside each. README.md says what it does
//! and which parameters it has.
//!
//! - `settings`: the parameters; `classes`: which framework is in which class
//! - `priority`: the allocator; `waits`: who waits since when
//! - `preemption`, `holdings`: what is taken back, and from whom
//!
//! Does not live here: who is next inside a class, quota, visits (`modules/allocation-engine`);
//! which tasks end, and how (the host's).

mod classes;
mod holdings;
mod preemption;
mod priority;
mod settings;
mod waits;

pub use priority::Priority;
pub use settings::{Preemption, Settings};

use reeve_module_sdk::{Failed, Module, Parameters};

impl Module for Priority {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        Ok(Self::new(Settings::read(parameters)?))
    }
}

reeve_module_sdk::module! {
    allocator: Priority,
    name: "priority",
    author: "The Reeve authors",
    description: "Strict priority classes, dominant resource fairness inside each",
    parameters: [
        ("classes", "list", "high,normal,low", "The names of the classes, the highest first."),
        ("default_class", "text", "", "The class of frameworks without label and role class; the lowest unless set."),
        ("label", "text", "priority", "The framework label whose value is a class, or a number that counts from the lowest up."),
        ("roles", "list", "", "Classes of roles and all roles below them, such as 'eng=high'; a label can only lower them."),
        ("reserve", "list", "", "What is kept free for a class, as a share of the cluster, such as 'high=10%'."),
        ("ageing", "duration", "0secs", "A framework that waits so long rises by one class; 0secs: it never does."),
        ("preemption", "switch", "false", "Whether lower classes must give back resources that a higher one waits for."),
        ("patience", "duration", "10secs", "How long a framework waits before something is taken back for it."),
        ("grace", "duration", "30secs", "How long a task that must give way has to end by itself."),
    ],
}
