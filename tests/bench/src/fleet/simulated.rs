//! What simulated agents answer: pure state, messages in, messages out.
//!
//! ```text
//! task: RUNNING sent -- acknowledged --> running -- time is up --> FINISHED sent -- acknowledged --> gone
//!       killed at any time: KILLED instead of FINISHED, once RUNNING is acknowledged
//! ```
//!
//! What they say when they lost their master is in [`returning`].

mod returning;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use bytes::Bytes;
use prost::Message;
use reeve_model::Pid;
use reeve_transport::Inbound;
use reeve_wire::v1::agent_info::capability::Type as Capability;
use reeve_wire::{SlaveInfo, WireMessage, internal, v1};

use super::{FleetOptions, Totals};
use returning::Attempts;

pub use returning::{Burden, framework_id};

/// What agents say that they can do (mesos.md 12.1: without these a master filters them).
const CAPABILITIES: [Capability; 8] = [
    Capability::MultiRole,
    Capability::HierarchicalRole,
    Capability::ReservationRefinement,
    Capability::ResourceProvider,
    Capability::ResizeVolume,
    Capability::AgentOperationFeedback,
    Capability::AgentDraining,
    Capability::TaskResourceLimits,
];

/// The version they say that they are.
const VERSION: &str = "1.11.0";

/// A message on its way out.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// Which agent sends it.
    pub(super) agent: usize,
    /// To whom; the master's own actor if to nobody else.
    pub(super) to: Option<Pid>,
    pub(super) name: &'static str,
    pub(super) body: Bytes,
}

/// The agents behind one socket.
#[derive(Debug)]
pub(super) struct Simulated {
    here: SocketAddr,
    /// The number in the first agent's id.
    base: usize,
    resources: Vec<v1::Resource>,
    checkpoint: bool,
    task_time: Duration,
    burden: Option<Burden>,
    agents: Vec<Agent>,
    attempts: Attempts,
    unregistered: usize,
    first: Option<Instant>,
    last: Option<Instant>,
    tasks: Vec<Slot>,
    free: Vec<u32>,
    /// When running tasks end. All run equally long, so the first in is the first out.
    ends: VecDeque<(Instant, TaskKey)>,
    totals: Totals,
}

#[derive(Debug)]
struct Agent {
    /// The actor, such as `slave(1)`.
    id: Arc<str>,
    /// Its pid as text.
    pid: String,
    /// Given by the master.
    slave_id: Option<v1::AgentId>,
    /// What it says when it returns to a master.
    back: Bytes,
    /// Whether the present master has it.
    is_registered: bool,
}

/// A place for a task; its generation tells the tasks that had it apart.
#[derive(Debug)]
struct Slot {
    generation: u32,
    task: Option<Task>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TaskKey {
    slot: u32,
    generation: u32,
}

#[derive(Debug)]
struct Task {
    agent: usize,
    framework: v1::FrameworkId,
    id: v1::TaskId,
    executor: v1::ExecutorId,
    stage: Stage,
    killed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Starting,
    Running,
    Ending,
}

/// The parts of `RunTaskMessage` that an agent which runs nothing needs.
#[derive(Clone, PartialEq, Message)]
struct RunTask {
    #[prost(message, optional, tag = "1")]
    framework_id: Option<v1::FrameworkId>,
    #[prost(message, optional, tag = "2")]
    framework: Option<NamedFramework>,
    #[prost(message, optional, tag = "4")]
    task: Option<NamedTask>,
}

/// `FrameworkInfo`, the id alone.
#[derive(Clone, PartialEq, Message)]
struct NamedFramework {
    #[prost(message, optional, tag = "3")]
    id: Option<v1::FrameworkId>,
}

/// `TaskInfo`, the ids alone.
#[derive(Clone, PartialEq, Message)]
struct NamedTask {
    #[prost(message, optional, tag = "2")]
    task_id: Option<v1::TaskId>,
    #[prost(message, optional, tag = "5")]
    executor: Option<NamedExecutor>,
}

/// `ExecutorInfo`, the id alone.
#[derive(Clone, PartialEq, Message)]
struct NamedExecutor {
    #[prost(message, optional, tag = "1")]
    executor_id: Option<v1::ExecutorId>,
}

/// `StatusUpdateAcknowledgementMessage`, the uuid alone: it says which task it is.
#[derive(Clone, PartialEq, Message)]
struct Acknowledgement {
    #[prost(bytes = "bytes", optional, tag = "4")]
    uuid: Option<Bytes>,
}

impl Simulated {
    /// Agents `slave(first + 1)` and so on.
    pub(super) fn new(
        here: SocketAddr,
        first: u32,
        count: u32,
        resources: &[v1::Resource],
        options: &FleetOptions,
    ) -> Simulated {
        let agent = |number: u32| {
            let id = format!("slave({number})");
            Agent {
                pid: format!("{id}@{here}"),
                id: id.into(),
                slave_id: None,
                back: Bytes::new(),
                is_registered: false,
            }
        };
        let agents: Vec<Agent> = (first + 1..=first + count).map(agent).collect();
        Simulated {
            here,
            base: first as usize + 1,
            resources: resources.to_vec(),
            checkpoint: options.checkpoint,
            task_time: options.task_time,
            burden: options.burden,
            attempts: Attempts::new(u64::from(first)),
            unregistered: agents.len(),
            agents,
            first: None,
            last: None,
            tasks: Vec::new(),
            free: Vec::new(),
            ends: VecDeque::new(),
            totals: Totals::default(),
        }
    }

    /// The ids of all actors.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.agents.iter().map(|agent| &*agent.id)
    }

    /// The id of that agent's actor.
    pub(super) fn id(&self, agent: usize) -> &str {
        self.agents.get(agent).map_or("slave(1)", |agent| &agent.id)
    }

    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    /// When the first and the last agent were registered, if all are.
    pub(super) fn registered(&self) -> Option<(Instant, Instant)> {
        if self.unregistered > 0 { None } else { self.first.zip(self.last) }
    }

    /// When [`Simulated::pass`] has something to do.
    pub(super) fn due(&self) -> Option<Instant> {
        let end = self.ends.front().map(|(end, _)| *end);
        [end, self.attempts.due()].into_iter().flatten().min()
    }

    /// Asks for the registration of all that aren't registered.
    pub(super) fn register(&self, out: &mut Vec<Outgoing>) {
        for (index, agent) in self.agents.iter().enumerate() {
            if agent.slave_id.is_none() {
                out.push(outgoing(index, &self.registration(index)));
            }
        }
    }

    fn registration(&self, index: usize) -> internal::RegisterSlaveMessage {
        let capability =
            |kind: Capability| v1::agent_info::Capability { r#type: Some(kind.into()) };
        internal::RegisterSlaveMessage {
            slave: SlaveInfo {
                hostname: format!("simulated-{}", self.base + index),
                port: Some(i32::from(self.here.port())),
                resources: self.resources.clone(),
                checkpoint: Some(self.checkpoint),
                ..SlaveInfo::default()
            },
            version: Some(VERSION.to_owned()),
            agent_capabilities: CAPABILITIES.into_iter().map(capability).collect(),
            resource_version_uuid: Some(resource_version(self.base + index)),
            ..internal::RegisterSlaveMessage::default()
        }
    }

    /// Takes a message of the master.
    ///
    /// # Errors
    /// If the message makes no sense, or shuts an agent down.
    pub(super) fn take(
        &mut self,
        message: Inbound,
        now: Instant,
        out: &mut Vec<Outgoing>,
    ) -> anyhow::Result<()> {
        let agent = self.agent(&message.to)?;
        let name = message.name.strip_prefix("mesos.internal.").unwrap_or(&message.name);
        match name {
            "RunTaskMessage" => self.run_task(agent, message.body, out),
            "StatusUpdateAcknowledgementMessage" => self.acknowledged(message.body, now, out),
            "PingSlaveMessage" => {
                let pong = internal::PongSlaveMessage::default();
                out.push(Outgoing { to: Some(message.from), ..outgoing(agent, &pong) });
                Ok(())
            }
            "SlaveRegisteredMessage" => self.agent_registered(agent, &message.body, now, out),
            "SlaveReregisteredMessage" => {
                self.admitted(agent, now, out);
                Ok(())
            }
            "KillTaskMessage" => self.kill(agent, &message.body, out),
            "ShutdownFrameworkMessage" => self.shut_down_framework(agent, &message.body),
            "ShutdownMessage" => {
                let told = internal::ShutdownMessage::decode(message.body)?;
                bail!("the master shuts {} down: {}", message.to, told.message.unwrap_or_default())
            }
            // What is left concerns executors, operations and reservations: none here.
            _ => Ok(()),
        }
    }

    /// Ends the tasks whose time is up, and lets agents ask whose turn it is.
    pub(super) fn pass(&mut self, now: Instant, out: &mut Vec<Outgoing>) {
        self.ask(now, out);
        while let Some((end, key)) = self.ends.front().copied() {
            if end > now {
                return;
            }
            self.ends.pop_front();
            self.end(key, v1::TaskState::TaskFinished, out);
        }
    }

    /// Which agent an actor is.
    fn agent(&self, actor: &str) -> anyhow::Result<usize> {
        let number = actor.strip_prefix("slave(").and_then(|rest| rest.strip_suffix(')'));
        let number: Option<usize> = number.and_then(|number| number.parse().ok());
        let index = number.and_then(|number| number.checked_sub(self.base));
        index.filter(|index| *index < self.agents.len()).context("a message for nobody here")
    }

    fn agent_registered(
        &mut self,
        index: usize,
        body: &Bytes,
        now: Instant,
        out: &mut Vec<Outgoing>,
    ) -> anyhow::Result<()> {
        let told = internal::SlaveRegisteredMessage::decode(body.clone())?;
        let Some(agent) = self.agents.get_mut(index) else { return Ok(()) };
        agent.slave_id = Some(told.slave_id);
        if let Some(burden) = self.burden {
            self.prepare(index, burden);
        }
        self.admitted(index, now, out);
        Ok(())
    }

    /// The master has an agent.
    fn admitted(&mut self, index: usize, now: Instant, out: &mut Vec<Outgoing>) {
        let number = self.base + index;
        let Some(agent) = self.agents.get_mut(index) else { return };
        if !std::mem::replace(&mut agent.is_registered, true) {
            self.unregistered -= 1;
            self.first.get_or_insert(now);
            self.last = Some(now);
        }
        let Some(slave_id) = agent.slave_id.clone() else { return };
        let update = internal::UpdateSlaveMessage {
            slave_id,
            update_oversubscribed_resources: Some(false),
            operations: Some(Default::default()),
            resource_version_uuid: Some(resource_version(number)),
            resource_providers: Some(Default::default()),
            ..internal::UpdateSlaveMessage::default()
        };
        out.push(outgoing(index, &update));
    }

    fn run_task(
        &mut self,
        agent: usize,
        body: Bytes,
        out: &mut Vec<Outgoing>,
    ) -> anyhow::Result<()> {
        let run = RunTask::decode(body)?;
        let task = run.task.context("a RunTaskMessage without a task")?;
        let id = task.task_id.context("a task without an id")?;
        let framework = run.framework_id.or(run.framework.and_then(|framework| framework.id));
        let framework = framework.context("a RunTaskMessage without a framework's id")?;
        let executor = task.executor.and_then(|executor| executor.executor_id);
        let executor = executor.unwrap_or_else(|| v1::ExecutorId { value: id.value.clone() });
        let stage = Stage::Starting;
        let task = Task { agent, framework, id, executor, stage, killed: false };
        self.totals.tasks += 1;
        let key = self.insert(task);
        self.report(key, v1::TaskState::TaskRunning, out);
        Ok(())
    }

    fn acknowledged(
        &mut self,
        body: Bytes,
        now: Instant,
        out: &mut Vec<Outgoing>,
    ) -> anyhow::Result<()> {
        let uuid = Acknowledgement::decode(body)?.uuid.unwrap_or_default();
        let key = TaskKey::of(&uuid).context("an acknowledgement of no update of ours")?;
        let Some(task) = self.task(key) else { return Ok(()) };
        match task.stage {
            Stage::Starting if uuid == key.uuid(Stage::Starting) => {
                task.stage = Stage::Running;
                if task.killed {
                    self.end(key, v1::TaskState::TaskKilled, out);
                } else if self.task_time.is_zero() {
                    self.end(key, v1::TaskState::TaskFinished, out);
                } else {
                    self.ends.push_back((now + self.task_time, key));
                }
            }
            Stage::Ending if uuid == key.uuid(Stage::Ending) => self.remove(key),
            // A second acknowledgement of the same update.
            _ => (),
        }
        Ok(())
    }

    fn kill(&mut self, agent: usize, body: &Bytes, out: &mut Vec<Outgoing>) -> anyhow::Result<()> {
        let kill = internal::KillTaskMessage::decode(body.clone())?;
        let is_it = |task: &Task| {
            task.agent == agent && task.id == kill.task_id && task.framework == kill.framework_id
        };
        let found = self.tasks.iter().position(|slot| slot.task.as_ref().is_some_and(is_it));
        let Some(slot) = found else { return Ok(()) };
        let key = self.key(u32::try_from(slot)?);
        if let Some(task) = self.task(key) {
            task.killed = true;
            if task.stage == Stage::Running {
                self.end(key, v1::TaskState::TaskKilled, out);
            }
        }
        Ok(())
    }

    fn shut_down_framework(&mut self, agent: usize, body: &Bytes) -> anyhow::Result<()> {
        let told = internal::ShutdownFrameworkMessage::decode(body.clone())?;
        for index in 0..u32::try_from(self.tasks.len())? {
            let key = self.key(index);
            let ends = self
                .task(key)
                .is_some_and(|task| task.agent == agent && task.framework == told.framework_id);
            if ends {
                self.remove(key);
            }
        }
        Ok(())
    }

    /// Reports the last state of a running task.
    fn end(&mut self, key: TaskKey, state: v1::TaskState, out: &mut Vec<Outgoing>) {
        if let Some(task) = self.task(key).filter(|task| task.stage == Stage::Running) {
            task.stage = Stage::Ending;
            self.report(key, state, out);
        }
    }

    fn report(&mut self, key: TaskKey, state: v1::TaskState, out: &mut Vec<Outgoing>) {
        let Some(task) = self.tasks.get(key.slot as usize).and_then(|slot| slot.task.as_ref())
        else {
            return;
        };
        let Some(agent) = self.agents.get(task.agent) else { return };
        let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let timestamp = timestamp.as_secs_f64();
        let uuid = key.uuid(task.stage);
        let status = v1::TaskStatus {
            task_id: task.id.clone(),
            state: state.into(),
            source: Some(v1::task_status::Source::Executor.into()),
            agent_id: agent.slave_id.clone(),
            executor_id: Some(task.executor.clone()),
            timestamp: Some(timestamp),
            uuid: Some(uuid.clone()),
            ..v1::TaskStatus::default()
        };
        let message = internal::StatusUpdateMessage {
            update: internal::StatusUpdate {
                framework_id: task.framework.clone(),
                executor_id: Some(task.executor.clone()),
                slave_id: agent.slave_id.clone(),
                status,
                timestamp,
                uuid: Some(uuid),
                latest_state: Some(state.into()),
            },
            // A Mesos master dies of an update without one.
            pid: Some(agent.pid.clone()),
        };
        out.push(outgoing(task.agent, &message));
        self.totals.updates += 1;
    }

    fn insert(&mut self, task: Task) -> TaskKey {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.tasks.push(Slot { generation: 0, task: None });
                u32::try_from(self.tasks.len() - 1).unwrap_or(u32::MAX)
            }
        };
        if let Some(place) = self.tasks.get_mut(slot as usize) {
            place.task = Some(task);
        }
        self.key(slot)
    }

    fn remove(&mut self, key: TaskKey) {
        if let Some(place) = self.tasks.get_mut(key.slot as usize) {
            place.task = None;
            place.generation = place.generation.wrapping_add(1);
            self.free.push(key.slot);
        }
    }

    /// The key of whatever task has that slot now.
    fn key(&self, slot: u32) -> TaskKey {
        let generation = self.tasks.get(slot as usize).map_or(0, |place| place.generation);
        TaskKey { slot, generation }
    }

    fn task(&mut self, key: TaskKey) -> Option<&mut Task> {
        let place = self.tasks.get_mut(key.slot as usize)?;
        place.task.as_mut().filter(|_| place.generation == key.generation)
    }
}

impl TaskKey {
    /// The uuid of the update sent at that stage. It has the shape of a random one, and says
    /// which task it is about, so that its acknowledgement does.
    fn uuid(self, stage: Stage) -> Bytes {
        let mut uuid = [0; 16];
        uuid[..4].copy_from_slice(&self.slot.to_be_bytes());
        uuid[4] = stage as u8;
        uuid[6] = 0x40;
        uuid[8] = 0x80;
        uuid[12..].copy_from_slice(&self.generation.to_be_bytes());
        Bytes::copy_from_slice(&uuid)
    }

    fn of(uuid: &[u8]) -> Option<TaskKey> {
        let slot = u32::from_be_bytes(uuid.get(..4)?.try_into().ok()?);
        let generation = u32::from_be_bytes(uuid.get(12..16)?.try_into().ok()?);
        Some(TaskKey { slot, generation })
    }
}

fn outgoing<T: WireMessage>(agent: usize, message: &T) -> Outgoing {
    Outgoing { agent, to: None, name: T::NAME, body: reeve_wire::encode(message) }
}

/// Never changes: these agents never change what they have.
fn resource_version(number: usize) -> v1::Uuid {
    let key = TaskKey { slot: u32::try_from(number).unwrap_or(u32::MAX), generation: 0 };
    v1::Uuid { value: key.uuid(Stage::Starting) }
}

#[cfg(test)]
mod tests;
