//! The program as an agent starts it, with real tasks and real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod checks;
mod command;
mod rig;
mod supervise;
