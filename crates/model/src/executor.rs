//! Who runs tasks on an agent: an executor's description.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use prost::Message;
use prost::encoding::message;
use reeve_wire::{splice, v1};

use crate::error::WireError;
use crate::ids::{ExecutorId, FrameworkId};
use crate::resources::{Format, Resources};
use crate::units::span;

/// Which program an executor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExecutorKind {
    /// The cluster's own, for groups of tasks.
    Default,
    /// The framework's own.
    Custom,
    /// The cluster's own, for a task that is one command; made by the agent, never on the wire.
    Command,
}

/// What a framework, or the agent for it, says of an executor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutorInfo {
    /// Its id, unique within its framework on an agent.
    pub id: ExecutorId,
    /// Whose it is, if said.
    pub framework: Option<FrameworkId>,
    /// Which program it is.
    pub kind: ExecutorKind,
    /// What it needs beside its tasks.
    pub resources: Resources,
    /// How long it may take to end.
    pub shutdown_grace: Option<Duration>,
    /// The encoded message as it came, without `resources` and `framework_id`.
    pub rest: Bytes,
}

/// Fields written anew: `resources`, `framework_id`.
const OWN: &[u32] = &[5, 8];

impl ExecutorInfo {
    /// Reads an encoded `ExecutorInfo`; fields unknown here are kept.
    ///
    /// # Errors
    /// If the bytes are no such message, or a field breaks its rule.
    pub fn from_wire_bytes(bytes: &Bytes) -> Result<Self, WireError> {
        let wire: v1::ExecutorInfo =
            reeve_wire::decode(bytes).map_err(|error| WireError::message("executor", &error))?;
        let rest =
            splice::without(bytes, OWN).map_err(|error| WireError::message("executor", &error))?;
        Self::new(&wire, rest)
    }

    fn new(wire: &v1::ExecutorInfo, rest: Bytes) -> Result<Self, WireError> {
        let kind = match wire.r#type() {
            v1::executor_info::Type::Default => ExecutorKind::Default,
            v1::executor_info::Type::Custom | v1::executor_info::Type::Unknown => {
                ExecutorKind::Custom
            }
        };
        let shutdown_grace = wire
            .shutdown_grace_period
            .map(|wire| {
                span(wire).ok_or_else(|| {
                    let rule = "must be non-negative";
                    WireError::new("executor.shutdown_grace_period", rule)
                })
            })
            .transpose()?;
        Ok(Self {
            id: ExecutorId::from(&wire.executor_id),
            framework: wire.framework_id.as_ref().map(FrameworkId::from),
            kind,
            resources: Resources::try_from(&wire.resources)
                .map_err(|error| error.inside("executor"))?,
            shutdown_grace,
            rest,
        })
    }

    /// Whether a task that names `other` can run on this executor: both say the same, but for a
    /// framework that is not named and a role that is not marked.
    pub fn is_compatible_with(&self, other: &Self) -> bool {
        let same_framework = match (&self.framework, &other.framework) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        };
        self.id == other.id
            && same_framework
            && self.kind == other.kind
            && self.shutdown_grace == other.shutdown_grace
            && self.resources.unallocated() == other.resources.unallocated()
            // The order of encoded fields means nothing, so bytes may differ.
            && (self.rest == other.rest || self.details() == other.details())
    }

    /// The encoded message.
    ///
    /// # Errors
    /// If the format cannot express a reservation.
    pub fn to_wire_bytes(&self, format: Format) -> Result<Bytes, WireError> {
        let mut bytes = BytesMut::from(self.rest.as_ref());
        for resource in self.resources.to_wire(format)? {
            message::encode(5, &resource, &mut bytes);
        }
        if let Some(framework) = &self.framework {
            message::encode(8, &framework.to_wire(), &mut bytes);
        }
        Ok(bytes.freeze())
    }

    /// As the wire carries it; fields unknown here are lost.
    ///
    /// # Errors
    /// If the format cannot express a reservation.
    pub fn to_wire(&self, format: Format) -> Result<v1::ExecutorInfo, WireError> {
        let mut wire = self.details();
        wire.resources = self.resources.to_wire(format)?;
        wire.framework_id = self.framework.as_ref().map(FrameworkId::to_wire);
        Ok(wire)
    }

    /// What the rest says, decoded: command, container, labels and so on, but no resources.
    pub fn details(&self) -> v1::ExecutorInfo {
        // The rest was decoded, or encoded, when this was made.
        v1::ExecutorInfo::decode(self.rest.clone()).unwrap_or_default()
    }
}

impl TryFrom<v1::ExecutorInfo> for ExecutorInfo {
    type Error = WireError;

    fn try_from(mut wire: v1::ExecutorInfo) -> Result<Self, WireError> {
        let mut info = Self::new(&wire, Bytes::new())?;
        wire.resources.clear();
        wire.framework_id = None;
        info.rest = wire.encode_to_vec().into();
        Ok(info)
    }
}
