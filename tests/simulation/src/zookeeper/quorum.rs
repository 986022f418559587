//! Who leads the servers, and what becomes of those that are not with the leader.

use std::time::Duration;

use super::{Among, FromKeeper, SYNC_LIMIT, TICK};
use crate::cluster::Cluster;
use crate::faults::Fault;
use crate::parcel::{Parcel, ms, secs};

impl Cluster {
    /// Something happens among servers.
    pub(crate) fn among(&mut self, what: Among) {
        match what {
            Among::Commits(write) => self.keeper_commits(*write),
            Among::Applies(at, upto) => self.keeper_applies(at, upto),
            Among::Due(session) => self.session_due(session),
            Among::Pings => self.keepers_ping(),
            Among::Council => self.keepers_confer(),
            Among::Elected => self.keepers_elected(),
            Among::Heals(at) => self.keeper_heals(at),
        }
    }

    /// Whether two servers hear each other.
    pub(super) fn keepers_linked(&self, one: usize, other: usize) -> bool {
        let Some(ensemble) = &self.ensemble else { return false };
        let up = |at: usize| self.world.is_up(ensemble.servers[at].node);
        let cut = ensemble.servers[one].cut || ensemble.servers[other].cut;
        up(one) && up(other) && (one == other || !cut)
    }

    /// Whether the leading server can commit.
    pub(super) fn keepers_have_majority(&self) -> bool {
        let Some(ensemble) = &self.ensemble else { return false };
        let Some(leader) = ensemble.leader.filter(|_| !ensemble.electing) else { return false };
        (0..3).filter(|at| self.keepers_linked(*at, leader)).count() >= 2
    }

    /// Whether what this server is asked can be committed.
    pub(super) fn keepers_agree(&self, at: usize) -> bool {
        let leader = self.ensemble.as_ref().and_then(|ensemble| ensemble.leader);
        leader.is_some_and(|leader| self.keepers_linked(at, leader)) && self.keepers_have_majority()
    }

    /// The servers find out who is left.
    fn keepers_confer(&mut self) {
        let Some(ensemble) = &self.ensemble else { return };
        if ensemble.electing {
            return;
        }
        let left: Vec<usize> = (0..3)
            .filter(|at| self.world.is_up(ensemble.servers[*at].node) && !ensemble.servers[*at].cut)
            .collect();
        let led = ensemble.leader.is_some_and(|leader| left.contains(&leader));
        if led && left.len() >= 2 {
            for at in 0..3 {
                if left.contains(&at) {
                    self.keeper_joins(at);
                } else {
                    self.keeper_closes(at);
                }
            }
            return;
        }
        (0..3).for_each(|at| self.keeper_closes(at));
        let Some(ensemble) = &mut self.ensemble else { return };
        ensemble.leader = None;
        if left.len() < 2 {
            return;
        }
        ensemble.electing = true;
        let longest = if self.peace { secs(1) } else { secs(8) };
        let span = self.dice.duration(ms(100)..longest);
        self.world.outside(span, Parcel::Among(Among::Elected));
    }

    /// A server knows what the leader knows, and takes clients.
    fn keeper_joins(&mut self, at: usize) {
        let Some(ensemble) = &mut self.ensemble else { return };
        if ensemble.servers[at].serves {
            return;
        }
        ensemble.servers[at].serves = true;
        let all = ensemble.log.len();
        ensemble.catches_up(at, all);
    }

    /// A server is no part of a majority: it sends its clients away.
    fn keeper_closes(&mut self, at: usize) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let server = &mut ensemble.servers[at];
        server.serves = false;
        server.watches.clear();
        server.touched.clear();
        let node = server.node;
        for (client, (attempt, _)) in std::mem::take(&mut server.clients) {
            if self.world.is_up(node) {
                let closed = Parcel::FromKeeper(FromKeeper::Closed(attempt));
                self.world.send(node, client, closed);
            }
        }
    }

    /// A majority has a leader again, which gives every session its whole time.
    fn keepers_elected(&mut self) {
        let now = self.world.now();
        let Some(ensemble) = &mut self.ensemble else { return };
        ensemble.electing = false;
        let left: Vec<usize> = (0..3)
            .filter(|at| self.world.is_up(ensemble.servers[*at].node) && !ensemble.servers[*at].cut)
            .collect();
        if left.len() < 2 {
            return;
        }
        let leader = left[self.dice.below(left.len() as u64) as usize];
        ensemble.leader = Some(leader);
        let timeout = ensemble.timeout;
        ensemble.sessions.values_mut().for_each(|session| session.expires = now + timeout);
        self.tell(|| format!("server {leader} leads the servers"));
        left.into_iter().for_each(|at| self.keeper_joins(at));
    }

    /// Lets a fault of the ensemble happen.
    pub(crate) fn keeper_fault(&mut self, fault: Fault) -> bool {
        let some = self.dice.below(3) as usize;
        let span = self.dice.duration(secs(1)..secs(90));
        let Some(ensemble) = &mut self.ensemble else { return false };
        match fault {
            Fault::KeeperCrash => self.keeper_crashes(some, span),
            Fault::KeeperMajorityLost => {
                self.keeper_crashes(some, span);
                self.keeper_crashes((some + 1) % 3, span);
            }
            Fault::KeeperElection => {
                let Some(leader) = ensemble.leader else { return false };
                self.keeper_crashes(leader, secs(1));
            }
            _ => self.keeper_cut(some, span),
        }
        true
    }

    /// A server loses the others, and they it; neither knows at once. Its clients may be with it.
    pub(crate) fn keeper_cut(&mut self, at: usize, span: Duration) {
        let Some(ensemble) = &mut self.ensemble else { return };
        ensemble.servers[at].cut = true;
        let noticed = SYNC_LIMIT.saturating_sub(self.dice.duration(Duration::ZERO..TICK / 2));
        self.world.outside(noticed, Parcel::Among(Among::Council));
        self.world.outside(span, Parcel::Among(Among::Heals(at)));
    }

    fn keeper_crashes(&mut self, at: usize, span: Duration) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let node = ensemble.servers[at].node;
        self.world.crash(node);
        self.keeper_closes(at);
        let soon = self.dice.duration(ms(1)..ms(100));
        self.world.outside(soon, Parcel::Among(Among::Council));
        self.world.outside(span, Parcel::Restart(node));
    }

    /// A server's process starts; what it had committed it still has.
    pub(crate) fn keeper_starts(&mut self, at: usize) {
        let Some(ensemble) = &self.ensemble else { return };
        self.world.restart(ensemble.servers[at].node);
        self.keepers_confer_soon();
    }

    pub(crate) fn keeper_heals(&mut self, at: usize) {
        let Some(ensemble) = &mut self.ensemble else { return };
        ensemble.servers[at].cut = false;
        self.keepers_confer_soon();
    }

    fn keepers_confer_soon(&mut self) {
        let soon = self.dice.duration(ms(10)..secs(2));
        self.world.outside(soon, Parcel::Among(Among::Council));
    }

    /// No more faults.
    pub(crate) fn keepers_heal(&mut self) {
        (0..3).for_each(|at| self.keeper_heals(at));
    }
}
