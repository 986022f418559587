//! An allocator that was loaded, as any other.

use std::fmt;
use std::time::Duration;

use reeve_module_api::abi_stable::std_types::{RErr, ROk, RSlice};
use reeve_module_api::v2::Fault;
use reeve_module_api::v2::allocator::RawAllocatorBox;
use reeve_module_sdk::allocator::{Allocator, Change, FrameworkIx, RoleIx, Room};

use crate::Watched;

/// An allocator behind the boundary. After a [fault](Self::fault) it is not called again and
/// proposes nothing; whoever has it puts another in its place.
pub struct LoadedAllocator {
    name: String,
    raw: RawAllocatorBox,
    watched: Watched,
    fault: Option<Fault>,
}

impl fmt::Debug for LoadedAllocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedAllocator").field("name", &self.name).finish_non_exhaustive()
    }
}

impl LoadedAllocator {
    pub(super) fn new(name: &str, raw: RawAllocatorBox) -> Self {
        Self { name: name.to_owned(), raw, watched: Watched::default(), fault: None }
    }

    /// Has its calls watched.
    #[must_use]
    pub fn watched(mut self, watched: Watched) -> Self {
        self.watched = watched;
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why it cannot go on, if it cannot.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_ref().map(|fault| fault.message.as_str())
    }
}

impl Allocator for LoadedAllocator {
    fn apply(&mut self, changes: &[Change]) {
        if self.fault.is_none()
            && let RErr(fault) = self.watched.call(|| self.raw.apply(RSlice::from(changes)))
        {
            self.fault = Some(fault);
        }
    }

    fn allocate(&mut self, now: Duration, room: &mut Room) -> bool {
        if self.fault.is_some() {
            return false;
        }
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        match self.watched.call(|| self.raw.allocate(now, room)) {
            ROk(more) => more,
            RErr(fault) => {
                // What it proposed before it failed is not to be believed.
                room.grants.clear();
                room.reclaims.clear();
                self.fault = Some(fault);
                false
            }
        }
    }

    fn explain(&self, framework: FrameworkIx, role: RoleIx) -> Vec<String> {
        if let Some(fault) = &self.fault {
            return vec![format!("the allocator '{}' has failed: {}", self.name, fault.message)];
        }
        match self.watched.call(|| self.raw.explain(framework, role)) {
            ROk(sentences) => sentences.into_iter().map(String::from).collect(),
            RErr(fault) => {
                vec![format!("the allocator '{}' cannot say: {}", self.name, fault.message)]
            }
        }
    }
}
