//! Connections and what goes wrong with them.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Entry, Node, World};
use crate::Tick;

/// One direction between two nodes.
#[derive(Debug)]
pub(super) struct Link<M> {
    /// Counts connections: what was sent on an earlier one is lost with it.
    pub(super) epoch: u32,
    /// When the last message sent arrives: later ones come after it.
    pub(super) clear: Tick,
    /// On top of the usual delay.
    pub(super) slowness: Duration,
    /// Whether nothing gets through.
    pub(super) blocked: bool,
    /// Whether each message comes twice.
    pub(super) repeats: bool,
    /// What waits for a partition to heal, with the life of the receiver it is meant for.
    pub(super) held: VecDeque<(u32, M)>,
}

impl<M> Default for Link<M> {
    fn default() -> Self {
        Link {
            epoch: 0,
            clear: Tick::ZERO,
            slowness: Duration::ZERO,
            blocked: false,
            repeats: false,
            held: VecDeque::new(),
        }
    }
}

impl<M> Link<M> {
    pub(super) fn stalled_since(&self, epoch: u32) -> bool {
        self.blocked && self.epoch == epoch && !self.held.is_empty()
    }
}

impl<M> World<M> {
    /// Breaks the connection from `from` to `to`: what is under way is lost. If it is `heard`, both
    /// ends learn of it soon; otherwise it stays half open.
    pub fn cut(&mut self, from: Node, to: Node, heard: bool) {
        let link = self.links.entry((from, to)).or_default();
        link.epoch += 1;
        link.held.clear();
        link.clear = self.now;
        if heard {
            self.notice(from, to);
            self.notice(to, from);
        }
    }

    /// A second connection is opened beside the first: what is sent from now on can overtake what
    /// is under way.
    pub fn double(&mut self, from: Node, to: Node) {
        self.links.entry((from, to)).or_default().clear = self.now;
    }

    /// Adds to the delay of a connection from now on.
    pub fn slow(&mut self, from: Node, to: Node, by: Duration) {
        self.links.entry((from, to)).or_default().slowness = by;
    }

    /// Lets each message arrive twice from now on, the second right behind the first.
    pub fn repeat(&mut self, from: Node, to: Node) {
        self.links.entry((from, to)).or_default().repeats = true;
    }

    /// What is under way on a connection.
    pub fn under_way(&self, from: Node, to: Node) -> impl Iterator<Item = &M> {
        let current = self.links.get(&(from, to)).map_or(0, |link| link.epoch);
        self.agenda.values().filter_map(move |entry| match entry {
            Entry::Message { from: a, to: b, epoch, message, .. }
                if (*a, *b, *epoch) == (from, to, current) =>
            {
                Some(message)
            }
            _ => None,
        })
    }

    /// Lets nothing through in this direction until it is healed.
    pub fn block(&mut self, from: Node, to: Node) {
        self.links.entry((from, to)).or_default().blocked = true;
    }

    /// Lets everything through again; what was sent meanwhile, and whose connection was not given
    /// up, arrives now.
    pub fn heal(&mut self, from: Node, to: Node) {
        let Some(link) = self.links.get_mut(&(from, to)) else { return };
        link.blocked = false;
        link.repeats = false;
        link.slowness = Duration::ZERO;
        let held = std::mem::take(&mut link.held);
        let epoch = link.epoch;
        for (life, message) in held {
            let delay = self.draw(self.network.delay);
            let Some(link) = self.links.get_mut(&(from, to)) else { return };
            let at = link.clear.max(self.now + delay);
            link.clear = at;
            self.schedule(at, Entry::Message { from, to, epoch, life, message });
        }
    }

    /// Heals every connection.
    pub fn heal_all(&mut self) {
        let pairs: Vec<(Node, Node)> = self.links.keys().copied().collect();
        for (from, to) in pairs {
            self.heal(from, to);
        }
    }
}
