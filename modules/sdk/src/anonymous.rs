//! The anonymous module: one that nobody calls for a decision.

use reeve_module_api::abi_stable::std_types::{RResult, RSlice};
use reeve_module_api::v2::Fault;
use reeve_module_api::v2::anonymous::RawAnonymous;

pub use reeve_module_api::v2::isolator::{Figure, Value};

use crate::Failed;
use crate::guard::guarded;

/// Lives as long as its daemon. What it does besides, it does on threads of its own.
pub trait Anonymous: Send + Sync {
    /// Shown the metrics of the daemon every ten seconds, by the names of `/metrics/snapshot`.
    fn metrics(&self, metrics: &[Figure]) -> Result<(), Failed> {
        let _ = metrics;
        Ok(())
    }
}

/// An author's anonymous module on its way across.
pub(crate) struct Crossing<A>(pub(crate) A);

impl<A: Anonymous> RawAnonymous for Crossing<A> {
    fn metrics(&self, metrics: RSlice<'_, Figure>) -> RResult<(), Fault> {
        guarded(|| self.0.metrics(&metrics))
    }
}
