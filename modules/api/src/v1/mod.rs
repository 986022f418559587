//! Generation 1.

// What abi_stable's macro for traits writes.
#![allow(non_local_definitions)]

pub mod allocator;
mod amounts;
mod frame;
pub mod isolator;

pub use amounts::Amounts;
pub use frame::{
    Fault, HostLog, HostLog_TO, HostLogBox, Instance, Level, Library, LibraryRef, Parameter,
    ParameterValue,
};
