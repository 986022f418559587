//! The agent's core: a deterministic state machine that joins a master, starts executors, gives
//! them tasks and delivers what they report.
//!
//! It decides and touches nothing. Not here: HTTP, protobuf bytes, files, processes, ZooKeeper; the
//! agent's shell carries effects out and reports what happened.
//!
//! - [`event`], [`effect`]: what comes in and what goes out
//! - [`recovery`]: what a starting agent finds
//! - [`view`]: the read model
//! - [`paths`]: names below the work directory
//! - `agent`: which event goes to whom
//! - `registration`: the agent and its master
//! - `frameworks`, `executors`, `tasks`: what runs
//! - `updates`: status updates on their way up
//! - `gc`: the past's directories
//! - `gate`, `check`: questions asked from outside

#![forbid(unsafe_code)]

mod agent;
mod check;
pub mod effect;
pub mod event;
mod executors;
mod frameworks;
mod gate;
mod gc;
mod options;
mod oversubscription;
pub mod paths;
pub mod recovery;
mod registration;
mod step;
mod tasks;
mod text;
mod updates;
pub mod view;

pub use agent::{Agent, Counters};
pub use gate::Refusal;
pub use options::{AuthenticationTimes, Options, Reconfiguration, Recover};
