//! The order of the children of one node. What they are compared by is the caller's.

use std::cmp::Ordering;
use std::collections::VecDeque;

/// Numbers of siblings, lowest standing first, as of one epoch of the cluster's totals.
///
/// A sorted ring of four-byte numbers: moving a few kilobytes beats rebalancing a tree far beyond
/// the ten thousand siblings that a node has in practice. Mostly the first is granted something and
/// becomes the last: both ends are tried before the order is searched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Siblings {
    order: VecDeque<u32>,
    epoch: u64,
}

impl Siblings {
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn get(&self, at: usize) -> Option<u32> {
        self.order.get(at).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.order.iter().copied()
    }

    pub(crate) fn is_sorted_for(&self, epoch: u64) -> bool {
        self.epoch == epoch || self.order.len() < 2
    }

    pub(crate) fn sort(&mut self, epoch: u64, compare: impl Fn(u32, u32) -> Ordering) {
        // Stable: it is linear on what is nearly in order already.
        self.order.make_contiguous().sort_by(|&a, &b| compare(a, b));
        self.epoch = epoch;
    }

    /// Adds a sibling; in a stale order, anywhere.
    pub(crate) fn insert(
        &mut self,
        member: u32,
        epoch: u64,
        compare: impl Fn(u32, u32) -> Ordering,
    ) {
        if self.order.is_empty() {
            self.epoch = epoch;
        }
        let before = |&other: &u32| compare(other, member) == Ordering::Less;
        let at = if self.epoch != epoch || self.order.back().is_none_or(before) {
            self.order.len()
        } else {
            self.order.partition_point(before)
        };
        self.order.insert(at, member);
    }

    /// Takes a sibling out; its standing must still be the one it was inserted with.
    pub(crate) fn remove(
        &mut self,
        member: u32,
        epoch: u64,
        compare: impl Fn(u32, u32) -> Ordering,
    ) {
        if self.order.front() == Some(&member) {
            self.order.pop_front();
            return;
        }
        let before = |&other: &u32| compare(other, member) == Ordering::Less;
        let searched = if self.epoch == epoch { self.order.partition_point(before) } else { 0 };
        let at = if self.order.get(searched) == Some(&member) {
            Some(searched)
        } else {
            self.order.iter().position(|&other| other == member)
        };
        if let Some(at) = at {
            self.order.remove(at);
        }
    }
}
