//! The container logger: where a container's output goes. The data is that of the interface
//! ([`reeve_module_api::v2::container_logger`]), as it stands.

use reeve_module_api::abi_stable::std_types::RResult;
use reeve_module_api::v2::Fault;
use reeve_module_api::v2::container_logger::RawContainerLogger;

pub use reeve_module_api::v2::container_logger::{Sink, Streams};
pub use reeve_module_api::v2::isolator::Container;

use crate::Failed;
use crate::guard::guarded;

/// Says where a container's output goes.
pub trait ContainerLogger: Send + Sync {
    /// Where the output of a container that is about to start shall go. Whoever reads a task's
    /// output looks for the files `stdout` and `stderr` in its sandbox. An error fails the
    /// container.
    fn streams(&self, container: &Container) -> Result<Streams, Failed>;
}

/// An author's container logger on its way across.
pub(crate) struct Crossing<L>(pub(crate) L);

impl<L: ContainerLogger> RawContainerLogger for Crossing<L> {
    fn streams(&self, container: &Container) -> RResult<Streams, Fault> {
        guarded(|| self.0.streams(container))
    }
}
