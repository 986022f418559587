//! What every core is made of: a clock that is only a number, a step function,
//! a queue of deadlines, and chance that can be replayed.
//!
//! Lives here: [`Machine`], [`Tick`] and [`Wall`], [`Timers`], [`Chance`], [`backoff`], and with
//! the feature `sim` a world of nodes and links to run machines in.
//! Does not live here: any reading of a real clock, any randomness of the host, any
//! I/O or thread. A shell reads the clock and hands the number in.

#![forbid(unsafe_code)]

mod backoff;
mod chance;
mod machine;
#[cfg(feature = "sim")]
pub mod sim;
mod time;
mod timers;

pub use backoff::backoff;
pub use chance::Chance;
pub use machine::Machine;
pub use time::{Tick, Wall};
pub use timers::Timers;
