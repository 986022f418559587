//! A queue of deadlines by key. It knows no clock: `now` is always handed in.

use std::collections::{BTreeMap, BTreeSet};

use crate::Tick;

/// Deadlines, at most one per key. Setting, replacing, cancelling and taking cost O(log n);
/// nothing is left behind by a cancelled deadline.
///
/// Deadlines of equal tick come due in the order of their keys, so a run can be replayed.
#[derive(Clone, Debug)]
pub struct Timers<K> {
    by_key: BTreeMap<K, Tick>,
    by_time: BTreeSet<(Tick, K)>,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Timers { by_key: BTreeMap::new(), by_time: BTreeSet::new() }
    }
}

impl<K: Ord + Clone> Timers<K> {
    /// No deadlines.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the deadline of `key`, in place of an earlier one, which is returned.
    pub fn set(&mut self, key: K, at: Tick) -> Option<Tick> {
        let old = self.by_key.insert(key.clone(), at);
        if old == Some(at) {
            return old;
        }
        if let Some(old) = old {
            self.by_time.remove(&(old, key.clone()));
        }
        self.by_time.insert((at, key));
        old
    }

    /// Forgets the deadline of `key` and returns it.
    pub fn cancel(&mut self, key: &K) -> Option<Tick> {
        let (key, at) = self.by_key.remove_entry(key)?;
        self.by_time.remove(&(at, key));
        Some(at)
    }

    /// When `key` is due.
    pub fn get(&self, key: &K) -> Option<Tick> {
        self.by_key.get(key).copied()
    }

    /// The earliest deadline: what a machine's `deadline()` is made of.
    pub fn next(&self) -> Option<Tick> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes out one key whose deadline is at or before `now`, the earliest first. Call it
    /// until it returns `None`.
    pub fn due(&mut self, now: Tick) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }

    /// How many deadlines are set.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether no deadline is set.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Forgets all deadlines.
    pub fn clear(&mut self) {
        self.by_key.clear();
        self.by_time.clear();
    }
}

#[cfg(test)]
mod tests;
