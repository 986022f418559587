//! Who leads: masters that contend through ZooKeeper, and everybody who wants to know the winner.
//!
//! The znodes are Mesos's (ZK-2, ZK-3), so that masters of both kinds may contend in one ensemble
//! and agents and frameworks of both kinds find them: each master makes an ephemeral sequential
//! `json.info_NNNNNNNNNN` below the URL's path that holds its `MasterInfo`; the lowest number leads.
//!
//! - [`Election`]: the machine that decides, for contender and detector; [`Event`] in, [`Effect`]
//!   out, no clock, no socket
//! - [`Candidate`], [`Detector`]: the machine at a real ensemble
//! - [`Lease`]: how long a leader may act without asking anybody
//! - [`members`], [`payload`]: the znodes' names and what they hold
//! - [`Source`]: `--master` of agents and tools
//!
//! # Why no two lead at once
//!
//! A leader holds a lease that ends by its own clock, whether or not it hears from anybody. The
//! lease counts from when a *write* to its znode was *sent* that a majority then confirmed, and
//! is shorter than the session ([`lease_of`]): ZooKeeper does not delete the znode, so nobody else
//! leads, before the lease is over. Reads don't do: a server that is cut off from the others answers
//! them from what it has, for up to its `syncLimit`, while the others let the session expire. And
//! the whole session timeout doesn't do either: a server passes its clients' signs of life on only
//! with the leader's pings, every half of a tick, so that the servers may count from a moment
//! before the write.
//!
//! Does not live here: what a leader does; sessions and passwords (`reeve-zookeeper`).

#![forbid(unsafe_code)]

mod candidate;
mod clock;
mod detector;
mod lease;
mod machine;
pub mod members;
pub mod payload;
mod session;
mod source;

pub use candidate::{Candidate, Role, Standing};
pub use detector::{Detector, NotFound};
pub use lease::Lease;
pub use machine::{
    Effect, Election, Event, Failure, Happened, Remark, Request, Session, Stand, lease_of,
};
pub use reeve_config::hide_password;
pub use source::Source;
