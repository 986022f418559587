//! Names below the work directory (RC-1). Ids are checked where they enter, so they are path-safe.

use reeve_model::{AgentId, ContainerId, ExecutorId, FrameworkId};

/// The prefix of checkpoints; sandboxes have none.
const META: &str = "meta/";

/// The directory of a framework's sandboxes.
pub fn framework(agent: &AgentId, framework: &FrameworkId) -> String {
    format!("slaves/{agent}/frameworks/{framework}")
}

/// The directory of an executor's sandboxes.
pub fn executor(agent: &AgentId, of: &FrameworkId, executor: &ExecutorId) -> String {
    format!("{}/executors/{executor}", framework(agent, of))
}

/// The sandbox of one run.
pub fn sandbox(
    agent: &AgentId,
    framework: &FrameworkId,
    of: &ExecutorId,
    run: &ContainerId,
) -> String {
    format!("{}/runs/{run}", executor(agent, framework, of))
}

/// Where the checkpoints beside such a directory are.
pub fn meta(path: &str) -> String {
    format!("{META}{path}")
}
