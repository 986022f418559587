//! `ReregisterSlaveMessage`: what an agent brings back.
//!
//! After a failover all agents send theirs at once. Most of each is about tasks, and most of a
//! task is only kept for readers: it is cut out of the message and never decoded. What many say
//! alike is read once and kept once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use reeve_master_core::event::{KnownTask, Reregistration};
use reeve_model::{
    AgentId, ExecutorId, ExecutorInfo, FrameworkId, FrameworkInfo, Resources, TaskId, TaskState,
    TaskStatus, Uuid,
};
use reeve_wire::{Described, SlaveInfo, internal, required, splice, v1};

use super::parts::describe;

/// How many different things of a kind are remembered. More are rare, and then all are forgotten.
const REMEMBERED: usize = 4096;

/// The message, with what runs on the agent still encoded. (A field of bytes has the encoding of a
/// message.)
#[derive(Clone, PartialEq, Message)]
struct Back {
    #[prost(message, required, tag = "2")]
    slave: SlaveInfo,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    tasks: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "4")]
    executors: Vec<Bytes>,
    #[prost(string, optional, tag = "6")]
    version: Option<String>,
    #[prost(message, repeated, tag = "7")]
    checkpointed: Vec<v1::Resource>,
    #[prost(bytes = "bytes", repeated, tag = "8")]
    frameworks: Vec<Bytes>,
    #[prost(message, repeated, tag = "9")]
    capabilities: Vec<v1::agent_info::Capability>,
    #[prost(message, optional, tag = "10")]
    resource_version: Option<v1::Uuid>,
}

/// What of `Task` the master decides by.
#[derive(Clone, PartialEq, Message)]
struct Named {
    #[prost(string, required, tag = "1")]
    name: String,
    #[prost(message, required, tag = "2")]
    id: v1::TaskId,
    #[prost(message, required, tag = "3")]
    framework: v1::FrameworkId,
    #[prost(message, optional, tag = "4")]
    executor: Option<v1::ExecutorId>,
    #[prost(int32, required, tag = "6")]
    state: i32,
    #[prost(message, repeated, tag = "8")]
    statuses: Vec<v1::TaskStatus>,
    #[prost(int32, optional, tag = "9")]
    update_state: Option<i32>,
    #[prost(bytes = "bytes", optional, tag = "10")]
    update_uuid: Option<Bytes>,
}

/// The longest description of a task, in bytes, that is remembered.
const LONGEST: usize = 4096;

/// The fields of `Task` that are in [`KnownTask`] by name, and that of its agent.
const NAMED: &[u32] = &[1, 2, 3, 4, 5, 6, RESOURCES, 8, 9, 10];

/// The field `resources`.
const RESOURCES: u32 = 7;

/// The field alone.
#[derive(Clone, PartialEq, Message)]
struct Held {
    #[prost(message, repeated, tag = "7")]
    resources: Vec<v1::Resource>,
}

/// What agents said before, so that others who say the same need not be read again.
#[derive(Debug, Default)]
pub struct Memory {
    frameworks: HashMap<Bytes, Arc<FrameworkInfo>>,
    resources: HashMap<Bytes, Resources>,
    names: HashMap<String, Arc<str>>,
    /// All else that was said of tasks: those of one service differ in little but their ids.
    rests: HashSet<Bytes>,
}

impl Memory {
    /// Reads the message. Tasks and executors that break a rule are logged and left out: the
    /// agent's others must not suffer for them.
    ///
    /// # Errors
    ///
    /// What of the message, or of the agent's own description, breaks a rule.
    pub fn reregistration(&mut self, body: &Bytes) -> Result<Reregistration, String> {
        required::check(body, internal::ReregisterSlaveMessage::DESC)
            .map_err(|error| format!("{}: {error}", internal::ReregisterSlaveMessage::NAME))?;
        let back = Back::decode(body.clone()).map_err(|error| error.to_string())?;
        let registration = describe(
            back.slave,
            back.version,
            &back.capabilities,
            &back.checkpointed,
            back.resource_version.as_ref(),
        )?;
        let agent = registration.info.id.as_ref();
        let tasks = back.tasks.iter().map(|task| self.task(task, agent));
        Ok(Reregistration {
            tasks: sound("task", tasks),
            executors: sound("executor", back.executors.iter().map(executor)),
            frameworks: sound("framework", back.frameworks.iter().map(|one| self.framework(one))),
            registration,
        })
    }

    fn task(&mut self, bytes: &Bytes, agent: Option<&AgentId>) -> Result<KnownTask, String> {
        let named = Named::decode(bytes.clone()).map_err(|error| error.to_string())?;
        let id = TaskId::from(named.id);
        let executor = named.executor.map(ExecutorId::from);
        let status = |wire: v1::TaskStatus| -> Result<TaskStatus, String> {
            let status = TaskStatus::try_from(wire).map_err(|error| error.to_string())?;
            Ok(with_ids_of(status, &id, agent, executor.as_ref()))
        };
        Ok(KnownTask {
            name: self.name(named.name),
            framework: FrameworkId::new(self.name(named.framework.value)),
            state: state(named.state)?,
            resources: self.resources(bytes)?,
            statuses: sound("status", named.statuses.into_iter().map(status)),
            update_state: named.update_state.map(state).transpose()?,
            update_uuid: named.update_uuid.and_then(|bytes| Uuid::from_slice(&bytes).ok()),
            rest: self.rest(splice::without(bytes, NAMED).map_err(|error| error.to_string())?),
            id,
            executor,
        })
    }

    fn name(&mut self, name: String) -> Arc<str> {
        if let Some(known) = self.names.get(&name) {
            return known.clone();
        }
        let new: Arc<str> = name.as_str().into();
        remember(&mut self.names, name, new.clone());
        new
    }

    /// The same bytes; equal ones share memory.
    fn rest(&mut self, rest: Bytes) -> Bytes {
        if let Some(known) = self.rests.get(&rest) {
            return known.clone();
        }
        if rest.len() <= LONGEST {
            if self.rests.len() >= REMEMBERED {
                self.rests.clear();
            }
            self.rests.insert(rest.clone());
        }
        rest
    }

    fn resources(&mut self, task: &Bytes) -> Result<Resources, String> {
        let bytes = splice::only(task, &[RESOURCES]).map_err(|error| error.to_string())?;
        if let Some(known) = self.resources.get(&bytes) {
            return Ok(known.clone());
        }
        let held = Held::decode(bytes.clone()).map_err(|error| error.to_string())?;
        let resources = Resources::try_from(&held.resources).map_err(|error| error.to_string())?;
        remember(&mut self.resources, bytes, resources.clone());
        Ok(resources)
    }

    fn framework(&mut self, bytes: &Bytes) -> Result<Arc<FrameworkInfo>, String> {
        if let Some(known) = self.frameworks.get(bytes) {
            return Ok(known.clone());
        }
        let wire = v1::FrameworkInfo::decode(bytes.clone()).map_err(|error| error.to_string())?;
        let info =
            FrameworkInfo::try_from(wire).map(Arc::new).map_err(|error| error.to_string())?;
        // The key must not keep the whole message.
        remember(&mut self.frameworks, Bytes::copy_from_slice(bytes), info.clone());
        Ok(info)
    }
}

fn remember<K: Eq + std::hash::Hash, V>(memory: &mut HashMap<K, V>, key: K, value: V) {
    if memory.len() >= REMEMBERED {
        memory.clear();
    }
    memory.insert(key, value);
}

/// A status whose ids share memory with those of its task.
fn with_ids_of(
    mut status: TaskStatus,
    task: &TaskId,
    agent: Option<&AgentId>,
    executor: Option<&ExecutorId>,
) -> TaskStatus {
    if status.task == *task {
        status.task = task.clone();
    }
    if status.agent.as_ref() == agent {
        status.agent = agent.cloned();
    }
    if status.executor.as_ref() == executor {
        status.executor = executor.cloned();
    } else if status.executor.as_ref().is_some_and(|own| own.as_str() == task.as_str()) {
        status.executor = Some(ExecutorId::from(task));
    }
    status
}

fn state(number: i32) -> Result<TaskState, String> {
    TaskState::try_from(number).map_err(|number| format!("no task state has number {number}"))
}

fn executor(bytes: &Bytes) -> Result<(FrameworkId, Arc<ExecutorInfo>), String> {
    // A copy, since the description keeps parts of what it was read from.
    let executor = ExecutorInfo::from_wire_bytes(&Bytes::copy_from_slice(bytes))
        .map_err(|error| error.to_string())?;
    let framework = executor.framework.clone().ok_or("it has no framework_id")?;
    Ok((framework, Arc::new(executor)))
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

#[cfg(test)]
mod tests;
