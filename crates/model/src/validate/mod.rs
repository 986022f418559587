//! The rules of what callers send (T-7, R-11, FI-1), in Mesos's words where clients know them.
//!
//! Rules that need to know the cluster (duplicate ids, what an offer holds, whether an executor is
//! the one that runs already) live in the master.

mod check;
mod command;
mod executor;
mod framework;
mod resources;
mod task;
#[cfg(test)]
mod tests;

pub use check::{check, health_check};
pub use command::{command, container};
pub use executor::executor;
pub use framework::{framework, roles};
pub use resources::{resources, together, volumes};
pub use task::{group_task, task, task_group};
