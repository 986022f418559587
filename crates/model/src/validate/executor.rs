//! Rules of an executor's description.

use reeve_wire::v1;

use super::{command, container, resources};
use crate::ids::ExecutorId;

/// Checks an executor's description.
///
/// # Errors
/// The first rule it breaks.
pub fn executor(wire: &v1::ExecutorInfo) -> Result<(), String> {
    use v1::executor_info::Type;
    let id = &wire.executor_id.value;
    ExecutorId::parse(id).map_err(|error| format!("Executor ID '{id}' is invalid: {error}"))?;
    match wire.r#type.map(Type::try_from) {
        Some(Ok(Type::Default)) => default(wire)?,
        Some(Ok(Type::Custom)) if wire.command.is_none() => {
            return Err("'ExecutorInfo.command' must be set for 'CUSTOM' executor".to_owned());
        }
        Some(Ok(Type::Unknown) | Err(_)) => return Err("Unknown executor type".to_owned()),
        // Older clients set no type; who uses the executor asks for the command.
        Some(Ok(Type::Custom)) | None => {}
    }
    if wire.shutdown_grace_period.is_some_and(|grace| grace.nanoseconds < 0) {
        return Err("ExecutorInfo's 'shutdown_grace_period' must be non-negative".to_owned());
    }
    if let Some(one) = &wire.command {
        command(one).map_err(|rule| format!("Executor's `CommandInfo` is invalid: {rule}"))?;
    }
    if let Some(one) = &wire.container {
        container(one).map_err(|rule| format!("Executor's `ContainerInfo` is invalid: {rule}"))?;
    }
    resources(&wire.resources).map_err(|rule| format!("Executor uses invalid resources: {rule}"))
}

fn default(wire: &v1::ExecutorInfo) -> Result<(), String> {
    if wire.command.is_some() {
        return Err("'ExecutorInfo.command' must not be set for 'DEFAULT' executor".to_owned());
    }
    let Some(container) = &wire.container else { return Ok(()) };
    if container.r#type() != v1::container_info::Type::Mesos {
        return Err(
            "'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor".to_owned()
        );
    }
    if container.mesos.as_ref().is_some_and(|mesos| mesos.image.is_some()) {
        return Err("'ExecutorInfo.container.mesos.image' must not be set for 'DEFAULT' executor"
            .to_owned());
    }
    Ok(())
}
