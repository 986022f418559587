//! MB1 and MB2: what it costs that allocators and isolators are libraries of their own.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::unistd::geteuid;
use reeve_config::{Given, Module, Origin, Parameter};
use reeve_module_host::{Kind, LoadedAllocator, LoadedIsolator, Search};
use reeve_module_sdk::allocator::Allocator;
use reeve_module_sdk::isolator::{Container, Grants, Isolator, Scalar};

use super::{Size, median};
use crate::allocator;
use crate::report::Row;
use crate::stage::Stage;

/// A loaded allocator takes at most so much more than the same one linked.
const RATIO: f64 = 1.05;

/// All calls for one container take so many microseconds at most, the kernel's time apart.
const CALLS: f64 = 1_000.0;

/// MB1: `drf` linked into this program and `drf` loaded from its library, in turn, so that a
/// machine that gets slower meanwhile does so for both.
pub(super) fn allocation(
    stage: &Stage,
    size: Size,
    out: &mut dyn FnMut(Row),
) -> anyhow::Result<()> {
    let cluster = size.pick((50_000, 1_000), (5_000, 100));
    let rounds = size.pick(15, 3);
    let library = Search::new(Some(stage.programs())).library(Kind::Allocator, "drf", None)?;
    let (mut linked, mut loaded) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // Who goes first has the cooler machine.
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                linked.push(b1(allocator::linked(), cluster)?);
            } else {
                loaded.push(b1(library.create::<LoadedAllocator>(None)?.works, cluster)?);
            }
        }
    }
    let ratios = linked.iter().zip(&loaded).map(|(linked, loaded)| loaded / linked).collect();
    let what = format!("all of B1, {} agents x {} frameworks", cluster.0, cluster.1);
    out(Row::new("MB1", format!("{what}, drf linked"), "CPU us", median(linked)));
    out(Row::new("MB1", format!("{what}, drf loaded"), "CPU us", median(loaded)));
    out(Row::new("MB1", format!("{what}, loaded to linked"), "times", median(ratios)).aim(RATIO));
    Ok(())
}

/// Processor time in microseconds, which others on the machine disturb less than time on the wall.
fn b1(allocator: impl Allocator, (agents, frameworks): (u32, u32)) -> anyhow::Result<f64> {
    let figures =
        allocator::full_cycle(allocator, agents, frameworks).map_err(|why| anyhow!(why))?;
    Ok(figures.iter().map(|figure| figure.cpu.as_secs_f64() * 1e6).sum())
}

/// MB2: prepare, isolate and clean up a container, over and over.
pub(super) fn isolation(stage: &Stage, size: Size, out: &mut dyn FnMut(Row)) -> anyhow::Result<()> {
    let times = size.pick(1_000, 20);
    let search = Search::new(Some(stage.programs()));
    // Only root may make cgroups.
    let names = if geteuid().is_root() { &["posix", "cgroups"][..] } else { &["posix"] };
    for &name in names {
        let library = search.library(Kind::Isolator, name, None)?;
        let isolator = library.create::<LoadedIsolator>(given(name).as_ref())?.works;
        isolator.recover(&[])?;
        let mut spent = Spent::default();
        (0..times).try_for_each(|number| spent.container(&isolator, &format!("c{number}")))?;
        let each = |span: Duration| span.as_secs_f64() * 1e6 / f64::from(times);
        let what = format!("prepare, isolate and clean up a container, {name} loaded");
        out(Row::new("MB2", format!("{what}, all"), "us", each(spent.wall)));
        let own = Row::new("MB2", format!("{what}, without the kernel"), "us", each(spent.user));
        out(own.aim(CALLS));
    }
    Ok(())
}

/// The parameters of a module: a root of its own for cgroups, the same each time, since it stays.
fn given(name: &str) -> Option<Module> {
    let root = Given::One("/reeve-bench".to_owned());
    let root = Parameter { given: root, origin: Origin::Program };
    let parameters = [("root".to_owned(), root)].into();
    (name == "cgroups").then_some(Module { library: None, origin: Origin::Program, parameters })
}

/// Time on the wall, and on the processor outside the kernel.
#[derive(Default)]
struct Spent {
    wall: Duration,
    user: Duration,
}

impl Spent {
    /// Adds what one container takes.
    fn container(&mut self, isolator: &LoadedIsolator, id: &str) -> anyhow::Result<()> {
        let scalar = |name: &str, thousandths| Scalar { name: name.into(), thousandths };
        let requests = vec![scalar("cpus", 100), scalar("mem", 64_000), scalar("disk", 64_000)];
        let grants = Grants { requests: requests.into(), ..Grants::default() };
        let container = Container { id: id.into(), grants, ..Container::default() };
        let mut process = std::process::Command::new("sleep").arg("600").spawn()?;
        let (user, wall) = (user_time()?, Instant::now());
        let outcome = isolator
            .prepare(&container)
            .and_then(|_| isolator.isolate(id, process.id()))
            .and_then(|()| isolator.cleanup(id));
        self.wall += wall.elapsed();
        self.user += user_time()?.saturating_sub(user);
        process.kill()?;
        process.wait()?;
        Ok(outcome?)
    }
}

/// Processor time of this thread outside the kernel.
fn user_time() -> anyhow::Result<Duration> {
    let time = getrusage(UsageWho::RUSAGE_THREAD)?.user_time();
    Ok(Duration::from_micros(u64::try_from(time.num_microseconds())?))
}
