//! Whole clusters of the real cores on a virtual clock and network, with everything going wrong
//! that the seed says, and the laws of the house checked after everything that happens.
//!
//! One seed is one history: a run that breaks a law is replayed by its seed alone. What is real
//! here: the masters' cores, the allocation machine with a bundled allocator, the agents' cores, and
//! the election machines of all of them. Shells, schedulers, executors, disks, ZooKeeper and the
//! network are scripted.
//!
//! - `cluster`: who is where, and the loop
//! - `master`, `agent`: shells around the cores; `containers`, `disk`: an agent's machine
//! - `zookeeper`: a simulated ensemble, and who contends and detects through it
//! - `allocators`: the policies there are
//! - `scheduler`, `executor`: processes with a script
//! - `faults`: what can go wrong; `operator`: what an operator does
//! - `late`: what excuses an agent
//! - `laws`: the allocation machine's second set of books; `views`: what must be once things settled
//! - `sabotage`: errors put in on purpose, which must be found
//! - `translate`: what one core says, in the words of the other
//! - `parcel`: everything that travels or waits

#![forbid(unsafe_code)]

mod agent;
mod allocators;
mod cluster;
mod containers;
mod disk;
mod executor;
mod faults;
mod late;
mod laws;
mod master;
mod operator;
mod parcel;
mod sabotage;
mod scheduler;
mod translate;
mod views;
mod zookeeper;

pub use cluster::{Acts, Cluster, Report};
pub use faults::Fault;
pub use sabotage::Sabotage;
