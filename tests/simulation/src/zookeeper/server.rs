//! What a server does with what it hears.

use std::time::Duration;

use reeve_machine::sim::Node;

use super::{Among, Ask, FromKeeper, Reply, Request, SYNC_LIMIT, SessionId, TICK, ToKeeper, Write};
use crate::cluster::Cluster;
use crate::faults::Fault;
use crate::parcel::{Parcel, ms};

impl Cluster {
    /// A server hears a client.
    pub(crate) fn keeper_hears(&mut self, at: usize, from: Node, message: ToKeeper) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let server = &mut ensemble.servers[at];
        match message {
            ToKeeper::Close(attempt) => {
                if server.clients.get(&from).is_some_and(|(of, _)| *of == attempt) {
                    server.clients.remove(&from);
                    server.watches.remove(&from);
                }
            }
            // A client does not go back in time.
            ToKeeper::Connect(attempt, _, seen) if !server.serves || server.known < seen => {
                self.keeper_says(at, from, FromKeeper::Closed(attempt));
            }
            ToKeeper::Connect(attempt, None, _) => {
                let (client, what) = (from, Request::Session);
                self.keeper_writes(Write { server: at, client, attempt, what });
            }
            ToKeeper::Connect(attempt, Some(session), _) => {
                self.keeper_resumes(at, from, attempt, session);
            }
            ToKeeper::Ask(attempt, number, ask) => {
                let Some((_, session)) =
                    server.clients.get(&from).copied().filter(|(of, _)| *of == attempt)
                else {
                    return self.keeper_says(at, from, FromKeeper::Closed(attempt));
                };
                self.keeper_touches(at, session);
                if ask.is_write() {
                    let what = Request::Ask(session, number, ask);
                    self.keeper_writes(Write { server: at, client: from, attempt, what });
                } else {
                    self.keeper_reads(at, from, attempt, number, &ask);
                }
            }
        }
    }

    fn keeper_says(&mut self, at: usize, to: Node, message: FromKeeper) {
        let Some(ensemble) = &self.ensemble else { return };
        self.world.send(ensemble.servers[at].node, to, Parcel::FromKeeper(message));
    }

    /// A session comes from another server. The leading server has to say that it stands.
    fn keeper_resumes(&mut self, at: usize, client: Node, attempt: u64, session: SessionId) {
        let now = self.world.now();
        if !self.keepers_agree(at) {
            return self.keeper_says(at, client, FromKeeper::Closed(attempt));
        }
        let Some(ensemble) = &mut self.ensemble else { return };
        if !ensemble.sessions.contains_key(&session) {
            return self.keeper_says(at, client, FromKeeper::Expired(attempt));
        }
        ensemble.touch(session, now);
        self.keeper_welcomes(at, client, attempt, session);
    }

    fn keeper_welcomes(&mut self, at: usize, client: Node, attempt: u64, session: SessionId) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let timeout = ensemble.timeout;
        for server in &mut ensemble.servers {
            server.clients.remove(&client);
            server.watches.remove(&client);
        }
        let server = &mut ensemble.servers[at];
        server.clients.insert(client, (attempt, session));
        let node = server.node;
        self.world.watch(node, client);
        self.keeper_says(at, client, FromKeeper::Connected(attempt, session, timeout));
    }

    /// A client lives, as far as this server can tell.
    fn keeper_touches(&mut self, at: usize, session: SessionId) {
        let now = self.world.now();
        let Some(ensemble) = &mut self.ensemble else { return };
        if ensemble.leader == Some(at) {
            ensemble.touch(session, now);
        } else {
            ensemble.servers[at].touched.insert(session);
        }
    }

    fn keeper_reads(&mut self, at: usize, client: Node, attempt: u64, number: u64, ask: &Ask) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let latest = ensemble.log.len();
        let server = &mut ensemble.servers[at];
        let reply = match ask {
            Ask::Children => {
                server.watches.insert(client, attempt);
                Reply::Children(server.tree.numbers())
            }
            Ask::Data(member) => {
                server.tree.get(*member).map_or(Reply::NoNode, |it| Reply::Data(it.data.clone()))
            }
            _ => Reply::Done,
        };
        let known = server.known;
        if known < latest && !matches!(ask, Ask::Ping) {
            self.fault(Fault::StaleRead);
        }
        self.keeper_says(at, client, FromKeeper::Reply(attempt, number, reply, known));
    }

    /// A write goes to the leading server, and from there to a majority, if there is one.
    fn keeper_writes(&mut self, write: Write) {
        let now = self.world.now();
        if !self.keepers_agree(write.server) {
            return;
        }
        let delay = self.dice.duration(Duration::from_micros(500)..ms(8));
        let Some(ensemble) = &mut self.ensemble else { return };
        let at = ensemble.clear.max(now + delay);
        ensemble.clear = at;
        let write = Parcel::Among(Among::Commits(Box::new(write)));
        self.world.outside(at.since(now), write);
    }

    pub(super) fn keeper_commits(&mut self, write: Write) {
        let now = self.world.now();
        let Write { server: at, client, attempt, what } = write;
        // The leader may be another one by now; what no majority has is lost with the old one.
        if !self.keepers_agree(at) && (!self.keepers_have_majority() || self.dice.one_in(2)) {
            return;
        }
        let Some(ensemble) = &mut self.ensemble else { return };
        match what {
            Request::Session => {
                let session = ensemble.open_session(now);
                self.world.outside(self.session_timeout(), Parcel::Among(Among::Due(session)));
                self.keepers_follow(at);
                self.keeper_welcomes(at, client, attempt, session);
            }
            Request::Ask(session, _, ask)
                if !ask.is_of_the_registry() && !ensemble.sessions.contains_key(&session) =>
            {
                self.keeper_says(at, client, FromKeeper::Expired(attempt));
            }
            Request::Ask(session, number, ask) => {
                let reply = ensemble.commit(session, ask);
                if matches!(reply, Reply::Deposed) {
                    self.fault(Fault::FencedOff);
                }
                self.keepers_follow(at);
                let Some(ensemble) = &self.ensemble else { return };
                let server = &ensemble.servers[at];
                if server.serves && server.clients.get(&client) == Some(&(attempt, session)) {
                    let reply = FromKeeper::Reply(attempt, number, reply, server.known);
                    self.keeper_says(at, client, reply);
                }
            }
        }
    }

    /// The servers learn what was committed: one at once, the others soon.
    pub(super) fn keepers_follow(&mut self, first: usize) {
        let Some(ensemble) = &self.ensemble else { return };
        let upto = ensemble.log.len();
        for at in 0..ensemble.servers.len() {
            if at == first {
                self.keeper_applies(at, upto);
                continue;
            }
            // Now and then one is seconds behind.
            let longest = if !self.peace && self.dice.one_in(60) { ms(4000) } else { ms(5) };
            let delay = self.dice.duration(Duration::ZERO..longest);
            self.world.outside(delay, Parcel::Among(Among::Applies(at, upto)));
        }
    }

    pub(super) fn keeper_applies(&mut self, at: usize, upto: usize) {
        let Some(ensemble) = &mut self.ensemble else { return };
        if ensemble.servers[at].cut || !self.world.is_up(ensemble.servers[at].node) {
            return;
        }
        if !ensemble.catches_up(at, upto) {
            return;
        }
        for (client, attempt) in std::mem::take(&mut ensemble.servers[at].watches) {
            self.keeper_says(at, client, FromKeeper::Changed(attempt));
        }
    }

    /// The leading server asks the others whom they heard of.
    pub(super) fn keepers_ping(&mut self) {
        let now = self.world.now();
        self.world.outside(TICK / 2, Parcel::Among(Among::Pings));
        let Some(leader) = self.ensemble.as_ref().and_then(|ensemble| ensemble.leader) else {
            return;
        };
        for at in 0..3 {
            if at == leader || !self.keepers_linked(at, leader) {
                continue;
            }
            let Some(ensemble) = &mut self.ensemble else { return };
            for session in std::mem::take(&mut ensemble.servers[at].touched) {
                ensemble.touch(session, now);
            }
        }
    }

    /// A session was not heard of for its timeout, unless it was.
    pub(super) fn session_due(&mut self, id: SessionId) {
        let now = self.world.now();
        let majority = self.keepers_have_majority();
        let Some(ensemble) = &mut self.ensemble else { return };
        let Some(session) = ensemble.sessions.get(&id) else { return };
        let due = session.expires;
        if due > now || !majority {
            let wait = due.since(now).max(ms(100));
            return self.world.outside(wait, Parcel::Among(Among::Due(id)));
        }
        let leader = ensemble.leader.unwrap_or(0);
        ensemble.close_session(id);
        self.tell(|| format!("session {id} expires"));
        if !self.peace {
            self.fault(Fault::SessionExpires);
        }
        self.keepers_follow(leader);
    }

    /// A server is told that a client's connection broke.
    pub(crate) fn keeper_alone(&mut self, at: usize, client: Node) {
        let Some(ensemble) = &mut self.ensemble else { return };
        ensemble.servers[at].clients.remove(&client);
        ensemble.servers[at].watches.remove(&client);
    }

    fn session_timeout(&self) -> Duration {
        self.ensemble.as_ref().map_or(SYNC_LIMIT, |ensemble| ensemble.timeout)
    }
}
