//! What a module author implements: plain Rust traits over plain data.
//!
//! Lives here: the traits of each module kind and the data that crosses to them. Lives elsewhere:
//! the host's books and checks (the daemons' cores), and every policy (the modules).

#![forbid(unsafe_code)]

pub mod allocator;
pub mod isolator;
