//! A master that wants to lead.

use std::sync::Arc;

use reeve_machine::Tick;
use reeve_model::MasterInfo;
use reeve_zookeeper::{Options, Url};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::lease::Lease;
use crate::machine::{Election, Stand};
use crate::session::{self, Audience, seed};

/// How a candidate stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its own place.
    pub role: Role,
    /// Who leads, as far as is known.
    pub leader: Option<Arc<MasterInfo>>,
}

/// A candidate's place.
#[derive(Clone, Debug)]
pub enum Role {
    /// Not among the candidates: ZooKeeper is not reached, or not yet.
    Outside,
    /// Another leads.
    Standby,
    /// It leads, for as long as the lease holds.
    Leading(Lease),
}

/// A master that wants to lead.
#[derive(Debug)]
pub struct Candidate;

impl Candidate {
    /// Contends, and detects who leads, for ever: after a lost session with a new one. Each time
    /// the candidate comes to lead is a term with a lease of its own.
    ///
    /// When `stop` is cancelled the lease ends at once, then the znode goes, so that another leads
    /// some milliseconds later; then the channel is closed. To be called in a runtime.
    pub fn start(
        url: Url,
        options: Options,
        info: impl Into<Arc<MasterInfo>>,
        stop: CancellationToken,
    ) -> watch::Receiver<Standing> {
        let (standing, receiver) = watch::channel(Standing { role: Role::Outside, leader: None });
        let election = Election::candidate(info.into(), seed());
        tokio::spawn(session::run(election, url, options, Podium { standing }, stop));
        receiver
    }
}

/// Tells the standing, and keeps the lease.
struct Podium {
    standing: watch::Sender<Standing>,
}

impl Podium {
    fn lease(&self) -> Option<Lease> {
        match &self.standing.borrow().role {
            Role::Leading(lease) => Some(lease.clone()),
            Role::Outside | Role::Standby => None,
        }
    }
}

impl Audience for Podium {
    fn stand(&mut self, stand: Stand, leader: Option<Arc<MasterInfo>>) {
        if let Some(lease) = self.lease() {
            lease.end();
        }
        let name = leader.as_ref().map(|leader| leader.pid.clone()).unwrap_or_default();
        let role = match stand {
            Stand::Outside => {
                info!("not a candidate for leading");
                Role::Outside
            }
            Stand::Standby => {
                info!(leader = name, "standing by");
                Role::Standby
            }
            Stand::Leading(until, znode) => {
                info!(%znode, "elected as the leading master");
                Role::Leading(Lease::new(until, znode))
            }
        };
        self.standing.send_replace(Standing { role, leader });
    }

    fn extend(&mut self, until: Tick) {
        if let Some(lease) = self.lease() {
            lease.extend(until);
        }
    }
}

impl Drop for Podium {
    fn drop(&mut self) {
        if let Some(lease) = self.lease() {
            lease.end();
        }
    }
}
