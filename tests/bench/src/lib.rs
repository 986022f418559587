//! Reeve measured: a load generator that speaks the wire alone, so that it drives a real Mesos
//! master too, and the rows that hold our figures against their aims.
//!
//! - [`allocator`]: the allocator in this process.
//! - [`fleet`]: simulated agents.
//! - [`framework`]: one framework that launches tasks and measures them.
//! - [`process`]: what a process costs, as the kernel counts it.
//! - [`stage`]: masters, agents and load as processes of their own.
//! - [`rows`], [`report`]: what is measured, and how it is shown.
//!
//! What does not live here: tests of what is right. These only tell how fast.

#![forbid(unsafe_code)]

pub mod allocator;
pub mod fleet;
pub mod framework;
pub mod process;
pub mod report;
pub mod rows;
pub mod stage;
