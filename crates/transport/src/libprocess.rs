//! libprocess: one-way messages between actors, each a POST whose answer is ignored (LP-1 to
//! LP-3). Incoming messages go to the actors registered in [`Actors`]; outgoing ones leave
//! through [`Peers`]. What a message's body says is the daemon's.

mod actors;
mod decoder;
mod head;
mod peer;
mod peers;
mod receive;
mod sniff;

use std::net::IpAddr;

use bytes::Bytes;
use reeve_model::Pid;

pub use actors::Actors;
pub use peers::{Peers, PeersConfig, Unreached};

pub(crate) use receive::{Ended, deliver, receive};
pub(crate) use sniff::{Sniffed, is_marked, sniff};

/// A message that arrived for one of our actors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// Who sent it, as the sender says: nothing proves it.
    pub from: Pid,
    /// The address that its connection comes from, where that is known: behind NAT another than the
    /// sender's.
    pub via: Option<IpAddr>,
    /// The id of the actor it is for, such as `slave(1)`.
    pub to: Box<str>,
    /// Its fully qualified name, such as `mesos.internal.PingSlaveMessage`.
    pub name: Box<str>,
    /// Its encoding.
    pub body: Bytes,
}
