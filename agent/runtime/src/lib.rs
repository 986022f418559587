//! What an agent does to its host: containers, sandboxes, fetching, durable files.
//!
//! - [`containerizer`]: launches, watches, destroys and recovers containers (DESIGN.md §6).
//! - [`environment`]: what an executor finds in its environment.
//! - [`sandbox`], [`gc`]: making a sandbox, and deleting one.
//! - [`fetch`]: the URIs of a task (Mesos docs: fetcher).
//! - [`checkpoint`]: durable files and record streams.
//! - [`causes`]: errors in one line.
//! - [`detect`]: the host's resources, unless the operator names them.
//! - [`unit`]: the service manager's unit that containers live in.
//! - [`users`]: user names to numbers.
//!
//! Does not live here: what is launched and why (the agent's core), messages and their encoding,
//! policy of isolation (the modules), and anything about masters.

pub mod causes;
pub mod checkpoint;
pub mod containerizer;
pub mod detect;
pub mod environment;
pub mod fetch;
pub mod gc;
mod process;
pub mod sandbox;
pub mod unit;
pub mod users;

pub use containerizer::{
    Command, Containerizer, Exit, Known, LaunchError, Launched, Link, Logger, Program, Recovered,
    Settings, Spec, Step,
};
