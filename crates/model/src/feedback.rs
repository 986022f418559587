//! What has become of an offer operation (mesos.md §1.5).

use reeve_wire::v1;

use crate::error::WireError;
use crate::ids::{AgentId, OperationId, ResourceProviderId, Uuid};
use crate::resources::{Format, Resources};
use crate::states::OperationState;

/// An operation's state, for the framework that asked to hear of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationStatus {
    /// The operation, as its framework named it.
    pub operation: Option<OperationId>,
    /// Where it is in its life.
    pub state: OperationState,
    /// The same for people.
    pub message: Option<String>,
    /// What its resources have become.
    pub converted: Resources,
    /// What acknowledges this; none if nothing need be acknowledged.
    pub uuid: Option<Uuid>,
    /// Where it was applied.
    pub agent: Option<AgentId>,
    /// By which provider, if not by the agent itself.
    pub provider: Option<ResourceProviderId>,
}

impl OperationStatus {
    /// A status that says nothing more than that `operation` is in `state`.
    pub fn new(operation: Option<OperationId>, state: OperationState) -> Self {
        Self {
            operation,
            state,
            message: None,
            converted: Resources::default(),
            uuid: None,
            agent: None,
            provider: None,
        }
    }

    /// As the wire carries it.
    ///
    /// # Errors
    /// If the format cannot express a reservation.
    pub fn to_wire(&self, format: Format) -> Result<v1::OperationStatus, WireError> {
        Ok(v1::OperationStatus {
            operation_id: self.operation.as_ref().map(OperationId::to_wire),
            state: self.state.into(),
            message: self.message.clone(),
            converted_resources: self.converted.to_wire(format)?,
            uuid: self.uuid.map(|uuid| v1::Uuid { value: uuid.to_bytes() }),
            agent_id: self.agent.as_ref().map(AgentId::to_wire),
            resource_provider_id: self.provider.as_ref().map(ResourceProviderId::to_wire),
        })
    }
}

impl TryFrom<v1::OperationStatus> for OperationStatus {
    type Error = WireError;

    fn try_from(wire: v1::OperationStatus) -> Result<Self, WireError> {
        let state = OperationState::try_from(wire.state).map_err(|number| {
            WireError::new("status.state", format!("is {number}, which is no known state"))
        })?;
        let uuid = wire.uuid.map(|uuid| Uuid::from_slice(&uuid.value)).transpose();
        Ok(Self {
            operation: wire.operation_id.map(OperationId::from),
            state,
            message: wire.message,
            converted: Resources::try_from(&wire.converted_resources)?,
            uuid: uuid.map_err(|error| WireError::new("status.uuid", error.to_string()))?,
            agent: wire.agent_id.map(AgentId::from),
            provider: wire.resource_provider_id.map(ResourceProviderId::from),
        })
    }
}
