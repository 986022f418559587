//! v0 drivers are dialled back before they are subscribed (LP-3, WK-10).
//!
//! All that a master tells a driver goes over a connection that the master makes, to the address
//! that the driver says it has. If that can't be made, a framework that is subscribed would hear
//! neither that nor of offers; here it is not subscribed, and what is wrong is told to people: in
//! the log, in `/state` and in `/frameworks`. The driver itself can't be told: libprocess takes no
//! messages from the connections that it opened. It asks again by itself, and once it can be reached
//! all is well.

mod advice;

use std::collections::BTreeMap;
use std::net::{IpAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reeve_machine::Wall;
use reeve_master_core::event::{Channel, Subscription};
use reeve_model::{FrameworkInfo, Pid};
use reeve_transport::{Peers, Unreached};
use tokio::sync::mpsc;

use crate::identity::now;
use crate::owner::Input;

/// How many drivers are dialled at once. More wait for their next attempt: drivers ask again.
const MAX_DIALLED: usize = 1024;

/// How many drivers that can't be reached are remembered.
const MAX_UNREACHED: usize = 100;

/// A driver that has not asked for so long has ended: drivers ask each minute at least.
const FORGET_AFTER_SECONDS: f64 = 600.0;

/// A driver that wants to subscribe and can't be reached.
#[derive(Clone, Debug)]
pub struct UnreachedDriver {
    /// Its framework, as it describes itself.
    pub info: Arc<FrameworkInfo>,
    /// Where it says it listens.
    pub pid: Pid,
    /// Where its connection comes from.
    pub via: Option<IpAddr>,
    /// What is wrong.
    pub error: String,
    /// How to mend it.
    pub advice: String,
    /// When it first asked.
    pub first: Wall,
    /// When it last asked.
    pub last: Wall,
    /// How often it asked.
    pub attempts: u64,
}

/// Dials drivers back. Clones are the same.
#[derive(Clone, Debug)]
pub struct DialBack {
    peers: Peers,
    core: mpsc::Sender<Input>,
    books: Arc<Mutex<Books>>,
}

#[derive(Debug, Default)]
struct Books {
    /// What each driver that is being dialled wanted last.
    dialled: BTreeMap<Pid, Box<Subscription>>,
    unreached: BTreeMap<Pid, UnreachedDriver>,
}

/// What is wrong if an agent or driver can't be dialled, and how to mend it.
pub fn explain(pid: &Pid, via: Option<IpAddr>, why: &Unreached) -> String {
    let (error, advice) = advice::failure(pid, via, why);
    format!("it can't be dialled back: {error}. {advice}")
}

impl DialBack {
    /// Dials through `peers`; subscriptions of drivers that can be reached go into this queue.
    pub fn new(peers: Peers, core: mpsc::Sender<Input>) -> Self {
        Self { peers, core, books: Arc::default() }
    }

    /// Subscribes a driver once there is a connection to it. Must be called within a tokio
    /// runtime. `via` is where the connection comes from that brought the call.
    pub fn subscribe(&self, via: Option<IpAddr>, subscription: Box<Subscription>) {
        let Channel::Libprocess(pid) = subscription.channel.clone() else { return };
        if let Some(error) = advice::elsewhere(pid.address.ip(), via.filter(|ip| !is_own(*ip))) {
            // To dial it would be to reach somebody else.
            return self.note(pid, via, subscription.info, error);
        }
        let mut books = self.books();
        let waits = books.dialled.contains_key(&pid);
        if !waits && books.dialled.len() >= MAX_DIALLED {
            return;
        }
        books.dialled.insert(pid.clone(), subscription);
        drop(books);
        if !waits {
            let this = self.clone();
            tokio::spawn(async move { this.dial(pid, via).await });
        }
    }

    async fn dial(&self, pid: Pid, via: Option<IpAddr>) {
        let outcome = self.peers.dial(pid.address).await;
        if let Some(subscription) = self.dialled(pid, via, outcome) {
            // The core may have ended meanwhile.
            let _ = self.core.send(Input::DriverSubscribes(subscription)).await;
        }
    }

    /// What a driver wants, if it can be reached.
    fn dialled(
        &self,
        pid: Pid,
        via: Option<IpAddr>,
        outcome: Result<(), Unreached>,
    ) -> Option<Box<Subscription>> {
        let subscription = self.books().dialled.remove(&pid)?;
        match outcome {
            Ok(()) => {
                self.books().unreached.remove(&pid);
                Some(subscription)
            }
            Err(why) => {
                let error = advice::failure(&pid, via, &why);
                self.note(pid, via, subscription.info, error);
                None
            }
        }
    }

    /// The drivers that can't be reached, by their pids.
    pub fn unreached(&self) -> Vec<UnreachedDriver> {
        let mut books = self.books();
        books.forget(now());
        books.unreached.values().cloned().collect()
    }

    fn note(
        &self,
        pid: Pid,
        via: Option<IpAddr>,
        info: Arc<FrameworkInfo>,
        (error, advice): (String, String),
    ) {
        tracing::warn!(
            framework = info.name,
            %pid,
            via = via.map(tracing::field::display),
            "a driver is not subscribed, since it can't be dialled back: {error}. {advice}"
        );
        let wall = now();
        let mut books = self.books();
        books.forget(wall);
        let before = books.unreached.remove(&pid);
        let (first, attempts) = before.map_or((wall, 0), |one| (one.first, one.attempts));
        let attempts = attempts + 1;
        let key = pid.clone();
        let one = UnreachedDriver { info, pid, via, error, advice, first, last: wall, attempts };
        books.unreached.insert(key, one);
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // A poisoned lock only means that a thread died between two whole changes.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether this is an address of our own host: then its loopback addresses are ours too.
fn is_own(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

impl Books {
    /// Forgets drivers that have ended, and the one that asked longest ago if there are too many.
    fn forget(&mut self, wall: Wall) {
        let latest = wall.to_seconds() - FORGET_AFTER_SECONDS;
        self.unreached.retain(|_, one| one.last.to_seconds() >= latest);
        if self.unreached.len() >= MAX_UNREACHED {
            let oldest = self.unreached.values().min_by_key(|one| one.last);
            if let Some(pid) = oldest.map(|one| one.pid.clone()) {
                self.unreached.remove(&pid);
            }
        }
    }
}
