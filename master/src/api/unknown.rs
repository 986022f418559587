//! Fields of launched tasks and their executors that this version does not know: they reach the
//! agent as they came.
//!
//! Only calls in protobuf can have such fields (JSON's unknown fields are ignored, W-5), and
//! few do: whoever reads a call compares lengths first.

use std::sync::Arc;

use bytes::Bytes;
use reeve_master_core::event::Call;
use reeve_model::{ExecutorInfo, Operation, TaskInfo};
use reeve_wire::splice::{content, contents};

/// Field numbers on the way to a task: `Call.accept`, `Accept.operations`,
/// `Operation.launch.task_infos`, `Operation.launch_group.task_group.tasks`; and to a group's
/// executor, `Operation.launch_group.executor`.
const ACCEPT: u32 = 4;
const OPERATIONS: u32 = 2;
const LAUNCH: u32 = 2;
const TASK_INFOS: u32 = 1;
const LAUNCH_GROUP: u32 = 7;
const EXECUTOR: u32 = 1;
const TASK_GROUP: u32 = 2;
const TASKS: u32 = 1;

/// Reads the tasks of `call` anew from the encoded call that it was read from.
pub fn restore(call: &mut Call, encoded: &Bytes) {
    let Call::Accept { operations, .. } = call else { return };
    let Some(accept) = inside(encoded, ACCEPT) else { return };
    for (operation, encoded) in operations.iter_mut().zip(repeated(&accept, OPERATIONS)) {
        let (tasks, encoded) = match operation {
            Operation::Launch(tasks) => {
                (tasks, inside(&encoded, LAUNCH).map(|launch| repeated(&launch, TASK_INFOS)))
            }
            Operation::LaunchGroup { executor, tasks } => {
                let launch = inside(&encoded, LAUNCH_GROUP).unwrap_or_default();
                let whole = inside(&launch, EXECUTOR)
                    .and_then(|encoded| ExecutorInfo::from_wire_bytes(&encoded).ok());
                if let (Ok(executor), Some(whole)) = (executor, whole) {
                    *executor = Arc::new(whole);
                }
                (tasks, inside(&launch, TASK_GROUP).map(|group| repeated(&group, TASKS)))
            }
            _ => continue,
        };
        for (task, encoded) in tasks.iter_mut().zip(encoded.unwrap_or_default()) {
            let whole = TaskInfo::from_wire_bytes(&encoded);
            if let (Ok(task), Ok(whole)) = (task, whole) {
                *task = whole;
            }
        }
    }
}

/// The bytes were decoded before, so that they are sound.
fn inside(message: &Bytes, number: u32) -> Option<Bytes> {
    content(message, number).ok().flatten()
}

fn repeated(message: &Bytes, number: u32) -> Vec<Bytes> {
    contents(message, number).unwrap_or_default()
}

#[cfg(test)]
mod tests;
