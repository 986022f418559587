//! The master daemon: the shell around the master's core.
//!
//! Sockets, threads, the registry's file and the clock live here; what to do lives in
//! `reeve-master-core`, what Mesos's messages look like in `reeve-wire`.
//!
//! - [`settings`](MasterSettings), [`identity`]: what it is told, and who it is
//! - `daemon`: what is there whoever leads; `succession`: who leads when; `office`: who leads, for
//!   those who ask; `term`: the parts of a leader, joined
//! - `owner`: the thread of the core; `allocation`: the thread of the allocation machine;
//!   `readers`: snapshots for readers; `registry`: where the registry is kept; `persist`: its
//!   records; `quota`: quota on the wire; `weights`: those that a new registry has
//! - `messages`: agents and v0 drivers; `schedulers`: event streams
//! - `api`: the v1 APIs; `v0`: the older endpoints; `routes`: which path is whose; `access`: who
//!   may come in; `approvals`: calls on their way through the authorizer; `sight`:
//!   what a reader sees
//!
//! Does not live here: decisions, allocation, anything of an agent.

#![forbid(unsafe_code)]

mod access;
mod allocation;
mod api;
mod app;
mod approvals;
mod authentication;
mod clock;
mod counters;
mod daemon;
mod dialback;
mod error;
pub mod hooks;
mod identity;
mod messages;
mod modules;
mod office;
mod owner;
mod persist;
mod quota;
mod readers;
mod registry;
mod routes;
mod schedulers;
mod settings;
mod sight;
mod story;
mod succession;
mod term;
mod v0;
mod weights;

pub use daemon::{Running, run, start};
pub use error::Error;
pub use settings::MasterSettings;
