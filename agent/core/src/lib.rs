//! The agent's core: a deterministic state machine.

#![forbid(unsafe_code)]

pub mod effect;
pub mod event;
pub mod recovery;
pub mod view;
