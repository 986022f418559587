//! The shells of the simulated masters.
//!
//! - `process`: a master's process, which leads for a term, stands by, and may lead again
//! - `term`: all that a leader has: the cores and what they are told
//! - `registry`: what outlives a term
//! - `streams`: schedulers at a leader
//! - `allocation`: the allocation machine beside the core
//! - `judge`: what a leader may do

mod allocation;
mod judge;
mod process;
mod registry;
mod streams;
mod term;

pub use judge::Judge;
pub use process::MasterHost;
pub use registry::Records;
pub use term::InTerm;
