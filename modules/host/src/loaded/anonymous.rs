//! An anonymous module that was loaded, as any other.

use reeve_module_api::abi_stable::std_types::RSlice;
use reeve_module_sdk::Failed;
use reeve_module_sdk::anonymous::{Anonymous, Figure};

use super::LoadedAnonymous;

impl Anonymous for LoadedAnonymous {
    fn metrics(&self, metrics: &[Figure]) -> Result<(), Failed> {
        self.answer(self.raw.metrics(RSlice::from(metrics)))
    }
}
