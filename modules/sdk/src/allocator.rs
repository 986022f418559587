//! The allocator: who is offered what next. The data is that of the interface
//! ([`reeve_module_api::v2::allocator`]), as it stands.

use std::time::Duration;

use reeve_module_api::abi_stable::std_types::{RResult, RSlice, RString, RVec};
use reeve_module_api::v2::Fault;
use reeve_module_api::v2::allocator::RawAllocator;

pub use reeve_module_api::v2::allocator::{
    AgentIx, Change, FrameworkIx, Free, Grant, KindIx, Limit, Reclaim, Reserved, RoleIx, Room,
    Share, TAKES_REVOCABLE, Taken,
};
pub use reeve_module_api::v2::{Amounts, Label};

use crate::guard::guarded;

/// A policy of allocation.
///
/// Order of calls: `apply` with what changed, then `allocate`, over and over. A module books its
/// own grants as it makes them, out of the `Free` that it was told; the host says nothing about a
/// grant that it carried out so, and answers any other with [`Change::Undone`] at the next `apply`.
/// One round grants the same agent to the same framework and role once at most.
///
/// A module that wants resources back for others says so in [`Room::reclaims`]; they come as `Holds`
/// and `Free` when they are there, which takes as long as tasks take to end. A module that waits for
/// a time and not for a change sets [`Room::wake_after`].
pub trait Allocator: Send {
    /// Takes in what changed since the last call.
    fn apply(&mut self, changes: &[Change]);

    /// Fills `room` with grants for agents that changed since they were last visited. `now` is the
    /// time since the host's start. Returns whether agents are left to visit.
    fn allocate(&mut self, now: Duration, room: &mut Room) -> bool;

    /// Why this framework has no offer for this role now, one sentence each, most telling first.
    fn explain(&self, framework: FrameworkIx, role: RoleIx) -> Vec<String>;
}

impl<A: Allocator + ?Sized> Allocator for Box<A> {
    fn apply(&mut self, changes: &[Change]) {
        (**self).apply(changes);
    }

    fn allocate(&mut self, now: Duration, room: &mut Room) -> bool {
        (**self).allocate(now, room)
    }

    fn explain(&self, framework: FrameworkIx, role: RoleIx) -> Vec<String> {
        (**self).explain(framework, role)
    }
}

/// An author's allocator on its way across.
pub(crate) struct Crossing<A>(pub(crate) A);

impl<A: Allocator> RawAllocator for Crossing<A> {
    fn apply(&mut self, changes: RSlice<'_, Change>) -> RResult<(), Fault> {
        guarded(|| {
            self.0.apply(changes.as_slice());
            Ok(())
        })
    }

    fn allocate(&mut self, now: u64, room: &mut Room) -> RResult<bool, Fault> {
        guarded(|| Ok(self.0.allocate(Duration::from_nanos(now), room)))
    }

    fn explain(&self, framework: FrameworkIx, role: RoleIx) -> RResult<RVec<RString>, Fault> {
        guarded(|| {
            let sentences = self.0.explain(framework, role);
            Ok(sentences.into_iter().map(RString::from).collect())
        })
    }
}
