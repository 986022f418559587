//! `ReregisterSlaveMessage`: what an agent brings back.
//!
//! After a failover all agents send theirs at once. Most of each is about tasks, and most of a
//! task is only kept for readers: it is cut out of the message and never decoded. What many say
//! alike is read once and kept once.

use std::sync::Arc;

use bytes::Bytes;
use foldhash::{HashMap, HashSet};
use prost::Message;
use reeve_master_core::event::{KnownTask, Reregistration};
use reeve_model::{
    AgentId, ExecutorId, ExecutorInfo, FrameworkId, FrameworkInfo, Kin, Resources, TaskId,
    TaskState, TaskStatus, Uuid,
};
use reeve_wire::splice::{self, Raw, RawField};
use reeve_wire::{Described, SlaveInfo, internal, required, v1};

use super::parts::describe;

/// How many different things of a kind are remembered. More are rare, and then all are forgotten.
const REMEMBERED: usize = 4096;

/// The message, with what runs on the agent still encoded. (A field of bytes has the encoding of a
/// message.)
#[derive(Clone, PartialEq, Message)]
struct Back {
    #[prost(message, required, tag = "2")]
    slave: SlaveInfo,
    /// Number [`TASKS`].
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

/// The number of the field `tasks`.
const TASKS: u32 = 3;

/// The longest description of a task, in bytes, that is remembered.
const LONGEST: usize = 4096;

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
    names: HashSet<Arc<str>>,
    /// All else that was said of tasks: those of one service differ in little but their ids.
    rests: HashSet<Bytes>,
    copies: Copies,
}

/// What of a task is looked up by its bytes, taken together. Used for one task after the other.
#[derive(Debug, Default)]
struct Copies {
    /// The fields `resources`.
    resources: Vec<u8>,
    /// The fields that [`KnownTask`] has no name for.
    rest: Vec<u8>,
}

/// What of an encoded `Task` the master decides by, found in one walk.
#[derive(Debug, Default)]
struct Said<'a> {
    name: Option<&'a str>,
    id: Option<&'a str>,
    framework: Option<&'a str>,
    agent: Option<&'a str>,
    executor: Option<&'a str>,
    /// An id without a value.
    is_nobodys: bool,
    state: Option<i32>,
    statuses: Vec<&'a [u8]>,
    update_state: Option<i32>,
    update_uuid: Option<&'a [u8]>,
}

impl<'a> Said<'a> {
    /// Reads a task whose required fields are there.
    fn read(task: &'a [u8], copies: &mut Copies) -> Result<Self, String> {
        let mut said = Said::default();
        copies.resources.clear();
        copies.rest.clear();
        for field in splice::fields(task) {
            let RawField { number, value, range } = field.map_err(|error| error.to_string())?;
            match (number, value) {
                (1, Raw::Bytes(name)) => said.name = Some(text(name)?),
                (2, Raw::Bytes(message)) => said.id = said.value(message)?,
                (3, Raw::Bytes(message)) => said.framework = said.value(message)?,
                (4, Raw::Bytes(message)) => said.executor = said.value(message)?,
                (5, Raw::Bytes(message)) => said.agent = said.value(message)?,
                (6, Raw::Varint(state)) => said.state = Some(state as i32),
                (7, Raw::Bytes(_)) => copies.resources.extend_from_slice(&task[range]),
                (8, Raw::Bytes(status)) => said.statuses.push(status),
                (9, Raw::Varint(state)) => said.update_state = Some(state as i32),
                (10, Raw::Bytes(uuid)) => said.update_uuid = Some(uuid),
                (1..=10, _) => return Err(format!("its field {number} has another type")),
                _ => copies.rest.extend_from_slice(&task[range]),
            }
        }
        Ok(said)
    }

    /// The text of an encoded id.
    fn value(&mut self, message: &'a [u8]) -> Result<Option<&'a str>, String> {
        let mut value = None;
        for field in splice::fields(message) {
            let field = field.map_err(|error| error.to_string())?;
            if let (1, Raw::Bytes(bytes)) = (field.number, field.value) {
                value = Some(text(bytes)?);
            }
        }
        self.is_nobodys |= value.is_none();
        Ok(value)
    }

    /// Whether all required fields of what was read here are there; not of what was passed over.
    fn is_complete(&self) -> bool {
        let ids = [self.name, self.id, self.framework, self.agent];
        !self.is_nobodys && self.state.is_some() && ids.iter().all(Option::is_some)
    }
}

/// Why a task is not taken over.
#[derive(Debug)]
enum Flaw {
    /// It lacks a required field: the whole message is refused, as by Mesos.
    Incomplete,
    /// It breaks a rule, and is left out.
    Unsound(String),
}

impl From<String> for Flaw {
    fn from(why: String) -> Self {
        Flaw::Unsound(why)
    }
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| error.to_string())
}

impl Memory {
    /// Reads the message. Tasks and executors that break a rule are logged and left out: the
    /// agent's others must not suffer for them.
    ///
    /// # Errors
    ///
    /// What of the message, or of the agent's own description, breaks a rule.
    pub fn reregistration(&mut self, body: &Bytes) -> Result<Reregistration, String> {
        let refused = |error| format!("{}: {error}", internal::ReregisterSlaveMessage::NAME);
        let all = internal::ReregisterSlaveMessage::DESC;
        required::check_around(body, all, &[TASKS]).map_err(refused)?;
        let back = Back::decode(body.clone()).map_err(|error| error.to_string())?;
        let registration = describe(
            back.slave,
            back.version,
            &back.capabilities,
            &back.checkpointed,
            back.resource_version.as_ref(),
        )?;
        let agent = registration.info.id.as_ref();
        let mut tasks = Vec::with_capacity(back.tasks.len());
        for task in &back.tasks {
            match self.task(task, agent) {
                Ok(task) => tasks.push(task),
                Err(Flaw::Unsound(why)) => leave_out("task", &why),
                Err(Flaw::Incomplete) => required::check(body, all).map_err(refused)?,
            }
        }
        Ok(Reregistration {
            tasks,
            executors: sound("executor", back.executors.iter().map(executor)),
            frameworks: sound("framework", back.frameworks.iter().map(|one| self.framework(one))),
            registration,
        })
    }

    fn task(&mut self, bytes: &Bytes, agent: Option<&AgentId>) -> Result<KnownTask, Flaw> {
        let said = Said::read(bytes, &mut self.copies)?;
        if !self.is_complete(bytes, &said) {
            return Err(Flaw::Incomplete);
        }
        let id = TaskId::new(said.id.unwrap_or_default());
        let executor = said.executor.map(ExecutorId::new);
        let kin = Kin { task: Some(&id), agent, executor: executor.as_ref() };
        let status = |encoded: &[u8]| {
            let read = TaskStatus::read(&bytes.slice_ref(encoded), kin);
            read.map(Arc::new).map_err(|error| error.to_string())
        };
        Ok(KnownTask {
            name: self.name(said.name.unwrap_or_default()),
            framework: FrameworkId::new(self.name(said.framework.unwrap_or_default())),
            state: state(said.state.unwrap_or_default())?,
            resources: self.resources()?,
            statuses: sound("status", said.statuses.into_iter().map(status)),
            update_state: said.update_state.map(state).transpose()?,
            update_uuid: said.update_uuid.and_then(|bytes| Uuid::from_slice(bytes).ok()),
            rest: self.rest(),
            id,
            executor,
        })
    }

    /// Whether a task has all required fields. What others said alike was found to have them.
    fn is_complete(&self, bytes: &[u8], said: &Said<'_>) -> bool {
        let knows_rest = self.rests.contains(&self.copies.rest[..])
            && self.resources.contains_key(&self.copies.resources[..]);
        if !(knows_rest && said.is_complete()) {
            return required::check(bytes, v1::Task::DESC).is_ok();
        }
        let mut statuses = said.statuses.iter();
        statuses.all(|status| required::check(status, v1::TaskStatus::DESC).is_ok())
    }

    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        share(&mut self.names, name.into())
    }

    /// What else was said of the last task; equal descriptions share memory.
    fn rest(&mut self) -> Bytes {
        let rest = &self.copies.rest[..];
        if let Some(known) = self.rests.get(rest) {
            return known.clone();
        }
        let rest = Bytes::copy_from_slice(rest);
        if rest.len() > LONGEST {
            return rest;
        }
        share(&mut self.rests, rest)
    }

    /// What the last task holds.
    fn resources(&mut self) -> Result<Resources, String> {
        let encoded = &self.copies.resources[..];
        if let Some(known) = self.resources.get(encoded) {
            return Ok(known.clone());
        }
        let held = Held::decode(encoded).map_err(|error| error.to_string())?;
        let resources = Resources::try_from(&held.resources).map_err(|error| error.to_string())?;
        let encoded = Bytes::copy_from_slice(encoded);
        remember(&mut self.resources, encoded, resources.clone());
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

/// The value, which others that say the same will have too.
fn share<T: Clone + Eq + std::hash::Hash>(memory: &mut HashSet<T>, value: T) -> T {
    if memory.len() >= REMEMBERED {
        memory.clear();
    }
    memory.insert(value.clone());
    value
}

fn remember<K: Eq + std::hash::Hash, V>(memory: &mut HashMap<K, V>, key: K, value: V) {
    if memory.len() >= REMEMBERED {
        memory.clear();
    }
    memory.insert(key, value);
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

fn sound<T, C: FromIterator<T>>(what: &str, read: impl Iterator<Item = Result<T, String>>) -> C {
    read.filter_map(|read| read.map_err(|why| leave_out(what, &why)).ok()).collect()
}

fn leave_out(what: &str, why: &str) {
    tracing::warn!("an agent returns with a {what} that is not sound: {why}");
}

#[cfg(test)]
mod tests;
