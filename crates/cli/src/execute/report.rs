//! What the tool says of its task.

use std::fmt::Arguments;
use std::io::{self, Write};

use reeve_wire::v1::{TaskState, TaskStatus};
use tracing::warn;

/// One line on standard output, at once.
pub fn say(line: Arguments<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Tells a status update. TASK_STARTING is news of the executor, not of the task: it is told only
/// when all is.
pub fn status(update: &TaskStatus, verbose: bool) -> io::Result<()> {
    let (state, task) = (update.state(), &update.task_id.value);
    if state == TaskState::TaskStarting && !verbose {
        return Ok(());
    }
    say(format_args!("Received status update {} for task {task}", state.as_str_name()))?;
    if verbose {
        return details(update);
    }
    if finished(state) == Some(false) {
        let reason = update.reason.map(|_| update.reason().as_str_name()).unwrap_or("no reason");
        let message = update.message.as_deref().unwrap_or("no message");
        warn!("task {task} did not finish: {message} ({reason})");
    }
    Ok(())
}

fn details(update: &TaskStatus) -> io::Result<()> {
    if let Some(message) = &update.message {
        say(format_args!("  message: '{message}'"))?;
    }
    if update.source.is_some() {
        say(format_args!("  source: {}", update.source().as_str_name()))?;
    }
    if update.reason.is_some() {
        say(format_args!("  reason: {}", update.reason().as_str_name()))?;
    }
    if let Some(healthy) = update.healthy {
        say(format_args!("  healthy?: {}", i32::from(healthy)))?;
    }
    Ok(())
}

/// Whether a state is the last one, and whether it is the good one.
pub fn finished(state: TaskState) -> Option<bool> {
    match state {
        TaskState::TaskFinished => Some(true),
        TaskState::TaskFailed
        | TaskState::TaskKilled
        | TaskState::TaskError
        | TaskState::TaskLost
        | TaskState::TaskDropped
        | TaskState::TaskGone
        | TaskState::TaskGoneByOperator => Some(false),
        TaskState::TaskStaging
        | TaskState::TaskStarting
        | TaskState::TaskRunning
        | TaskState::TaskKilling
        | TaskState::TaskUnreachable
        | TaskState::TaskUnknown => None,
    }
}
