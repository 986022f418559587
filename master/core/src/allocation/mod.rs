//! The host's half of allocation: books, filters, quota and the check of every grant.
//!
//! [`Host`] is a machine beside the master, on its own thread. It tells a module
//! ([`reeve_module_sdk::allocator`]) what changed, asks it for grants in chunks, and turns the
//! lawful ones into real resources. Who is next is the module's business alone; offers, their
//! ids and their lives are the master's.
//!
//! - `event`, `options`: what goes in and out
//! - `host`: the machine, and its rounds with the module
//! - `books`: all that is known; `agents`, `frameworks`, `roles`, `kinds`: its parts
//! - `subscriptions`, `holdings`, `refusals`: what events do to the books
//! - `filters`: what was refused on one agent; `expressions`: those of offer constraints
//! - `grants`: the check and the cut; `reclaims`: the check of what is taken back
//! - `explain`: why nothing is offered

mod agents;
mod books;
mod event;
mod explain;
mod expressions;
mod filters;
mod frameworks;
mod grants;
mod holdings;
mod host;
mod kinds;
mod options;
mod reclaims;
mod refusals;
mod roles;
mod subscriptions;
#[cfg(test)]
mod tests;

pub use event::{AgentFacts, Effect, Event, Granted, Reclaimed, Rule, Unlawful};
pub use host::{Counters, Host};
pub use options::Options;
pub use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};
