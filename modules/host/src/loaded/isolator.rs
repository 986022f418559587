//! An isolator that was loaded, as any other.

use reeve_module_api::abi_stable::std_types::RStr;
use reeve_module_sdk::Failed;
use reeve_module_sdk::isolator::{
    Container, Fragment, Grants, Isolator, Limitation, Survivor, Usage,
};

use super::LoadedIsolator;

impl Isolator for LoadedIsolator {
    fn recover(&self, survivors: &[Survivor]) -> Result<(), Failed> {
        self.answer(self.raw.recover(survivors.to_vec().into()))
    }

    fn prepare(&self, container: &Container) -> Result<Fragment, Failed> {
        self.answer(self.raw.prepare(container))
    }

    fn isolate(&self, id: &str, pid: u32) -> Result<(), Failed> {
        self.answer(self.raw.isolate(RStr::from(id), pid))
    }

    fn update(&self, id: &str, grants: &Grants) -> Result<(), Failed> {
        self.answer(self.raw.update(RStr::from(id), grants))
    }

    fn usage(&self, id: &str) -> Result<Usage, Failed> {
        self.answer(self.raw.usage(RStr::from(id)))
    }

    fn check(&self, id: &str) -> Result<Option<Limitation>, Failed> {
        self.answer(self.raw.check(RStr::from(id))).map(Into::into)
    }

    fn cleanup(&self, id: &str) -> Result<(), Failed> {
        self.answer(self.raw.cleanup(RStr::from(id)))
    }
}
