//! A module that hears everything and proposes what a test tells it.

use std::time::Duration;

use reeve_module_sdk::allocator::{Allocator, Change, FrameworkIx, Reclaim, RoleIx, Room};

use super::Drf;

#[derive(Debug, Default)]
pub(super) struct Scripted {
    drf: Drf,
    /// All it was told.
    pub(super) heard: Vec<Change>,
    /// When it was asked.
    pub(super) asked: Vec<Duration>,
    /// What it wishes the next time it is asked.
    pub(super) wake_after: Duration,
    /// What it wants back the next time it is asked.
    pub(super) reclaims: Vec<Reclaim>,
}

impl Allocator for Scripted {
    fn apply(&mut self, changes: &[Change]) {
        self.heard.extend_from_slice(changes);
        self.drf.apply(changes);
    }

    fn allocate(&mut self, now: Duration, room: &mut Room) -> bool {
        self.asked.push(now);
        let more = self.drf.allocate(now, room);
        room.wake_after = std::mem::take(&mut self.wake_after).as_nanos() as u64;
        room.reclaims = std::mem::take(&mut self.reclaims).into();
        more
    }

    fn explain(&self, framework: FrameworkIx, role: RoleIx) -> Vec<String> {
        self.drf.explain(framework, role)
    }
}
