//! A shell of paper around the agent's core: it keeps time, commits what is to be written, and
//! remembers what was asked for.
// Each test file uses a part of this, and tests may stop at what must not be.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reeve_agent_core::effect::{Allowance, Effect, Record, ToExecutor, ToMaster};
use reeve_agent_core::event::{
    Ending, Event, ExecutorSubscription, FromMaster, Kind, StreamId, WriteId,
};
use reeve_agent_core::recovery::Recovered;
use reeve_agent_core::view::View;
use reeve_agent_core::{Agent, Options};
use reeve_machine::{Machine, Tick, Wall};
use reeve_model::{
    AgentId, AgentInfo, Attributes, Capabilities, ContainerId, ExecutorId, ExecutorInfo,
    ExecutorKind, FrameworkId, FrameworkInfo, Limits, Pid, Resources, Role, StatusUpdate, TaskId,
    TaskInfo, TaskState, TaskStatus, Uuid,
};

pub const AGENT: &str = "m-S0";
pub const FRAMEWORK: &str = "m-0000";

pub struct Rig {
    pub agent: Agent,
    pub now: Tick,
    pub view: View,
    /// Effects since the last `take`.
    pub effects: Vec<Effect>,
    /// Writes that are not over.
    pub writes: VecDeque<(WriteId, Record)>,
    /// Whether writes are durable at once.
    pub prompt: bool,
    fresh: u128,
    uuid: u8,
}

pub fn pid(text: &str) -> Pid {
    let address: SocketAddr = "10.0.0.1:5050".parse().unwrap();
    Pid::new(text, address)
}

pub fn master() -> Pid {
    pid("master")
}

pub fn framework_id() -> FrameworkId {
    FrameworkId::new(FRAMEWORK)
}

pub fn resources(text: &str) -> Resources {
    let mut resources = Resources::parse(text, &Role::any()).unwrap();
    resources.allocate(&Role::any());
    resources
}

pub fn agent_info() -> AgentInfo {
    AgentInfo {
        id: None,
        hostname: "a1".to_owned(),
        port: 5051,
        resources: Resources::parse("cpus:4;mem:4096;disk:10000", &Role::any()).unwrap(),
        attributes: Attributes::default(),
        domain: None,
        checkpoint: true,
    }
}

pub fn framework(checkpoint: bool, capabilities: Capabilities) -> Arc<FrameworkInfo> {
    Arc::new(FrameworkInfo {
        user: "root".to_owned(),
        name: "test".to_owned(),
        id: Some(framework_id()),
        failover_timeout: Duration::ZERO,
        checkpoint,
        roles: vec![Role::any()],
        hostname: String::new(),
        principal: None,
        webui_url: String::new(),
        capabilities,
        offer_filters: Default::default(),
        rest: Bytes::new(),
    })
}

pub fn custom(id: &str) -> Arc<ExecutorInfo> {
    Arc::new(ExecutorInfo {
        id: ExecutorId::new(id),
        framework: Some(framework_id()),
        kind: ExecutorKind::Custom,
        resources: resources("cpus:0.5;mem:64"),
        shutdown_grace: None,
        rest: Bytes::new(),
    })
}

pub fn task(id: &str, executor: Option<Arc<ExecutorInfo>>) -> Arc<TaskInfo> {
    Arc::new(TaskInfo {
        id: TaskId::new(id),
        name: id.to_owned(),
        agent: AgentId::new(AGENT),
        resources: resources("cpus:1;mem:128"),
        executor,
        kill_grace: None,
        max_completion: None,
        limits: Limits::default(),
        rest: Bytes::new(),
    })
}

impl Rig {
    /// An agent before its recovery.
    pub fn blank() -> Self {
        Self::with(Options { address: "10.0.0.9".parse().ok(), ..Options::default() })
    }

    pub fn with(options: Options) -> Self {
        Rig {
            agent: Agent::new(options, agent_info(), 7),
            now: Tick::ZERO,
            view: View::new(150),
            effects: Vec::new(),
            writes: VecDeque::new(),
            prompt: true,
            fresh: 1,
            uuid: 0,
        }
    }

    /// An agent that is registered, with nothing on it.
    pub fn registered() -> Self {
        let mut rig = Self::blank();
        rig.event(Kind::Recovered(Box::default()));
        rig.event(Kind::MasterDetected(Some(master())));
        rig.deadline();
        rig.master(FromMaster::Registered(AgentId::new(AGENT), None));
        rig.take();
        rig
    }

    pub fn event(&mut self, kind: Kind) {
        self.fresh += 1;
        let fresh = Uuid::from_chance((self.fresh << 64).to_be_bytes());
        let mut out = Vec::new();
        self.agent.step(self.now, Event { wall: Wall::from_seconds(1), fresh, kind }, &mut out);
        self.agent.check().unwrap();
        let mut commits = Vec::new();
        for effect in out {
            match &effect {
                Effect::Checkpoint(id, _) if self.prompt => commits.push(*id),
                Effect::Checkpoint(id, record) => self.writes.push_back((*id, record.clone())),
                Effect::Changed(change) => self.view.apply(change.clone()),
                _ => {}
            }
            self.effects.push(effect);
        }
        for id in commits {
            self.event(Kind::Committed(id));
        }
    }

    pub fn master(&mut self, message: FromMaster) {
        self.event(Kind::FromMaster(master(), message));
    }

    /// Goes on until the next deadline.
    pub fn deadline(&mut self) {
        self.now = self.agent.deadline().expect("the agent waits for nothing");
        self.event(Kind::Deadline);
    }

    /// Lets time pass, with every deadline in between.
    pub fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.agent.deadline().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            self.event(Kind::Deadline);
        }
        self.now = end;
    }

    pub fn commit(&mut self) {
        let (id, _) = self.writes.pop_front().expect("nothing is being written");
        self.event(Kind::Committed(id));
    }

    pub fn commit_all(&mut self) {
        while !self.writes.is_empty() {
            self.commit();
        }
    }

    pub fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    pub fn run(&mut self, info: &Arc<FrameworkInfo>, task: &Arc<TaskInfo>) {
        let launch_executor = Some(true);
        let (framework, task, scheduler) = (info.clone(), task.clone(), None);
        self.master(FromMaster::Run { framework, task, launch_executor, scheduler });
    }

    /// The container that is to be launched last.
    pub fn launched(&self) -> Option<ContainerId> {
        self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Launch(launch) => Some(launch.container.clone()),
            _ => None,
        })
    }

    /// What the container that is to be launched last may use.
    pub fn allowance(&self) -> Option<Allowance> {
        self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Launch(launch) => Some(launch.allowance.clone()),
            _ => None,
        })
    }

    pub fn subscribe(&mut self, stream: u64, executor: &str, tasks: &[&Arc<TaskInfo>]) {
        let call = ExecutorSubscription {
            driver: None,
            framework: framework_id(),
            executor: ExecutorId::new(executor),
            tasks: tasks.iter().map(|task| (*task).clone()).collect(),
            updates: Vec::new(),
        };
        self.event(Kind::ExecutorSubscribes(StreamId(stream), Box::new(call)));
    }

    pub fn status(&mut self, task: &str, state: TaskState) -> TaskStatus {
        self.uuid += 1;
        let uuid = Some(Uuid([self.uuid; 16]));
        TaskStatus { uuid, ..TaskStatus::new(TaskId::new(task), state) }
    }

    /// The executor reports, with a uuid of its own.
    pub fn report(&mut self, executor: &str, task: &str, state: TaskState) -> Uuid {
        let status = self.status(task, state);
        let uuid = status.uuid.unwrap();
        self.repeat(executor, status);
        uuid
    }

    pub fn repeat(&mut self, executor: &str, status: TaskStatus) {
        let executor = ExecutorId::new(executor);
        self.event(Kind::ExecutorUpdates(framework_id(), executor, Box::new(status)));
    }

    pub fn acknowledge(&mut self, task: &str, uuid: Uuid) {
        self.master(FromMaster::Acknowledge(framework_id(), TaskId::new(task), uuid));
    }

    pub fn ended(&mut self, container: &ContainerId, status: Option<i32>) {
        let ending = Ending { status, limitation: None };
        self.event(Kind::ContainerEnded(container.clone(), ending));
    }

    /// Statuses sent to the master since the last `take`.
    pub fn sent(&self) -> Vec<Arc<StatusUpdate>> {
        let status = |effect: &Effect| match effect {
            Effect::ToMaster(_, ToMaster::Status(update)) => Some(update.clone()),
            _ => None,
        };
        self.effects.iter().filter_map(status).collect()
    }

    /// Executors whose end was told to the master since the last `take`, with their status.
    pub fn exits(&self) -> Vec<(ExecutorId, i32)> {
        let exit = |effect: &Effect| match effect {
            Effect::ToMaster(_, ToMaster::ExecutorExited(_, id, status)) => {
                Some((id.clone(), *status))
            }
            _ => None,
        };
        self.effects.iter().filter_map(exit).collect()
    }

    /// States sent to the master since the last `take`.
    pub fn states(&self) -> Vec<TaskState> {
        self.sent().iter().map(|update| update.status.state).collect()
    }

    /// How often it has asked to join since the last `take`.
    pub fn registrations(&self) -> usize {
        let asks = |effect: &&Effect| {
            matches!(
                effect,
                Effect::ToMaster(_, ToMaster::Register(_) | ToMaster::Reregister { .. })
            )
        };
        self.effects.iter().filter(asks).count()
    }

    /// The tasks that it says it has when it comes back, and whether an update of each waits.
    pub fn reports(&self) -> Vec<(TaskId, TaskState, bool)> {
        let tasks = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::ToMaster(_, ToMaster::Reregister { tasks, .. }) => Some(tasks),
            _ => None,
        });
        let tasks = tasks.expect("the agent has not come back");
        tasks
            .iter()
            .map(|report| (report.task.id.clone(), report.state, report.pending.is_some()))
            .collect()
    }

    /// What was sent to executors since the last `take`.
    pub fn to_executors(&self) -> Vec<ToExecutor> {
        let message = |effect: &Effect| match effect {
            Effect::ToExecutor(_, message) => Some(message.clone()),
            _ => None,
        };
        self.effects.iter().filter_map(message).collect()
    }

    pub fn has(&self, mut wanted: impl FnMut(&Effect) -> bool) -> bool {
        self.effects.iter().any(&mut wanted)
    }

    /// Tasks that executors were told to launch, each once.
    pub fn deliveries(&self) -> Vec<TaskId> {
        let mut all = Vec::new();
        for message in self.to_executors() {
            match message {
                ToExecutor::Launch(task) => all.push(task.id.clone()),
                ToExecutor::LaunchGroup(tasks) => {
                    all.extend(tasks.iter().map(|task| task.id.clone()));
                }
                _ => {}
            }
        }
        all
    }

    pub fn destroyed(&self) -> BTreeSet<ContainerId> {
        let destroyed = |effect: &Effect| match effect {
            Effect::Destroy(container) => Some(container.clone()),
            _ => None,
        };
        self.effects.iter().filter_map(destroyed).collect()
    }
}

/// An agent whose first start is over, for a second one.
pub fn recovered(found: Recovered) -> Rig {
    let mut rig = Rig::blank();
    rig.event(Kind::MasterDetected(Some(master())));
    rig.event(Kind::Recovered(Box::new(found)));
    rig
}
