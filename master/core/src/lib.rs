//! The master's decisions: agents, frameworks, offers and tasks as one state machine.
//!
//! [`Master`] takes [`event::Event`]s and emits [`effect::Effect`]s; [`allocation`] is a machine
//! beside it, with its own thread; [`View`] is made of the master's [`view::Change`]s and is what
//! readers see.
//!
//! What does not live here: HTTP, protobuf bytes (some are carried along, opaque), the registry's
//! storage, any clock, any chance, any I/O.

#![forbid(unsafe_code)]

mod agents;
pub mod allocation;
pub mod answer;
mod check;
pub mod effect;
pub mod event;
mod few;
mod frameworks;
pub mod inverse_offers;
mod lookup;
mod machines;
mod master;
pub mod offers;
mod options;
pub mod roles;
mod slab;
mod step;
mod tasks;
pub mod view;
mod writes;

pub use answer::{Answer, Refusal};
pub use effect::Effect;
pub use event::Event;
pub use master::Master;
pub use options::Options;
pub use view::View;

#[cfg(test)]
mod tests;
