//! A simulated ZooKeeper of three servers, and its clients: as much of it as an election and a
//! registry rely on, with everything that it does not promise.
//!
//! What is like the real one: writes go through the leading server and need a majority; reads are
//! answered by the server that is asked, which may lag behind, or have lost the others and not know
//! it for [`SYNC_LIMIT`]; what a follower hears of its clients reaches the leader with the next ping
//! among servers, or never; a new leader gives every session its whole timeout again; while there is
//! no majority no session expires; a client hears of its session's end only when it asks.
//!
//! - `tree`: the members of the election, and what changes them
//! - `ensemble`: servers, sessions, the log; `server`: what a server does with a request
//! - `quorum`: who leads the servers, and what the others do then
//! - `client`: the library in a process: one session, one server at a time
//! - `elector`: the machine of `reeve-election` that a master, an agent or a scheduler has beside it

mod client;
mod elector;
mod ensemble;
mod quorum;
mod server;
mod tree;

use std::sync::Arc;
use std::time::Duration;

use reeve_machine::sim::Node;
use reeve_master_core::effect::Mutation;

use crate::master::Records;
use crate::parcel::secs;

pub use client::Client;
pub(crate) use client::Purpose;
pub use ensemble::Ensemble;

/// `tickTime`.
const TICK: Duration = secs(2);

/// `syncLimit`: for so long a server that lost the others goes on as if it had not.
const SYNC_LIMIT: Duration = secs(10);

/// A session, numbered by the servers.
pub type SessionId = u64;

/// What a client asks.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Keep my session.
    Ping,
    /// Who are the members? Tell me once when that changes.
    Children,
    /// What does this member hold?
    Data(u64),
    /// Which members are of my session, as of now?
    Find,
    /// Let me be a member for as long as my session lasts.
    Create(Arc<[u8]>),
    /// Write to this member what it holds.
    Set(u64),
    /// End my session.
    Quit,
    /// The registry is mine from now on; what is in it?
    Fence,
    /// A change of the registry by the owner of this epoch, numbered by it.
    Commit(u64, u64, Box<Mutation>),
}

impl Ask {
    /// The registry may have a session of its own, which outlives the candidate's.
    fn is_of_the_registry(&self) -> bool {
        matches!(self, Ask::Fence | Ask::Commit(..))
    }

    fn is_write(&self) -> bool {
        !matches!(self, Ask::Ping | Ask::Children | Ask::Data(_))
    }
}

/// What a server answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It is done, or as it was said.
    Done,
    /// The members, in order.
    Children(Vec<u64>),
    /// What the member holds.
    Data(Arc<[u8]>),
    /// There is no such member.
    NoNode,
    /// The client is this member.
    Created(u64),
    /// The registry is the client's, in this epoch.
    Fenced(u64, Box<Records>),
    /// The registry is somebody else's.
    Deposed,
}

/// From client to server.
#[derive(Clone, Debug)]
pub enum ToKeeper {
    /// A connection, for a new session or that one. The number is of the client's attempts; the last
    /// is how much the client has seen.
    Connect(u64, Option<SessionId>, usize),
    /// A request on the connection of that attempt.
    Ask(u64, u64, Ask),
    /// The connection of that attempt ends.
    Close(u64),
}

/// From server to client, all on the connection of an attempt.
#[derive(Clone, Debug)]
pub enum FromKeeper {
    /// The session stands.
    Connected(u64, SessionId, Duration),
    /// There is no such session any more.
    Expired(u64),
    /// The answer to a request, and how much the server knows.
    Reply(u64, u64, Reply, usize),
    /// The members changed.
    Changed(u64),
    /// The server ends the connection.
    Closed(u64),
}

/// What servers do among themselves.
#[derive(Clone, Debug)]
pub enum Among {
    /// A write has its majority.
    Commits(Box<Write>),
    /// A server learns of everything up to there.
    Applies(usize, usize),
    /// A session may be over.
    Due(SessionId),
    /// The leading server pings the others.
    Pings,
    /// The servers find out who is left.
    Council,
    /// They have a leader.
    Elected,
    /// Whatever kept a server from the others is over.
    Heals(usize),
}

/// A write on its way.
#[derive(Clone, Debug)]
pub struct Write {
    server: usize,
    client: Node,
    attempt: u64,
    what: Request,
}

#[derive(Clone, Debug)]
enum Request {
    Session,
    Ask(SessionId, u64, Ask),
}
