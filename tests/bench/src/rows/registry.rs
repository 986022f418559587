//! L1: what the registry costs, beside the bare store that it is kept in.
//!
//! Both take turns in one run, with records of the same size in transactions of the same size, each
//! durable before the next. A master writes one record at a time when little happens, and many in
//! one transaction when many agents register at once: each waits for its own, and those that come
//! meanwhile go into the next one together. Then a new leader reads all of them.

mod stores;

use std::time::Instant;

use redb::Database;
use reeve_registry::Store;
use tokio::runtime::Runtime;

use super::{Size, median};
use crate::process;
use crate::report::Row;
use crate::stage::Stage;
use stores::{BYTES, Bare, Ours};

/// How many write at once where many do.
const WRITERS: usize = 1_000;

/// How often each has its turn.
const ROUNDS: usize = 5;

/// Ours does so much of what the bare store does.
const SHARE: f64 = 0.9;

/// Records in a file.
pub(super) fn embedded(stage: &Stage, size: Size, out: &mut dyn FnMut(Row)) -> anyhow::Result<()> {
    let home = stage.directory("registry")?;
    let path = home.join("registry.redb");
    let mut ours = Ours::start(Store::open(&path)?)?;
    let bare = Bare::Embedded(Box::new(Database::create(home.join("bare.redb"))?));
    let measured = Measured { name: "embedded", pids: vec![std::process::id()] };
    let (single, many) = size.pick((500, 10_000), (20, 1_000));
    measured.writing(out, &mut ours, &bare, single, 1)?;
    measured.writing(out, &mut ours, &bare, many, WRITERS)?;
    drop((ours, bare));
    measured.reading(out, "", || Ok(Store::open(&path)?.load()?.len()))?;
    measured.reading(out, "bare: ", || stores::read(&Database::create(home.join("bare.redb"))?))
}

/// Records in ZooKeeper.
pub(super) fn zookeeper(stage: &Stage, size: Size, out: &mut dyn FnMut(Row)) -> anyhow::Result<()> {
    let server = stage.zookeeper(&[])?;
    let pids = vec![std::process::id(), server.process.pid()];
    let measured = Measured { name: "ZooKeeper", pids };
    let runtime = Runtime::new()?;
    let mut ours = Ours::start(stores::take_over(&runtime, server.address)?)?;
    let bare = Bare::zookeeper(&runtime, server.address)?;
    // Java is slow at what it has not done often, and our first writes make the shards.
    let warm = size.pick(10_000, 1_000);
    for group in ours.write(warm, WRITERS)? {
        bare.write(group)?;
    }
    let (single, many) = size.pick((500, 7_500), (20, 1_000));
    measured.writing(out, &mut ours, &bare, single, 1)?;
    measured.writing(out, &mut ours, &bare, many, WRITERS)?;
    let written = ours.written();
    drop(ours);
    measured.reading(out, "", || Ok(stores::take_over(&runtime, server.address)?.load()?.len()))?;
    measured.reading(out, "bare, by name: ", || bare.read(written))
}

/// A store, and whose processor time it takes.
struct Measured {
    name: &'static str,
    pids: Vec<u32>,
}

/// Seconds.
#[derive(Clone, Copy)]
struct Spent {
    wall: f64,
    cpu: f64,
}

impl Measured {
    /// Ours and the bare store write `count` records in turn.
    fn writing(
        &self,
        out: &mut dyn FnMut(Row),
        ours: &mut Ours,
        bare: &Bare<'_>,
        count: usize,
        writers: usize,
    ) -> anyhow::Result<()> {
        let (mut own, mut theirs, mut shares) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (groups, spent) = self.spent(|| ours.write(count, writers))?;
            own.push(spent);
            let ((), bare) =
                self.spent(|| groups.into_iter().try_for_each(|group| bare.write(group)))?;
            theirs.push(bare);
            shares.push(bare.wall / spent.wall);
        }
        let who = if writers == 1 { "1 writer".to_owned() } else { format!("{writers} writers") };
        let what = format!("{}, records of {BYTES} B written, {who}", self.name);
        for (whose, spent) in [("", own), ("bare: ", theirs)] {
            let Spent { wall, cpu } = middle(&spent);
            let rate = Row::new("L1", format!("{whose}{what}"), "writes/s", count as f64 / wall);
            out(rate.more_is_better().cost(wall, cpu));
        }
        let share = Row::new("L1", format!("ours to bare: {what}"), "times", median(shares));
        out(share.more_is_better().aim(SHARE));
        Ok(())
    }

    /// All records are read, as often as it takes to know how long that takes.
    fn reading(
        &self,
        out: &mut dyn FnMut(Row),
        whose: &str,
        mut read: impl FnMut() -> anyhow::Result<usize>,
    ) -> anyhow::Result<()> {
        let (mut records, mut all) = (0, Vec::new());
        for _ in 0..ROUNDS {
            let (found, spent) = self.spent(&mut read)?;
            records = found;
            all.push(spent);
        }
        let Spent { wall, cpu } = middle(&all);
        let what = format!("{whose}{}, a new leader reads {records} records", self.name);
        out(Row::new("L1", what, "s", wall).cost(wall, cpu));
        Ok(())
    }

    fn spent<T>(&self, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Spent)> {
        let cpu = || -> anyhow::Result<f64> {
            self.pids.iter().map(|pid| Ok(process::cpu(*pid)?.as_secs_f64())).sum()
        };
        let (start, before) = (Instant::now(), cpu()?);
        let result = work()?;
        Ok((result, Spent { wall: start.elapsed().as_secs_f64(), cpu: cpu()? - before }))
    }
}

/// The median of each.
fn middle(all: &[Spent]) -> Spent {
    Spent {
        wall: median(all.iter().map(|spent| spent.wall).collect()),
        cpu: median(all.iter().map(|spent| spent.cpu).collect()),
    }
}
