//! Figures of one allocator, printed as a table: the shape of the rows B1 and B2 of `tests/bench`,
//! without a host.

use std::io::Write;
use std::time::{Duration, Instant};

use reeve_module_sdk::allocator::{
    AgentIx, Allocator, Amounts, Change, FrameworkIx, Free, Grant, KindIx, Label, RoleIx, Room,
};

const AGENTS: u32 = 50_000;
const FRAMEWORKS: u32 = 1_000;
const TIMES: u32 = 1_001;

struct Bench<A> {
    allocator: A,
    room: Room,
    grants: Vec<Grant>,
}

fn total() -> Amounts {
    Amounts::new([(KindIx(0), 24_000), (KindIx(1), 4_096_000), (KindIx(2), 4_096_000)])
}

fn free(agent: AgentIx) -> Change {
    let unreserved = total();
    Change::Free { agent, free: Free { unreserved, other: true, ..Free::default() } }
}

/// A framework's label `priority` takes turns through these.
const LABELS: [&str; 3] = ["high", "normal", "low"];

fn cluster() -> Vec<Change> {
    let kind = |(kind, name): (u16, &str)| {
        let (kind, name) = (KindIx(kind), name.into());
        Change::Kind { kind, name, excluded: false }
    };
    let mut changes: Vec<Change> = (0u16..).zip(["cpus", "mem", "disk"]).map(kind).collect();
    let (role, parent) = (RoleIx(0), None.into());
    changes.push(Change::Role { role, name: "*".into(), parent, weight: 1000 });
    for framework in 0..FRAMEWORKS {
        let value = LABELS[framework as usize % LABELS.len()].into();
        let labels = vec![Label { key: "priority".into(), value }].into();
        let (id, framework) = (format!("F{framework}").into(), FrameworkIx(framework));
        changes.push(Change::Framework { framework, id, has: 0, labels });
        changes.push(demand(framework, true));
    }
    changes
}

fn demand(framework: FrameworkIx, wanted: bool) -> Change {
    let minimum = [(KindIx(0), 10), (KindIx(1), 32_000)].map(|one| Amounts::new([one]));
    Change::Demand { framework, role: RoleIx(0), wanted, minimum: minimum.into_iter().collect() }
}

fn back(grant: &Grant) -> [Change; 2] {
    let Grant { framework, role, agent, .. } = *grant;
    let (mut delta, reserved) = (Amounts::default(), Amounts::default());
    delta.subtract(&total());
    [Change::Holds { framework, role, agent, delta, reserved }, free(agent)]
}

impl<A: Allocator> Bench<A> {
    fn run(&mut self, changes: &[Change]) {
        self.allocator.apply(changes);
        loop {
            self.room.budget = 1000;
            let more = self.allocator.allocate(Duration::ZERO, &mut self.room);
            self.grants.extend(self.room.grants.iter().cloned());
            if !more {
                return;
            }
        }
    }

    /// The median of many times.
    fn median(&mut self, mut change: impl FnMut(&mut Self, u32) -> Vec<Change>) -> Duration {
        let mut all: Vec<Duration> = (0..TIMES)
            .map(|time| {
                let changes = change(self, time);
                let start = Instant::now();
                self.run(&changes);
                start.elapsed()
            })
            .collect();
        all.sort();
        all[all.len() / 2]
    }
}

/// Measures an allocator and prints what it takes; offers must be whole agents.
///
/// # Errors
///
/// If the table cannot be written.
pub fn figures<A: Allocator>(name: &str, allocator: A) -> std::io::Result<()> {
    let mut bench = Bench { allocator, room: Room::default(), grants: Vec::new() };
    bench.run(&cluster());
    let mut out = std::io::stdout().lock();
    writeln!(out, "{name}: {AGENTS} agents x {FRAMEWORKS} frameworks, microseconds")?;
    let mut row =
        |what: &str, time: Duration| writeln!(out, "{what:<44}{:>14.1}", time.as_secs_f64() * 1e6);
    let mut changes = Vec::new();
    for agent in (0..AGENTS).map(AgentIx) {
        let (id, reserved) = (format!("S{}", agent.0).into(), Default::default());
        changes.push(Change::Agent { agent, id, total: total(), reserved, needs: 0 });
        changes.push(free(agent));
    }
    let start = Instant::now();
    bench.run(&changes);
    row("all agents added and offered", start.elapsed())?;
    let back_again: Vec<Change> = std::mem::take(&mut bench.grants).iter().flat_map(back).collect();
    let start = Instant::now();
    bench.run(&back_again);
    row("all offers back and out again", start.elapsed())?;
    let one = bench.median(|bench, _| {
        let at = bench.grants.len() / 2;
        back(&bench.grants.swap_remove(at)).into()
    });
    row("one offer back and out again", one)?;
    let revived = bench.median(|_, time| {
        let framework = FrameworkIx(time % FRAMEWORKS);
        vec![demand(framework, false), demand(framework, true)]
    });
    row("one framework suppresses and revives", revived)
}
