//! The allocator's figures: host and dominant resource fairness in this process, no sockets and no threads.
//!
//! Rows B1 to B4. The clock is real, the machine's time is not: a step is called as soon as it
//! may be.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reeve_allocation_engine::{Dominant, Engine};
use reeve_machine::{Machine, Tick};
use reeve_master_core::allocation::{
    AgentFacts, AgentIx, Effect, Event, FrameworkIx, Granted, Host, Options,
};
use reeve_model::{Attributes, Capabilities, FrameworkInfo, Resources, Role};
use reeve_module_sdk::allocator::Allocator;

/// One measured figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The row, with what exactly was measured.
    pub what: String,
    /// Time on the wall.
    pub wall: Duration,
    /// Time on the processor.
    pub cpu: Duration,
    /// What is aimed at.
    pub aim: Duration,
}

/// Dominant resource fairness as it is in `drf`, linked into this program.
pub fn linked() -> Engine<Dominant> {
    Engine::default()
}

/// B1: a full cycle over 50,000 agents for 1,000 frameworks in one role.
///
/// # Errors
/// If the scenario itself goes wrong, with what did.
pub fn b1() -> Result<Vec<Figure>, String> {
    full_cycle(linked(), 50_000, 1_000)
}

/// B2: one thing changed among 50,000 agents and 1,000 frameworks; the median of many times.
///
/// # Errors
/// If the scenario itself goes wrong, with what did.
pub fn b2() -> Result<Vec<Figure>, String> {
    one_change(linked(), 50_000, 1_000, 1)
}

/// B3: 10,000 agents and 1,000 roles.
///
/// # Errors
/// If the scenario itself goes wrong, with what did.
pub fn b3() -> Result<Vec<Figure>, String> {
    let clock = Clock::start();
    let mut cluster = Cluster::new(linked(), 1_000, 1_000)?;
    cluster.add_agents(10_000)?;
    cluster.run()?;
    let add = clock.stop("B3 add 10,000 agents for 1,000 roles and offer all", 200_000);
    let clock = Clock::start();
    cluster.step(Event::Deadline);
    let idle = clock.stop("B3 idle cycle, 10,000 agents x 1,000 roles", 100);
    let mut figures = vec![add, idle];
    figures.extend(one_change(linked(), 10_000, 1_000, 1_000)?);
    Ok(figures)
}

/// B4: a cycle over 50 agents that all of 1,000 frameworks declined: 50,000 filters, no offer.
///
/// # Errors
/// If the scenario itself goes wrong, with what did.
pub fn b4() -> Result<Vec<Figure>, String> {
    let (agents, frameworks) = (50, 1_000);
    let mut cluster = Cluster::new(linked(), frameworks, 1)?;
    cluster.add_agents(agents)?;
    cluster.run()?;
    let mut declined = 0;
    while !cluster.offers.is_empty() {
        for offer in std::mem::take(&mut cluster.offers) {
            cluster.recover(offer, Some(Duration::from_secs(3600)));
            declined += 1;
        }
        cluster.run()?;
    }
    if declined != agents * frameworks {
        return Err(format!("{declined} offers were declined instead of {}", agents * frameworks));
    }
    for active in [false, true] {
        for agent in 0..agents {
            cluster.step(Event::AgentActive { agent: AgentIx(agent), active });
        }
        if !active {
            cluster.run()?;
        }
    }
    let clock = Clock::start();
    cluster.run()?;
    let cycle = clock.stop("B4 cycle with 50,000 filters and 0 offers", 1_000);
    if cluster.offers.is_empty() { Ok(vec![cycle]) } else { Err("a filter was ignored".into()) }
}

/// The full cycle at any size.
///
/// # Errors
/// If the scenario itself goes wrong, with what did.
pub fn full_cycle(
    allocator: impl Allocator,
    agents: u32,
    frameworks: u32,
) -> Result<Vec<Figure>, String> {
    let size = format!("{agents} agents x {frameworks} frameworks");
    let mut cluster = Cluster::new(allocator, frameworks, 1)?;
    let clock = Clock::start();
    cluster.add_agents(agents)?;
    let add = clock.stop(&format!("B1 agents added, {size}"), 100_000);
    let clock = Clock::start();
    cluster.run()?;
    let first = clock.stop(&format!("B1 full cycle, {size}"), 100_000);
    let offers = std::mem::take(&mut cluster.offers);
    if offers.len() != agents as usize {
        return Err(format!("{} offers for {agents} agents", offers.len()));
    }
    let clock = Clock::start();
    offers.into_iter().for_each(|offer| cluster.recover(offer, None));
    let recover = clock.stop(&format!("B1 all offers recovered, {size}"), 100_000);
    let clock = Clock::start();
    cluster.run()?;
    let again = clock.stop(&format!("B1 full cycle again, {size}"), 100_000);
    Ok(vec![add, first, recover, again])
}

/// One change at any size.
///
/// # Errors
/// If the scenario itself goes wrong, with what did.
pub fn one_change(
    allocator: impl Allocator,
    agents: u32,
    frameworks: u32,
    roles: u32,
) -> Result<Vec<Figure>, String> {
    let size = format!("{agents} agents x {frameworks} frameworks x {roles} roles");
    let mut cluster = Cluster::new(allocator, frameworks, roles)?;
    cluster.add_agents(agents)?;
    cluster.run()?;
    let mut figures = Vec::new();
    figures.push(median(&format!("B2 one offer comes back, {size}"), || {
        let offer = cluster.offers.swap_remove(cluster.offers.len() / 2);
        cluster.recover(offer, None);
        cluster.run()
    })?);
    let mut next = agents;
    figures.push(median(&format!("B2 one agent more, {size}"), || {
        next += 1;
        cluster.step(agent_added(next, cluster.total.clone()));
        cluster.run()
    })?);
    let mut at = 0;
    figures.push(median(&format!("B2 one framework suppresses and revives, {size}"), || {
        at = (at + 1) % frameworks;
        let framework = FrameworkIx(at);
        cluster.step(Event::Suppress { framework, roles: Vec::new() });
        cluster.step(Event::Revive { framework, roles: Vec::new() });
        cluster.run()
    })?);
    Ok(figures)
}

/// The median of many times a change was made and followed through; processor time is the mean,
/// since the kernel counts it too coarsely for one.
fn median(what: &str, mut change: impl FnMut() -> Result<(), String>) -> Result<Figure, String> {
    const TIMES: u32 = 1_001;
    let whole = Clock::start();
    let mut all = Vec::new();
    for _ in 0..TIMES {
        let wall = Instant::now();
        change()?;
        all.push(wall.elapsed());
    }
    let whole = whole.stop(what, 100);
    all.sort();
    Ok(Figure { wall: all[all.len() / 2], cpu: whole.cpu / TIMES, ..whole })
}

/// A host with frameworks and agents, and the offers that are out.
struct Cluster<A> {
    host: Host<A>,
    now: Tick,
    out: Vec<Effect>,
    offers: Vec<Granted>,
    total: Resources,
}

impl<A: Allocator> Cluster<A> {
    fn new(allocator: A, frameworks: u32, roles: u32) -> Result<Self, String> {
        let total = "cpus:24;mem:4096;disk:4096;ports:[31000-32000]";
        let total = Resources::parse(total, &Role::any()).map_err(|error| error.to_string())?;
        let host = Host::new(Options::default(), allocator);
        let (out, offers) = (Vec::new(), Vec::new());
        let mut cluster = Self { host, now: Tick::ZERO, out, offers, total };
        for framework in 0..frameworks {
            let role =
                if roles == 1 { Role::any() } else { format!("r{}", framework % roles).into() };
            cluster.step(framework_added(framework, role));
        }
        cluster.run()?;
        Ok(cluster)
    }

    fn add_agents(&mut self, agents: u32) -> Result<(), String> {
        for agent in 0..agents {
            let event = agent_added(agent, self.total.clone());
            self.step(event);
        }
        Ok(())
    }

    fn recover(&mut self, offer: Granted, filter: Option<Duration>) {
        let Granted { framework, agent, resources, .. } = offer;
        self.step(Event::Recover { framework, agent, resources, filter });
    }

    fn step(&mut self, event: Event) {
        self.host.step(self.now, event, &mut self.out);
        for effect in self.out.drain(..) {
            if let Effect::Offer(grants) = effect {
                self.offers.extend(grants);
            }
        }
    }

    /// Lets the machine's time pass until nothing is due within a second.
    fn run(&mut self) -> Result<(), String> {
        let soon = self.now + Duration::from_millis(500);
        while let Some(due) = self.host.deadline().filter(|&due| due <= soon) {
            self.now = self.now.max(due);
            self.step(Event::Deadline);
        }
        let unlawful = &self.host.counters().unlawful;
        if unlawful.is_empty() { Ok(()) } else { Err(format!("unlawful grants: {unlawful:?}")) }
    }
}

fn agent_added(agent: u32, total: Resources) -> Event {
    let info = AgentFacts {
        id: format!("S{agent}").into(),
        hostname: format!("host{agent}"),
        attributes: Attributes::default(),
        domain: None,
        capabilities: vec![1, 2, 3],
    };
    let (agent, info) = (AgentIx(agent), Box::new(info));
    Event::AgentAdded { agent, info, total, used: Vec::new(), active: true }
}

fn framework_added(framework: u32, role: Role) -> Event {
    let info = FrameworkInfo {
        user: "root".into(),
        name: format!("framework {framework}"),
        id: Some(format!("F{framework}").into()),
        failover_timeout: Duration::ZERO,
        checkpoint: false,
        roles: vec![role],
        hostname: String::new(),
        principal: None,
        webui_url: String::new(),
        capabilities: Capabilities::MULTI_ROLE,
        offer_filters: std::collections::BTreeMap::new(),
        rest: Bytes::new(),
    };
    let (framework, info, suppressed) = (FrameworkIx(framework), Arc::new(info), BTreeSet::new());
    Event::FrameworkAdded { framework, info, suppressed, constraints: None, active: true }
}

/// Wall and processor time since a moment.
struct Clock {
    wall: Instant,
    cpu: Duration,
}

impl Clock {
    fn start() -> Self {
        Self { cpu: processor_time(), wall: Instant::now() }
    }

    fn stop(self, what: &str, aim_micros: u64) -> Figure {
        Figure {
            what: what.to_owned(),
            wall: self.wall.elapsed(),
            cpu: processor_time().saturating_sub(self.cpu),
            aim: Duration::from_micros(aim_micros),
        }
    }
}

/// Nanoseconds that this thread ran, as the kernel's scheduler counts them; zero where it does not.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(0);
    Duration::from_nanos(nanos)
}
