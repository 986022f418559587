//! The rules of what callers send (T-7, R-11, FI-1), in Mesos's words where clients know them.
//!
//! Rules that need to know the cluster (duplicate ids, what an offer holds) live in the master.

mod framework;
mod task;

pub use framework::framework;
pub use task::task;
