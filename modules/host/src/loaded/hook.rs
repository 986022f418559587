//! A hook that was loaded, as any other.

use reeve_module_api::abi_stable::std_types::{RSlice, RStr, RVec};
use reeve_module_sdk::Failed;
use reeve_module_sdk::hook::{Hook, Label, Place, Variable};

use super::LoadedHook;

impl Hook for LoadedHook {
    fn labels(
        &self,
        place: Place,
        task_info: &[u8],
        framework_info: &[u8],
    ) -> Result<Option<Vec<Label>>, Failed> {
        let (task, framework) = (RSlice::from(task_info), RSlice::from(framework_info));
        let labels = self.answer(self.raw.labels(place, task, framework))?;
        Ok(labels.into_option().map(RVec::into_vec))
    }

    fn environment(&self, executor_info: &[u8]) -> Result<Vec<Variable>, Failed> {
        self.answer(self.raw.environment(RSlice::from(executor_info))).map(RVec::into_vec)
    }

    fn agent_lost(&self, agent_id: &str) -> Result<(), Failed> {
        self.answer(self.raw.agent_lost(RStr::from(agent_id)))
    }

    fn executor_ended(&self, framework_id: &str, executor_id: &str) -> Result<(), Failed> {
        self.answer(self.raw.executor_ended(RStr::from(framework_id), RStr::from(executor_id)))
    }
}
