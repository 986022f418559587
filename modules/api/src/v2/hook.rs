//! The hook: a say in what is launched, at a few fixed places.

use abi_stable::std_types::{RBox, ROption, RResult, RSlice, RStr, RVec};
use abi_stable::{StableAbi, sabi_trait};

use super::{Fault, Label, isolator::Variable};

/// Where a launch is when a hook is asked.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, StableAbi)]
pub enum Place {
    /// In the master, before the agent is told.
    Master,
    /// In the agent, before the executor is told.
    Agent,
}

/// A hook as it crosses; the SDK makes one of its plain trait `Hook`, which says what the calls
/// mean. Messages of Mesos come as protobuf of `mesos.v1`.
#[sabi_trait]
pub trait RawHook: Send + Sync {
    /// The labels that the task shall have in place of its own, or nothing to leave them.
    fn labels(
        &self,
        place: Place,
        task_info: RSlice<'_, u8>,
        framework_info: RSlice<'_, u8>,
    ) -> RResult<ROption<RVec<Label>>, Fault>;

    /// Variables to add to the environment of an executor and of the tasks that it starts.
    fn environment(&self, executor_info: RSlice<'_, u8>) -> RResult<RVec<Variable>, Fault>;

    /// An agent is unreachable, gone, or was removed.
    fn agent_lost(&self, agent_id: RStr<'_>) -> RResult<(), Fault>;

    /// An executor has ended, and its container is gone.
    #[sabi(last_prefix_field)]
    fn executor_ended(&self, framework_id: RStr<'_>, executor_id: RStr<'_>) -> RResult<(), Fault>;
}

/// A hook as it crosses.
pub type RawHookBox = RawHook_TO<'static, RBox<()>>;
