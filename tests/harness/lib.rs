//! What tests of real processes share: a room of their own, daemons in it, a framework that speaks
//! plain HTTP, and waiting for facts instead of for time.
//!
//! - `room`: a directory and a loopback address for one test; nothing outlives it
//! - `daemon`: `reeve` as a child process; `cluster`: masters and agents of them
//! - `processes`: starting and finding processes
//! - `network`: hosts of their own for daemons, and wires between them that can be cut
//! - `http`, `scheduler`: the wire, from the outside
//! - `engine`: a Docker Engine; `zookeeper`: an ensemble of ZooKeeper servers; `keys`: for TLS
//! - `page`: a page of docs, and somebody who does what it says
//! - `policies`: what allocators make of the same demands, for a test and for a table
//! - `wait`: asking until it is so
//!
//! What does not live here: what the tests are about.

#![forbid(unsafe_code)]
// A harness fails by panicking: that is how a test is told.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::print_stderr)]

pub mod cluster;
pub mod daemon;
pub mod engine;
pub mod http;
pub mod keys;
pub mod network;
pub mod page;
pub mod policies;
pub mod processes;
pub mod room;
pub mod scheduler;
pub mod wait;
pub mod zookeeper;

pub use cluster::{Agent, Cluster, Master};
pub use daemon::Daemon;
pub use engine::Engine;
pub use keys::Keys;
pub use network::{Host, Network};
pub use page::Reader;
pub use room::Room;
pub use scheduler::{Codec, Scheduler};
pub use wait::until;
pub use zookeeper::ZooKeeper;
