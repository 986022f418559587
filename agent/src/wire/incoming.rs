//! Messages from the master (LP-10), parsed into events of the core.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reeve_agent_core::event::FromMaster;
use reeve_model::{
    AgentId, DrainConfig, ExecutorId, ExecutorInfo, FrameworkId, FrameworkInfo, KillPolicy, Pid,
    Resources, TaskId, TaskInfo, TaskStatus, Uuid, WireError,
};
use reeve_wire::splice::{content, contents};
use reeve_wire::{internal, v1};

/// A message that can't be taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// No handler has this name.
    #[error("no message of that name is known")]
    Unknown,
    /// An executor's update does not say whose it is.
    #[error("it names no executor")]
    NoExecutor,
    /// The bytes are no such message.
    #[error("the body is no such message: {0}")]
    Garbled(#[from] reeve_wire::DecodeError),
    /// A field breaks its rule.
    #[error("{0}")]
    Invalid(#[from] WireError),
}

/// Reads the message `name` that `from` sent.
pub fn parse(name: &str, from: &Pid, body: &Bytes) -> Result<FromMaster, Refused> {
    let name = name.strip_prefix("mesos.internal.").ok_or(Refused::Unknown)?;
    match name {
        "SlaveRegisteredMessage" => registered(decode(body)?),
        "SlaveReregisteredMessage" => reregistered(decode(body)?),
        "PingSlaveMessage" => {
            let ping: internal::PingSlaveMessage = decode(body)?;
            Ok(FromMaster::Ping(from.clone(), ping.connected))
        }
        "RunTaskMessage" => run(decode(body)?, body),
        "RunTaskGroupMessage" => run_group(decode(body)?, body),
        "KillTaskMessage" => {
            let kill: internal::KillTaskMessage = decode(body)?;
            let policy = kill.kill_policy.as_ref().map(KillPolicy::from);
            Ok(FromMaster::Kill(kill.framework_id.into(), kill.task_id.into(), policy))
        }
        "StatusUpdateAcknowledgementMessage" => acknowledged(decode(body)?),
        "ShutdownExecutorMessage" => shutdown_executor(decode(body)?),
        "ShutdownFrameworkMessage" => {
            let shutdown: internal::ShutdownFrameworkMessage = decode(body)?;
            Ok(FromMaster::ShutdownFramework(shutdown.framework_id.into()))
        }
        "UpdateFrameworkMessage" => update_framework(decode(body)?),
        "FrameworkToExecutorMessage" => {
            let message: internal::FrameworkToExecutorMessage = decode(body)?;
            let executor = message.executor_id.into();
            Ok(FromMaster::Message(message.framework_id.into(), executor, message.data))
        }
        "CheckpointResourcesMessage" => {
            let message: internal::CheckpointResourcesMessage = decode(body)?;
            Ok(FromMaster::CheckpointResources(Resources::try_from(&message.resources)?))
        }
        "DrainSlaveMessage" => {
            let message: internal::DrainSlaveMessage = decode(body)?;
            Ok(FromMaster::Drain(DrainConfig::from(&message.config)))
        }
        "ShutdownMessage" => {
            let message: internal::ShutdownMessage = decode(body)?;
            Ok(FromMaster::Shutdown(message.message.unwrap_or_default()))
        }
        _ => Err(Refused::Unknown),
    }
}

fn decode<M: reeve_wire::WireMessage>(body: &Bytes) -> Result<M, Refused> {
    Ok(reeve_wire::decode(body)?)
}

fn ping_timeout(connection: Option<internal::MasterSlaveConnection>) -> Option<Duration> {
    let seconds = connection?.total_ping_timeout_seconds?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn registered(message: internal::SlaveRegisteredMessage) -> Result<FromMaster, Refused> {
    Ok(FromMaster::Registered(message.slave_id.into(), ping_timeout(message.connection)))
}

fn reregistered(message: internal::SlaveReregisteredMessage) -> Result<FromMaster, Refused> {
    let missing = message
        .reconciliations
        .into_iter()
        .map(|one| {
            let statuses: Result<Vec<_>, _> =
                one.statuses.into_iter().map(TaskStatus::try_from).collect();
            Ok((FrameworkId::from(one.framework_id), statuses?))
        })
        .collect::<Result<Vec<_>, WireError>>()?;
    let agent: AgentId = message.slave_id.into();
    Ok(FromMaster::Reregistered(agent, ping_timeout(message.connection), missing))
}

fn run(message: internal::RunTaskMessage, body: &Bytes) -> Result<FromMaster, Refused> {
    let framework = framework(message.framework, message.framework_id)?;
    // The task is read from its own bytes, so that fields unknown here reach the executor.
    let task = match content(body, RUN_TASK).ok().flatten() {
        Some(encoded) => TaskInfo::from_wire_bytes(&encoded)?,
        None => TaskInfo::try_from(message.task)?,
    };
    Ok(FromMaster::Run {
        framework: Arc::new(framework),
        task: Arc::new(task),
        launch_executor: message.launch_executor,
        scheduler: message.pid.and_then(|pid| pid.parse().ok()),
    })
}

/// The field of `RunTaskMessage` that holds the task.
const RUN_TASK: u32 = 4;

/// Older masters name the framework's id beside its description.
fn framework(
    mut info: v1::FrameworkInfo,
    id: Option<v1::FrameworkId>,
) -> Result<FrameworkInfo, WireError> {
    if info.id.is_none() {
        info.id = id;
    }
    FrameworkInfo::try_from(info)
}

/// As in [`run`], executor and tasks are read from their own bytes, which `reeve_wire::decode` has
/// found to be sound.
fn run_group(message: internal::RunTaskGroupMessage, body: &Bytes) -> Result<FromMaster, Refused> {
    let executor = match content(body, GROUP_EXECUTOR).ok().flatten() {
        Some(encoded) => ExecutorInfo::from_wire_bytes(&encoded)?,
        None => ExecutorInfo::try_from(message.executor)?,
    };
    let group = content(body, TASK_GROUP).ok().flatten().unwrap_or_default();
    let tasks: Result<Vec<_>, _> = contents(&group, GROUP_TASKS)
        .unwrap_or_default()
        .iter()
        .map(|encoded| TaskInfo::from_wire_bytes(encoded).map(Arc::new))
        .collect();
    Ok(FromMaster::RunGroup {
        framework: Arc::new(framework(message.framework, None)?),
        executor: Arc::new(executor),
        tasks: tasks?,
        launch_executor: message.launch_executor,
    })
}

/// Fields of `RunTaskGroupMessage` and of its `TaskGroupInfo`.
const GROUP_EXECUTOR: u32 = 2;
const TASK_GROUP: u32 = 3;
const GROUP_TASKS: u32 = 1;

fn acknowledged(
    message: internal::StatusUpdateAcknowledgementMessage,
) -> Result<FromMaster, Refused> {
    let uuid = Uuid::from_slice(&message.uuid)
        .map_err(|error| WireError::new("uuid", error.to_string()))?;
    let task: TaskId = message.task_id.into();
    Ok(FromMaster::Acknowledge(message.framework_id.into(), task, uuid))
}

fn shutdown_executor(message: internal::ShutdownExecutorMessage) -> Result<FromMaster, Refused> {
    let missing = |field| WireError::new(field, "is missing");
    let framework = message.framework_id.ok_or_else(|| missing("framework_id"))?;
    let executor = message.executor_id.ok_or_else(|| missing("executor_id"))?;
    Ok(FromMaster::ShutdownExecutor(framework.into(), ExecutorId::from(executor)))
}

fn update_framework(message: internal::UpdateFrameworkMessage) -> Result<FromMaster, Refused> {
    let id: FrameworkId = message.framework_id.into();
    let info = message.framework_info.map(FrameworkInfo::try_from).transpose()?;
    let scheduler = message.pid.and_then(|pid| pid.parse().ok());
    Ok(FromMaster::UpdateFramework(id, info.map(Arc::new), scheduler))
}
