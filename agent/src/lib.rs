//! The agent daemon: the shell around [`reeve_agent_core::Agent`].
//!
//! Lives here: sockets, files, containers and clocks, and what is said over HTTP. Lives elsewhere:
//! every decision (`core`), the Linux work (`runtime`), the program beside each task (`executor`).
//!
//! - [`daemon`]: starting one; [`settings`]: what it can be told; `describe`: what it is; `master`:
//!   whom it follows; `claim`: that it is alone in its directories
//! - [`shell`]: the loop around the core; [`disk`]: the thread that writes checkpoints
//! - [`checkpoint`]: the tree of checkpoints; `recovery`: what a start makes of it;
//!   [`containers`]: launches in terms of Linux
//! - `modules`: what settings name; `hooks`: who has a say in launches; [`secrets`]: variables that
//!   are resolved at a launch; `oversubscription`: who says what is offered twice, and until when
//! - [`wire`]: messages to and from the master and executors; [`http`]: endpoints; `access`: who may
//!   come in

#![forbid(unsafe_code)]

mod access;
mod authentication;
pub mod checkpoint;
mod claim;
pub mod containers;
pub mod daemon;
mod describe;
pub mod disk;
mod hooks;
pub mod http;
mod master;
mod modules;
mod oversubscription;
mod recovery;
pub mod secrets;
pub mod settings;
pub mod shell;
mod story;
pub mod wire;

pub use daemon::{Running, StartError, Stopper, start};
pub use describe::divided;
pub use settings::AgentSettings;
