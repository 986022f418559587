//! What the machine is told and what it wants.

use std::sync::Arc;
use std::time::Duration;

use reeve_machine::Tick;
use reeve_model::MasterInfo;

/// One of the sessions that a machine has after another; what is said of an earlier one is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Session(pub u64);

/// What can happen.
#[derive(Clone, Debug)]
pub enum Event {
    /// [`reeve_machine::Machine::deadline`] has passed; also the first event of all.
    Timer,
    /// We want to lead no more.
    Resigned,
    /// Something happened with a session.
    With(Session, Happened),
}

/// What can happen with a session.
#[derive(Clone, Debug)]
pub enum Happened {
    /// It is open; the servers grant it this timeout.
    Opened(Duration),
    /// It can't be opened, or has ended, and why.
    Over(String),
    /// The connection broke; the session may live.
    Down,
    /// There is a connection again, and the session lives.
    Up,
    /// The names changed since they were listed.
    Changed,
    /// The names, and a watch is set on them.
    Listed(Vec<String>),
    /// Our znode was made: its name.
    Created(String),
    /// The names of the znodes that are ours.
    Found(Vec<String>),
    /// What a znode holds; nothing if it is gone.
    Read(String, Option<Vec<u8>>),
    /// A write to our znode, sent at this time, was confirmed; or the znode is gone.
    Renewed(Tick, bool),
    /// A request failed.
    Failed(Request, Failure),
}

/// What is asked of the servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// The names below the path, and a watch on them.
    List,
    /// Make our znode, with this in it.
    Create(Arc<[u8]>),
    /// Our znodes, as of now and not of some moments ago.
    Find,
    /// What a znode holds.
    Read(String),
    /// Write to our znode what it holds.
    Renew(Arc<str>, Arc<[u8]>),
}

/// How a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody knows whether it was done: the connection broke.
    Unknown(String),
    /// The servers refused, and why.
    Refused(String),
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Open a session.
    Open(Session),
    /// End a session, if it is open; first delete that znode, so that others are told at once.
    Close(Session, Option<Arc<str>>),
    /// Ask the servers.
    Ask(Session, Request),
    /// This is how things stand now: where we are, and who leads.
    Stand(Stand, Option<Arc<MasterInfo>>),
    /// We lead until then at the least.
    Extend(Tick),
    /// Worth a line in the log.
    Say(Remark),
}

/// Where a candidate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Not among the candidates.
    Outside,
    /// Among them; another leads.
    Standby,
    /// Leads until then at the least, by its znode.
    Leading(Tick, Arc<str>),
}

/// What is worth a line in the log. Each is said once until things are well again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// Something goes wrong and is tried again.
    Trouble(String),
    /// A name with a number and no label of a master.
    OddName(String),
    /// The leader is so old that it writes protobuf.
    OldLeader(String),
    /// The leader's znode can't be read, so nobody knows who leads.
    Unreadable(String, String),
}
