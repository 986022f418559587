//! A world for machines: virtual time, nodes that crash and pause, and a network that delays,
//! loses and breaks. One seed, one history.
//!
//! What the nodes are, and what they say to each other, is the caller's.

mod link;
mod node;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::{Chance, Tick};
use link::Link;
use node::Process;

/// A node, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub u32);

/// Something that happens now.
#[derive(Clone, Debug)]
pub enum Arrival<M> {
    /// A message came over the network.
    Message {
        /// Who sent it.
        from: Node,
        /// Who got it.
        to: Node,
        /// What it says.
        message: M,
    },
    /// Something a node asked for of its own machine: a timer, a write to disk.
    Local {
        /// The node.
        node: Node,
        /// What it asked for.
        message: M,
    },
    /// A node learns that its connection to a peer broke.
    Broken {
        /// The node.
        node: Node,
        /// The peer.
        peer: Node,
    },
    /// Something that was scheduled from outside, whatever the nodes' state.
    Outside(M),
}

/// What waits in the agenda.
#[derive(Clone, Debug)]
enum Entry<M> {
    Message {
        from: Node,
        to: Node,
        epoch: u32,
        life: u32,
        message: M,
    },
    Local {
        node: Node,
        life: u32,
        message: M,
    },
    Broken {
        node: Node,
        life: u32,
        peer: Node,
    },
    /// A connection that stalled for too long gives up.
    Stalled {
        from: Node,
        to: Node,
        epoch: u32,
    },
    Outside(M),
}

/// How the network behaves when nothing is wrong, and how long it stalls before it gives up.
#[derive(Clone, Debug)]
pub struct Network {
    /// Shortest and longest time a message takes.
    pub delay: (Duration, Duration),
    /// How long after the fact a broken connection is noticed.
    pub notice: (Duration, Duration),
    /// How long a connection through a partition is kept: what is sent meanwhile arrives late if
    /// the partition heals, and is lost if it does not.
    pub stall: (Duration, Duration),
}

impl Default for Network {
    fn default() -> Self {
        Network {
            delay: (Duration::from_micros(200), Duration::from_millis(3)),
            notice: (Duration::from_micros(200), Duration::from_millis(20)),
            stall: (Duration::from_secs(5), Duration::from_secs(60)),
        }
    }
}

/// The world.
#[derive(Debug)]
pub struct World<M> {
    now: Tick,
    chance: Chance,
    network: Network,
    agenda: BTreeMap<(Tick, u64), Entry<M>>,
    next: u64,
    nodes: Vec<Process>,
    links: BTreeMap<(Node, Node), Link<M>>,
    /// Who wants to hear of the end of a connection to whom.
    watches: BTreeSet<(Node, Node)>,
    trace: u64,
    steps: u64,
}

impl<M: Clone> World<M> {
    /// Sends over the network: in order per connection, at most once unless it
    /// repeats.
    pub fn send(&mut self, from: Node, to: Node, message: M) {
        if !self.is_up(to) {
            self.notice(from, to);
            return;
        }
        let delay = self.draw(self.network.delay);
        let stall = self.draw(self.network.stall);
        let life = self.life(to);
        let link = self.links.entry((from, to)).or_default();
        let epoch = link.epoch;
        if link.blocked {
            let first = link.held.is_empty();
            link.held.push_back((life, message));
            if first {
                self.schedule(self.now + stall, Entry::Stalled { from, to, epoch });
            }
            return;
        }
        let at = link.clear.max(self.now + delay + link.slowness);
        link.clear = at;
        if link.repeats {
            let message = message.clone();
            self.schedule(at, Entry::Message { from, to, epoch, life, message });
        }
        self.schedule(at, Entry::Message { from, to, epoch, life, message });
    }
}

impl<M> World<M> {
    /// An empty world.
    pub fn new(seed: u64, network: Network) -> Self {
        World {
            now: Tick::ZERO,
            chance: Chance::new(seed),
            network,
            agenda: BTreeMap::new(),
            next: 0,
            nodes: Vec::new(),
            links: BTreeMap::new(),
            watches: BTreeSet::new(),
            trace: 0xcbf2_9ce4_8422_2325,
            steps: 0,
        }
    }

    /// The time.
    pub fn now(&self) -> Tick {
        self.now
    }

    /// This world's chance.
    pub fn chance(&mut self) -> &mut Chance {
        &mut self.chance
    }

    /// A fingerprint of everything that happened so far.
    pub fn trace(&self) -> u64 {
        self.trace
    }

    /// How much happened so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Lets the fingerprint depend on a number.
    pub fn mix(&mut self, number: u64) {
        // FNV-1a over words.
        self.trace = (self.trace ^ number).wrapping_mul(0x0000_0100_0000_01b3);
        self.trace ^= self.trace >> 29;
    }

    /// A new node, which is up.
    pub fn add_node(&mut self) -> Node {
        let node = Node(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Process::new());
        node
    }

    /// Something a node does on its own machine, over after `delay` by its own clock. Lost if the
    /// node crashes.
    pub fn local(&mut self, node: Node, delay: Duration, message: M) {
        let life = self.life(node);
        let delay = self.span(node, delay);
        self.schedule(self.now + delay, Entry::Local { node, life, message });
    }

    /// Something that happens whatever the nodes do.
    pub fn outside(&mut self, delay: Duration, message: M) {
        self.schedule(self.now + delay, Entry::Outside(message));
    }

    /// Tells `node` once when its connection to `peer` breaks.
    pub fn watch(&mut self, node: Node, peer: Node) {
        self.watches.insert((node, peer));
        if !self.is_up(peer) {
            self.notice(node, peer);
        }
    }

    /// The next thing that happens, if anything does before `end`. Time goes on to it.
    pub fn next(&mut self, end: Tick) -> Option<Arrival<M>> {
        loop {
            let (&(at, number), _) = self.agenda.first_key_value()?;
            if at > end {
                return None;
            }
            let entry = self.agenda.remove(&(at, number))?;
            self.now = at;
            if let Some(arrival) = self.arrive(entry) {
                self.steps += 1;
                self.mix(at.0 ^ number.rotate_left(40));
                return Some(arrival);
            }
        }
    }

    fn arrive(&mut self, entry: Entry<M>) -> Option<Arrival<M>> {
        match entry {
            Entry::Message { from, to, epoch, life, message } => {
                let current = self.links.get(&(from, to)).map_or(0, |link| link.epoch);
                if current != epoch || !self.lives(to, life) {
                    return None;
                }
                if let Some(end) = self.paused(to) {
                    let entry = Entry::Message { from, to, epoch, life, message };
                    self.schedule(end, entry);
                    return None;
                }
                Some(Arrival::Message { from, to, message })
            }
            Entry::Local { node, life, message } => {
                if !self.lives(node, life) {
                    return None;
                }
                if let Some(end) = self.paused(node) {
                    self.schedule(end, Entry::Local { node, life, message });
                    return None;
                }
                Some(Arrival::Local { node, message })
            }
            Entry::Broken { node, life, peer } => {
                if !self.lives(node, life) {
                    return None;
                }
                if let Some(end) = self.paused(node) {
                    self.schedule(end, Entry::Broken { node, life, peer });
                    return None;
                }
                Some(Arrival::Broken { node, peer })
            }
            Entry::Stalled { from, to, epoch } => {
                let stalled =
                    self.links.get(&(from, to)).is_some_and(|link| link.stalled_since(epoch));
                if stalled {
                    self.cut(from, to, true);
                }
                None
            }
            Entry::Outside(message) => Some(Arrival::Outside(message)),
        }
    }

    fn schedule(&mut self, at: Tick, entry: Entry<M>) {
        self.agenda.insert((at, self.next), entry);
        self.next += 1;
    }

    /// `node` will learn that its connection to `peer` is gone, if it cares.
    fn notice(&mut self, node: Node, peer: Node) {
        if self.watches.remove(&(node, peer)) {
            let delay = self.draw(self.network.notice);
            let life = self.life(node);
            self.schedule(self.now + delay, Entry::Broken { node, life, peer });
        }
    }

    fn draw(&mut self, (least, most): (Duration, Duration)) -> Duration {
        self.chance.duration(least..most)
    }
}
