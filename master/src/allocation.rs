//! The thread of the allocation machine. It hears what the core tells it and answers with
//! grants; it also says why somebody has no offer, since it alone knows.
//!
//! The policy is a module. If it panics, or a call of it takes too long, another thread with
//! another allocator takes over: from then on nothing of the first counts, and the core tells the
//! second all that it must know.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use reeve_machine::Machine;
use reeve_master_core::allocation::{Effect, Event, FrameworkIx, Host, Options};
use reeve_master_core::event::Kind;
use reeve_model::{FrameworkId, Role};
use reeve_module_host::{LoadedAllocator, Module, Overrun, Watchdog};
use reeve_telemetry::{Metrics, Timer};
use tokio::sync::{mpsc, oneshot};

use crate::Error;
use crate::clock::Clock;
use crate::modules::{Allocators, AtWork};
use crate::owner::Input;

/// How long the thread sleeps if nothing has a deadline.
const IDLE: Duration = Duration::from_secs(3600);

/// How many waiting messages are taken in one go, before grants are passed on.
const BATCH: usize = 32;

/// What the thread is told.
#[derive(Debug)]
pub enum Told {
    /// Facts for the machine. Several at once, since each message may wake the thread.
    Events(Vec<Event>),
    /// Why this framework has no offers, in one role or in all.
    Explain(FrameworkId, Option<Role>, oneshot::Sender<Option<Vec<String>>>),
    /// What the machine counted, for metrics.
    Figures(oneshot::Sender<BTreeMap<String, f64>>),
    /// The term is over: look again whether you are at work.
    End,
}

/// The number of no machine: none is at work any more.
const ENDED: u64 = u64::MAX;

/// After so many allocators that failed, the master gives up rather than try another.
const MOST_ALLOCATORS: u64 = 4;

/// How often calls are looked at for having taken too long.
const LOOK: Duration = Duration::from_millis(100);

/// A handle of the thread. The queue to it has no bound: it is as long as what the core told
/// and the machine has not looked at yet, and a core that waited for it could not take the
/// grants that the machine waits to pass on.
#[derive(Clone, Debug)]
pub struct Allocation {
    shared: Arc<Shared>,
}

/// What the threads, one after another, have in common.
#[derive(Debug)]
struct Shared {
    /// The way to the machine at work.
    told: ArcSwap<Sender<Told>>,
    /// Its number; what machines of other numbers say does not count.
    number: AtomicU64,
    allocators: Allocators,
    at_work: AtWork,
    options: Options,
    clock: Clock,
    core: mpsc::Sender<Input>,
    runs: Timer,
    watchdog: OnceLock<Watchdog>,
}

impl Allocation {
    /// Starts the thread with the allocator that is configured.
    ///
    /// # Errors
    ///
    /// If it cannot be loaded, or the system has no thread left.
    pub fn start(
        options: Options,
        allocators: Allocators,
        clock: Clock,
        core: mpsc::Sender<Input>,
        metrics: &Metrics,
    ) -> Result<Allocation, Error> {
        let module = allocators.chosen()?;
        let (told, hears) = channel();
        let shared = Arc::new(Shared {
            told: ArcSwap::from_pointee(told),
            number: AtomicU64::new(0),
            allocators,
            at_work: AtWork::default(),
            options,
            clock,
            core,
            runs: metrics.timer("allocator/mesos/allocation_run_ms"),
            watchdog: OnceLock::new(),
        });
        shared.watch()?;
        shared.begin(0, module, hears)?;
        Ok(Allocation { shared })
    }

    /// Tells the machine facts.
    pub fn tell(&self, events: Vec<Event>) {
        self.send(Told::Events(events));
    }

    /// Whether the machine of this number is at work.
    pub fn is(&self, number: u64) -> bool {
        self.shared.is(number)
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

    /// The allocator at work (`/modules`).
    pub fn modules(&self) -> Vec<serde_json::Value> {
        self.shared.at_work.json()
    }

    /// Ends the machine; nothing that it still says counts.
    pub fn end(&self) {
        self.shared.number.store(ENDED, Ordering::SeqCst);
        self.send(Told::End);
    }

    fn send(&self, told: Told) {
        if self.shared.told.load().send(told).is_err() {
            tracing::debug!("the allocation machine has ended");
        }
    }
}

impl Shared {
    fn is(&self, number: u64) -> bool {
        self.number.load(Ordering::SeqCst) == number
    }

    /// Has calls that take too long noticed, for as long as there is a machine.
    fn watch(self: &Arc<Self>) -> Result<(), Error> {
        let shared = Arc::downgrade(self);
        let watchdog = Watchdog::start(LOOK, move |overrun: Overrun| {
            if let Some(shared) = shared.upgrade() {
                let number = shared.number.load(Ordering::SeqCst);
                let why = format!("a call has taken {:?} and goes on", overrun.lasts);
                shared.replace(number, &overrun.module, &why);
            }
        });
        let watchdog = watchdog.map_err(|source| Error::Thread { name: "watchdog", source })?;
        // Called once, before any other thread knows of it.
        let _ = self.watchdog.set(watchdog);
        Ok(())
    }

    fn begin(
        self: &Arc<Self>,
        number: u64,
        module: Module<LoadedAllocator>,
        hears: Receiver<Told>,
    ) -> Result<(), Error> {
        let Module { facts, works } = module;
        let name = facts.library.manifest.name.clone();
        tracing::info!(
            allocator = name,
            version = facts.library.manifest.version,
            file = %facts.library.path.display(),
            "the allocator is at work"
        );
        self.at_work.allocator(facts);
        let watched = self.watchdog.get().map(|dog| dog.watch(&name, self.allocators.timeout));
        let allocator = works.watched(watched.unwrap_or_default());
        let shared = Arc::clone(self);
        std::thread::Builder::new()
            .name("allocation".to_owned())
            .spawn(move || Thread::new(shared, number, allocator).run(&hears))
            .map(drop)
            .map_err(|source| Error::Thread { name: "allocation", source })
    }

    /// Puts the fallback in the place of the allocator that failed, if that is still at work.
    fn replace(self: &Arc<Self>, failed: u64, module: &str, why: &str) {
        let next = failed + 1;
        if self.number.compare_exchange(failed, next, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return;
        }
        tracing::error!(module, why, "the allocator has failed and is not asked any more");
        let give_up = |reason: String| {
            let text = format!("the allocator '{module}' has failed ({why}), and {reason}");
            // Nobody is told if the core has ended.
            let _ = self.core.blocking_send(Input::GivesUp(text));
        };
        let fallback = match self.allocators.fallback() {
            _ if next >= MOST_ALLOCATORS => return give_up("so did those in its place".to_owned()),
            None => return give_up("allocator_fallback is 'none'".to_owned()),
            Some(Err(error)) => return give_up(error.to_string()),
            Some(Ok(fallback)) => fallback,
        };
        let (told, hears) = channel();
        self.told.store(Arc::new(told));
        if let Err(error) = self.begin(next, fallback, hears) {
            return give_up(error.to_string());
        }
        // Nobody is told if the core has ended.
        let _ = self.core.blocking_send(Input::Fact(Kind::AllocatorReplaced(next)));
    }
}

struct Thread {
    shared: Arc<Shared>,
    number: u64,
    /// Whether the core has begun to tell it all from the beginning; what it hears before was
    /// meant for the machine before it.
    introduced: bool,
    host: Host<LoadedAllocator>,
    /// The numbers of frameworks, for people who ask by id.
    frameworks: BTreeMap<FrameworkId, FrameworkIx>,
    effects: Vec<Effect>,
}

impl Thread {
    fn new(shared: Arc<Shared>, number: u64, allocator: LoadedAllocator) -> Self {
        Thread {
            number,
            introduced: number == 0,
            host: Host::new(shared.options.clone(), allocator),
            shared,
            frameworks: BTreeMap::new(),
            effects: Vec::new(),
        }
    }

    fn run(mut self, hears: &Receiver<Told>) {
        while self.shared.is(self.number) {
            let wait = self.host.deadline().map_or(IDLE, |tick| self.shared.clock.until(tick));
            match hears.recv_timeout(wait) {
                Ok(told) => self.take_all(told, hears),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = self.shared.clock.now();
            if self.host.deadline().is_some_and(|tick| tick <= now) {
                self.step(Event::Deadline);
                self.shared.runs.record(self.shared.clock.now().since(now));
            }
            if let Some(fault) = self.host.allocator().fault() {
                let name = self.host.allocator().name();
                return self.shared.replace(self.number, name, fault);
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
            Told::Events(events) => events.into_iter().for_each(|event| self.hear(event)),
            Told::Explain(framework, role, reply) => {
                let reasons = self.frameworks.get(&framework);
                let reasons = reasons.map(|ix| self.host.explain(*ix, role.as_ref()));
                // Nobody waits any more if the client hung up.
                let _ = reply.send(reasons);
            }
            Told::Figures(reply) => {
                let _ = reply.send(self.figures());
            }
            Told::End => {}
        }
    }

    fn hear(&mut self, event: Event) {
        self.introduced |= matches!(event, Event::Introduction(number) if number == self.number);
        if self.introduced {
            self.note(&event);
            self.step(event);
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
        self.host.step(self.shared.clock.now(), event, &mut self.effects);
    }

    /// Passes effects on; false if the core has ended.
    fn pass_on(&mut self) -> bool {
        for effect in self.effects.drain(..) {
            match effect {
                Effect::Offer(granted) => {
                    let grants = Input::Granted(self.number, granted);
                    if self.shared.core.blocking_send(grants).is_err() {
                        return false;
                    }
                }
                Effect::Reclaim(reclaims) => {
                    let reclaims = Input::Reclaimed(self.number, reclaims);
                    if self.shared.core.blocking_send(reclaims).is_err() {
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
        let unlawful_reclaims: u64 = counters.unlawful_reclaims.values().sum();
        let (under_way, overdue) = self.host.reclaims();
        let replaced = self.number;
        let mut figures = BTreeMap::from([
            ("allocator/mesos/replacements".to_owned(), replaced as f64),
            ("allocator/mesos/allocation_runs".to_owned(), counters.rounds as f64),
            ("allocator/mesos/event_queue_dispatches".to_owned(), 0.0),
            ("allocator/mesos/unlawful_grants".to_owned(), unlawful as f64),
            ("allocator/mesos/reclaims".to_owned(), counters.reclaims as f64),
            ("allocator/mesos/reclaims_under_way".to_owned(), under_way as f64),
            ("allocator/mesos/reclaims_overdue".to_owned(), overdue as f64),
            ("allocator/mesos/unlawful_reclaims".to_owned(), unlawful_reclaims as f64),
        ]);
        for (role, share) in self.host.shares() {
            figures.insert(format!("allocator/mesos/roles/{role}/shares/dominant"), share);
        }
        figures
    }
}

/// The allocation machine's options, from the master's settings.
///
/// # Errors
///
/// The setting that has no sense.
pub fn options(settings: &crate::MasterSettings) -> Result<Options, Error> {
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
