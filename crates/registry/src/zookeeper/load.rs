//! Reading all records.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use reeve_zookeeper::client::Error as Refusal;

use super::Place;
use super::layout::{self, COMMIT, EPOCH, ROOT};
use crate::Error;

/// Requests that are under way at a time.
const PIPELINE: usize = 512;

/// How often a reader begins anew because a leader wrote meanwhile.
const ATTEMPTS: usize = 20;

/// What is there.
pub(super) struct Found {
    pub(super) records: BTreeMap<String, Vec<u8>>,
    pub(super) shards: BTreeSet<u8>,
}

impl Place {
    /// Every record, for the one writer.
    pub(super) async fn load(&self) -> Result<Found, Error> {
        self.insist("read", async || self.gather().await).await
    }

    /// Every record at some point of time, beside a writer.
    pub(super) async fn read(&self) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        if self.format().await?.is_none() {
            return Err(Error::Absent { place: self.url.clone() });
        }
        for _ in 0..ATTEMPTS {
            let before = self.insist("read", async || self.state().await).await?;
            let found = self.load().await?;
            let after = self.insist("read", async || self.state().await).await?;
            if before == after {
                return Ok(found.records);
            }
        }
        let why = "a leader writes to it all the time; try again later".to_owned();
        Err(Error::Changed { place: self.url.clone(), why })
    }

    /// The epoch and the number of transactions in it.
    async fn state(&self) -> Result<(Option<i32>, Option<i32>), Refusal> {
        // The server we talk to may be behind the others.
        self.client.sync(ROOT).await?;
        let epoch = self.client.check_stat(EPOCH).await?.map(|stat| stat.version);
        Ok((epoch, self.client.check_stat(COMMIT).await?.map(|stat| stat.version)))
    }

    async fn gather(&self) -> Result<Found, Refusal> {
        let children = self.client.list_children(ROOT).await?;
        let shards: BTreeSet<u8> =
            children.iter().filter_map(|name| layout::shard_named(name)).collect();
        let records = stream::iter(shards.iter().map(|shard| layout::shard_path(*shard)))
            .map(|shard| async move {
                let names = self.client.list_children(&shard).await?;
                Ok::<_, Refusal>(stream::iter(
                    names.into_iter().map(move |name| Ok((format!("{shard}/{name}"), name))),
                ))
            })
            .buffer_unordered(PIPELINE)
            .try_flatten()
            .map_ok(|(path, name)| async move { self.record(&path, &name).await })
            .try_buffer_unordered(PIPELINE)
            .try_filter_map(async |record| Ok(record))
            .try_collect()
            .await?;
        Ok(Found { records, shards })
    }

    /// A record; `None` if it is gone by now, or not one.
    async fn record(&self, path: &str, name: &str) -> Result<Option<(String, Vec<u8>)>, Refusal> {
        match self.client.get_data(path).await {
            Ok((data, _)) => Ok(layout::key(name).map(|key| (key, data))),
            Err(Refusal::NoNode) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}
