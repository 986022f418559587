//! What is to be run: a task's description (T-1).

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use prost::Message;
use prost::encoding::message;
use reeve_wire::{splice, v1};

use crate::error::WireError;
use crate::executor::ExecutorInfo;
use crate::ids::{AgentId, TaskId};
use crate::resources::{Format, Quantity, Resources};
use crate::states::Reason;
use crate::units::span;

/// A task, as far as decisions depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskInfo {
    /// Its id, unique within its framework.
    pub id: TaskId,
    /// Its name, for people.
    pub name: String,
    /// Where it is to run.
    pub agent: AgentId,
    /// What it needs.
    pub resources: Resources,
    /// Who runs it; the command executor if none.
    pub executor: Option<Arc<ExecutorInfo>>,
    /// How long it may take to end when killed.
    pub kill_grace: Option<Duration>,
    /// How long it may run.
    pub max_completion: Option<Duration>,
    /// How far it may go beyond what it needs.
    pub limits: Limits,
    /// The encoded message as it came, without `resources` and `executor`.
    pub rest: Bytes,
}

/// How much a task may use where there is room. [`Quantity::MAX`] means without limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Processors.
    pub cpus: Option<Quantity>,
    /// Megabytes of memory.
    pub mem: Option<Quantity>,
}

/// How to kill a task (Mesos docs: kill policies).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KillPolicy {
    /// How long it may take to end by itself.
    pub grace: Option<Duration>,
}

/// A task that breaks a rule: it ends as `TASK_ERROR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTask {
    /// Its id, as the text came.
    pub id: TaskId,
    /// Where it was to run.
    pub agent: AgentId,
    /// The rule it breaks.
    pub message: String,
    /// Whether its description breaks the rule, or who may do what.
    pub reason: Reason,
}

/// Fields written anew: `resources`, `executor`.
const OWN: &[u32] = &[4, 5];

/// The field `labels`.
const LABELS: u32 = 10;

impl TaskInfo {
    /// Reads an encoded `TaskInfo`; fields unknown here are kept, also those of its executor.
    ///
    /// # Errors
    /// If the bytes are no such message, or a field breaks its rule.
    pub fn from_wire_bytes(bytes: &Bytes) -> Result<Self, WireError> {
        let wire: v1::TaskInfo =
            reeve_wire::decode(bytes).map_err(|error| WireError::message("task", &error))?;
        let broken = |error| WireError::message("task", &error);
        let executor = splice::content(bytes, 5).map_err(broken)?;
        let executor = executor.as_ref().map(ExecutorInfo::from_wire_bytes).transpose()?;
        Self::new(&wire, executor, splice::without(bytes, OWN).map_err(broken)?)
    }

    fn new(
        wire: &v1::TaskInfo,
        executor: Option<ExecutorInfo>,
        rest: Bytes,
    ) -> Result<Self, WireError> {
        let not_negative = |span: Option<Duration>, field: &str| {
            span.ok_or_else(|| WireError::new(field, "must be non-negative"))
        };
        let kill_grace = wire.kill_policy.as_ref().and_then(|policy| policy.grace_period);
        let limit = |name: &str| wire.limits.get(name).map(|limit| Quantity::from_f64(limit.value));
        Ok(Self {
            id: TaskId::from(&wire.task_id),
            name: wire.name.clone(),
            agent: AgentId::from(&wire.agent_id),
            resources: Resources::try_from(&wire.resources)?,
            executor: executor.map(Arc::new),
            kill_grace: kill_grace
                .map(|grace| not_negative(span(grace), "kill_policy.grace_period"))
                .transpose()?,
            max_completion: wire
                .max_completion_time
                .map(|time| not_negative(span(time), "max_completion_time"))
                .transpose()?,
            limits: Limits { cpus: limit("cpus"), mem: limit("mem") },
            rest,
        })
    }

    /// The encoded message: the rest, then resources and executor anew.
    ///
    /// # Errors
    /// If the format cannot express a reservation.
    pub fn to_wire_bytes(&self, format: Format) -> Result<Bytes, WireError> {
        let mut bytes = BytesMut::with_capacity(self.rest.len() + 256);
        bytes.extend_from_slice(&self.rest);
        for resource in self.resources.to_wire(format)? {
            message::encode(4, &resource, &mut bytes);
        }
        if let Some(executor) = &self.executor {
            splice::append(&mut bytes, 5, &executor.to_wire_bytes(format)?);
        }
        Ok(bytes.freeze())
    }

    /// As the wire carries it; fields unknown here are lost.
    ///
    /// # Errors
    /// If the format cannot express a reservation.
    pub fn to_wire(&self, format: Format) -> Result<v1::TaskInfo, WireError> {
        let mut wire = self.details();
        wire.resources = self.resources.to_wire(format)?;
        wire.executor =
            self.executor.as_ref().map(|executor| executor.to_wire(format)).transpose()?;
        Ok(wire)
    }

    /// The same task with these labels, keys and values, in place of its own.
    pub fn with_labels<'a>(&self, labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let label = |(key, value): (&str, &str)| v1::Label {
            key: key.to_owned(),
            value: Some(value.to_owned()).filter(|value| !value.is_empty()),
        };
        let labels = v1::Labels { labels: labels.into_iter().map(label).collect() };
        // The rest was decoded, or encoded, when this was made.
        let others = splice::without(&self.rest, &[LABELS]).unwrap_or_default();
        let mut rest = BytesMut::from(others.as_ref());
        message::encode(LABELS, &labels, &mut rest);
        Self { rest: rest.freeze(), ..self.clone() }
    }

    /// What the rest says, decoded: command, container, checks, labels, data and so on, but neither
    /// resources nor executor.
    pub fn details(&self) -> v1::TaskInfo {
        // The rest was decoded, or encoded, when this was made.
        v1::TaskInfo::decode(self.rest.clone()).unwrap_or_default()
    }

    /// Whether it is to run in a container of a Docker Engine.
    pub fn in_docker(&self) -> bool {
        let docker = v1::container_info::Type::Docker;
        self.details().container.is_some_and(|container| container.r#type() == docker)
    }
}

impl TryFrom<v1::TaskInfo> for TaskInfo {
    type Error = WireError;

    fn try_from(mut wire: v1::TaskInfo) -> Result<Self, WireError> {
        let executor = wire.executor.take().map(ExecutorInfo::try_from).transpose()?;
        let mut info = Self::new(&wire, executor, Bytes::new())?;
        wire.resources.clear();
        info.rest = wire.encode_to_vec().into();
        Ok(info)
    }
}

impl From<&v1::KillPolicy> for KillPolicy {
    /// A negative grace period counts as none.
    fn from(wire: &v1::KillPolicy) -> Self {
        Self { grace: wire.grace_period.and_then(span) }
    }
}

impl KillPolicy {
    /// As the wire carries it.
    pub fn to_wire(&self) -> v1::KillPolicy {
        v1::KillPolicy { grace_period: self.grace.map(crate::units::duration_to_wire) }
    }
}
