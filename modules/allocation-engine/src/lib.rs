//! What the bundled allocators share, and any other may: a tree of roles, quota and reservations,
//! visits of agents, and explanations.
//!
//! Roles form a tree. Among siblings the one with the lowest share over weight is next, and inside
//! a role the framework with the lowest share; quota guarantees come first, limits and reservations
//! always hold. One changed agent costs one visit, whatever the cluster's size. A [`Policy`] says
//! what a share is of, and which class a framework is in: a higher class goes before a lower one,
//! each class has a tree of its own.
//!
//! - `engine`: what each change does; `visit`: who gets what of one agent
//! - `agents`, `kinds`, `quota`, `reserves`: what there is, and what is kept free for whom
//! - `tree`, `siblings`, `share`, `mask`: who is next
//! - `policy`, `max_min`: what a share is of
//! - `view`: how things stand, for modules that do more than order
//! - `places`: what is held where, for policies that count tasks
//! - `portions`: how much of an agent brings a framework to its fair share
//! - `rehearsal` (a feature): a scripted cluster for tests and benchmarks
//!
//! Does not live here: the modules themselves (a library with a module's entry can be linked into
//! a program only once), resources that are not scalars, filters and their time, the check that a
//! grant is lawful (all the host's), and any clock or chance.

mod agents;
mod engine;
mod explain;
mod kinds;
mod mask;
mod max_min;
mod places;
mod policy;
mod portions;
mod quota;
#[cfg(feature = "rehearsal")]
pub mod rehearsal;
mod reserves;
mod share;
mod siblings;
mod tree;
mod view;
mod visit;

pub use engine::{Engine, Offer, Options};
pub use kinds::Kinds;
pub use max_min::MaxMin;
pub use policy::{Class, Dominant, Measured, Policy};
pub use view::View;
