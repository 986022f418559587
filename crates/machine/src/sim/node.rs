//! Processes that crash, start again and pause.

use std::time::Duration;

use super::{Node, World};
use crate::Tick;

/// One node's process.
#[derive(Debug)]
pub(super) struct Process {
    up: bool,
    /// Counts starts: what was meant for an earlier process is lost with it.
    life: u32,
    paused_until: Tick,
    /// How fast its clock is, in thousandths.
    rate: u32,
}

impl Process {
    pub(super) fn new() -> Self {
        Process { up: true, life: 0, paused_until: Tick::ZERO, rate: 1000 }
    }
}

impl<M> World<M> {
    /// Whether the node's process runs.
    pub fn is_up(&self, node: Node) -> bool {
        self.process(node).is_some_and(|process| process.up)
    }

    /// Ends the node's process. Who watches it learns of it, unless a partition is between them.
    pub fn crash(&mut self, node: Node) {
        let Some(process) = self.nodes.get_mut(node.0 as usize) else { return };
        process.up = false;
        process.life += 1;
        process.paused_until = Tick::ZERO;
        self.watches.retain(|(watcher, _)| *watcher != node);
        let watchers: Vec<Node> = self
            .watches
            .iter()
            .filter(|(_, of)| *of == node)
            .map(|(watcher, _)| *watcher)
            .collect();
        for watcher in watchers {
            let blocked = self.links.get(&(node, watcher)).is_some_and(|link| link.blocked);
            if !blocked {
                self.notice(watcher, node);
            }
        }
    }

    /// Starts the node's process anew.
    pub fn restart(&mut self, node: Node) {
        if let Some(process) = self.nodes.get_mut(node.0 as usize) {
            process.up = true;
        }
    }

    /// Stops the node for a while: what arrives waits.
    pub fn pause(&mut self, node: Node, span: Duration) {
        let until = self.now + span;
        if let Some(process) = self.nodes.get_mut(node.0 as usize) {
            process.paused_until = process.paused_until.max(until);
        }
    }

    /// Lets the node's clock go this fast, in thousandths of the world's; no less than one.
    pub fn set_rate(&mut self, node: Node, thousandths: u32) {
        if let Some(process) = self.nodes.get_mut(node.0 as usize) {
            process.rate = thousandths.max(1);
        }
    }

    /// The time by the node's own clock.
    pub fn clock(&self, node: Node) -> Tick {
        let time = u128::from(self.now.0) * u128::from(self.rate(node)) / 1000;
        Tick(u64::try_from(time).unwrap_or(u64::MAX))
    }

    /// How long a span of the node's clock takes.
    pub(super) fn span(&self, node: Node, by_its_clock: Duration) -> Duration {
        let span = (by_its_clock.as_nanos() * 1000).div_ceil(u128::from(self.rate(node)));
        Duration::from_nanos(u64::try_from(span).unwrap_or(u64::MAX))
    }

    fn rate(&self, node: Node) -> u32 {
        self.process(node).map_or(1000, |process| process.rate)
    }

    pub(super) fn lives(&self, node: Node, life: u32) -> bool {
        self.process(node).is_some_and(|process| process.up && process.life == life)
    }

    pub(super) fn life(&self, node: Node) -> u32 {
        self.process(node).map_or(0, |process| process.life)
    }

    /// Until when the node is paused, if it is.
    pub(super) fn paused(&self, node: Node) -> Option<Tick> {
        let until = self.process(node)?.paused_until;
        (until > self.now).then_some(until)
    }

    fn process(&self, node: Node) -> Option<&Process> {
        self.nodes.get(node.0 as usize)
    }
}
