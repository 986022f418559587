//! The master's decisions: agents, frameworks, offers and tasks as one state machine.
//!
//! [`Master`] takes [`event::Event`]s and emits [`effect::Effect`]s; [`allocation`] is a machine
//! beside it, with its own thread; [`View`] is made of the master's [`view::Change`]s and is what
//! readers see.
//!
//! What does not live here: HTTP, protobuf bytes (some are carried along, opaque), the registry's
//! storage, any clock, any chance, any I/O.

#![forbid(unsafe_code)]

pub mod allocation;
pub mod answer;
pub mod effect;
pub mod event;
pub mod offers;
mod options;
pub mod view;

pub use answer::{Answer, Refusal};
pub use effect::Effect;
pub use event::Event;
pub use options::Options;
pub use view::View;
