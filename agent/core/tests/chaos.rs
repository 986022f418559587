//! Whatever happens, in whatever order: the books stay in order, nothing is started or told before
//! it is durable, updates go one at a time, and no task ends twice.

// Tests may stop at what must not be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use reeve_agent_core::effect::{Effect, Record, ToMaster};
use reeve_agent_core::event::{FromMaster, Kind, LaunchFailure, StreamId};
use reeve_model::{
    AgentId, Capabilities, ContainerId, ExecutorId, FrameworkInfo, TaskId, TaskInfo, TaskState,
    Uuid,
};
use rig::{AGENT, Rig, custom, framework, framework_id, task};

/// Something that happens. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Happening {
    Run(u8, bool),
    RunGroup,
    Kill(u8),
    Commit,
    CommitFails,
    Subscribe(u8, bool),
    StreamCloses(u8),
    Report(u8, TaskState),
    Acknowledge(u8),
    ContainerFails(u8),
    ContainerEnds(u8),
    ShutdownExecutor(u8),
    ShutdownFramework,
    LinkBreaks,
    Admit,
    DiskFull,
    Wait(u16),
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    let states = prop_oneof![
        Just(TaskState::Starting),
        Just(TaskState::Running),
        Just(TaskState::Finished),
        Just(TaskState::Killed),
    ];
    prop_oneof![
        4 => (0..6u8, any::<bool>()).prop_map(|(task, own)| Run(task, own)),
        1 => Just(RunGroup),
        2 => (0..6u8).prop_map(Kill),
        12 => Just(Commit),
        1 => Just(CommitFails),
        4 => (any::<u8>(), any::<bool>()).prop_map(|(which, all)| Subscribe(which, all)),
        1 => any::<u8>().prop_map(StreamCloses),
        8 => (0..6u8, states).prop_map(|(task, state)| Report(task, state)),
        6 => any::<u8>().prop_map(Acknowledge),
        1 => any::<u8>().prop_map(ContainerFails),
        2 => any::<u8>().prop_map(ContainerEnds),
        1 => any::<u8>().prop_map(ShutdownExecutor),
        1 => Just(ShutdownFramework),
        1 => Just(LinkBreaks),
        2 => Just(Admit),
        1 => Just(DiskFull),
        3 => (0..20_000u16).prop_map(Wait),
    ]
}

struct Trial {
    rig: Rig,
    info: Arc<FrameworkInfo>,
    streams: u64,
    /// Updates the master saw and did not acknowledge.
    seen: Vec<(TaskId, Uuid)>,
    in_flight: BTreeMap<TaskId, Uuid>,
    terminal: BTreeMap<TaskId, Uuid>,
    saved_executors: BTreeSet<ContainerId>,
    saved_updates: BTreeSet<Uuid>,
    /// Executors whose own record could not be written: they never start, a restarted agent would
    /// not find them, and so their end is told without a record.
    unrecorded: BTreeSet<ExecutorId>,
}

impl Trial {
    fn new(checkpoint: bool) -> Self {
        let mut rig = Rig::registered();
        rig.prompt = false;
        Trial {
            rig,
            info: framework(checkpoint, Capabilities::PARTITION_AWARE),
            streams: 0,
            seen: Vec::new(),
            in_flight: BTreeMap::new(),
            terminal: BTreeMap::new(),
            saved_executors: BTreeSet::new(),
            saved_updates: BTreeSet::new(),
            unrecorded: BTreeSet::new(),
        }
    }

    fn happen(&mut self, what: &Happening) {
        let rig = &mut self.rig;
        match what {
            Happening::Run(number, own) => {
                let executor = own.then(|| custom("e"));
                let task = task(&format!("t{number}"), executor);
                let framework = self.info.clone();
                let message =
                    FromMaster::Run { framework, task, launch_executor: None, scheduler: None };
                rig.master(message);
            }
            Happening::RunGroup => rig.master(FromMaster::RunGroup {
                framework: self.info.clone(),
                executor: custom("g"),
                tasks: vec![task("t4", None), task("t5", None)],
                launch_executor: None,
            }),
            Happening::Kill(number) => {
                let task = TaskId::new(format!("t{number}"));
                rig.master(FromMaster::Kill(framework_id(), task, None));
            }
            Happening::Commit => self.commit(),
            Happening::CommitFails => {
                if let Some((id, record)) = rig.writes.pop_front() {
                    match record {
                        Record::Executor(_, info, _) => {
                            self.unrecorded.insert(info.id.clone());
                        }
                        Record::Task(_, executor, ..) => {
                            self.unrecorded.insert(executor);
                        }
                        Record::Framework(..) => {
                            let row = rig.view.frameworks.get(&framework_id());
                            let ids = row.iter().flat_map(|row| row.executors.keys().cloned());
                            self.unrecorded.extend(ids);
                        }
                        _ => {}
                    }
                    rig.event(Kind::CommitFailed(id, "disk is full".to_owned()));
                }
            }
            Happening::Subscribe(which, all) => self.subscribe(*which, *all),
            Happening::StreamCloses(which) => {
                let stream = u64::from(*which) % (self.streams + 1);
                rig.event(Kind::ExecutorStreamClosed(StreamId(stream)));
            }
            Happening::Report(number, state) => self.report(&format!("t{number}"), *state),
            Happening::Acknowledge(which) => self.acknowledge(usize::from(*which)),
            Happening::ContainerFails(which) => {
                if let Some(container) = self.container(*which) {
                    let failure = LaunchFailure { message: "no room".to_owned() };
                    self.rig.event(Kind::ContainerFailed(container, failure));
                }
            }
            Happening::ContainerEnds(which) => {
                if let Some(container) = self.container(*which) {
                    self.rig.ended(&container, Some(9));
                }
            }
            Happening::ShutdownExecutor(which) => {
                let executor = self.executors().nth(usize::from(*which) % 3);
                if let Some(executor) = executor {
                    self.rig.master(FromMaster::ShutdownExecutor(framework_id(), executor));
                }
            }
            Happening::ShutdownFramework => {
                rig.master(FromMaster::ShutdownFramework(framework_id()));
                self.in_flight.clear();
                self.terminal.clear();
            }
            Happening::LinkBreaks => {
                rig.event(Kind::MasterLinkBroken(rig::master()));
                self.in_flight.clear();
            }
            Happening::Admit => {
                let id = AgentId::new(AGENT);
                rig.master(FromMaster::Reregistered(id, None, Vec::new()));
            }
            Happening::DiskFull => rig.event(Kind::DiskUsage(1000)),
            Happening::Wait(millis) => rig.pass(Duration::from_millis(u64::from(*millis))),
        }
        self.judge();
    }

    fn commit(&mut self) {
        let Some((_, record)) = self.rig.writes.front() else { return };
        match record {
            Record::Executor(_, _, container) => {
                self.saved_executors.insert(container.clone());
            }
            Record::Update(_, _, _, update) => {
                self.saved_updates.extend(update.uuid);
            }
            _ => {}
        }
        self.rig.commit();
    }

    fn executors(&self) -> impl Iterator<Item = ExecutorId> + use<> {
        let row = self.rig.view.frameworks.get(&framework_id());
        let ids: Vec<_> = row.iter().flat_map(|row| row.executors.keys().cloned()).collect();
        ids.into_iter()
    }

    fn container(&self, which: u8) -> Option<ContainerId> {
        let live: Vec<_> = self.rig.agent.live_containers().into_iter().collect();
        live.get(usize::from(which) % live.len().max(1)).cloned()
    }

    fn subscribe(&mut self, which: u8, all: bool) {
        let executors: Vec<_> = self.executors().collect();
        let Some(executor) = executors.get(usize::from(which) % executors.len().max(1)) else {
            return;
        };
        self.streams += 1;
        let row = &self.rig.view.frameworks[&framework_id()].executors[executor];
        let tasks: Vec<Arc<TaskInfo>> =
            row.tasks.values().filter(|_| all).map(|row| row.info.clone()).collect();
        let tasks: Vec<&Arc<TaskInfo>> = tasks.iter().collect();
        self.rig.subscribe(self.streams, executor.as_str(), &tasks);
    }

    fn report(&mut self, task: &str, state: TaskState) {
        let with = |rig: &Rig, executor: &ExecutorId| {
            let row = &rig.view.frameworks[&framework_id()].executors[executor];
            row.tasks.contains_key(task)
        };
        let executor = self.executors().find(|executor| with(&self.rig, executor));
        if let Some(executor) = executor {
            self.rig.report(executor.as_str(), task, state);
        }
    }

    fn acknowledge(&mut self, which: usize) {
        if self.seen.is_empty() {
            return;
        }
        let (task, uuid) = self.seen[which % self.seen.len()].clone();
        if self.in_flight.get(&task) == Some(&uuid) {
            self.in_flight.remove(&task);
        }
        self.rig.acknowledge(task.as_str(), uuid);
        if self.terminal.get(&task) == Some(&uuid) {
            // It may be run anew under its old name.
            self.terminal.remove(&task);
            self.seen.retain(|(of, _)| *of != task);
        }
    }

    fn judge(&mut self) {
        for effect in self.rig.take() {
            match effect {
                Effect::Launch(launch) if self.info.checkpoint => {
                    let saved = self.saved_executors.contains(&launch.container);
                    assert!(saved, "G1: {} starts without a record", launch.container);
                    self.unrecorded.remove(&launch.executor.id);
                }
                Effect::ToMaster(_, ToMaster::Status(update)) => self.judge_status(&update),
                _ => {}
            }
        }
    }

    fn judge_status(&mut self, update: &reeve_model::StatusUpdate) {
        let (task, uuid) = (update.status.task.clone(), update.uuid.unwrap());
        let own = update.executor.is_none();
        let unrecorded = update.executor.as_ref().is_some_and(|id| self.unrecorded.contains(id));
        let durable =
            !self.info.checkpoint || own || unrecorded || self.saved_updates.contains(&uuid);
        assert!(durable, "S4: {task} {} goes up before it is durable", update.status.state);
        if let Some(flying) = self.in_flight.insert(task.clone(), uuid) {
            assert_eq!(flying, uuid, "S1: two updates of {task} are in flight");
        }
        if update.status.state.is_terminal() {
            let first = *self.terminal.entry(task.clone()).or_insert(uuid);
            assert_eq!(first, uuid, "S3: {task} ends twice");
        }
        if !self.seen.contains(&(task.clone(), uuid)) {
            self.seen.push((task, uuid));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold(
        checkpoint in any::<bool>(),
        script in proptest::collection::vec(happening(), 0..120),
    ) {
        let mut trial = Trial::new(checkpoint);
        for what in &script {
            trial.happen(what);
        }
    }
}
