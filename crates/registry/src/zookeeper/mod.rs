//! Records in ZooKeeper, one znode each.
//!
//! ```text
//! <path>/reeve/registry          the format
//! <path>/reeve/registry/epoch    its version is the number of the leadership
//! <path>/reeve/registry/commit   made by each new leader; its version counts transactions
//! <path>/reeve/registry/3f/…     a shard, and its records
//! ```
//!
//! **One writer.** Who opens the registry to write raises the epoch first and loads then. Every
//! transaction checks the epoch, so that a deposed leader's change nothing, however late they come.
//!
//! **Exactly once.** When the connection is lost, nobody knows whether a transaction under way was
//! carried out. Each one sets `commit` on condition that it has the version of the one before:
//! repeating it either carries it out or fails at `commit`, which tells that it was.

mod batch;
mod layout;
mod load;
mod open;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reeve_zookeeper::client::{
    Acls, CreateMode, CreateOptions, Error as Refusal, MultiWriteError, MultiWriter,
};
use reeve_zookeeper::{Client, Options, Url};
use tokio::runtime::Handle;

use crate::Error;
use crate::Write;
use batch::Batch;

/// The right to write.
#[derive(Clone)]
pub struct Term {
    /// Whether we still lead. Asked before each transaction, and while ZooKeeper does not answer, so
    /// that whoever waits for the registry can step down at once.
    pub holds: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Our znode of the election, such as `json.info_0000000042`: without it nobody takes the
    /// registry over, however late the request comes.
    pub znode: Option<String>,
}

impl Term {
    /// Of one that nobody contends with.
    pub fn forever() -> Term {
        Term { holds: Arc::new(|| true), znode: None }
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Term").field("znode", &self.znode).finish_non_exhaustive()
    }
}

/// How often [`Term::holds`] is asked.
const GLANCE: Duration = Duration::from_millis(50);

/// A registry in ZooKeeper that is open for writing.
///
/// Its calls block: they are for threads of their own, not for a runtime's.
pub struct Ensemble {
    place: Place,
    runtime: Handle,
    /// The version that the epoch got from us.
    epoch: i32,
    /// Transactions since then, which is the version of `commit`.
    commits: i32,
    /// The records that are there, so that we know which to make and which to set.
    keys: HashSet<String>,
    shards: BTreeSet<u8>,
    /// What was there at opening, until it is asked for.
    loaded: Option<BTreeMap<String, Vec<u8>>>,
}

/// Where a registry is, and how long we wait for it.
struct Place {
    client: Client,
    url: String,
    acls: Acls<'static>,
    patience: Duration,
    term: Term,
}

impl fmt::Debug for Ensemble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ensemble")
            .field("url", &self.place.url)
            .field("epoch", &self.epoch)
            .field("commits", &self.commits)
            .finish_non_exhaustive()
    }
}

impl Ensemble {
    /// Takes the registry over, or makes it: whoever had it can write no more. The session lives on
    /// `runtime`.
    ///
    /// # Errors
    ///
    /// If ZooKeeper can't be reached or refuses, or the registry has a newer format.
    pub fn open(
        runtime: Handle,
        url: &Url,
        options: &Options,
        term: Term,
    ) -> Result<Ensemble, Error> {
        runtime.clone().block_on(async move {
            let place = Place::connect(url, options, term).await?;
            let epoch = place.take_over().await?;
            let found = place.load().await?;
            Ok(Ensemble {
                keys: found.records.keys().cloned().collect(),
                shards: found.shards,
                loaded: Some(found.records),
                epoch,
                commits: 0,
                runtime,
                place,
            })
        })
    }

    /// Reads the registry and leaves it to whoever leads. What is read was all there at one time.
    ///
    /// # Errors
    ///
    /// If ZooKeeper can't be reached or refuses, or there is no registry, or one of a newer format.
    pub fn read(
        runtime: &Handle,
        url: &Url,
        options: &Options,
    ) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        runtime.block_on(async move {
            let place = Place::connect(url, options, Term::forever()).await?;
            place.read().await
        })
    }

    /// Transactions since the registry was opened.
    pub fn commits(&self) -> i32 {
        self.commits
    }

    /// Every record, by key.
    pub(crate) fn load(&mut self) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        match self.loaded.take() {
            Some(records) => Ok(records),
            None => Ok(self.runtime.block_on(self.place.load())?.records),
        }
    }

    pub(crate) fn apply(&mut self, lists: Vec<Vec<Write>>) -> Result<(), Error> {
        for batch in batch::plan(lists)? {
            let runtime = self.runtime.clone();
            runtime.block_on(self.commit(batch))?;
        }
        Ok(())
    }

    /// Carries a batch out.
    async fn commit(&mut self, batch: Batch) -> Result<(), Error> {
        if !(self.place.term.holds)() {
            return Err(Error::LeaseLost);
        }
        let (mut silent, mut repeated) = (None, false);
        loop {
            match self.place.while_leading(self.attempt(&batch)).await? {
                Ok(()) => break,
                Err(MultiWriteError::OperationFailed { index: 1, source: Refusal::BadVersion })
                    if repeated =>
                {
                    break;
                }
                Err(MultiWriteError::OperationFailed {
                    index: 0 | 1,
                    source: Refusal::BadVersion | Refusal::NoNode,
                }) => return Err(Error::Deposed { place: self.place.url.clone() }),
                Err(MultiWriteError::OperationFailed { index, source })
                    if matches!(source, Refusal::NodeExists | Refusal::NoNode) =>
                {
                    let why = format!("operation {index}: {source}");
                    return Err(Error::Changed { place: self.place.url.clone(), why });
                }
                Err(error) => self.place.wait_or_fail(&mut silent, error.into()).await?,
            }
            repeated = true;
        }
        self.commits += 1;
        self.remember(batch);
        Ok(())
    }

    /// Sends a batch once.
    async fn attempt(&self, batch: &Batch) -> Result<(), MultiWriteError> {
        let create = self.place.create();
        let mut multi = self.place.client.new_multi_writer();
        multi.add_check_version(layout::EPOCH, self.epoch)?;
        let number = (self.commits + 1).to_string();
        multi.add_set_data(layout::COMMIT, number.as_bytes(), Some(self.commits))?;
        self.add_shards(&mut multi, batch, &create)?;
        for (key, value) in &batch.writes {
            let path = layout::path(key);
            match (value, self.keys.contains(key)) {
                (Some(value), true) => multi.add_set_data(&path, value, None)?,
                (Some(value), false) => multi.add_create(&path, value, &create)?,
                (None, true) => multi.add_delete(&path, None)?,
                (None, false) => {}
            }
        }
        multi.commit().await.map(|_| ())
    }

    fn add_shards(
        &self,
        multi: &mut MultiWriter<'_>,
        batch: &Batch,
        create: &CreateOptions<'_>,
    ) -> Result<(), Refusal> {
        let wanted = batch.writes.iter().filter(|(_, value)| value.is_some());
        let wanted: BTreeSet<u8> = wanted.map(|(key, _)| layout::shard(key)).collect();
        for shard in wanted.difference(&self.shards) {
            multi.add_create(&layout::shard_path(*shard), b"", create)?;
        }
        Ok(())
    }

    fn remember(&mut self, batch: Batch) {
        for (key, value) in batch.writes {
            if value.is_none() {
                self.keys.remove(&key);
                continue;
            }
            self.shards.insert(layout::shard(&key));
            self.keys.insert(key);
        }
    }
}

impl Place {
    fn create(&self) -> CreateOptions<'static> {
        CreateMode::Persistent.with_acls(self.acls)
    }

    /// Waits for an answer as long as we lead.
    async fn while_leading<T>(&self, answer: impl Future<Output = T>) -> Result<T, Error> {
        let mut answer = std::pin::pin!(answer);
        loop {
            match tokio::time::timeout(GLANCE, &mut answer).await {
                Ok(answer) => return Ok(answer),
                Err(_) if (self.term.holds)() => {}
                Err(_) => return Err(Error::LeaseLost),
            }
        }
    }

    /// After a refusal: waits a little if it is worth another attempt. `silent` is when the first of
    /// several attempts failed.
    async fn wait_or_fail(
        &self,
        silent: &mut Option<Instant>,
        refusal: Refusal,
    ) -> Result<(), Error> {
        let since = *silent.get_or_insert_with(Instant::now);
        if !passing(&refusal) || since.elapsed() > self.patience {
            return Err(self.refused("write", refusal));
        }
        if !(self.term.holds)() {
            return Err(Error::LeaseLost);
        }
        tokio::time::sleep(GLANCE).await;
        Ok(())
    }

    /// Repeats a request until it is answered. One whose answer is lost may be carried out twice.
    async fn insist<T>(
        &self,
        doing: &'static str,
        request: impl AsyncFn() -> Result<T, Refusal>,
    ) -> Result<T, Error> {
        let mut silent = None;
        loop {
            match self.while_leading(request()).await? {
                Ok(answer) => return Ok(answer),
                Err(Refusal::NoAuth) => return Err(self.refused(doing, Refusal::NoAuth)),
                Err(refusal) => self.wait_or_fail(&mut silent, refusal).await?,
            }
        }
    }

    fn refused(&self, doing: &'static str, refusal: Refusal) -> Error {
        let place = self.url.clone();
        match refusal {
            Refusal::NoAuth => Error::Forbidden { doing, place },
            source => Error::ZooKeeper { place, source },
        }
    }
}

/// Whether another attempt, perhaps at another server, may go better. The client tells a server that
/// does not answer in time by an error of its own kind.
fn passing(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::ConnectionLoss
            | Refusal::Timeout
            | Refusal::SessionMoved
            | Refusal::Throttled
            | Refusal::Custom(_)
    )
}
