//! The library in a process: one session, on one server at a time, and on another when that one is
//! not heard of.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use reeve_election::{Election, Failure, Happened, Request, Session, Stand};
use reeve_machine::Tick;
use reeve_machine::sim::Node;
use reeve_master_core::event::WriteId;

use super::{Ask, FromKeeper, Reply, SessionId, ToKeeper};
use crate::cluster::Cluster;
use crate::faults::Fault;
use crate::parcel::{Parcel, ms, secs};

/// A process's way to the ensemble.
#[derive(Debug)]
pub struct Client {
    /// What decides by it.
    pub(super) machine: Election,
    pub(super) session: Session,
    pub(super) wake: Option<Tick>,
    /// Where a candidate stands.
    pub(super) stand: Stand,
    /// Until when it may act as a leader.
    pub(super) lease: Tick,
    /// Who leads, as far as it knows.
    pub leader: Option<Node>,
    id: Option<SessionId>,
    timeout: Duration,
    phase: Phase,
    server: usize,
    attempt: u64,
    heard: Tick,
    seen: usize,
    /// What is not sent, because there is no connection.
    waiting: VecDeque<(Ask, Purpose)>,
    asked: BTreeMap<u64, Purpose>,
    next: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// No session is wanted.
    Closed,
    /// A server is asked, or about to be.
    Asking,
    Connected,
}

/// Why something is asked.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// The machine wants it, since then.
    Election(Request, Tick),
    /// A leader begins.
    Fence,
    /// A leader writes.
    Commit(WriteId),
    /// Nobody waits for the answer.
    Nothing,
}

impl Client {
    /// A process that has just started.
    pub fn new(machine: Election, server: usize) -> Self {
        Client {
            machine,
            session: Session::default(),
            wake: None,
            stand: Stand::Outside,
            lease: Tick::ZERO,
            leader: None,
            id: None,
            timeout: secs(10),
            phase: Phase::Closed,
            server,
            attempt: 0,
            heard: Tick::ZERO,
            seen: 0,
            waiting: VecDeque::new(),
            asked: BTreeMap::new(),
            next: 0,
        }
    }

    /// Whether it may act as a leader now.
    pub fn leads(&self, now: Tick) -> bool {
        matches!(self.stand, Stand::Leading(..)) && now < self.lease
    }

    /// Which server it is at.
    pub fn server(&self) -> usize {
        self.server
    }
}

impl Cluster {
    /// The machine wants a session.
    pub(super) fn client_opens(&mut self, node: Node, session: Session) {
        let Some(client) = self.clients.get_mut(&node) else { return };
        client.session = session;
        client.id = None;
        client.seen = 0;
        client.phase = Phase::Asking;
        client.waiting.clear();
        client.asked.clear();
        self.client_connects(node);
    }

    /// The machine wants the session no more: its members go with it.
    pub(super) fn client_closes(&mut self, node: Node) {
        if self.clients.get(&node).is_some_and(|client| client.phase == Phase::Connected) {
            self.client_asks(node, Ask::Quit, Purpose::Nothing);
        }
        let Some(client) = self.clients.get_mut(&node) else { return };
        client.phase = Phase::Closed;
        client.waiting.clear();
        client.asked.clear();
    }

    fn client_connects(&mut self, node: Node) {
        let Some(ensemble) = &self.ensemble else { return };
        let Some(client) = self.clients.get_mut(&node) else { return };
        client.server = (client.server + 1) % ensemble.servers.len();
        client.attempt += 1;
        let server = ensemble.servers[client.server].node;
        let connect = ToKeeper::Connect(client.attempt, client.id, client.seen);
        let ticks = Parcel::ClientTicks(client.attempt);
        let patience = client.timeout / 3;
        self.world.watch(node, server);
        self.world.send(node, server, Parcel::ToKeeper(connect));
        self.world.local(node, patience, ticks);
    }

    /// Asks now, or as soon as there is a connection.
    pub(crate) fn client_asks(&mut self, node: Node, ask: Ask, purpose: Purpose) {
        let Some(client) = self.clients.get_mut(&node) else { return };
        if client.phase != Phase::Connected {
            return client.waiting.push_back((ask, purpose));
        }
        client.next += 1;
        let number = client.next;
        client.asked.insert(number, purpose);
        let ask = Parcel::ToKeeper(ToKeeper::Ask(client.attempt, number, ask));
        let server = client.server;
        let Some(ensemble) = &self.ensemble else { return };
        self.world.send(node, ensemble.servers[server].node, ask);
    }

    /// Whether the process has a connection.
    pub(crate) fn client_is_connected(&self, node: Node) -> bool {
        self.clients.get(&node).is_some_and(|client| client.phase == Phase::Connected)
    }

    /// Time for a ping, or to give the server up.
    pub(crate) fn client_ticks(&mut self, node: Node, attempt: u64) {
        let now = self.world.clock(node);
        let Some(client) = self.clients.get_mut(&node) else { return };
        if client.attempt != attempt || client.phase == Phase::Closed {
            return;
        }
        let silent = now.since(client.heard) > client.timeout * 2 / 3;
        if client.phase == Phase::Asking || silent {
            return self.client_lost(node);
        }
        let pause = client.timeout / 3;
        self.world.local(node, pause, Parcel::ClientTicks(attempt));
        self.client_asks(node, Ask::Ping, Purpose::Nothing);
    }

    /// There is no connection any more: what was asked may or may not have been done.
    pub(crate) fn client_lost(&mut self, node: Node) {
        let again = self.dice.duration(ms(5)..secs(1));
        let Some(client) = self.clients.get_mut(&node) else { return };
        if client.phase == Phase::Closed {
            return;
        }
        let was = std::mem::replace(&mut client.phase, Phase::Asking);
        let (attempt, session) = (client.attempt, client.session);
        let asked = std::mem::take(&mut client.asked);
        let Some(ensemble) = &self.ensemble else { return };
        let server = ensemble.servers[client.server].node;
        client.attempt += 1;
        let retry = Parcel::ClientRetries(client.attempt);
        self.world.send(node, server, Parcel::ToKeeper(ToKeeper::Close(attempt)));
        self.world.local(node, again, retry);
        if was == Phase::Connected {
            self.elector_hears(node, session, Happened::Down);
        }
        for purpose in asked.into_values() {
            if let Purpose::Election(request, _) = purpose {
                let why = Failure::Unknown("the connection broke".to_owned());
                self.elector_hears(node, session, Happened::Failed(request, why));
            }
        }
    }

    /// Time to try another server.
    pub(crate) fn client_retries(&mut self, node: Node, attempt: u64) {
        let client = self.clients.get(&node);
        if client.is_some_and(|one| one.attempt == attempt && one.phase == Phase::Asking) {
            self.client_connects(node);
        }
    }

    /// A connection broke; perhaps the one that is in use.
    pub(crate) fn client_alone(&mut self, node: Node, server: Node) {
        let Some(ensemble) = &self.ensemble else { return };
        let at = ensemble.number_of(server);
        if self.clients.get(&node).is_some_and(|client| Some(client.server) == at) {
            self.client_lost(node);
        }
    }

    pub(crate) fn client_hears(&mut self, node: Node, message: FromKeeper) {
        let now = self.world.clock(node);
        let Some(client) = self.clients.get_mut(&node) else { return };
        let attempt = match &message {
            FromKeeper::Connected(attempt, ..)
            | FromKeeper::Expired(attempt)
            | FromKeeper::Reply(attempt, ..)
            | FromKeeper::Changed(attempt)
            | FromKeeper::Closed(attempt) => *attempt,
        };
        if attempt != client.attempt || client.phase == Phase::Closed {
            if matches!(message, FromKeeper::Changed(_)) {
                self.fault(Fault::WatchLost);
            }
            return;
        }
        client.heard = now;
        let session = client.session;
        match message {
            FromKeeper::Connected(_, id, timeout) => self.client_connected(node, id, timeout),
            FromKeeper::Expired(_) => {
                client.phase = Phase::Closed;
                client.waiting.clear();
                client.asked.clear();
                self.elector_hears(node, session, Happened::Over("it expired".to_owned()));
            }
            FromKeeper::Reply(_, number, reply, seen) => {
                client.seen = client.seen.max(seen);
                if let Some(purpose) = client.asked.remove(&number) {
                    self.client_learns(node, session, purpose, reply);
                }
            }
            FromKeeper::Changed(_) => self.elector_hears(node, session, Happened::Changed),
            FromKeeper::Closed(_) => self.client_lost(node),
        }
    }

    fn client_connected(&mut self, node: Node, id: SessionId, timeout: Duration) {
        let Some(client) = self.clients.get_mut(&node) else { return };
        client.phase = Phase::Connected;
        client.timeout = timeout;
        let (fresh, session) = (client.id.replace(id).is_none(), client.session);
        if !fresh {
            self.fault(Fault::ServerSwitch);
        }
        let happened = if fresh { Happened::Opened(timeout) } else { Happened::Up };
        self.elector_hears(node, session, happened);
        let Some(client) = self.clients.get_mut(&node) else { return };
        for (ask, purpose) in std::mem::take(&mut client.waiting) {
            self.client_asks(node, ask, purpose);
        }
        self.registry_resumes(node);
    }

    fn client_learns(&mut self, node: Node, session: Session, purpose: Purpose, reply: Reply) {
        let happened = match (purpose, reply) {
            (Purpose::Fence, Reply::Fenced(epoch, records)) => {
                return self.registry_is_ours(node, epoch, &records);
            }
            (Purpose::Commit(id), reply) => {
                return self.registry_wrote(node, id, matches!(reply, Reply::Done));
            }
            (Purpose::Election(Request::List, _), Reply::Children(numbers)) => {
                Happened::Listed(numbers.into_iter().map(name).collect())
            }
            (Purpose::Election(Request::Find, _), Reply::Children(numbers)) => {
                Happened::Found(numbers.into_iter().map(name).collect())
            }
            (Purpose::Election(Request::Create(_), _), Reply::Created(number)) => {
                Happened::Created(name(number))
            }
            (Purpose::Election(Request::Read(name), _), Reply::Data(data)) => {
                Happened::Read(name, Some(data.to_vec()))
            }
            (Purpose::Election(Request::Read(name), _), _) => Happened::Read(name, None),
            (Purpose::Election(Request::Renew(..), sent), reply) => {
                Happened::Renewed(sent, !matches!(reply, Reply::NoNode))
            }
            _ => return,
        };
        self.elector_hears(node, session, happened);
    }
}

/// As ZooKeeper numbers what masters make.
fn name(number: u64) -> String {
    format!("json.info_{number:010}")
}
