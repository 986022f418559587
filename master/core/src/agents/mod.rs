//! Agents: from joining to leaving.

mod absent;
mod books;
mod compare;
mod drain;
mod gone;
mod health;
mod introduce;
mod leave;
mod register;
mod removals;
mod reregister;
mod store;
mod update;

pub(crate) use store::{Agent, Agents, Pending, Pings, State};

/// How often the registry is looked through for agents to forget (`--registry_gc_interval`).
pub(crate) const FORGET_INTERVAL: std::time::Duration = std::time::Duration::from_secs(15 * 60);
