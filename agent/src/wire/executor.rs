//! The v1 executor API (§1.6): calls into events of the core, the core's words into events.

mod forwarded;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use reeve_agent_core::effect::ToExecutor;
use reeve_agent_core::event::{ExecutorSubscription, Kind};
use reeve_model::{
    AgentInfo, ExecutorInfo, Format, FrameworkInfo, TaskInfo, TaskStatus, WireError,
};
use reeve_wire::v1;
use reeve_wire::v1::executor::{Call, Event, call, event};

use self::forwarded::{Forwarded, Launch, LaunchGroup, Subscribed, TaskGroup};
use super::resources;

/// What a call asks for.
#[derive(Debug)]
pub enum Asked {
    /// SUBSCRIBE.
    Subscribe(Box<ExecutorSubscription>),
    /// UPDATE or MESSAGE, as an event of the core.
    Tell(Kind),
    /// HEARTBEAT: the connection lives.
    Nothing,
}

/// Parses a call; the error is the text of a 400.
pub fn parse(call: Call) -> Result<Asked, String> {
    let framework = call.framework_id.into();
    let executor = call.executor_id.into();
    let kind = call.r#type.and_then(|kind| call::Type::try_from(kind).ok());
    match kind {
        Some(call::Type::Subscribe) => {
            let subscribe = call.subscribe.ok_or("Expecting 'subscribe' to be present")?;
            let (tasks, updates) = unacknowledged(subscribe).map_err(|error| error.to_string())?;
            let subscription =
                ExecutorSubscription { framework, executor, tasks, updates, driver: None };
            Ok(Asked::Subscribe(Box::new(subscription)))
        }
        Some(call::Type::Update) => {
            let update = call.update.ok_or("Expecting 'update' to be present")?;
            let status = status(update.status)?;
            Ok(Asked::Tell(Kind::ExecutorUpdates(framework, executor, Box::new(status))))
        }
        Some(call::Type::Message) => {
            let message = call.message.ok_or("Expecting 'message' to be present")?;
            Ok(Asked::Tell(Kind::ExecutorMessage(framework, executor, message.data)))
        }
        Some(call::Type::Heartbeat) => Ok(Asked::Nothing),
        Some(call::Type::Unknown) | None => Err("Expecting 'type' to be present".to_owned()),
    }
}

type Unacknowledged = (Vec<Arc<TaskInfo>>, Vec<TaskStatus>);

fn unacknowledged(subscribe: call::Subscribe) -> Result<Unacknowledged, WireError> {
    let tasks: Result<Vec<_>, _> = subscribe
        .unacknowledged_tasks
        .into_iter()
        .map(|task| TaskInfo::try_from(task).map(Arc::new))
        .collect();
    let updates: Result<Vec<_>, _> = subscribe
        .unacknowledged_updates
        .into_iter()
        .map(|update| TaskStatus::try_from(update.status))
        .collect();
    Ok((tasks?, updates?))
}

/// EX-2: a status of an executor carries an id and says that it is an executor's.
fn status(wire: v1::TaskStatus) -> Result<TaskStatus, String> {
    match wire.uuid.as_deref() {
        None => return Err("Expecting 'uuid' to be present".to_owned()),
        Some(uuid) if uuid.len() != 16 => return Err("Not a valid UUID".to_owned()),
        Some(_) => {}
    }
    if wire.source() != v1::task_status::Source::Executor || wire.source.is_none() {
        return Err("Received Call from executor that is not SOURCE_EXECUTOR".to_owned());
    }
    TaskStatus::try_from(wire).map_err(|error| error.to_string())
}

/// The event for an executor in protobuf. Descriptions of tasks and executors are forwarded as they
/// came, with fields that are unknown here.
pub fn encode(message: &ToExecutor, agent: &AgentInfo) -> Bytes {
    let forwarded = match message {
        ToExecutor::Subscribed { executor, framework, container } => Forwarded {
            r#type: event::Type::Subscribed.into(),
            subscribed: Some(Subscribed {
                executor_info: executor_bytes(executor, framework),
                framework_info: framework.to_wire(),
                agent_info: agent_info(agent),
                container_id: Some(container.to_wire()),
            }),
            ..Forwarded::default()
        },
        ToExecutor::Launch(task) => Forwarded {
            r#type: event::Type::Launch.into(),
            launch: Some(Launch { task: task_bytes(task) }),
            ..Forwarded::default()
        },
        ToExecutor::LaunchGroup(tasks) => Forwarded {
            r#type: event::Type::LaunchGroup.into(),
            launch_group: Some(LaunchGroup {
                task_group: TaskGroup {
                    tasks: tasks.iter().map(|task| task_bytes(task)).collect(),
                },
            }),
            ..Forwarded::default()
        },
        other => return reeve_wire::encode(&event(other, agent)),
    };
    forwarded.encode_to_vec().into()
}

/// The event for an executor, as JSON shows it. `agent` is this agent's description.
pub fn event(message: &ToExecutor, agent: &AgentInfo) -> Event {
    let of = |kind: event::Type| Event { r#type: Some(kind.into()), ..Event::default() };
    match message {
        ToExecutor::Subscribed { executor, framework, container } => {
            let mut executor_info = executor.details();
            executor_info.resources = resources(&executor.resources);
            executor_info.framework_id = framework.id.as_ref().map(|id| id.to_wire());
            Event {
                subscribed: Some(event::Subscribed {
                    executor_info,
                    framework_info: framework.to_wire(),
                    agent_info: agent_info(agent),
                    container_id: Some(container.to_wire()),
                }),
                ..of(event::Type::Subscribed)
            }
        }
        ToExecutor::Launch(task) => Event {
            launch: Some(event::Launch { task: task_info(task) }),
            ..of(event::Type::Launch)
        },
        ToExecutor::LaunchGroup(tasks) => {
            let tasks = tasks.iter().map(|task| task_info(task)).collect();
            let task_group = v1::TaskGroupInfo { tasks };
            Event {
                launch_group: Some(event::LaunchGroup { task_group }),
                ..of(event::Type::LaunchGroup)
            }
        }
        ToExecutor::Kill(task, policy) => Event {
            kill: Some(event::Kill {
                task_id: task.to_wire(),
                kill_policy: policy.as_ref().map(|policy| policy.to_wire()),
            }),
            ..of(event::Type::Kill)
        },
        ToExecutor::Acknowledged(task, uuid) => Event {
            acknowledged: Some(event::Acknowledged {
                task_id: task.to_wire(),
                uuid: Bytes::copy_from_slice(uuid.as_bytes()),
            }),
            ..of(event::Type::Acknowledged)
        },
        ToExecutor::Message(data) => Event {
            message: Some(event::Message { data: data.clone() }),
            ..of(event::Type::Message)
        },
        ToExecutor::Shutdown(_) => of(event::Type::Shutdown),
        ToExecutor::Error(message) => Event {
            error: Some(event::Error { message: message.clone() }),
            ..of(event::Type::Error)
        },
        ToExecutor::Heartbeat => of(event::Type::Heartbeat),
    }
}

fn task_info(task: &TaskInfo) -> v1::TaskInfo {
    task.to_wire(Format::PreRefinement)
        .or_else(|_| task.to_wire(Format::PostRefinement))
        .unwrap_or_else(|_| task.details())
}

pub(super) fn task_bytes(task: &TaskInfo) -> Bytes {
    task.to_wire_bytes(Format::PreRefinement)
        .or_else(|_| task.to_wire_bytes(Format::PostRefinement))
        .unwrap_or_else(|_| task.rest.clone())
}

fn executor_bytes(executor: &ExecutorInfo, framework: &FrameworkInfo) -> Bytes {
    let executor = ExecutorInfo { framework: framework.id.clone(), ..executor.clone() };
    executor
        .to_wire_bytes(Format::PreRefinement)
        .or_else(|_| executor.to_wire_bytes(Format::PostRefinement))
        .unwrap_or(executor.rest)
}

/// The agent's id; it has one before it runs anything.
pub(super) fn agent_info_id(agent: &AgentInfo) -> v1::AgentId {
    agent.id.as_ref().map(|id| id.to_wire()).unwrap_or_default()
}

fn agent_info(agent: &AgentInfo) -> v1::AgentInfo {
    agent
        .to_wire(Format::PreRefinement)
        .or_else(|_| agent.to_wire(Format::PostRefinement))
        .unwrap_or_default()
}
