//! Generation 2: wrappers that can run more than one command and say what becomes of it, longer
//! preparation, and the smaller kinds. What has not changed is generation 1's.

// What abi_stable's macro for traits writes.
#![allow(non_local_definitions)]

pub mod anonymous;
pub mod authenticator;
pub mod authorizer;
pub mod container_logger;
mod frame;
pub mod hook;
pub mod isolator;
pub mod oversubscription;
pub mod secret_resolver;

pub use super::v1::allocator::Label;
pub use super::v1::{
    Amounts, Fault, HostLog, HostLog_TO, HostLogBox, Level, Parameter, ParameterValue, allocator,
};
pub use frame::{Instance, Library, LibraryRef};
