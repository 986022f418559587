//! A master with everything around it that a script needs: ids, a clock, a registry that commits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reeve_machine::{Machine, Tick, Wall};
use reeve_model::{
    AgentId, AgentInfo, Attributes, Capabilities, ExecutorId, ExecutorInfo, ExecutorKind, Filters,
    FrameworkId, FrameworkInfo, Limits, OfferId, Operation, Pid, Resources, Role, Seconds,
    StatusUpdate, TaskId, TaskInfo, TaskState, TaskStatus, Uuid,
};

use super::render::lines;
use crate::allocation::{AgentIx, FrameworkIx, Granted};
use crate::effect::{Effect, ToScheduler};
use crate::event::{
    Call, Caller, Channel, Event, Kind, KnownTask, Recovered, Registration, RequestId,
    Reregistration, StreamClaim, StreamId, Subscription,
};
use crate::view::{Snapshot, Statuses, View};
use crate::{Master, Options};

pub(super) struct Cluster {
    pub master: Master,
    pub view: View,
    pub now: Tick,
    /// The effects of the last step.
    pub effects: Vec<Effect>,
    /// Whether writes become durable at once.
    pub commits: bool,
    streams: u64,
}

/// A framework and its event stream.
pub(super) type Session = (FrameworkId, StreamId);

/// The parts of a task in a script.
pub(super) struct Wish<'a> {
    pub id: &'a str,
    pub agent: &'a AgentId,
    pub resources: &'a str,
    pub executor: Option<(&'a str, &'a str)>,
}

impl Cluster {
    pub fn new() -> Self {
        Self::with(Options::default(), Recovered::default())
    }

    pub fn with(options: Options, recovered: Recovered) -> Self {
        let view = View::new(&options);
        let master = Master::new(options);
        let now = Tick::ZERO;
        let mut cluster =
            Cluster { master, view, now, effects: Vec::new(), commits: true, streams: 0 };
        let recovered = Recovered { master: "m".into(), ..recovered };
        cluster.step(Kind::Recovered(Box::new(recovered)));
        cluster
    }

    /// One event in; its effects as lines out. The invariants must hold afterwards.
    pub fn step(&mut self, kind: Kind) -> Vec<String> {
        let mut pending = vec![kind];
        let mut out = Vec::new();
        self.effects.clear();
        while let Some(kind) = pending.pop() {
            let from = out.len();
            let wall = Wall(1_700_000_000_000_000_000) + self.now.since(Tick::ZERO);
            self.master.step(self.now, Event { wall, kind }, &mut out);
            self.master.check().unwrap();
            for effect in &out[from..] {
                match effect {
                    Effect::Changed(change) => self.view.apply(change.clone()),
                    Effect::Persist(write, _) if self.commits => {
                        pending.insert(0, Kind::Committed(*write));
                    }
                    _ => {}
                }
            }
        }
        self.effects = out;
        lines(&self.effects)
    }

    /// Lets time pass, and every deadline in it.
    pub fn pass(&mut self, time: Duration) -> Vec<String> {
        let end = self.now + time;
        let mut all = Vec::new();
        while let Some(deadline) = self.master.deadline().filter(|deadline| *deadline <= end) {
            self.now = deadline;
            all.extend(self.step(Kind::Deadline));
        }
        self.now = end;
        all
    }

    pub fn view(&self) -> Snapshot {
        self.view.snapshot()
    }

    /// Registers an agent; its id.
    pub fn agent(&mut self, name: &str, resources: &str) -> AgentId {
        self.step(Kind::AgentRegisters(pid(name), Box::new(registration(None, resources))));
        let snapshot = self.view.snapshot();
        let agent = snapshot.agents.values().find(|agent| agent.record.pid == pid(name));
        agent.map(|agent| agent.record.id.clone()).unwrap_or_else(|| AgentId::new("none"))
    }

    /// Subscribes a framework on a new stream.
    pub fn subscribe(&mut self, info: FrameworkInfo) -> (FrameworkId, StreamId, Vec<String>) {
        self.streams += 1;
        let stream = StreamId(self.streams);
        let lines = self.step(Kind::Subscribes(stream, Box::new(subscription(info))));
        let id = self.effects.iter().find_map(|effect| match effect {
            Effect::ToScheduler(_, ToScheduler::Subscribed { framework, .. }) => {
                Some(framework.clone())
            }
            _ => None,
        });
        (id.unwrap_or_else(|| FrameworkId::new("none")), stream, lines)
    }

    /// Subscribes a framework that can do everything.
    pub fn framework(&mut self) -> Session {
        let (id, stream, _) = self.subscribe(framework());
        (id, stream)
    }

    pub fn call(&mut self, by: &Session, call: Call) -> Vec<String> {
        let caller = Caller::Request(RequestId(7), StreamClaim::Is(by.1), None);
        let mut lines = self.step(Kind::Calls(by.0.clone(), caller, call));
        if lines.last().is_some_and(|line| line == "answer 7: Accepted") {
            lines.pop();
        }
        lines
    }

    /// The allocation machine grants; the ids of the offers made.
    pub fn grant(&mut self, fx: u32, ax: u32, resources: &str) -> Vec<OfferId> {
        self.grant_in("*", fx, ax, resources)
    }

    pub fn grant_in(&mut self, role: &str, fx: u32, ax: u32, resources: &str) -> Vec<OfferId> {
        let role = Role::new(role);
        let granted = Granted {
            framework: FrameworkIx(fx),
            agent: AgentIx(ax),
            resources: parse(resources).allocated_to(&role),
            role,
        };
        self.step(Kind::Granted(vec![granted]));
        let offers = self.effects.iter().filter_map(|effect| match effect {
            Effect::ToScheduler(_, ToScheduler::Offers(offers)) => Some(offers),
            _ => None,
        });
        offers.flatten().map(|offer| offer.id.clone()).collect()
    }

    /// Grants, accepts and launches; the lines of ACCEPT.
    pub fn launch(&mut self, by: &Session, ax: u32, wish: Wish<'_>) -> Vec<String> {
        let fx = self.index_of(&by.0);
        let total = match wish.executor {
            Some((_, more)) => parse(wish.resources) + parse(more),
            None => parse(wish.resources),
        };
        let offers = self.grant(fx, ax, &total.to_string());
        self.accept(by, offers, vec![Operation::Launch(vec![Ok(task(wish))])])
    }

    /// Launches a command task; the lines of ACCEPT.
    pub fn run(&mut self, by: &Session, ax: u32, agent: &AgentId, id: &str) -> Vec<String> {
        self.launch(by, ax, Wish { id, agent, resources: "cpus:1", executor: None })
    }

    pub fn accept(
        &mut self,
        by: &Session,
        offers: Vec<OfferId>,
        operations: Vec<Operation>,
    ) -> Vec<String> {
        let filters = Filters::default();
        self.call(by, Call::Accept { offers, operations, filters })
    }

    /// A status from a task's agent; `uuid` 0 is none.
    pub fn update(
        &mut self,
        at: &str,
        agent: &AgentId,
        framework: &FrameworkId,
        task: &str,
        state: TaskState,
        uuid: u8,
    ) -> Vec<String> {
        let mut status = TaskStatus::new(TaskId::new(task), state);
        status.agent = Some(agent.clone());
        let update = StatusUpdate {
            framework: framework.clone(),
            executor: None,
            agent: Some(agent.clone()),
            timestamp: Seconds(1.0),
            uuid: (uuid > 0).then_some(Uuid([uuid; 16])),
            latest_state: Some(state),
            status,
        };
        self.step(Kind::StatusUpdated(pid(at), Box::new(update)))
    }

    pub fn ack(&mut self, by: &Session, agent: &AgentId, task: &str, uuid: u8) -> Vec<String> {
        let (agent, task, uuid) = (agent.clone(), TaskId::new(task), Uuid([uuid; 16]));
        self.call(by, Call::Acknowledge { agent, task, uuid })
    }

    /// Numbers are given in the order of subscriptions.
    fn index_of(&self, id: &FrameworkId) -> u32 {
        self.master.frameworks.find(id).unwrap().0
    }
}

pub(super) fn parse(text: &str) -> Resources {
    Resources::parse(text, &Role::any()).unwrap()
}

pub(super) fn pid(name: &str) -> Pid {
    Pid::new(name, "127.0.0.1:5051".parse().unwrap())
}

/// An agent that asks to be admitted.
pub(super) fn registers(name: &str, registration: Registration) -> Kind {
    Kind::AgentRegisters(pid(name), Box::new(registration))
}

/// The same in one of the lives of a small one.
pub(super) fn registers_in_life(name: &str, life: u8) -> Kind {
    let resource_version = Some(Uuid::from_chance([life; 16]));
    registers(name, Registration { resource_version, ..registration(None, "cpus:4") })
}

/// An agent that was admitted before.
pub(super) fn returns(name: &str, back: Reregistration) -> Kind {
    Kind::AgentReregisters(pid(name), Box::new(back))
}

pub(super) fn registration(id: Option<&AgentId>, resources: &str) -> Registration {
    Registration {
        info: AgentInfo {
            id: id.cloned(),
            hostname: "host".to_owned(),
            port: 5051,
            resources: parse(resources),
            attributes: Attributes::default(),
            domain: None,
            checkpoint: true,
        },
        version: "1.11.0".to_owned(),
        capabilities: Vec::new(),
        checkpointed: Resources::new(),
        resource_version: None,
    }
}

pub(super) fn reregistration(id: &AgentId, resources: &str) -> Reregistration {
    Reregistration {
        registration: registration(Some(id), resources),
        tasks: Vec::new(),
        executors: Vec::new(),
        frameworks: Vec::new(),
    }
}

pub(super) fn known(
    task: &str,
    framework: &FrameworkId,
    state: TaskState,
    what: &str,
) -> KnownTask {
    KnownTask {
        id: TaskId::new(task),
        name: task.into(),
        framework: framework.clone(),
        executor: None,
        state,
        resources: parse(what).allocated_to(&Role::any()),
        statuses: Statuses::new(),
        update_state: None,
        update_uuid: None,
        rest: bytes::Bytes::new(),
    }
}

/// A framework that checkpoints, knows partitions, and has a minute to fail over.
pub(super) fn framework() -> FrameworkInfo {
    FrameworkInfo {
        user: "root".to_owned(),
        name: "test".to_owned(),
        id: None,
        failover_timeout: Duration::from_secs(60),
        checkpoint: true,
        roles: vec![Role::any()],
        hostname: String::new(),
        principal: None,
        webui_url: String::new(),
        capabilities: Capabilities::PARTITION_AWARE.with(Capabilities::TASK_KILLING_STATE),
        offer_filters: std::collections::BTreeMap::new(),
        rest: bytes::Bytes::new(),
    }
}

pub(super) fn subscription(info: FrameworkInfo) -> Subscription {
    Subscription {
        info: Arc::new(info),
        suppressed: BTreeSet::new(),
        constraints: None,
        channel: Channel::Http,
        force: false,
    }
}

pub(super) fn task(wish: Wish<'_>) -> TaskInfo {
    TaskInfo {
        id: TaskId::new(wish.id),
        name: wish.id.to_owned(),
        agent: wish.agent.clone(),
        resources: parse(wish.resources),
        executor: wish.executor.map(|(id, resources)| Arc::new(executor(id, resources))),
        kill_grace: None,
        max_completion: None,
        limits: Limits::default(),
        rest: bytes::Bytes::new(),
    }
}

pub(super) fn executor(id: &str, resources: &str) -> ExecutorInfo {
    ExecutorInfo {
        id: ExecutorId::new(id),
        framework: None,
        kind: ExecutorKind::Custom,
        resources: parse(resources),
        shutdown_grace: None,
        rest: bytes::Bytes::new(),
    }
}
