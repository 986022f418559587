//! What agents say of themselves and of what runs on them.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use reeve_master_core::event::{KnownTask, Registration, Reregistration};
use reeve_model::{
    AgentInfo, ExecutorId, ExecutorInfo, FrameworkId, FrameworkInfo, Resources, TaskId, TaskState,
    TaskStatus, Uuid,
};
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

/// Reads `ReregisterSlaveMessage`. Tasks and executors that break a rule are logged and left
/// out: the agent's others must not suffer for them.
///
/// # Errors
///
/// What of the agent's own description breaks a rule.
pub fn reregistration(wire: internal::ReregisterSlaveMessage) -> Result<Reregistration, String> {
    let registration = describe(
        wire.slave,
        wire.version,
        &wire.agent_capabilities,
        &wire.checkpointed_resources,
        wire.resource_version_uuid.as_ref(),
    )?;
    Ok(Reregistration {
        registration,
        tasks: sound("task", wire.tasks.into_iter().map(task)),
        executors: sound("executor", wire.executor_infos.into_iter().map(executor)),
        frameworks: sound("framework", wire.frameworks.into_iter().map(framework)),
    })
}

/// Reads an optional UUID.
///
/// # Errors
///
/// If it has not 16 bytes.
pub fn uuid(wire: Option<&v1::Uuid>) -> Result<Option<Uuid>, String> {
    wire.map(|wire| Uuid::from_slice(&wire.value).map_err(|error| error.to_string())).transpose()
}

fn describe(
    slave: SlaveInfo,
    version: Option<String>,
    capabilities: &[v1::agent_info::Capability],
    checkpointed: &[v1::Resource],
    resource_version: Option<&v1::Uuid>,
) -> Result<Registration, String> {
    Ok(Registration {
        info: AgentInfo::try_from(slave).map_err(|error| error.to_string())?,
        // Agents before 0.21 told no version; the core refuses what is older than 1.0.
        version: version.unwrap_or_else(|| "0.0.0".to_owned()),
        capabilities: capabilities.iter().filter_map(|capability| capability.r#type).collect(),
        checkpointed: Resources::try_from(checkpointed).map_err(|error| error.to_string())?,
        resource_version: uuid(resource_version)?,
    })
}

fn sound<T>(what: &str, read: impl Iterator<Item = Result<T, String>>) -> Vec<T> {
    let keep = |read: Result<T, String>| {
        read.map_err(|why| {
            tracing::warn!("an agent returns with a {what} that is not sound: {why}")
        })
        .ok()
    };
    read.filter_map(keep).collect()
}

fn task(mut wire: v1::Task) -> Result<KnownTask, String> {
    let state = |number: i32| {
        TaskState::try_from(number).map_err(|number| format!("no task state has number {number}"))
    };
    let statuses = std::mem::take(&mut wire.statuses);
    let statuses = sound(
        "status",
        statuses.into_iter().map(|one| TaskStatus::try_from(one).map_err(|e| e.to_string())),
    );
    let resources = Resources::try_from(&std::mem::take(&mut wire.resources))
        .map_err(|error| error.to_string())?;
    let uuid = wire.status_update_uuid.take();
    Ok(KnownTask {
        id: TaskId::from(&wire.task_id),
        name: wire.name.clone(),
        framework: FrameworkId::from(&wire.framework_id),
        executor: wire.executor_id.take().map(ExecutorId::from),
        state: state(wire.state)?,
        resources,
        statuses,
        update_state: wire.status_update_state.take().map(state).transpose()?,
        update_uuid: uuid.and_then(|bytes| Uuid::from_slice(&bytes).ok()),
        rest: Bytes::from(wire.encode_to_vec()),
    })
}

fn executor(wire: v1::ExecutorInfo) -> Result<(FrameworkId, Arc<ExecutorInfo>), String> {
    let executor = ExecutorInfo::try_from(wire).map_err(|error| error.to_string())?;
    let framework = executor.framework.clone().ok_or("it has no framework_id")?;
    Ok((framework, Arc::new(executor)))
}

fn framework(wire: v1::FrameworkInfo) -> Result<Arc<FrameworkInfo>, String> {
    FrameworkInfo::try_from(wire).map(Arc::new).map_err(|error| error.to_string())
}
