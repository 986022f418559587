//! The thread of the allocation machine. It hears what the core tells it and answers with
//! grants; it also says why somebody has no offer, since it alone knows.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use reeve_allocator_drf::Drf;
use reeve_machine::Machine;
use reeve_master_core::allocation::{Effect, Event, FrameworkIx, Host, Options};
use reeve_master_core::event::Kind;
use reeve_model::{FrameworkId, Role};
use reeve_telemetry::{Metrics, Timer};
use tokio::sync::{mpsc, oneshot};

use crate::Error;
use crate::clock::Clock;
use crate::owner::Input;

/// How long the thread sleeps if nothing has a deadline.
const IDLE: Duration = Duration::from_secs(3600);

/// How many waiting events are taken in one go, before grants are passed on.
const BATCH: usize = 1024;

/// What the thread is told.
#[derive(Debug)]
pub enum Told {
    /// A fact for the machine.
    Event(Box<Event>),
    /// Why this framework has no offers, in one role or in all.
    Explain(FrameworkId, Option<Role>, oneshot::Sender<Option<Vec<String>>>),
    /// What the machine counted, for metrics.
    Figures(oneshot::Sender<BTreeMap<String, f64>>),
}

/// A handle of the thread. The queue to it has no bound: it is as long as what the core told
/// and the machine has not looked at yet, and a core that waited for it could not take the
/// grants that the machine waits to pass on.
#[derive(Clone, Debug)]
pub struct Allocation {
    told: Sender<Told>,
}

impl Allocation {
    /// Starts the thread; it ends when all handles are gone.
    ///
    /// # Errors
    ///
    /// If the system has no thread left.
    pub fn start(
        options: Options,
        clock: Clock,
        core: mpsc::Sender<Input>,
        metrics: &Metrics,
    ) -> Result<(Allocation, JoinHandle<()>), Error> {
        let (told, hears) = channel();
        let runs = metrics.timer("allocator/mesos/allocation_run_ms");
        let thread = std::thread::Builder::new()
            .name("allocation".to_owned())
            .spawn(move || Thread::new(options, clock, core, runs).run(&hears))
            .map_err(|source| Error::Thread { name: "allocation", source })?;
        Ok((Allocation { told }, thread))
    }

    /// Tells the machine a fact.
    pub fn tell(&self, event: Event) {
        self.send(Told::Event(Box::new(event)));
    }

    /// Why this framework has no offers, most telling first; `None` if it is unknown.
    pub async fn explain(&self, framework: FrameworkId, role: Option<Role>) -> Option<Vec<String>> {
        let (reply, answer) = oneshot::channel();
        self.send(Told::Explain(framework, role, reply));
        answer.await.ok().flatten()
    }

    /// What the machine counted, by the names of metrics.
    pub async fn figures(&self) -> BTreeMap<String, f64> {
        let (reply, answer) = oneshot::channel();
        self.send(Told::Figures(reply));
        answer.await.unwrap_or_default()
    }

    fn send(&self, told: Told) {
        if self.told.send(told).is_err() {
            tracing::debug!("the allocation machine has ended");
        }
    }
}

struct Thread {
    host: Host<Drf>,
    clock: Clock,
    core: mpsc::Sender<Input>,
    /// The numbers of frameworks, for people who ask by id.
    frameworks: BTreeMap<FrameworkId, FrameworkIx>,
    effects: Vec<Effect>,
    runs: Timer,
}

impl Thread {
    fn new(options: Options, clock: Clock, core: mpsc::Sender<Input>, runs: Timer) -> Self {
        Thread {
            host: Host::new(options, Drf::new(reeve_allocator_drf::Options::default())),
            clock,
            core,
            frameworks: BTreeMap::new(),
            effects: Vec::new(),
            runs,
        }
    }

    fn run(mut self, hears: &Receiver<Told>) {
        loop {
            let wait = self.host.deadline().map_or(IDLE, |tick| self.clock.until(tick));
            match hears.recv_timeout(wait) {
                Ok(told) => self.take_all(told, hears),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = self.clock.now();
            if self.host.deadline().is_some_and(|tick| tick <= now) {
                self.step(Event::Deadline);
                self.runs.record(self.clock.now().since(now));
            }
            if !self.pass_on() {
                return;
            }
        }
    }

    fn take_all(&mut self, first: Told, hears: &Receiver<Told>) {
        self.take(first);
        for _ in 1..BATCH {
            let Ok(told) = hears.try_recv() else { return };
            self.take(told);
        }
    }

    fn take(&mut self, told: Told) {
        match told {
            Told::Event(event) => {
                self.note(&event);
                self.step(*event);
            }
            Told::Explain(framework, role, reply) => {
                let reasons = self.frameworks.get(&framework);
                let reasons = reasons.map(|ix| self.host.explain(*ix, role.as_ref()));
                // Nobody waits any more if the client hung up.
                let _ = reply.send(reasons);
            }
            Told::Figures(reply) => {
                let _ = reply.send(self.figures());
            }
        }
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::FrameworkAdded { framework, info, .. } => {
                if let Some(id) = &info.id {
                    self.frameworks.insert(id.clone(), *framework);
                }
            }
            Event::FrameworkRemoved { framework } => {
                self.frameworks.retain(|_, ix| ix != framework);
            }
            _ => {}
        }
    }

    fn step(&mut self, event: Event) {
        self.host.step(self.clock.now(), event, &mut self.effects);
    }

    /// Passes effects on; false if the core has ended.
    fn pass_on(&mut self) -> bool {
        for effect in self.effects.drain(..) {
            match effect {
                Effect::Offer(granted) => {
                    if self.core.blocking_send(Input::Fact(Kind::Granted(granted))).is_err() {
                        return false;
                    }
                }
                Effect::Report(unlawful) => {
                    tracing::warn!(?unlawful, "the allocator proposed what is not lawful");
                }
            }
        }
        true
    }

    fn figures(&self) -> BTreeMap<String, f64> {
        let counters = self.host.counters();
        let unlawful: u64 = counters.unlawful.values().sum();
        let mut figures = BTreeMap::from([
            ("allocator/mesos/allocation_runs".to_owned(), counters.rounds as f64),
            ("allocator/mesos/event_queue_dispatches".to_owned(), 0.0),
            ("allocator/mesos/unlawful_grants".to_owned(), unlawful as f64),
        ]);
        for (role, share) in self.host.shares() {
            figures.insert(format!("allocator/mesos/roles/{role}/shares/dominant"), share);
        }
        figures
    }
}

/// Names of the one allocator there is: ours, and those that Mesos has for its own.
const ALLOCATORS: [&str; 3] = ["drf", "hierarchical", "HierarchicalDRF"];

/// The allocation machine's options, from the master's settings.
///
/// # Errors
///
/// The setting that has no sense.
pub fn options(settings: &crate::MasterSettings) -> Result<Options, Error> {
    if !ALLOCATORS.contains(&settings.allocator.as_str()) {
        return Err(Error::Setting {
            key: "allocator",
            value: settings.allocator.clone(),
            why: "there is no such allocator; `drf` is the one there is".to_owned(),
        });
    }
    let rules = &settings.min_allocatable_resources;
    let min_allocatable =
        reeve_model::MinAllocatable::parse(rules).map_err(|error| Error::Setting {
            key: "min_allocatable_resources",
            value: rules.clone(),
            why: error.to_string(),
        })?;
    let excluded = settings.fair_sharing_excluded_resource_names.iter();
    Ok(Options {
        allocation_interval: settings.allocation_interval,
        min_allocatable,
        excluded: excluded.map(|name| name.as_str().into()).collect(),
        filter_gpus: settings.filter_gpu_resources,
        ..Options::default()
    })
}
