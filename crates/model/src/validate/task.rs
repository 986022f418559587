//! Rules of tasks and groups of tasks (T-7).

use reeve_wire::v1;

use super::{check, command, container, executor, health_check, resources, together};
use crate::ids::{AgentId, TaskId};
use crate::resources::{Quantity, Resources};

/// Checks a task that is launched for itself.
///
/// # Errors
/// The first rule it breaks.
pub fn task(wire: &v1::TaskInfo) -> Result<(), String> {
    alone(wire)?;
    if wire.executor.is_some() == wire.command.is_some() {
        return Err("Task should have at least one (but not both) of CommandInfo or ExecutorInfo \
                    present"
            .to_owned());
    }
    if let Some(one) = &wire.executor {
        executor(one)?;
        if one.r#type.is_some_and(|kind| kind != v1::executor_info::Type::Custom as i32) {
            return Err("'ExecutorInfo.type' must be 'CUSTOM'".to_owned());
        }
        if one.command.is_none() {
            return Err("'ExecutorInfo.command' must be set".to_owned());
        }
        with_executor(&wire.resources, &one.resources)?;
    }
    limits(wire, false)
}

/// Checks a task of a group.
///
/// # Errors
/// The first rule it breaks.
pub fn group_task(wire: &v1::TaskInfo) -> Result<(), String> {
    alone(wire)?;
    if wire.executor.is_some() {
        return Err("'TaskInfo.executor' must not be set".to_owned());
    }
    if let Some(container) = &wire.container {
        if !container.network_infos.is_empty() {
            return Err("NetworkInfos must not be set on the task".to_owned());
        }
        if container.r#type() == v1::container_info::Type::Docker {
            return Err("Docker ContainerInfo is not supported on the task".to_owned());
        }
    }
    limits(wire, true)
}

/// Checks what the tasks of a group and their executor are to each other.
///
/// # Errors
/// The first rule they break.
pub fn task_group(group: &v1::TaskGroupInfo, shared: &v1::ExecutorInfo) -> Result<(), String> {
    if group.tasks.is_empty() {
        return Err("Task group cannot be empty".to_owned());
    }
    if shared.r#type.is_none() {
        return Err("'ExecutorInfo.type' must be set".to_owned());
    }
    executor(shared)?;
    let mut all = shared.resources.clone();
    for task in &group.tasks {
        let id = &task.task_id.value;
        group_task(task).map_err(|rule| format!("Task '{id}' is invalid: {rule}"))?;
        all.extend_from_slice(&task.resources);
    }
    let all = Resources::try_from(&all).map_err(|error| error.to_string())?;
    together(&all).map_err(|rule| format!("Task group and executor mix resources: {rule}"))
}

/// The rules of every task.
fn alone(wire: &v1::TaskInfo) -> Result<(), String> {
    let id = &wire.task_id.value;
    TaskId::parse(id).map_err(|error| format!("Task ID '{id}' is invalid: {error}"))?;
    let agent = &wire.agent_id.value;
    AgentId::parse(agent).map_err(|error| format!("Agent ID '{agent}' is invalid: {error}"))?;
    let grace = wire.kill_policy.as_ref().and_then(|policy| policy.grace_period);
    if grace.is_some_and(|grace| grace.nanoseconds < 0) {
        return Err("Task's 'kill_policy.grace_period' must be non-negative".to_owned());
    }
    if wire.max_completion_time.is_some_and(|time| time.nanoseconds < 0) {
        return Err("Task's `max_completion_time` must be non-negative".to_owned());
    }
    if let Some(one) = &wire.check {
        check(one).map_err(|rule| format!("Task uses invalid check: {rule}"))?;
    }
    if let Some(one) = &wire.health_check {
        health_check(one).map_err(|rule| format!("Task uses invalid health check: {rule}"))?;
    }
    if let Some(one) = &wire.command {
        command(one).map_err(|rule| format!("Task's `CommandInfo` is invalid: {rule}"))?;
    }
    if let Some(one) = &wire.container {
        container(one).map_err(|rule| format!("Task's `ContainerInfo` is invalid: {rule}"))?;
    }
    if wire.resources.is_empty() {
        return Err("Task uses no resources".to_owned());
    }
    resources(&wire.resources).map_err(|rule| format!("Task uses invalid resources: {rule}"))
}

fn with_executor(task: &[v1::Resource], executor: &[v1::Resource]) -> Result<(), String> {
    let both = Resources::try_from(task).and_then(|task| Ok(task + Resources::try_from(executor)?));
    let both = both.map_err(|error| error.to_string())?;
    together(&both).map_err(|rule| format!("Task and its executor mix resources: {rule}"))
}

/// Limits are for processors and memory, and not below what is requested.
fn limits(wire: &v1::TaskInfo, grouped: bool) -> Result<(), String> {
    if wire.limits.is_empty() {
        return Ok(());
    }
    let requests = Resources::try_from(&wire.resources).map_err(|error| error.to_string())?;
    for (name, limit) in &wire.limits {
        if !matches!(name.as_str(), "cpus" | "mem") {
            return Err(format!("Resource limits are not supported for '{name}'"));
        }
        if limit.value.is_nan() || limit.value < 0.0 {
            return Err(format!("Resource limit of '{name}' must be non-negative"));
        }
        let request = requests.scalar(name);
        if Quantity::from_f64(limit.value) < request {
            let limit = limit.value;
            return Err(format!(
                "Resource limit of '{name}' ({limit}) must not be less than its request ({request})"
            ));
        }
    }
    if !grouped {
        return Ok(());
    }
    let linux = wire.container.as_ref().and_then(|container| container.linux_info.as_ref());
    if linux.is_none_or(v1::LinuxInfo::share_cgroups) {
        return Err("Resource limits may only be set for tasks within a task group when the \
                    'share_cgroups' field is set to 'false'"
            .to_owned());
    }
    Ok(())
}
