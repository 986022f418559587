//! An isolator that was loaded, as any other.

use std::time::Duration;

use reeve_module_api::abi_stable::std_types::{RResult, RStr};
use reeve_module_api::v2::Fault;
use reeve_module_sdk::Failed;
use reeve_module_sdk::isolator::{
    Container, Fragment, Grants, Isolator, Limitation, Survivor, Usage,
};

use super::LoadedIsolator;

/// What a call gave. The chain of isolators names whose failure it was.
fn answer<T>(result: RResult<T, Fault>) -> Result<T, Failed> {
    result.into_result().map_err(|fault| Failed::new(fault.message))
}

impl Isolator for LoadedIsolator {
    fn recover(&self, survivors: &[Survivor]) -> Result<(), Failed> {
        answer(self.raw.recover(survivors.to_vec().into()))
    }

    fn patience(&self, container: &Container) -> Option<Duration> {
        // A module that cannot say gets the time of any other call.
        let millis = answer(self.raw.patience(container)).unwrap_or_default();
        (millis > 0).then(|| Duration::from_millis(millis))
    }

    fn prepare(&self, container: &Container) -> Result<Fragment, Failed> {
        answer(self.raw.prepare(container))
    }

    fn isolate(&self, id: &str, pid: u32) -> Result<(), Failed> {
        answer(self.raw.isolate(RStr::from(id), pid))
    }

    fn update(&self, id: &str, grants: &Grants) -> Result<(), Failed> {
        answer(self.raw.update(RStr::from(id), grants))
    }

    fn usage(&self, id: &str) -> Result<Usage, Failed> {
        answer(self.raw.usage(RStr::from(id)))
    }

    fn check(&self, id: &str) -> Result<Option<Limitation>, Failed> {
        answer(self.raw.check(RStr::from(id))).map(Into::into)
    }

    fn cleanup(&self, id: &str) -> Result<(), Failed> {
        answer(self.raw.cleanup(RStr::from(id)))
    }
}
