//! Rules of a framework's description.

use reeve_wire::v1;

use crate::framework::Capabilities;
use crate::ids::{FrameworkId, Role};
use crate::units::duration;

/// Checks a framework's description.
///
/// # Errors
/// The first rule it breaks.
pub fn framework(wire: &v1::FrameworkInfo) -> Result<(), String> {
    if let Some(id) = wire.id.as_ref().filter(|id| !id.value.is_empty()) {
        FrameworkId::parse(&id.value)
            .map_err(|error| format!("FrameworkInfo.id is invalid: {error}"))?;
    }
    roles(wire)?;
    let seconds = wire.failover_timeout.unwrap_or_default();
    duration(seconds).map_err(|rule| {
        format!("The framework failover_timeout ({seconds}) is invalid: it {rule}")
    })?;
    for role in wire.offer_filters.keys() {
        Role::parse(role).map_err(|error| format!("'FrameworkInfo.offer_filters': {error}"))?;
    }
    Ok(())
}

/// Checks the roles of a framework's description.
///
/// # Errors
/// The first rule they break.
pub fn roles(wire: &v1::FrameworkInfo) -> Result<(), String> {
    let capabilities =
        Capabilities::from_numbers(wire.capabilities.iter().filter_map(|one| one.r#type));
    #[allow(deprecated)]
    let role = wire.role.as_deref();
    if !capabilities.multi_role() {
        if !wire.roles.is_empty() {
            return Err("'FrameworkInfo.roles' must not be set when the framework is not \
                        MULTI_ROLE capable"
                .to_owned());
        }
        return Role::parse(role.unwrap_or("*"))
            .map(drop)
            .map_err(|error| format!("'FrameworkInfo.role' is not a valid role: {error}"));
    }
    if role.is_some() {
        return Err(
            "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable"
                .to_owned(),
        );
    }
    let mut seen = std::collections::BTreeSet::new();
    for role in &wire.roles {
        Role::parse(role)
            .map_err(|error| format!("'FrameworkInfo.roles' contains invalid role: {error}"))?;
        if !seen.insert(role) {
            return Err(format!("'FrameworkInfo.roles' contains duplicate items: {{ {role} }}"));
        }
    }
    Ok(())
}
