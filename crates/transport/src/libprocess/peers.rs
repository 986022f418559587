//! Sending: one connection per peer address, dialled when first needed (LP-3).

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reeve_model::Pid;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::peer::{self, Outbound, Peer};

/// What can be set about sending.
#[derive(Clone, Debug)]
pub struct PeersConfig {
    /// The address that our pids carry: where others can dial us (`--advertise_ip`,
    /// `--advertise_port`), not always one that we listen on.
    pub advertise: SocketAddr,
    /// How many bytes may wait for one peer; more break its link.
    pub queue_limit: usize,
    /// How long a peer may take to accept a connection.
    pub connect_timeout: Duration,
}

impl PeersConfig {
    /// 64 MiB may wait for each peer, which has 10 s to accept.
    pub fn new(advertise: SocketAddr) -> PeersConfig {
        PeersConfig { advertise, queue_limit: 64 << 20, connect_timeout: Duration::from_secs(10) }
    }
}

/// All peers of this process. Clones are the same set.
///
/// Messages to one address arrive in the order sent, each at most once. When a connection
/// breaks, what waited for it is lost, everyone linked to that address is told by an exit, and
/// the next message dials again. Nothing is ever sent twice.
#[derive(Clone, Debug)]
pub struct Peers {
    shared: Arc<Shared>,
}

/// Why there is no connection to a peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Unreached {
    /// What kind of failure it is.
    pub kind: io::ErrorKind,
    text: Arc<str>,
}

impl From<&io::Error> for Unreached {
    fn from(error: &io::Error) -> Self {
        // The number of an error says nothing to who reads the text.
        let text = error.to_string();
        let text = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
        Unreached { kind: error.kind(), text: text.into() }
    }
}

/// What the handles and the connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: PeersConfig,
    pub(super) stop: CancellationToken,
    /// The advertised address as text, which every message carries.
    here: String,
    runtime: Handle,
    by_address: Mutex<HashMap<SocketAddr, Arc<Peer>>>,
    exits: mpsc::UnboundedSender<Pid>,
}

impl Peers {
    /// No peers yet, and where the exits of linked pids will be told: one for each pid linked
    /// when a connection breaks or can't be made, so that there are never more than links.
    /// Must be called within a tokio runtime; the rest may be called from any thread.
    pub fn new(
        config: PeersConfig,
        stop: CancellationToken,
    ) -> (Peers, mpsc::UnboundedReceiver<Pid>) {
        let (exits, exited) = mpsc::unbounded_channel();
        let shared = Shared {
            here: config.advertise.to_string(),
            config,
            stop,
            runtime: Handle::current(),
            by_address: Mutex::default(),
            exits,
        };
        (Peers { shared: Arc::new(shared) }, exited)
    }

    /// The pid of our actor of that id.
    pub fn pid(&self, id: impl Into<Arc<str>>) -> Pid {
        Pid::new(id, self.shared.config.advertise)
    }

    /// Queues one message from our actor `from`. It never waits; that a message is lost shows
    /// only as an exit of the link.
    pub fn send(&self, from: &str, to: &Pid, name: &str, body: &[u8]) {
        let (here, limit) = (self.shared.here.as_str(), self.shared.config.queue_limit);
        let message = Outbound { from, here, to: &to.id, name, body };
        self.with_peer(to.address, |peer| peer.queue(&message, limit));
    }

    /// Asks to be told when the connection to that pid's address breaks or can't be made. Dials
    /// if there is no connection. Told once; link again after an exit.
    pub fn link(&self, to: &Pid) {
        self.with_peer(to.address, |peer| peer.link(&to.id));
    }

    /// Dials that address if there is no connection to it, and waits until there is one.
    ///
    /// # Errors
    ///
    /// Why there will be none.
    pub async fn dial(&self, address: SocketAddr) -> Result<(), Unreached> {
        let peer = self.peer(address);
        peer.connected().await
    }

    /// Takes a link back. The connection stays.
    pub fn unlink(&self, to: &Pid) {
        let peer = self.shared.lock().get(&to.address).cloned();
        if let Some(peer) = peer {
            peer.unlink(&to.id);
        }
    }

    /// How many peers are connected or being dialled.
    pub fn len(&self) -> usize {
        self.shared.lock().len()
    }

    /// Whether there is no peer.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Does it to the peer at that address; to a new one if the one found has just broken.
    fn with_peer(&self, address: SocketAddr, act: impl Fn(&Peer) -> bool) {
        loop {
            if act(&self.peer(address)) || self.shared.stop.is_cancelled() {
                return;
            }
        }
    }

    fn peer(&self, address: SocketAddr) -> Arc<Peer> {
        let mut by_address = self.shared.lock();
        if let Some(peer) = by_address.get(&address).filter(|peer| !peer.is_broken()) {
            return Arc::clone(peer);
        }
        let peer = Arc::new(Peer::new(address));
        by_address.insert(address, Arc::clone(&peer));
        self.shared.runtime.spawn(peer::run(Arc::clone(&peer), Arc::clone(&self.shared)));
        peer
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<SocketAddr, Arc<Peer>>> {
        // A poisoned lock only means that a thread died between two whole changes.
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a broken peer, unless a new one has its place, and tells the exits; none after
    /// a stop.
    pub(super) fn broken(&self, peer: &Arc<Peer>, why: &Unreached) {
        let mut by_address = self.lock();
        if by_address.get(&peer.address()).is_some_and(|current| Arc::ptr_eq(current, peer)) {
            by_address.remove(&peer.address());
        }
        drop(by_address);
        let linked = peer.break_off();
        if self.stop.is_cancelled() {
            // It is us who ended: nobody else did.
            return;
        }
        for pid in linked {
            tracing::info!(%pid, "the connection to it broke: {why}");
            // Nobody may listen any more.
            let _ = self.exits.send(pid);
        }
    }
}
