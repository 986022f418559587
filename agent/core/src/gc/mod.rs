//! When directories of the past are deleted (RC-8). What is deleted, and how, is elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reeve_machine::Tick;

use crate::effect::Effect;
use crate::options::Options;
use crate::step::Step;

/// Paths that wait for their deletion.
#[derive(Debug)]
pub(crate) struct Collector {
    delay: Duration,
    headroom: u32,
    /// How old a path may get: the delay, shrunk as the disk fills up.
    allowed: Duration,
    since: BTreeMap<String, Tick>,
    order: BTreeSet<(Tick, String)>,
    removing: BTreeSet<String>,
}

impl Collector {
    pub(crate) fn new(options: &Options) -> Self {
        Collector {
            delay: options.gc_delay,
            headroom: options.gc_disk_headroom,
            allowed: options.gc_delay,
            since: BTreeMap::new(),
            order: BTreeSet::new(),
            removing: BTreeSet::new(),
        }
    }

    /// A directory of the past.
    pub(crate) fn schedule(&mut self, now: Tick, path: String) {
        self.keep(&path);
        self.since.insert(path.clone(), now);
        self.order.insert((now, path));
    }

    /// A directory is used again. Returns whether it can be: not while it is being deleted.
    pub(crate) fn keep(&mut self, path: &str) -> bool {
        if let Some((path, at)) = self.since.remove_entry(path) {
            self.order.remove(&(at, path));
        }
        !self.removing.contains(path)
    }

    /// The disk's usage, in thousandths: the fuller, the less of the past is kept
    /// (`gc_delay × max(0, 1 − headroom − usage)`).
    pub(crate) fn disk_usage(&mut self, step: &mut Step<'_>, usage: u32) {
        let free = 1000u32.saturating_sub(self.headroom).saturating_sub(usage);
        self.allowed = self.delay.saturating_mul(free) / 1000;
        self.collect(step);
    }

    /// Deletes what is older than allowed.
    pub(crate) fn collect(&mut self, step: &mut Step<'_>) {
        while let Some((at, path)) = self.order.first() {
            if *at + self.allowed > step.now {
                return;
            }
            let path = path.clone();
            self.keep(&path);
            self.removing.insert(path.clone());
            step.emit(Effect::Remove(path));
        }
    }

    /// A deletion is over.
    pub(crate) fn removed(&mut self, path: &str) {
        self.removing.remove(path);
    }

    pub(crate) fn deadline(&self) -> Option<Tick> {
        self.order.first().map(|(at, _)| *at + self.allowed)
    }

    /// Whether the path is, or waits to be, deleted.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.since.contains_key(path) || self.removing.contains(path)
    }
}
