//! What has become of a task: statuses, and the updates that carry them (T-5).

mod read;

use std::net::IpAddr;

use bytes::{Bytes, BytesMut};
use prost::Message;
use prost::encoding::message;
use reeve_wire::{internal, splice, v1};

pub use read::Kin;

use crate::error::WireError;
use crate::ids::{AgentId, ContainerId, ExecutorId, FrameworkId, TaskId, Uuid};
use crate::states::{Reason, Source, TaskState};
use crate::units::Seconds;

/// A task's state, with who says so and why.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskStatus {
    /// The task.
    pub task: TaskId,
    /// Where it is in its life.
    pub state: TaskState,
    /// Who says so.
    pub source: Option<Source>,
    /// Why; a reason newer than this code is none.
    pub reason: Option<Reason>,
    /// The same for people.
    pub message: Option<String>,
    /// Where it runs.
    pub agent: Option<AgentId>,
    /// Who runs it.
    pub executor: Option<ExecutorId>,
    /// When it was so.
    pub timestamp: Option<Seconds>,
    /// What acknowledges this; none if nothing need be acknowledged.
    pub uuid: Option<Uuid>,
    /// What its health check says.
    pub healthy: Option<bool>,
    /// Since when its agent cannot be reached, in nanoseconds since 1970.
    pub unreachable_time: Option<i64>,
    /// The fields not named here, encoded as they came: data, labels, container and check status,
    /// limitation, unknown ones.
    pub rest: Bytes,
}

/// Where a task runs, as far as its agent knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The container.
    pub container: ContainerId,
    /// Its first process.
    pub process: Option<u32>,
    /// Where the container is reached.
    pub address: Option<IpAddr>,
}

/// The field of `TaskStatus` that says where the task runs.
const CONTAINER_STATUS: u32 = 13;

impl TaskStatus {
    /// A status that says nothing more than that `task` is in `state`.
    pub fn new(task: TaskId, state: TaskState) -> Self {
        Self {
            task,
            state,
            source: None,
            reason: None,
            message: None,
            agent: None,
            executor: None,
            timestamp: None,
            uuid: None,
            healthy: None,
            unreachable_time: None,
            rest: Bytes::new(),
        }
    }

    /// The encoded message.
    pub fn to_wire_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.rest.len() + 256);
        // Infallible: the buffer grows.
        self.named().encode_raw(&mut bytes);
        bytes.extend_from_slice(&self.rest);
        bytes.freeze()
    }

    /// As the wire carries it; fields unknown here are lost.
    pub fn to_wire(&self) -> v1::TaskStatus {
        let named = self.named();
        if self.rest.is_empty() {
            return named;
        }
        let rest = self.details();
        v1::TaskStatus {
            data: rest.data,
            check_status: rest.check_status,
            labels: rest.labels,
            container_status: rest.container_status,
            limitation: rest.limitation,
            ..named
        }
    }

    /// The rest but for `data`, which is told once only (Mesos docs: reconciliation).
    pub fn rest_without_data(&self) -> Bytes {
        // The rest was decoded, or encoded, when this was made.
        splice::without(&self.rest, &[3]).unwrap_or_default()
    }

    /// What the rest says, decoded: data, labels, container and check status, limitation.
    pub fn details(&self) -> v1::TaskStatus {
        // The rest was decoded, or encoded, when this was made.
        v1::TaskStatus::decode(self.rest.clone()).unwrap_or_default()
    }

    /// Adds where the task runs, unless the status says so itself: service discovery reads the
    /// address there (Mesos docs: networking).
    pub fn locate(&mut self, place: &Place) {
        let mut known = self.details().container_status.unwrap_or_default();
        known.container_id.get_or_insert_with(|| place.container.to_wire());
        known.executor_pid = known.executor_pid.or(place.process);
        if let Some(address) = place.address.filter(|_| known.network_infos.is_empty()) {
            let address = v1::network_info::IpAddress {
                ip_address: Some(address.to_string()),
                ..Default::default()
            };
            let network = v1::NetworkInfo { ip_addresses: vec![address], ..Default::default() };
            known.network_infos.push(network);
        }
        // The rest was decoded, or encoded, when this was made.
        let rest = splice::without(&self.rest, &[CONTAINER_STATUS]).unwrap_or_default();
        let mut rest = BytesMut::from(rest);
        message::encode(CONTAINER_STATUS, &known, &mut rest);
        self.rest = rest.freeze();
    }

    fn named(&self) -> v1::TaskStatus {
        v1::TaskStatus {
            task_id: self.task.to_wire(),
            state: self.state.into(),
            message: self.message.clone(),
            source: self.source.map(i32::from),
            reason: self.reason.map(i32::from),
            agent_id: self.agent.as_ref().map(AgentId::to_wire),
            executor_id: self.executor.as_ref().map(ExecutorId::to_wire),
            timestamp: self.timestamp.map(|time| time.0),
            uuid: self.uuid.as_ref().map(Uuid::to_bytes),
            healthy: self.healthy,
            unreachable_time: self.unreachable_time.map(|nanoseconds| v1::TimeInfo { nanoseconds }),
            ..v1::TaskStatus::default()
        }
    }
}

impl TryFrom<v1::TaskStatus> for TaskStatus {
    type Error = WireError;

    fn try_from(mut wire: v1::TaskStatus) -> Result<Self, WireError> {
        let rest = StatusRest {
            data: wire.data.take(),
            labels: wire.labels.take(),
            container_status: wire.container_status.take(),
            check_status: wire.check_status.take(),
            limitation: wire.limitation.take(),
        };
        Ok(Self {
            task: wire.task_id.into(),
            state: state(wire.state, "status.state")?,
            source: wire.source.and_then(|number| Source::try_from(number).ok()),
            reason: wire.reason.and_then(|number| Reason::try_from(number).ok()),
            message: wire.message,
            agent: wire.agent_id.map(AgentId::from),
            executor: wire.executor_id.map(ExecutorId::from),
            timestamp: wire.timestamp.map(Seconds),
            uuid: uuid(wire.uuid.as_deref(), "status.uuid")?,
            healthy: wire.healthy,
            unreachable_time: wire.unreachable_time.map(|time| time.nanoseconds),
            rest: rest.encode_to_vec().into(),
        })
    }
}

/// What of a status is only passed on.
#[derive(Clone, PartialEq, Message)]
struct StatusRest {
    #[prost(bytes = "bytes", optional, tag = "3")]
    data: Option<Bytes>,
    #[prost(message, optional, tag = "12")]
    labels: Option<v1::Labels>,
    #[prost(message, optional, tag = "13")]
    container_status: Option<v1::ContainerStatus>,
    #[prost(message, optional, tag = "15")]
    check_status: Option<v1::CheckStatusInfo>,
    #[prost(message, optional, tag = "16")]
    limitation: Option<v1::TaskResourceLimitation>,
}

/// A status on its way from where it arose to the framework.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusUpdate {
    /// Whose task it is.
    pub framework: FrameworkId,
    /// Who runs it.
    pub executor: Option<ExecutorId>,
    /// Where it runs.
    pub agent: Option<AgentId>,
    /// What has become of it.
    pub status: TaskStatus,
    /// When it was so.
    pub timestamp: Seconds,
    /// What acknowledges this; none if nothing need be acknowledged.
    pub uuid: Option<Uuid>,
    /// The state the agent knows by now, further on than this one where updates wait in line.
    pub latest_state: Option<TaskState>,
}

impl StatusUpdate {
    /// As agents and masters tell each other.
    pub fn to_wire(&self) -> internal::StatusUpdate {
        internal::StatusUpdate {
            framework_id: self.framework.to_wire(),
            executor_id: self.executor.as_ref().map(ExecutorId::to_wire),
            slave_id: self.agent.as_ref().map(AgentId::to_wire),
            status: self.status.to_wire(),
            timestamp: self.timestamp.0,
            uuid: self.uuid.as_ref().map(Uuid::to_bytes),
            latest_state: self.latest_state.map(i32::from),
        }
    }
}

impl TryFrom<internal::StatusUpdate> for StatusUpdate {
    type Error = WireError;

    fn try_from(wire: internal::StatusUpdate) -> Result<Self, WireError> {
        Ok(Self {
            framework: wire.framework_id.into(),
            executor: wire.executor_id.map(ExecutorId::from),
            agent: wire.slave_id.map(AgentId::from),
            status: wire.status.try_into()?,
            timestamp: Seconds(wire.timestamp),
            uuid: uuid(wire.uuid.as_deref(), "update.uuid")?,
            latest_state: wire.latest_state.and_then(|number| TaskState::try_from(number).ok()),
        })
    }
}

fn state(number: i32, field: &str) -> Result<TaskState, WireError> {
    TaskState::try_from(number)
        .map_err(|number| WireError::new(field, format!("is {number}, which is no known state")))
}

/// Reads a UUID; no bytes at all are no UUID, as older executors send them.
fn uuid(bytes: Option<&[u8]>, field: &str) -> Result<Option<Uuid>, WireError> {
    match bytes {
        None | Some([]) => Ok(None),
        Some(bytes) => Uuid::from_slice(bytes)
            .map(Some)
            .map_err(|error| WireError::new(field, format!("is broken: {error}"))),
    }
}
