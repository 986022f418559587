//! Where the registry is kept, and how a term opens it. What its records say is in `persist`.

use std::path::PathBuf;
use std::sync::Arc;

use reeve_election::Lease;
use reeve_master_core::event::Recovered;
use reeve_model::MasterInfo;
use reeve_registry::{Ensemble, Store, Term};
use reeve_zookeeper::{Options, Url};
use tokio::runtime::Handle;

use crate::weights::Weights;
use crate::{Error, MasterSettings, persist};

/// Where the registry is kept.
#[derive(Clone, Debug)]
pub enum Keeping {
    /// In memory: the next term knows nothing.
    Memory,
    /// In a file of this host.
    File(PathBuf),
    /// In ZooKeeper, where every master finds it.
    Ensemble(Url, Options),
}

impl Keeping {
    /// As the settings ask for it; `rivals` is the ZooKeeper through which masters contend.
    ///
    /// # Errors
    ///
    /// If they ask for nothing that there is.
    pub fn new(settings: &MasterSettings, rivals: Option<&(Url, Options)>) -> Result<Self, Error> {
        let asked = settings.registry.as_str();
        let wrong = |why: &str| {
            Err(Error::Setting { key: "registry", value: asked.to_owned(), why: why.to_owned() })
        };
        match (asked, rivals) {
            ("in_memory", _) => Ok(Keeping::Memory),
            ("durable" | "replicated_log" | "zookeeper", Some((url, options))) => {
                Ok(Keeping::Ensemble(url.clone(), options.clone()))
            }
            ("durable" | "replicated_log" | "embedded", _) => match &settings.work_dir {
                Some(folder) => Ok(Keeping::File(folder.join("registry.redb"))),
                None => Err(Error::NoWorkDir),
            },
            ("zookeeper", None) => wrong("needs --zk, which says where ZooKeeper is"),
            _ => wrong(
                "must be durable (in ZooKeeper with --zk, else in work_dir), zookeeper, embedded \
                 (in work_dir), or in_memory; replicated_log means durable",
            ),
        }
    }

    /// Opens the registry for a term whose ids begin with `id`, reads it, and writes down who leads
    /// and, if it has none, what roles weigh. Whoever had it before can write no more.
    ///
    /// # Errors
    ///
    /// If it can't be opened or read.
    pub async fn open(
        &self,
        id: Arc<str>,
        leader: &MasterInfo,
        lease: Lease,
        weights: &Weights,
    ) -> Result<(Store, Recovered), Error> {
        let (keeping, leader, runtime) = (self.clone(), persist::leader(leader), Handle::current());
        let weights = weights.clone();
        let open = move || {
            let mut store = match keeping {
                Keeping::Memory => Store::memory(),
                Keeping::File(path) => Store::open(&path)?,
                Keeping::Ensemble(url, options) => {
                    let znode = lease.znode().map(ToOwned::to_owned);
                    let term = Term { holds: Arc::new(move || lease.holds()), znode };
                    Store::ZooKeeper(Box::new(Ensemble::open(runtime, &url, &options, term)?))
                }
            };
            let mut recovered = persist::recovered(id, store.load()?)?;
            let mut first = vec![leader];
            if recovered.weights.is_empty() {
                first.extend(persist::weights(&weights));
                recovered.weights = weights;
            } else if !weights.is_empty() {
                tracing::warn!("the registry has weights, so the setting `weights` is not used");
            }
            store.apply(first)?;
            Ok((store, recovered))
        };
        tokio::task::spawn_blocking(open)
            .await
            .unwrap_or_else(|panic| Err(Error::SteppedDown(panic.to_string())))
    }
}
