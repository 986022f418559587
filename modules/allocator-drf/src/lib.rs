//! Hierarchical dominant resource fairness, Mesos's default policy of allocation.
//!
//! Roles form a tree. Among siblings the one with the lowest dominant share over weight is next,
//! and inside a role the framework with the lowest share; quota guarantees come first, limits and
//! reservations always hold. One changed agent costs one visit, whatever the cluster's size.
//!
//! Does not live here: resources that are not scalars, filters and their time, the check that a
//! grant is lawful (all the host's), and any clock or chance.

mod agents;
mod drf;
mod explain;
mod kinds;
mod mask;
mod quota;
mod share;
mod siblings;
mod tree;
mod visit;

pub use drf::{Drf, Options};

use reeve_module_sdk::{Failed, Module, Parameters};

impl Module for Drf {
    fn create(_: &Parameters) -> Result<Self, Failed> {
        Ok(Self::new(Options::default()))
    }
}

reeve_module_sdk::module! {
    allocator: Drf,
    name: "drf",
    author: "The Reeve authors",
    description: "Hierarchical dominant resource fairness with weights and quota",
    parameters: [],
}
