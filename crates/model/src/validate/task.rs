//! Rules of a task's description.

use reeve_wire::v1;

use crate::ids::TaskId;

/// Checks a task's description by itself.
///
/// # Errors
/// The first rule it breaks.
pub fn task(wire: &v1::TaskInfo) -> Result<(), String> {
    let id = &wire.task_id.value;
    TaskId::parse(id).map_err(|error| format!("Task ID '{id}' is invalid: {error}"))?;
    Ok(())
}
