//! Servers, sessions, and the log that all of them follow.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reeve_machine::Tick;
use reeve_machine::sim::Node;

use super::tree::{Change, Member, Tree};
use super::{Ask, Reply, SessionId};
use crate::master::Records;

/// The servers, and what they have agreed on.
#[derive(Debug)]
pub struct Ensemble {
    /// The servers.
    pub servers: Vec<Server>,
    /// The server that orders writes, if there is one.
    pub(super) leader: Option<usize>,
    /// Whether it is not that an election is under way.
    pub(super) electing: bool,
    /// What is committed.
    pub(super) head: Tree,
    pub(super) log: Vec<Change>,
    pub(super) sessions: BTreeMap<SessionId, Session>,
    next_session: SessionId,
    next_member: u64,
    /// When the latest write has its majority.
    pub(super) clear: Tick,
    /// Who owns the registry; raised by each owner.
    epoch: u64,
    /// The number of the owner's latest change.
    applied: u64,
    /// What is in the registry.
    pub records: Records,
    /// What sessions last.
    pub(super) timeout: Duration,
    /// An error put in on purpose: whoever owned the registry may write for ever.
    pub unfenced: bool,
}

/// One server.
#[derive(Debug)]
pub struct Server {
    /// Its process.
    pub node: Node,
    /// Nothing gets from it to the other servers, or back.
    pub(super) cut: bool,
    /// Whether it takes clients.
    pub(super) serves: bool,
    pub(super) tree: Tree,
    /// How much of the log it has.
    pub(super) known: usize,
    /// Who wants to be told of changes, and on which connection.
    pub(super) watches: BTreeMap<Node, u64>,
    pub(super) clients: BTreeMap<Node, (u64, SessionId)>,
    /// Sessions that it heard of since the leading server asked.
    pub(super) touched: BTreeSet<SessionId>,
}

/// A session, as the leading server knows it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) expires: Tick,
}

impl Ensemble {
    /// Three servers that all serve; the first one leads.
    pub fn new(nodes: Vec<Node>, timeout: Duration) -> Self {
        let server = |node| Server {
            node,
            cut: false,
            serves: true,
            tree: Tree::default(),
            known: 0,
            watches: BTreeMap::new(),
            clients: BTreeMap::new(),
            touched: BTreeSet::new(),
        };
        Ensemble {
            servers: nodes.into_iter().map(server).collect(),
            leader: Some(0),
            electing: false,
            head: Tree::default(),
            log: Vec::new(),
            sessions: BTreeMap::new(),
            next_session: 0,
            next_member: 0,
            clear: Tick::ZERO,
            epoch: 0,
            applied: 0,
            records: Records::default(),
            timeout,
            unfenced: false,
        }
    }

    pub(super) fn open_session(&mut self, now: Tick) -> SessionId {
        self.next_session += 1;
        let session = Session { expires: now + self.timeout };
        self.sessions.insert(self.next_session, session);
        self.log.push(Change::Other);
        self.next_session
    }

    /// The leading server hears of a session.
    pub(super) fn touch(&mut self, id: SessionId, now: Tick) {
        let timeout = self.timeout;
        if let Some(session) = self.sessions.get_mut(&id) {
            session.expires = now + timeout;
        }
    }

    /// The session is over: so are its members.
    pub(super) fn close_session(&mut self, id: SessionId) {
        self.sessions.remove(&id);
        for number in self.head.of(id) {
            self.change(Change::Left(number));
        }
    }

    fn change(&mut self, change: Change) {
        self.head.apply(change.clone());
        self.log.push(change);
    }

    /// A write takes its place in the order.
    pub(super) fn commit(&mut self, session: SessionId, ask: Ask) -> Reply {
        let reply = match ask {
            Ask::Create(data) => {
                self.next_member += 1;
                self.change(Change::Joined(self.next_member, Member { session, data }));
                return Reply::Created(self.next_member);
            }
            Ask::Quit => {
                self.close_session(session);
                return Reply::Done;
            }
            Ask::Set(number) if self.head.get(number).is_some() => Reply::Done,
            Ask::Set(_) => Reply::NoNode,
            Ask::Find => Reply::Children(self.head.of(session)),
            Ask::Fence => {
                self.epoch += 1;
                self.applied = 0;
                Reply::Fenced(self.epoch, Box::new(self.records.clone()))
            }
            Ask::Commit(epoch, ..) if epoch != self.epoch && !self.unfenced => Reply::Deposed,
            Ask::Commit(_, number, mutation) => {
                // One whose answer was lost comes again.
                if number > self.applied || self.unfenced {
                    self.applied = number;
                    self.records.apply(*mutation);
                }
                Reply::Done
            }
            Ask::Ping | Ask::Children | Ask::Data(_) => Reply::Done,
        };
        self.log.push(Change::Other);
        reply
    }

    /// The server learns of everything up to there; says whether that changed the members.
    pub(super) fn catches_up(&mut self, server: usize, upto: usize) -> bool {
        let server = &mut self.servers[server];
        let mut changed = false;
        while server.known < upto.min(self.log.len()) {
            changed |= server.tree.apply(self.log[server.known].clone());
            server.known += 1;
        }
        changed
    }

    /// Whether nobody owned the registry since.
    pub fn is_owned_by(&self, epoch: u64) -> bool {
        self.epoch == epoch
    }

    /// The server's number.
    pub(super) fn number_of(&self, node: Node) -> Option<usize> {
        self.servers.iter().position(|server| server.node == node)
    }
}
