//! The isolator: one link of the chain that confines a container. The data is that of the
//! interface ([`reeve_module_api::v2::isolator`]), as it stands.

use std::time::Duration;

use reeve_module_api::abi_stable::std_types::{ROption, RResult, RStr, RVec};
use reeve_module_api::v2::Fault;
use reeve_module_api::v2::isolator::RawIsolator;

pub use reeve_module_api::v2::isolator::{
    Container, Figure, Fragment, Grants, Limitation, Ports, Rlimit, Scalar, Survivor, Usage, Value,
    Variable,
};

use crate::Failed;
use crate::guard::guarded;

/// One link of the chain. Its calls come from several threads at a time, those for one container
/// one after another; what a link has no part in, it leaves as it is here.
///
/// Order: `prepare` → spawn → `isolate` → `update`, `usage` and `check` any number of times →
/// `check` once more after the end → `cleanup` in reverse order. Every call has a deadline that
/// the host sets. A container may become unwanted while `prepare` is at work: `cleanup` then comes
/// at the same time, and `prepare` does well to give up.
pub trait Isolator: Send + Sync {
    /// Adopts the containers that outlived the agent, and removes what is left of any other.
    /// Called once, before any other call.
    fn recover(&self, survivors: &[Survivor]) -> Result<(), Failed> {
        let _ = survivors;
        Ok(())
    }

    /// How long `prepare` may take for this container, if longer than other calls. Asked right
    /// before it; answer at once.
    fn patience(&self, container: &Container) -> Option<Duration> {
        let _ = container;
        None
    }

    /// Makes ready for the container. A fragment's wrapper has a contract of its own
    /// ([wrappers](reeve_module_api::v2::isolator#wrappers)).
    fn prepare(&self, container: &Container) -> Result<Fragment, Failed> {
        let _ = container;
        Ok(Fragment::default())
    }

    /// Confines the container's first process before its program starts.
    fn isolate(&self, id: &str, pid: u32) -> Result<(), Failed> {
        let _ = (id, pid);
        Ok(())
    }

    /// Changes what the container may use.
    fn update(&self, id: &str, grants: &Grants) -> Result<(), Failed> {
        let _ = (id, grants);
        Ok(())
    }

    /// What the container uses now.
    fn usage(&self, id: &str) -> Result<Usage, Failed> {
        let _ = id;
        Ok(Usage::default())
    }

    /// A limit that the container has broken since the last call; asked every few seconds, and
    /// once after the container's end.
    fn check(&self, id: &str) -> Result<Option<Limitation>, Failed> {
        let _ = id;
        Ok(None)
    }

    /// Undoes everything; also called after a failed `prepare`, and more than once.
    fn cleanup(&self, id: &str) -> Result<(), Failed> {
        let _ = id;
        Ok(())
    }
}

/// An author's isolator on its way across.
pub(crate) struct Crossing<I>(pub(crate) I);

impl<I: Isolator> RawIsolator for Crossing<I> {
    fn recover(&self, survivors: RVec<Survivor>) -> RResult<(), Fault> {
        guarded(|| self.0.recover(&survivors))
    }

    fn patience(&self, container: &Container) -> RResult<u64, Fault> {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        guarded(|| Ok(self.0.patience(container).map_or(0, millis)))
    }

    fn prepare(&self, container: &Container) -> RResult<Fragment, Fault> {
        guarded(|| self.0.prepare(container))
    }

    fn isolate(&self, id: RStr<'_>, pid: u32) -> RResult<(), Fault> {
        guarded(|| self.0.isolate(&id, pid))
    }

    fn update(&self, id: RStr<'_>, grants: &Grants) -> RResult<(), Fault> {
        guarded(|| self.0.update(&id, grants))
    }

    fn usage(&self, id: RStr<'_>) -> RResult<Usage, Fault> {
        guarded(|| self.0.usage(&id))
    }

    fn check(&self, id: RStr<'_>) -> RResult<ROption<Limitation>, Fault> {
        guarded(|| self.0.check(&id).map(ROption::from))
    }

    fn cleanup(&self, id: RStr<'_>) -> RResult<(), Fault> {
        guarded(|| self.0.cleanup(&id))
    }
}
