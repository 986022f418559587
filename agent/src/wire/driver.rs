//! Messages of executors on the native driver, and to them (LP-7, LP-8).

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use reeve_agent_core::effect::ToExecutor;
use reeve_agent_core::event::{ExecutorSubscription, Kind};
use reeve_model::{
    AgentInfo, ExecutorId, FrameworkId, FrameworkInfo, Pid, Source, StatusUpdate, TaskInfo,
    TaskStatus, WireError,
};
use reeve_wire::{Described, WireMessage, decode, encode as bytes, internal, v1};

use super::executor::{agent_info_id, task_bytes};
use super::incoming::Refused;
use super::outgoing::{executor as executor_info, slave};

/// What a driver asks for.
#[derive(Debug)]
pub enum Asked {
    /// To be taken as its executor's; `again` if it outlived an agent.
    Register {
        /// What it has.
        subscription: Box<ExecutorSubscription>,
        /// How it wants to be greeted.
        again: bool,
    },
    /// Anything else, as an event of the core.
    Tell(Kind),
}

/// Where an executor's driver listens, and who it is.
#[derive(Clone, Debug)]
pub struct Driver {
    /// Its pid.
    pub pid: Pid,
    /// Its framework.
    pub framework: FrameworkId,
    /// Its executor.
    pub executor: ExecutorId,
    /// Whether it is greeted as one that outlived an agent.
    pub again: bool,
    /// Its framework's description, once the core has told it.
    pub info: Option<Arc<FrameworkInfo>>,
}

/// Reads a message of an executor's driver, and whose it is; nothing if it is none.
pub fn parse(
    from: &Pid,
    name: &str,
    body: &Bytes,
) -> Option<Result<(FrameworkId, ExecutorId, Asked), Refused>> {
    Some(match name {
        internal::RegisterExecutorMessage::NAME => register(from, body),
        internal::ReregisterExecutorMessage::NAME => reregister(from, body),
        internal::StatusUpdateMessage::NAME => update(body),
        internal::ExecutorToFrameworkMessage::NAME => message(body),
        _ => return None,
    })
}

type Read = Result<(FrameworkId, ExecutorId, Asked), Refused>;

fn register(from: &Pid, body: &Bytes) -> Read {
    let wire: internal::RegisterExecutorMessage = decode(body)?;
    Ok(asks(from, wire.framework_id.into(), wire.executor_id.into(), Vec::new(), Vec::new(), false))
}

fn reregister(from: &Pid, body: &Bytes) -> Read {
    let wire: internal::ReregisterExecutorMessage = decode(body)?;
    let read = |task| TaskInfo::try_from(task).map(Arc::new);
    let tasks = wire.tasks.into_iter().map(read).collect::<Result<Vec<_>, WireError>>()?;
    let updates = wire.updates.into_iter().map(status).collect::<Result<Vec<_>, WireError>>()?;
    Ok(asks(from, wire.framework_id.into(), wire.executor_id.into(), tasks, updates, true))
}

fn asks(
    from: &Pid,
    framework: FrameworkId,
    executor: ExecutorId,
    tasks: Vec<Arc<TaskInfo>>,
    updates: Vec<TaskStatus>,
    again: bool,
) -> (FrameworkId, ExecutorId, Asked) {
    let subscription = Box::new(ExecutorSubscription {
        framework: framework.clone(),
        executor: executor.clone(),
        tasks,
        updates,
        driver: Some(from.clone()),
    });
    (framework, executor, Asked::Register { subscription, again })
}

fn update(body: &Bytes) -> Read {
    let wire: internal::StatusUpdateMessage = decode(body)?;
    let executor = wire.update.executor_id.clone().or(wire.update.status.executor_id.clone());
    let executor: ExecutorId = executor.ok_or(Refused::NoExecutor)?.into();
    let framework: FrameworkId = wire.update.framework_id.clone().into();
    let status = Box::new(status(wire.update)?);
    let told = Kind::ExecutorUpdates(framework.clone(), executor.clone(), status);
    Ok((framework, executor, Asked::Tell(told)))
}

fn message(body: &Bytes) -> Read {
    let wire: internal::ExecutorToFrameworkMessage = decode(body)?;
    let (framework, executor): (FrameworkId, ExecutorId) =
        (wire.framework_id.into(), wire.executor_id.into());
    let told = Kind::ExecutorMessage(framework.clone(), executor.clone(), wire.data);
    Ok((framework, executor, Asked::Tell(told)))
}

/// The status in an update. The driver acknowledges by the update's id; older ones left the
/// status without it.
fn status(wire: internal::StatusUpdate) -> Result<TaskStatus, WireError> {
    let update = StatusUpdate::try_from(wire)?;
    let timestamp = update.status.timestamp.or(Some(update.timestamp));
    let uuid = update.uuid.or(update.status.uuid);
    Ok(TaskStatus { uuid, timestamp, source: Some(Source::Executor), ..update.status })
}

/// The messages that say this to an executor's driver; `agent` is this agent's description.
pub fn encode(message: &ToExecutor, to: &Driver, agent: &AgentInfo) -> Vec<(&'static str, Bytes)> {
    let (framework_id, executor_id) = (to.framework.to_wire(), to.executor.to_wire());
    let slave_id = agent_info_id(agent);
    let one = match message {
        ToExecutor::Subscribed { .. } if to.again => {
            pack(&internal::ExecutorReregisteredMessage { slave_id, slave_info: slave(agent) })
        }
        ToExecutor::Subscribed { executor, framework, .. } => {
            pack(&internal::ExecutorRegisteredMessage {
                executor_info: executor_info(&to.framework, executor),
                framework_id,
                framework_info: framework.to_wire(),
                slave_id,
                slave_info: slave(agent),
            })
        }
        ToExecutor::Launch(task) => run(to, task),
        // Drivers know no groups; they get the tasks one by one, as from Mesos.
        ToExecutor::LaunchGroup(tasks) => return tasks.iter().map(|task| run(to, task)).collect(),
        ToExecutor::Kill(task, policy) => pack(&internal::KillTaskMessage {
            framework_id,
            task_id: task.to_wire(),
            kill_policy: policy.as_ref().map(|policy| policy.to_wire()),
        }),
        ToExecutor::Acknowledged(task, uuid) => {
            pack(&internal::StatusUpdateAcknowledgementMessage {
                slave_id,
                framework_id,
                task_id: task.to_wire(),
                uuid: uuid.to_bytes(),
            })
        }
        ToExecutor::Message(data) => pack(&internal::FrameworkToExecutorMessage {
            slave_id,
            framework_id,
            executor_id,
            data: data.clone(),
        }),
        // Drivers know no errors: who is not wanted has to end.
        ToExecutor::Shutdown(_) | ToExecutor::Error(_) => shutdown(),
        ToExecutor::Heartbeat => return Vec::new(),
    };
    vec![one]
}

/// What ends an executor's driver.
pub fn shutdown() -> (&'static str, Bytes) {
    pack(&internal::ShutdownExecutorMessage::default())
}

/// What asks a driver that outlived an agent to come back.
pub fn reconnect(agent: &AgentInfo) -> (&'static str, Bytes) {
    pack(&internal::ReconnectExecutorMessage { slave_id: agent_info_id(agent) })
}

fn run(to: &Driver, task: &TaskInfo) -> (&'static str, Bytes) {
    let wire = RunTask {
        framework_id: Some(to.framework.to_wire()),
        framework: to.info.as_ref().map(|info| info.to_wire()).unwrap_or_default(),
        task: task_bytes(task),
    };
    (internal::RunTaskMessage::NAME, wire.encode_to_vec().into())
}

fn pack<T: WireMessage>(message: &T) -> (&'static str, Bytes) {
    (T::NAME, bytes(message))
}

/// `RunTaskMessage` with the task as it came: fields that are unknown here go on to the executor.
#[derive(Clone, PartialEq, Message)]
struct RunTask {
    #[prost(message, optional, tag = "1")]
    framework_id: Option<v1::FrameworkId>,
    #[prost(message, required, tag = "2")]
    framework: v1::FrameworkInfo,
    #[prost(bytes = "bytes", required, tag = "4")]
    task: Bytes,
}

#[cfg(test)]
mod tests;
