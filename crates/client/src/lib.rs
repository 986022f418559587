//! A framework's and an operator's side of the API.
//!
//! Lives here: the v1 scheduler connection ([`scheduler`]) and the operator's questions
//! ([`operator`]). Lives elsewhere: sockets and codecs (`reeve-transport`, `reeve-wire`), and what
//! a framework does with its offers; `examples/framework.rs` shows a small one whole.

#![forbid(unsafe_code)]

mod credentials;
mod error;
mod master;
pub mod operator;
pub mod scheduler;

pub use credentials::Credentials;
pub use error::Error;
pub use master::MasterAddress;
pub use scheduler::{Codec, Connection, Events};

/// The messages of the v1 API.
pub use reeve_wire::v1;
/// How ZooKeeper is reached that knows who leads.
pub use reeve_zookeeper::Options;
