//! Generation 1.

// What abi_stable's macro for traits writes.
#![allow(non_local_definitions)]

pub mod allocator;
mod amounts;
pub mod anonymous;
pub mod authenticator;
pub mod authorizer;
pub mod container_logger;
mod frame;
pub mod hook;
pub mod isolator;
pub mod oversubscription;
pub mod secret_resolver;

pub use amounts::Amounts;
pub use frame::{
    Fault, HostLog, HostLog_TO, HostLogBox, Instance, Label, Level, Library, LibraryRef, Parameter,
    ParameterValue,
};
