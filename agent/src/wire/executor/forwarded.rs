//! Events whose descriptions of tasks and executors are encoded already: what is only forwarded
//! keeps the fields that we do not know. (A field of bytes has the encoding of a message.)

use bytes::Bytes;
use prost::Message;
use reeve_wire::v1;

/// `executor.Event`, as far as it carries descriptions.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Forwarded {
    #[prost(int32, required, tag = "1")]
    pub(super) r#type: i32,
    #[prost(message, optional, tag = "2")]
    pub(super) subscribed: Option<Subscribed>,
    #[prost(message, optional, tag = "4")]
    pub(super) launch: Option<Launch>,
    #[prost(message, optional, tag = "8")]
    pub(super) launch_group: Option<LaunchGroup>,
}

/// `Event.Subscribed`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Subscribed {
    #[prost(bytes = "bytes", required, tag = "1")]
    pub(super) executor_info: Bytes,
    #[prost(message, required, tag = "2")]
    pub(super) framework_info: v1::FrameworkInfo,
    #[prost(message, required, tag = "3")]
    pub(super) agent_info: v1::AgentInfo,
    #[prost(message, optional, tag = "4")]
    pub(super) container_id: Option<v1::ContainerId>,
}

/// `Event.Launch`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Launch {
    #[prost(bytes = "bytes", required, tag = "1")]
    pub(super) task: Bytes,
}

/// `Event.LaunchGroup`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct LaunchGroup {
    #[prost(message, required, tag = "1")]
    pub(super) task_group: TaskGroup,
}

/// `TaskGroupInfo`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TaskGroup {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(super) tasks: Vec<Bytes>,
}
