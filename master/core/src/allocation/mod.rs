//! The host's half of allocation: books, filters, quota and the check of every grant.
//!
//! [`Host`] is a machine beside the master, on its own thread. It tells a module
//! ([`reeve_module_sdk::allocator`]) what changed, asks it for grants in chunks, and turns the
//! lawful ones into real resources. Who is next is the module's business alone; offers, their
//! ids and their lives are the master's.
//!
//! - `event`, `options`: what goes in and out
//! - `host`: the machine; `round`: when and how the module is asked
//! - `agents`, `frameworks`, `roles`, `kinds`: the books
//! - `filters`: what was refused, and until when
//! - `grants`: the check and the cut
//! - `explain`: why nothing is offered

mod event;
mod options;

pub use event::{AgentFacts, Effect, Event, Granted, Rule, Unlawful};
pub use options::Options;
pub use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};
