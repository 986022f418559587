//! Reeve's nouns: ids, quantities, resources, tasks, frameworks, agents, and the rules that make
//! them fit to be decided upon.
//!
//! Wire types stop here: `TryFrom` holds the rules, and who gets a model type need not check it
//! again. What is only passed on stays encoded in a field `rest`.
//!
//! Not here: time, I/O, anything that needs to know the state of a cluster.
//!
//! - [`ids`]: names of things
//! - [`resources`]: the resource algebra, its text and its wire formats
//! - [`validate`]: the rules of descriptions, in Mesos's words
//! - the rest: a module for each noun

#![forbid(unsafe_code)]

mod agent;
mod attributes;
mod command_executor;
mod constraints;
mod drain;
mod error;
mod executor;
mod feedback;
mod filters;
mod framework;
pub mod ids;
mod labels;
mod machine;
mod master;
mod operation;
pub mod resources;
mod states;
mod status;
mod task;
#[cfg(test)]
mod tests;
mod units;
pub mod validate;

pub use agent::{AgentInfo, Domain};
pub use attributes::{Attribute, AttributeValue, Attributes};
pub use constraints::{AgentFacts, Constraint, Matcher, OfferConstraints, Predicate, Selector};
pub use drain::{Deactivation, DrainConfig, DrainInfo};
pub use error::WireError;
pub use executor::{ExecutorInfo, ExecutorKind};
pub use feedback::OperationStatus;
pub use filters::Filters;
pub use framework::{Capabilities, FrameworkInfo};
pub use ids::{
    AgentId, ContainerId, ExecutorId, FrameworkId, IdError, OfferId, OperationId, Pid, PidError,
    Principal, ResourceProviderId, Role, TaskId, Uuid, UuidError,
};
pub use labels::{Label, Labels};
pub use machine::{Machine, MachineId, MachineMode, Unavailability, Window};
pub use master::MasterInfo;
pub use operation::Operation;
pub use resources::{
    Conversion, ConversionError, Disk, DiskKind, DiskSource, Format, MinAllocatable, ParseError,
    Persistence, Quantities, Quantity, Ranges, Reservation, Reservations, Resource, ResourceName,
    Resources, Set, Value,
};
pub use states::{OperationState, Reason, Source, TaskState};
pub use status::{Kin, Place, StatusUpdate, TaskStatus};
pub use task::{InvalidTask, KillPolicy, Limits, TaskInfo};
pub use units::{Seconds, duration_to_wire};
