//! A container logger that was loaded, as any other.

use reeve_module_sdk::Failed;
use reeve_module_sdk::container_logger::{Container, ContainerLogger, Streams};

use super::LoadedContainerLogger;

impl ContainerLogger for LoadedContainerLogger {
    fn streams(&self, container: &Container) -> Result<Streams, Failed> {
        self.answer(self.raw.streams(container))
    }
}
