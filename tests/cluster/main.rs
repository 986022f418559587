//! What users rely on, shown with real processes: masters, agents, executors, `mesos-execute`, and
//! frameworks that speak plain HTTP. Each test has a cluster of its own and leaves nothing behind.

#![forbid(unsafe_code)]
// The steps of a test fail by panicking, also where they are functions of their own.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod agent_failure;
mod availability;
mod calls;
mod cgroups;
mod commands;
mod detection;
mod docker;
mod documents;
mod endpoints;
mod execute;
mod executors;
mod failover;
mod faults;
mod fetching;
mod frameworks;
mod kills;
mod lifecycle;
mod local;
mod logging;
mod losses;
mod policies;
mod recovery;
mod registry;
mod settings;
mod tutorial;
mod upgrade;
mod upkeep;

/// Whether an object has all of these keys; the first missing one is told.
fn has_keys(what: &str, object: &serde_json::Value, keys: &str) {
    for key in keys.split_whitespace() {
        assert!(object.get(key).is_some(), "{what} has no {key}: {object:#}");
    }
}
