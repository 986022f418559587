//! Our registry and the bare stores, each as its own program would use it.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::mpsc::{Receiver, channel};

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use reeve_registry::{Ensemble, Group, Registry, Store, Term, Write};
use reeve_zookeeper::client::{Acls, CreateMode};
use reeve_zookeeper::{Client, Options, Url, connect};
use tokio::runtime::Runtime;

/// How many bytes a record has: about as many as an agent's with ports and some attributes.
pub(super) const BYTES: usize = 400;

/// How many records are in one transaction of ZooKeeper at the most, as in ours.
const TRANSACTION: usize = 500;

/// How many requests to ZooKeeper are under way at a time, as in ours.
const PIPELINE: usize = 512;

const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");

/// Records by their numbers.
pub(super) type Numbers = Range<usize>;

/// The registry as a master writes to it.
pub(super) struct Ours {
    registry: Registry,
    done: Receiver<Group>,
    submitted: usize,
    written: usize,
}

impl Ours {
    pub(super) fn start(store: Store) -> anyhow::Result<Ours> {
        let (tell, done) = channel();
        // Nobody listens any more once the row is over.
        let registry = Registry::start(store, move |group| drop(tell.send(group)))?;
        Ok(Ours { registry, done, submitted: 0, written: 0 })
    }

    /// How many records are there.
    pub(super) fn written(&self) -> usize {
        self.written
    }

    /// So many write `count` records, each the next one once its last is durable. Gives what went
    /// into one transaction each time.
    pub(super) fn write(&mut self, count: usize, writers: usize) -> anyhow::Result<Vec<Numbers>> {
        let end = self.written + count;
        let mut groups = Vec::new();
        self.submit(end.min(self.written + writers));
        while self.written < end {
            let group = self.done.recv().context("the registry's thread has ended")?;
            group.result?;
            groups.push(self.written..self.written + group.ids.len());
            self.written += group.ids.len();
            self.submit(end.min(self.written + writers));
        }
        Ok(groups)
    }

    fn submit(&mut self, end: usize) {
        for number in self.submitted..end {
            self.registry.submit(number as u64, vec![Write::Put(key(number), value(number))]);
        }
        self.submitted = self.submitted.max(end);
    }
}

/// Opens our registry in ZooKeeper as a new leader does.
pub(super) fn take_over(runtime: &Runtime, server: SocketAddr) -> anyhow::Result<Store> {
    let url: Url = format!("zk://{server}/ours").parse()?;
    let handle = runtime.handle().clone();
    let ensemble = Ensemble::open(handle, &url, &Options::default(), Term::forever())?;
    Ok(Store::ZooKeeper(Box::new(ensemble)))
}

/// A store, and nothing around it.
pub(super) enum Bare<'a> {
    Embedded(Box<Database>),
    ZooKeeper(&'a Runtime, Client),
}

impl Bare<'_> {
    pub(super) fn zookeeper(runtime: &Runtime, server: SocketAddr) -> anyhow::Result<Bare<'_>> {
        let url: Url = format!("zk://{server}/bare/registry/00").parse()?;
        Ok(Bare::ZooKeeper(runtime, runtime.block_on(connect(&url, &Options::default()))?))
    }

    /// Writes records in one transaction, or as few as ZooKeeper takes them in.
    pub(super) fn write(&self, numbers: Numbers) -> anyhow::Result<()> {
        match self {
            Bare::Embedded(database) => {
                let transaction = database.begin_write()?;
                let mut table = transaction.open_table(TABLE)?;
                for number in numbers {
                    table.insert(key(number).as_str(), value(number).as_slice())?;
                }
                drop(table);
                Ok(transaction.commit()?)
            }
            Bare::ZooKeeper(runtime, client) => {
                let options = CreateMode::Persistent.with_acls(Acls::anyone_all());
                for first in numbers.clone().step_by(TRANSACTION) {
                    let mut multi = client.new_multi_writer();
                    for number in first..numbers.end.min(first + TRANSACTION) {
                        multi.add_create(&znode(number), &value(number), &options)?;
                    }
                    runtime.block_on(multi.commit())?;
                }
                Ok(())
            }
        }
    }

    /// Reads so many records of ZooKeeper, whose names are known.
    pub(super) fn read(&self, count: usize) -> anyhow::Result<usize> {
        let Bare::ZooKeeper(runtime, client) = self else { return Ok(0) };
        let reading = stream::iter(0..count)
            .map(|number| async move { client.get_data(&znode(number)).await })
            .buffer_unordered(PIPELINE)
            .try_fold(0, async |found, _| Ok(found + 1));
        Ok(runtime.block_on(reading)?)
    }
}

/// Reads all records of a file.
pub(super) fn read(database: &Database) -> anyhow::Result<usize> {
    let mut records = Vec::new();
    for record in database.begin_read()?.open_table(TABLE)?.iter()? {
        let (key, value) = record?;
        records.push((key.value().to_owned(), value.value().to_vec()));
    }
    Ok(records.len())
}

fn key(number: usize) -> String {
    format!("agents/64b50fbd-db8d-4941-a65f-be48b64dfe76-S{number}")
}

fn znode(number: usize) -> String {
    format!("/{}", key(number).replace('/', "%2F"))
}

fn value(number: usize) -> Vec<u8> {
    let mut value = vec![b'x'; BYTES];
    let digits = number.to_string();
    value[..digits.len()].copy_from_slice(digits.as_bytes());
    value
}
