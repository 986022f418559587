//! What agents say of themselves.

use reeve_master_core::event::Registration;
use reeve_model::{AgentInfo, Resources, Uuid};
use reeve_records::check_size;
use reeve_wire::{SlaveInfo, internal, v1};

/// Reads `RegisterSlaveMessage`.
///
/// # Errors
///
/// What of it breaks a rule.
pub fn registration(wire: internal::RegisterSlaveMessage) -> Result<Registration, String> {
    describe(
        wire.slave,
        wire.version,
        &wire.agent_capabilities,
        &wire.checkpointed_resources,
        wire.resource_version_uuid.as_ref(),
    )
}

/// Reads an optional UUID.
///
/// # Errors
///
/// If it has not 16 bytes.
pub fn uuid(wire: Option<&v1::Uuid>) -> Result<Option<Uuid>, String> {
    wire.map(|wire| Uuid::from_slice(&wire.value).map_err(|error| error.to_string())).transpose()
}

/// What an agent says of itself.
///
/// # Errors
///
/// What of it breaks a rule.
pub fn describe(
    slave: SlaveInfo,
    version: Option<String>,
    capabilities: &[v1::agent_info::Capability],
    checkpointed: &[v1::Resource],
    resource_version: Option<&v1::Uuid>,
) -> Result<Registration, String> {
    check_size(&slave)?;
    Ok(Registration {
        info: AgentInfo::try_from(slave).map_err(|error| error.to_string())?,
        // Agents before 0.21 told no version; the core refuses what is older than 1.0.
        version: version.unwrap_or_else(|| "0.0.0".to_owned()),
        capabilities: capabilities.iter().filter_map(|capability| capability.r#type).collect(),
        checkpointed: Resources::try_from(checkpointed).map_err(|error| error.to_string())?,
        resource_version: uuid(resource_version)?,
    })
}
