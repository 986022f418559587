//! The hook: a say in what is launched, at a few fixed places. The data is that of the interface
//! ([`reeve_module_api::v2::hook`]), as it stands.

use reeve_module_api::abi_stable::std_types::{ROption, RResult, RSlice, RStr, RVec};
use reeve_module_api::v2::Fault;
use reeve_module_api::v2::hook::RawHook;

pub use reeve_module_api::v2::Label;
pub use reeve_module_api::v2::hook::Place;
pub use reeve_module_api::v2::isolator::Variable;

use crate::Failed;
use crate::guard::guarded;

/// Has a say in what is launched. Messages of Mesos come as protobuf of `mesos.v1`. A call that
/// fails changes nothing and is logged; where several hooks are configured, each sees what the
/// one before it left.
pub trait Hook: Send + Sync {
    /// The labels that the task shall have in place of its own, or nothing to leave them.
    fn labels(
        &self,
        place: Place,
        task_info: &[u8],
        framework_info: &[u8],
    ) -> Result<Option<Vec<Label>>, Failed> {
        let _ = (place, task_info, framework_info);
        Ok(None)
    }

    /// Variables to add to the environment of an executor and of the tasks that it starts.
    fn environment(&self, executor_info: &[u8]) -> Result<Vec<Variable>, Failed> {
        let _ = executor_info;
        Ok(Vec::new())
    }

    /// Told by the master when an agent is unreachable, gone, or was removed.
    fn agent_lost(&self, agent_id: &str) -> Result<(), Failed> {
        let _ = agent_id;
        Ok(())
    }

    /// Told by the agent when an executor has ended and its container is gone.
    fn executor_ended(&self, framework_id: &str, executor_id: &str) -> Result<(), Failed> {
        let _ = (framework_id, executor_id);
        Ok(())
    }
}

/// An author's hook on its way across.
pub(crate) struct Crossing<H>(pub(crate) H);

impl<H: Hook> RawHook for Crossing<H> {
    fn labels(
        &self,
        place: Place,
        task_info: RSlice<'_, u8>,
        framework_info: RSlice<'_, u8>,
    ) -> RResult<ROption<RVec<Label>>, Fault> {
        guarded(|| {
            let labels = self.0.labels(place, &task_info, &framework_info)?;
            Ok(labels.map(RVec::from).into())
        })
    }

    fn environment(&self, executor_info: RSlice<'_, u8>) -> RResult<RVec<Variable>, Fault> {
        guarded(|| self.0.environment(&executor_info).map(RVec::from))
    }

    fn agent_lost(&self, agent_id: RStr<'_>) -> RResult<(), Fault> {
        guarded(|| self.0.agent_lost(&agent_id))
    }

    fn executor_ended(&self, framework_id: RStr<'_>, executor_id: RStr<'_>) -> RResult<(), Fault> {
        guarded(|| self.0.executor_ended(&framework_id, &executor_id))
    }
}
