//! Everybody who wants to know who leads.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reeve_machine::Tick;
use reeve_model::MasterInfo;
use reeve_zookeeper::{Options, Url};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::machine::{Election, Remark, Stand};
use crate::session::{self, Audience, seed};

/// Everybody who wants to know who leads.
#[derive(Debug)]
pub struct Detector;

/// Nobody leads, or ZooKeeper does not answer.
#[derive(Debug, thiserror::Error)]
#[error("no leading master was found at {url} within {} s: {why}", patience.as_secs())]
pub struct NotFound {
    url: String,
    patience: Duration,
    why: String,
}

impl Detector {
    /// Tells who leads, until `stop` is cancelled. Each new leader is told, also one that describes
    /// itself as the last one did: it remembers nothing of its earlier term. Without a connection
    /// the last leader is believed in for a session timeout. To be called in a runtime.
    pub fn start(
        url: Url,
        options: Options,
        stop: CancellationToken,
    ) -> watch::Receiver<Option<Arc<MasterInfo>>> {
        let (leader, receiver) = watch::channel(None);
        let bystander = Bystander { leader, trouble: Arc::default() };
        tokio::spawn(session::run(Election::detector(seed()), url, options, bystander, stop));
        receiver
    }

    /// Asks once who leads.
    ///
    /// # Errors
    ///
    /// If nobody is known to lead before patience runs out.
    pub async fn find(
        url: Url,
        options: Options,
        patience: Duration,
    ) -> Result<Arc<MasterInfo>, NotFound> {
        let shown = url.to_string();
        let stop = CancellationToken::new();
        let _guard = stop.clone().drop_guard();
        let (leader, mut receiver) = watch::channel(None);
        let trouble = Arc::default();
        let bystander = Bystander { leader, trouble: Arc::clone(&trouble) };
        tokio::spawn(session::run(Election::detector(seed()), url, options, bystander, stop));
        let found = tokio::time::timeout(patience, receiver.wait_for(Option::is_some)).await;
        let found = found.ok().and_then(|found| found.ok().and_then(|leader| leader.clone()));
        found.ok_or_else(|| {
            let trouble: &Mutex<Option<String>> = &trouble;
            let why = trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
            let why = why.unwrap_or_else(|| "no master is there".to_owned());
            NotFound { url: shown, patience, why }
        })
    }
}

struct Bystander {
    leader: watch::Sender<Option<Arc<MasterInfo>>>,
    /// What went wrong last.
    trouble: Arc<Mutex<Option<String>>>,
}

impl Audience for Bystander {
    fn stand(&mut self, _: Stand, leader: Option<Arc<MasterInfo>>) {
        match &leader {
            Some(leader) => info!(leader = leader.pid, "a leading master is detected"),
            None => info!("no leading master is known"),
        }
        self.leader.send_replace(leader);
    }

    fn extend(&mut self, _: Tick) {}

    fn hear(&mut self, remark: &Remark) {
        if let Remark::Trouble(why) | Remark::Unreadable(_, why) = remark {
            let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            *trouble = Some(why.clone());
        }
    }
}
