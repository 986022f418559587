//! How long things take: the last value and percentiles of the recent ones.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many durations are kept (Mesos keeps as many).
const WINDOW: usize = 1000;

/// Measures durations. Clones are the same timer.
#[derive(Clone, Debug, Default)]
pub struct Timer(Arc<Mutex<VecDeque<f64>>>);

/// A timer's recent durations, in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statistics {
    pub(super) last: f64,
    sorted: Vec<f64>,
}

impl Timer {
    /// Takes in a duration.
    pub fn record(&self, duration: Duration) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == WINDOW {
            recent.pop_front();
        }
        recent.push_back(duration.as_nanos() as f64 / 1_000_000.0);
    }

    /// Does the work and takes in how long it took.
    pub fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.record(start.elapsed());
        result
    }

    pub(super) fn statistics(&self) -> Option<Statistics> {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = *recent.back()?;
        let mut sorted: Vec<f64> = recent.iter().copied().collect();
        drop(recent);
        sorted.sort_by(f64::total_cmp);
        Some(Statistics { last, sorted })
    }
}

impl Statistics {
    /// Mesos's names for them, with their values.
    pub(super) fn rows(&self) -> [(&'static str, f64); 9] {
        [
            ("count", self.sorted.len() as f64),
            ("max", self.percentile(1.0)),
            ("min", self.percentile(0.0)),
            ("p50", self.percentile(0.5)),
            ("p90", self.percentile(0.9)),
            ("p95", self.percentile(0.95)),
            ("p99", self.percentile(0.99)),
            ("p999", self.percentile(0.999)),
            ("p9999", self.percentile(0.9999)),
        ]
    }

    pub(super) fn count(&self) -> usize {
        self.sorted.len()
    }

    pub(super) fn sum(&self) -> f64 {
        self.sorted.iter().sum()
    }

    /// The value below which that share of the durations lies, between two by their distance.
    pub(super) fn percentile(&self, share: f64) -> f64 {
        let position = share * self.sorted.len().saturating_sub(1) as f64;
        let (below, above) = (position.floor() as usize, position.ceil() as usize);
        match (self.sorted.get(below), self.sorted.get(above)) {
            (Some(low), Some(high)) => low + (high - low) * position.fract(),
            _ => 0.0,
        }
    }
}
