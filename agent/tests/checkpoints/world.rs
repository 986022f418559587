//! What is around an agent's core and its checkpoints: a kernel that keeps containers while the
//! agent is dead, executors, and a master that knows what it sent.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reeve_agent::checkpoint::damage::{Damage, Lost};
use reeve_agent::checkpoint::layout::Layout;
use reeve_agent::checkpoint::read;
use reeve_agent::checkpoint::write::Writer;
use reeve_agent_core::effect::{Effect, ToExecutor, ToMaster};
use reeve_agent_core::event::{Ending, Event, ExecutorSubscription, FromMaster, Kind, StreamId};
use reeve_agent_core::recovery::Fate;
use reeve_agent_core::{Agent, Options};
use reeve_agent_runtime::checkpoint::Store;
use reeve_agent_runtime::gc;
use reeve_machine::{Machine, Tick, Wall};
use reeve_model::{
    AgentId, AgentInfo, Attributes, Capabilities, ContainerId, ExecutorId, ExecutorInfo,
    ExecutorKind, FrameworkId, FrameworkInfo, Limits, Pid, Resources, Role, StatusUpdate, TaskId,
    TaskInfo, TaskState, TaskStatus, Uuid,
};

use reeve_wire::v1;

use crate::journal::{Crash, Journal};

/// An executor in its container.
#[derive(Debug)]
pub struct Container {
    framework: FrameworkId,
    executor: ExecutorId,
    command: bool,
    pub alive: bool,
    status: Option<i32>,
    stream: Option<StreamId>,
    /// Tasks it has that are not over.
    tasks: BTreeMap<TaskId, Arc<TaskInfo>>,
    /// Updates the agent has not called safe.
    unsafe_updates: Vec<TaskStatus>,
    /// Tasks of which no update was called safe.
    fresh: BTreeMap<TaskId, Arc<TaskInfo>>,
}

/// What the master knows of a task it sent.
#[derive(Debug, Default)]
pub struct Known {
    /// What it was told, in order, each once.
    pub told: Vec<(Uuid, TaskState)>,
    /// How often an executor got it.
    pub launches: u32,
    /// The end that the agent called safe to the task's executor.
    pub promised: Option<Uuid>,
}

impl Known {
    pub fn ends(&self) -> impl Iterator<Item = &(Uuid, TaskState)> {
        self.told.iter().filter(|(_, state)| state.is_terminal())
    }
}

struct Life {
    agent: Agent,
    writer: Writer,
}

/// All of it.
pub struct World {
    directory: tempfile::TempDir,
    boots: u32,
    life: Option<Life>,
    /// Of the life that began last.
    pub journal: Journal,
    now: Tick,
    events: VecDeque<Kind>,
    pub containers: BTreeMap<ContainerId, Container>,
    pub tasks: BTreeMap<TaskId, Known>,
    /// Ids that the master gave out.
    pub ids: Vec<AgentId>,
    pub damage: Vec<Damage>,
    /// Whether the master does not acknowledge what it hears.
    deaf: bool,
    streams: u64,
    chance: u128,
}

pub fn master() -> Pid {
    "master@10.0.0.1:5050".parse().unwrap()
}

pub fn framework(name: &str) -> Arc<FrameworkInfo> {
    Arc::new(FrameworkInfo {
        user: "root".to_owned(),
        name: name.to_owned(),
        id: Some(FrameworkId::new("F")),
        failover_timeout: Duration::from_secs(3600),
        checkpoint: true,
        roles: vec![Role::any()],
        hostname: String::new(),
        principal: None,
        webui_url: String::new(),
        capabilities: Capabilities::PARTITION_AWARE,
        offer_filters: Default::default(),
        rest: Bytes::new(),
    })
}

pub fn resources(text: &str) -> Resources {
    let mut resources = Resources::parse(text, &Role::any()).unwrap();
    resources.allocate(&Role::any());
    resources
}

fn task(id: &str, executor: Option<&str>) -> Arc<TaskInfo> {
    let custom = |id: &str| {
        let wire = v1::ExecutorInfo {
            executor_id: ExecutorId::new(id).to_wire(),
            command: Some(v1::CommandInfo { value: Some("./run".into()), ..Default::default() }),
            ..Default::default()
        };
        let info = ExecutorInfo::try_from(wire).unwrap();
        let framework = Some(FrameworkId::new("F"));
        Arc::new(ExecutorInfo { framework, resources: resources("cpus:0.5;mem:64"), ..info })
    };
    Arc::new(TaskInfo {
        id: TaskId::new(id),
        name: id.to_owned(),
        agent: AgentId::new("S0"),
        resources: resources("cpus:0.1;mem:32"),
        executor: executor.map(custom),
        kill_grace: None,
        max_completion: None,
        limits: Limits::default(),
        rest: Bytes::new(),
    })
}

impl World {
    pub fn new() -> Self {
        World {
            directory: tempfile::tempdir().unwrap(),
            boots: 1,
            life: None,
            journal: Journal::new(None),
            now: Tick::ZERO,
            events: VecDeque::new(),
            containers: BTreeMap::new(),
            tasks: BTreeMap::new(),
            ids: Vec::new(),
            damage: Vec::new(),
            deaf: false,
            streams: 0,
            chance: 0,
        }
    }

    pub fn work_dir(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    fn boot(&self) -> String {
        format!("boot {}", self.boots)
    }

    fn fresh(&mut self) -> Uuid {
        self.chance += 1;
        Uuid::from_chance((self.chance << 64).to_be_bytes())
    }

    /// Starts an agent, which dies at some point of its own or lives on.
    pub fn start(&mut self, stop: Option<(usize, Crash)>) {
        let layout = Layout::new(self.directory.path());
        self.journal = Journal::new(stop);
        let store = Store::on(Box::new(self.journal.clone()));
        let info = AgentInfo {
            id: None,
            hostname: "a1".to_owned(),
            port: 5051,
            resources: Resources::parse("cpus:4;mem:4096;disk:10000", &Role::any()).unwrap(),
            attributes: Attributes::default(),
            domain: None,
            checkpoint: true,
        };
        let mut found = read::read(&layout, &self.boot());
        for damage in &found.damage {
            // It may die over this as well.
            drop(damage.put_away(&layout, &store));
        }
        self.damage.extend(found.damage);
        if found.id.is_some() {
            let same = AgentInfo { id: found.id.clone(), ..info.clone() };
            found.recovered.agent.get_or_insert_with(|| Arc::new(same));
        }
        let known: Vec<_> = found.runs.iter().map(|run| run.container.clone()).collect();
        for (id, container) in &mut self.containers {
            container.stream = None;
            if !known.contains(id) {
                container.alive = false;
            }
        }
        for executor in found.recovered.frameworks.iter_mut().flat_map(|one| &mut one.executors) {
            let there = self.containers.get(&executor.container);
            executor.fate = match there {
                Some(container) if container.alive => Fate::Alive(1),
                Some(container) => ended(container.status),
                None => ended(None),
            };
        }
        let writer = Writer::new(layout, store, self.boot(), found.id);
        let agent = Agent::new(Options::default(), info, 7);
        self.life = Some(Life { agent, writer });
        self.events.push_back(Kind::Recovered(Box::new(found.recovered)));
        self.events.push_back(Kind::MasterDetected(Some(master())));
        self.settle();
        let living: Vec<ContainerId> = self.containers.keys().cloned().collect();
        for container in living {
            self.subscribe(&container);
        }
        self.settle();
        // The first one asks to be admitted; survivors that do not come back may be waited for.
        for _ in 0..4 {
            self.pass_deadline();
        }
    }

    /// Whether the agent lives.
    pub fn lives(&self) -> bool {
        self.life.is_some()
    }

    /// How much the living agent has asked of its disk.
    pub fn written(&self) -> usize {
        self.journal.len()
    }

    /// Whether nothing is left on the agent.
    pub fn idle(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.agent.is_idle())
    }

    fn pass_deadline(&mut self) {
        let Some(life) = &self.life else { return };
        if let Some(at) = life.agent.deadline().filter(|at| at.since(self.now).as_secs() < 60) {
            self.now = self.now.max(at);
            self.happen(Kind::Deadline);
        }
    }

    /// The disk is full: all of the past goes.
    pub fn fill_disk(&mut self) {
        self.happen(Kind::DiskUsage(1000));
        self.happen(Kind::DiskUsage(100));
    }

    /// The master says something.
    pub fn say(&mut self, message: FromMaster) {
        self.happen(Kind::FromMaster(master(), message));
    }

    pub fn run(&mut self, id: &str, executor: Option<&str>) {
        self.tasks.insert(TaskId::new(id), Known::default());
        self.say(FromMaster::Run {
            framework: framework("first"),
            task: task(id, executor),
            launch_executor: Some(true),
            scheduler: None,
        });
    }

    /// Asks for a task's end, unless that is known.
    pub fn kill(&mut self, id: &TaskId) {
        if self.tasks[id].ends().next().is_some() {
            return;
        }
        self.say(FromMaster::Kill(FrameworkId::new("F"), id.clone(), None));
    }

    /// Whether the master stops to acknowledge what it hears.
    pub fn deaf(&mut self, deaf: bool) {
        self.deaf = deaf;
    }

    /// A task ends by itself, if it runs.
    pub fn finish(&mut self, id: &str) {
        let id = TaskId::new(id);
        let place =
            self.containers.iter().find(|(_, one)| one.alive && one.tasks.contains_key(&id));
        if let Some(container) = place.map(|(container, _)| container.clone()) {
            self.report(&container, &id, TaskState::Finished);
            self.settle();
        }
    }

    fn happen(&mut self, kind: Kind) {
        self.events.push_back(kind);
        self.settle();
    }

    /// Lets the agent take all that waits for it.
    fn settle(&mut self) {
        let mut out = Vec::new();
        while let Some(kind) = self.events.pop_front() {
            let event = Event { wall: Wall::from_seconds(1), fresh: self.fresh(), kind };
            let Some(life) = &mut self.life else { return self.events.clear() };
            life.agent.step(self.now, event, &mut out);
            life.agent.check().unwrap();
            for effect in out.drain(..) {
                self.carry_out(effect);
                if self.journal.stopped() {
                    return self.die();
                }
            }
        }
    }

    fn die(&mut self) {
        self.events.clear();
        self.life = None;
        for container in self.containers.values_mut() {
            container.stream = None;
        }
        self.now = Tick::ZERO;
    }

    /// The power fails at the end of the first life.
    pub fn power_fails(&mut self) {
        self.die();
        let rest = tempfile::tempdir().unwrap();
        self.journal.survives(self.directory.path(), rest.path());
        self.directory = rest;
        self.boots += 1;
        self.containers.clear();
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Checkpoint(write, record) => {
                let life = self.life.as_mut().unwrap();
                match life.writer.write(&record) {
                    Ok(()) => self.events.push_back(Kind::Committed(write)),
                    Err(error) => assert!(self.journal.stopped(), "{error}"),
                }
            }
            Effect::ToMaster(_, message) => self.tell_master(message),
            Effect::ToExecutor(stream, message) => self.tell_executor(stream, message),
            Effect::Launch(launch) => {
                let container = Container {
                    framework: launch.framework.id.clone().unwrap(),
                    executor: launch.executor.id.clone(),
                    command: launch.executor.kind == ExecutorKind::Command,
                    alive: true,
                    status: None,
                    stream: None,
                    tasks: BTreeMap::new(),
                    unsafe_updates: Vec::new(),
                    fresh: BTreeMap::new(),
                };
                self.containers.insert(launch.container.clone(), container);
                self.events.push_back(Kind::ContainerStarted(launch.container.clone(), 1));
                self.subscribe(&launch.container);
            }
            Effect::Destroy(container) => self.end(&container, 9),
            Effect::Remove(path) => {
                gc::remove(&self.directory.path().join(&path)).unwrap();
                self.events.push_back(Kind::PathRemoved(path, Ok(())));
            }
            Effect::Exit(why) | Effect::Fail(why) => panic!("the agent exits: {why}"),
            _ => {}
        }
    }

    fn subscribe(&mut self, id: &ContainerId) {
        let Some(container) = self.containers.get_mut(id).filter(|one| one.alive) else { return };
        self.streams += 1;
        let stream = StreamId(self.streams);
        container.stream = Some(stream);
        let call = ExecutorSubscription {
            driver: None,
            framework: container.framework.clone(),
            executor: container.executor.clone(),
            tasks: container.fresh.values().cloned().collect(),
            updates: container.unsafe_updates.clone(),
        };
        self.events.push_back(Kind::ExecutorSubscribes(stream, Box::new(call)));
    }

    fn end(&mut self, id: &ContainerId, status: i32) {
        let Some(container) = self.containers.get_mut(id) else { return };
        if std::mem::replace(&mut container.alive, false) {
            container.status = Some(status);
            let ending = Ending { status: Some(status), limitation: None };
            self.events.push_back(Kind::ContainerEnded(id.clone(), ending));
        }
    }

    fn tell_executor(&mut self, stream: StreamId, message: ToExecutor) {
        let place = self.containers.iter().find(|(_, one)| one.stream == Some(stream) && one.alive);
        let Some(id) = place.map(|(id, _)| id.clone()) else { return };
        let container = self.containers.get_mut(&id).unwrap();
        match message {
            ToExecutor::Launch(task) => {
                self.tasks.get_mut(&task.id).unwrap().launches += 1;
                container.tasks.insert(task.id.clone(), task.clone());
                container.fresh.insert(task.id.clone(), task.clone());
                self.report(&id, &task.id, TaskState::Running);
            }
            ToExecutor::Kill(task, _) if container.tasks.contains_key(&task) => {
                self.report(&id, &task, TaskState::Killed);
            }
            ToExecutor::Acknowledged(task, uuid) => self.safe(&id, &task, uuid),
            ToExecutor::Shutdown(_) => self.end(&id, 0),
            _ => {}
        }
    }

    fn safe(&mut self, id: &ContainerId, task: &TaskId, uuid: Uuid) {
        let container = self.containers.get_mut(id).unwrap();
        container.fresh.remove(task);
        let is = |status: &TaskStatus| status.uuid == Some(uuid);
        let Some(place) = container.unsafe_updates.iter().position(is) else { return };
        let ended = container.unsafe_updates.remove(place).state.is_terminal();
        let over = container.command && container.tasks.is_empty();
        if ended {
            self.tasks.get_mut(task).unwrap().promised.get_or_insert(uuid);
            if over {
                self.end(id, 0);
            }
        }
    }

    fn report(&mut self, id: &ContainerId, task: &TaskId, state: TaskState) {
        let uuid = Some(self.fresh());
        let container = self.containers.get_mut(id).unwrap();
        if state.is_terminal() {
            container.tasks.remove(task);
        }
        let status = TaskStatus { uuid, ..TaskStatus::new(task.clone(), state) };
        container.unsafe_updates.push(status.clone());
        let (framework, executor) = (container.framework.clone(), container.executor.clone());
        if container.stream.is_some() {
            let told = Kind::ExecutorUpdates(framework, executor, Box::new(status));
            self.events.push_back(told);
        }
    }

    fn tell_master(&mut self, message: ToMaster) {
        let answer = match message {
            ToMaster::Register(_) => {
                let id = AgentId::new(format!("S{}", self.ids.len()));
                self.ids.push(id.clone());
                // What was on the agent before is lost with it.
                FromMaster::Registered(id, None)
            }
            ToMaster::Reregister { enrolment, tasks, .. } => {
                let open = self.tasks.iter().filter(|(_, known)| known.ends().next().is_none());
                let missing = open
                    .filter(|(id, _)| tasks.iter().all(|report| report.task.id != **id))
                    .map(|(id, _)| TaskStatus::new(id.clone(), TaskState::Running));
                let missing = vec![(FrameworkId::new("F"), missing.collect())];
                FromMaster::Reregistered(enrolment.info.id.clone().unwrap(), None, missing)
            }
            ToMaster::Status(update) => return self.hear(&update),
            _ => return,
        };
        self.events.push_back(Kind::FromMaster(master(), answer));
    }

    fn hear(&mut self, update: &StatusUpdate) {
        let (task, uuid) = (update.status.task.clone(), update.uuid.unwrap());
        let known = self.tasks.get_mut(&task).unwrap();
        if known.told.iter().all(|(told, _)| *told != uuid) {
            known.told.push((uuid, update.status.state));
        }
        if self.deaf {
            return;
        }
        let acknowledge = FromMaster::Acknowledge(FrameworkId::new("F"), task, uuid);
        self.events.push_back(Kind::FromMaster(master(), acknowledge));
    }

    /// What must hold once all tasks have ended.
    pub fn check(&self, context: &str) {
        for (id, known) in &self.tasks {
            let ends: Vec<_> = known.ends().collect();
            assert_eq!(ends.len(), 1, "{context}: task {id} ended as {ends:?}");
            assert!(known.launches <= 1, "{context}: task {id} was started again");
            if let Some(promised) = known.promised {
                assert_eq!(ends[0].0, promised, "{context}: the end of {id} was safe, and lost");
            }
        }
        let alive = self.containers.values().filter(|container| container.alive);
        assert_eq!(alive.count(), 0, "{context}: containers are left");
        let real: Vec<_> = self.damage.iter().filter(|one| one.lost != Lost::Nothing).collect();
        assert!(real.is_empty(), "{context}: {real:?}");
        assert!(self.idle(), "{context}: something is left on the agent");
    }
}

fn ended(status: Option<i32>) -> Fate {
    Fate::Ended(Ending { status, limitation: None })
}
