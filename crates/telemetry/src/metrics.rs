//! Metrics by Mesos's names (`master/slaves_active`). Handles are taken once and are cheap
//! atomics from then on; reading walks the registry. Labels do not live here: Mesos has none.

mod openmetrics;
mod timer;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use timer::Timer;

/// All metrics of a process. Clones are the same registry.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    shared: Arc<Mutex<Registry>>,
}

#[derive(Default)]
struct Registry {
    by_name: BTreeMap<String, Metric>,
    sources: Vec<Source>,
}

/// Adds metrics that are worked out only when they are read.
type Source = Arc<dyn Fn(&mut Readings) + Send + Sync>;

#[derive(Clone)]
enum Metric {
    Counter(Counter),
    Gauge(Gauge),
    Timer(Timer),
}

/// A number that only grows.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// One more.
    pub fn increment(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// The number so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Sets it.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// What was set last; 0 at first.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// What a source adds to.
#[derive(Debug, Default)]
pub struct Readings(BTreeMap<String, f64>);

impl Readings {
    /// Adds a gauge of that name.
    pub fn gauge(&mut self, name: impl Into<String>, value: f64) {
        self.0.insert(name.into(), value);
    }
}

impl Metrics {
    /// An empty registry.
    pub fn new() -> Metrics {
        Metrics::default()
    }

    /// The counter of that name, new or as it stands.
    pub fn counter(&self, name: &str) -> Counter {
        let mut registry = self.lock();
        if let Some(Metric::Counter(counter)) = registry.by_name.get(name) {
            return counter.clone();
        }
        let counter = Counter::default();
        registry.by_name.insert(name.to_owned(), Metric::Counter(counter.clone()));
        counter
    }

    /// The gauge of that name, new or as it stands.
    pub fn gauge(&self, name: &str) -> Gauge {
        let mut registry = self.lock();
        if let Some(Metric::Gauge(gauge)) = registry.by_name.get(name) {
            return gauge.clone();
        }
        let gauge = Gauge::default();
        registry.by_name.insert(name.to_owned(), Metric::Gauge(gauge.clone()));
        gauge
    }

    /// The timer of that name, new or as it stands. Mesos's timers end in `_ms`.
    pub fn timer(&self, name: &str) -> Timer {
        let mut registry = self.lock();
        if let Some(Metric::Timer(timer)) = registry.by_name.get(name) {
            return timer.clone();
        }
        let timer = Timer::default();
        registry.by_name.insert(name.to_owned(), Metric::Timer(timer.clone()));
        timer
    }

    /// Asks `source` for more gauges whenever the metrics are read. It must not use these
    /// metrics itself, and be quick.
    pub fn source(&self, source: impl Fn(&mut Readings) + Send + Sync + 'static) {
        self.lock().sources.push(Arc::new(source));
    }

    /// Forgets the metric of that name, and all below it (`name/…`): those of a framework that
    /// is gone. Handles taken before count on without being seen.
    pub fn remove(&self, name: &str) {
        let below = format!("{name}/");
        let mut registry = self.lock();
        registry.by_name.remove(name);
        let names = registry.by_name.range(below.clone()..);
        let names: Vec<String> =
            names.map(|(name, _)| name.clone()).take_while(|n| n.starts_with(&below)).collect();
        for name in names {
            registry.by_name.remove(&name);
        }
    }

    /// All values as `/metrics/snapshot` has them: flat, sorted by name. A timer that measured
    /// nothing yet is left out.
    pub fn snapshot(&self) -> BTreeMap<String, f64> {
        let mut values = self.readings();
        for (name, metric) in self.metrics() {
            match metric {
                Metric::Counter(counter) => {
                    values.insert(name, counter.get() as f64);
                }
                Metric::Gauge(gauge) => {
                    values.insert(name, gauge.get());
                }
                Metric::Timer(timer) => {
                    let Some(statistics) = timer.statistics() else { continue };
                    for (suffix, value) in statistics.rows() {
                        values.insert(format!("{name}/{suffix}"), value);
                    }
                    values.insert(name, statistics.last);
                }
            }
        }
        values
    }

    /// All values as OpenMetrics text, for `/metrics`.
    pub fn openmetrics(&self) -> String {
        openmetrics::write(&self.readings(), &self.metrics())
    }

    fn readings(&self) -> BTreeMap<String, f64> {
        let sources = self.lock().sources.clone();
        let mut readings = Readings::default();
        for source in sources {
            source(&mut readings);
        }
        readings.0
    }

    fn metrics(&self) -> Vec<(String, Metric)> {
        let registry = self.lock();
        registry.by_name.iter().map(|(name, metric)| (name.clone(), metric.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        // A poisoned lock only means that a thread died between two whole changes.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.by_name.keys().collect();
        f.debug_struct("Registry").field("names", &names).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
