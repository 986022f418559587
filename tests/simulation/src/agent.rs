//! The shell of a simulated agent: its disk, its containers, its sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reeve_agent_core::effect::{Effect, Record, ToExecutor, ToMaster};
use reeve_agent_core::event::{
    Ending, Event, ExecutorSubscription, FromMaster, Kind, StreamId, WriteId,
};
use reeve_agent_core::recovery::Fate;
use reeve_agent_core::{Agent, Options};
use reeve_machine::sim::Node;
use reeve_machine::{Machine, Tick};
use reeve_model::{
    AgentId, AgentInfo, ContainerId, FrameworkId, Pid, Reason, Source, StatusUpdate, TaskId, Uuid,
};

use crate::cluster::{Cluster, Who};
use crate::containers::{Container, Life};
use crate::disk::Disk;
use crate::executor::uuid;
use crate::faults::Fault;
use crate::late::Late;
use crate::parcel::{APART, Parcel, ms, secs};
use crate::translate;

/// One agent's machine.
#[derive(Debug)]
pub struct AgentHost {
    /// The agent's process.
    pub node: Node,
    /// Where it listens.
    pub pid: Pid,
    /// What its settings say.
    pub info: AgentInfo,
    /// The decisions.
    pub core: Agent,
    /// Tells the lives of its process apart.
    life: u64,
    /// Committed records.
    pub disk: Disk,
    /// Containers on this machine, whether the agent knows of them or not.
    pub containers: BTreeMap<ContainerId, Container>,
    /// Writes that may or may not have reached the disk.
    pub writes: Vec<(WriteId, Record)>,
    /// Until when the disk refuses.
    pub disk_full: bool,
    /// How slow the disk is.
    pub disk_slow: Duration,
    disk_clear: Tick,
    /// The machine was booted since the agent ran.
    pub rebooted: bool,
    streams: BTreeMap<StreamId, (Node, u64)>,
    next_stream: u64,
    wake: Option<Tick>,
    /// Updates under way, for S1; forgotten with the process.
    in_flight: BTreeMap<(FrameworkId, TaskId), Uuid>,
    /// Updates whose acknowledgement reached this process: they are not to be sent again.
    acknowledged: BTreeSet<Uuid>,
    /// Executors that this process took the subscription of.
    welcomed: BTreeSet<ContainerId>,
    /// It was given an id and did not write it down.
    forgetful: bool,
    /// Updates it ever asked to be written.
    pub(crate) asked: BTreeSet<Uuid>,
    /// The id it had before, which it must keep (G3).
    id: Option<AgentId>,
    /// Who leads, as far as its detector knows.
    pub leader: Option<Node>,
    /// What later messages of its master overtook on the way here.
    pub late: Late,
}

fn options() -> Options {
    // Shorter than by default, so that a run sees them pass.
    Options { gc_delay: secs(200), update_retry_max: secs(120), ..Options::default() }
}

impl AgentHost {
    /// A machine that has never run an agent.
    pub fn new(node: Node, pid: Pid, info: AgentInfo, seed: u64) -> Self {
        AgentHost {
            node,
            pid,
            core: Agent::new(options(), info.clone(), seed),
            life: seed,
            info,
            disk: Disk::default(),
            containers: BTreeMap::new(),
            writes: Vec::new(),
            disk_full: false,
            disk_slow: Duration::ZERO,
            disk_clear: Tick::ZERO,
            rebooted: false,
            streams: BTreeMap::new(),
            next_stream: 0,
            wake: None,
            in_flight: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            welcomed: BTreeSet::new(),
            forgetful: false,
            asked: BTreeSet::new(),
            id: None,
            leader: None,
            late: Late::default(),
        }
    }

    /// As if it had a record of its id, which it has not.
    pub(crate) fn forgets_id(&mut self) {
        self.forgetful = true;
    }

    /// Executors that run here.
    pub fn processes(&self) -> Vec<Node> {
        let running = |container: &Container| match container.state {
            Life::Running(node) => Some(node),
            _ => None,
        };
        self.containers.values().filter_map(running).collect()
    }
}

impl Cluster {
    pub(crate) fn agent_step(&mut self, which: usize, kind: Kind) {
        let now = self.world.clock(self.agents[which].node);
        self.tell(|| format!("agent {which} <- {kind:?}"));
        let wall = self.wall(self.agents[which].node);
        let event = Event { wall, fresh: uuid(&mut self.dice), kind };
        let mut effects = Vec::new();
        let host = &mut self.agents[which];
        host.core.step(now, event, &mut effects);
        if let Err(law) = host.core.check() {
            self.violated(format!("agent {which}: {law}"));
        }
        self.world.mix(effects.len() as u64);
        for effect in self.sabotage_agent(which, effects) {
            if !matches!(effect, Effect::Changed(_)) {
                self.tell(|| format!("agent {which} -> {effect:?}"));
            }
            self.agent_effect(which, effect);
        }
        self.agent_wakes(which);
    }

    fn agent_wakes(&mut self, which: usize) {
        let now = self.world.clock(self.agents[which].node);
        let host = &mut self.agents[which];
        // One that has just ended must not keep the next from waking earlier.
        if !self.world.is_up(host.node) {
            return;
        }
        let Some(due) = host.core.deadline() else { return };
        if host.wake.is_none_or(|wake| due < wake) {
            host.wake = Some(due);
            self.world.local(host.node, due.since(now), Parcel::AgentWakes(due));
        }
    }

    pub(crate) fn agent_woken(&mut self, which: usize, at: Tick) {
        let now = self.world.clock(self.agents[which].node);
        let host = &mut self.agents[which];
        if host.wake == Some(at) {
            host.wake = None;
        }
        if host.core.deadline().is_some_and(|due| due <= now) {
            self.agent_step(which, Kind::Deadline);
        } else {
            self.agent_wakes(which);
        }
    }

    fn agent_effect(&mut self, which: usize, effect: Effect) {
        let node = self.agents[which].node;
        match effect {
            Effect::Checkpoint(id, record) => self.agent_writes(which, id, record),
            Effect::ToMaster(pid, message) => {
                self.judge_report(which, &message);
                if let Some(to) = self.node_of(&pid) {
                    let life = self.agents[which].life;
                    self.world.send(node, to, Parcel::ToMaster(message, life));
                }
            }
            // Simulated agents have no credential.
            Effect::Authenticate(_) => {}
            Effect::Link(pid) => {
                if let Some(peer) = self.node_of(&pid) {
                    self.world.watch(node, peer);
                }
            }
            Effect::ToExecutor(stream, message) => {
                if let ToExecutor::Subscribed { container, .. } = &message {
                    self.agents[which].welcomed.insert(container.clone());
                }
                if let Some((to, attempt)) = self.agents[which].streams.get(&stream).copied() {
                    self.world.send(node, to, Parcel::ToExecutor(attempt, message));
                }
            }
            Effect::CloseExecutor(stream) => {
                if let Some((to, attempt)) = self.agents[which].streams.remove(&stream) {
                    self.world.send(node, to, Parcel::ExecutorStreamEnds(attempt));
                }
            }
            Effect::Launch(launch) => self.agent_launches(which, *launch),
            Effect::Update(container, _) => {
                if self.dice.one_in(2000) && !self.peace {
                    self.fault(Fault::ContainerUpdateFails);
                    let failed =
                        Kind::ContainerUpdateFailed(container, "no such cgroup".to_owned());
                    self.world.local(node, ms(1), Parcel::AgentSees(failed));
                }
            }
            // Simulated executors speak HTTP.
            Effect::Reconnect(_) => {}
            Effect::Remind(..) => {}
            Effect::Destroy(container) => {
                let soon = self.dice.duration(ms(1)..ms(200));
                self.world.local(node, soon, Parcel::Destroys(container));
            }
            Effect::Remove(path) => self.agent_removes(which, path),
            Effect::Changed(_) => {}
            Effect::Notice(_) => {}
            Effect::Exit(_) | Effect::Fail(_) => self.agent_exits(which),
        }
    }

    fn agent_writes(&mut self, which: usize, id: WriteId, record: Record) {
        let now = self.world.clock(self.agents[which].node);
        let delay = self.dice.duration(Duration::from_micros(100)..ms(8));
        let host = &mut self.agents[which];
        let at = (host.disk_clear + APART).max(now + delay + host.disk_slow);
        host.disk_clear = at;
        let mut broken = None;
        if let Record::Update(_, executor, container, update) = &record {
            host.asked.extend(update.uuid);
            let late = update.status.reason == Some(Reason::ExecutorReregistrationTimeout);
            if late && host.welcomed.contains(container) {
                broken =
                    Some(format!("G2: executor {executor} came back, and is ended as missing"));
            }
        }
        host.writes.push((id, record.clone()));
        let parcel = Parcel::AgentWrote(id, Box::new(record), !host.disk_full);
        self.world.local(host.node, at.since(now), parcel);
        if let Some(law) = broken {
            self.violated(law);
        }
    }

    pub(crate) fn agent_wrote(&mut self, which: usize, id: WriteId, record: Record, ok: bool) {
        let host = &mut self.agents[which];
        host.writes.retain(|(other, _)| *other != id);
        if ok {
            host.disk.apply(record);
            self.agent_step(which, Kind::Committed(id));
        } else {
            self.agent_step(which, Kind::CommitFailed(id, "no space left on device".to_owned()));
        }
    }

    /// What an agent says must be durable, one at a time, and under its own name.
    fn judge_report(&mut self, which: usize, message: &ToMaster) {
        let host = &mut self.agents[which];
        match message {
            ToMaster::Register(_) if host.id.is_some() => {
                self.violated(format!("G3: agent {which} forgot its id"));
            }
            ToMaster::Register(_) | ToMaster::Reregister { .. } => host.in_flight.clear(),
            ToMaster::Status(update) => self.judge_status(which, update),
            _ => {}
        }
    }

    fn judge_status(&mut self, which: usize, update: &StatusUpdate) {
        let Some(uuid) = update.uuid else { return };
        let key = (update.framework.clone(), update.status.task.clone());
        let checkpoint = self
            .schedulers
            .iter()
            .find(|one| one.info.id.as_ref() == Some(&update.framework))
            .is_some_and(|one| one.info.checkpoint);
        let host = &mut self.agents[which];
        // What an executor says, and what the agent began to write, must be durable by now. What is
        // said of tasks without any record need not be.
        let asked = host.asked.contains(&uuid) || update.status.source == Some(Source::Executor);
        let known = host.disk.has_update(&key.0, &key.1, uuid);
        let again = host.acknowledged.contains(&uuid);
        let flying = host.in_flight.insert(key.clone(), uuid);
        if again {
            self.violated(format!("S2: {} of {} was acknowledged", update.status.state, key.1));
        }
        if checkpoint && asked && !known {
            self.violated(format!("S4: {} of {} is not durable", update.status.state, key.1));
        }
        if flying.is_some_and(|flying| flying != uuid) {
            self.violated(format!("S1: two updates of {} are in flight", key.1));
        }
    }

    pub(crate) fn agent_hears_master(&mut self, which: usize, from: Node, message: FromMaster) {
        let host = &mut self.agents[which];
        // A master of earlier times is not listened to.
        let leads = host.leader == Some(from);
        match &message {
            FromMaster::Acknowledge(framework, task, uuid) if leads => {
                let key = (framework.clone(), task.clone());
                if host.in_flight.get(&key) == Some(uuid) {
                    host.in_flight.remove(&key);
                    host.acknowledged.insert(*uuid);
                }
            }
            FromMaster::ShutdownFramework(framework) if leads => {
                host.in_flight.retain(|(of, _), _| of != framework);
            }
            _ => {}
        }
        let pid = self.pid_of(from);
        self.agent_step(which, Kind::FromMaster(pid, message));
        let host = &mut self.agents[which];
        if host.id.is_none() {
            host.id.clone_from(&host.core.info().id);
        }
        self.judge_load(which);
    }

    /// G4, as far as a master keeps its books: of an agent that was out of reach it wrote off tasks
    /// whose launch was still under way, and a launch that was overtaken, by a kill of that task say,
    /// comes on top of what was launched in its place.
    fn judge_load(&mut self, which: usize) {
        let host = &self.agents[which];
        let id = host.core.info().id.as_ref();
        if id.is_some_and(|id| self.judge.written_off.contains(id)) {
            return;
        }
        let mut load = host.core.load();
        load.unallocate();
        let mut most = host.info.resources.quantities();
        most += &host.late.launched;
        if !most.contains(&load.quantities()) {
            let total = &host.info.resources;
            self.violated(format!("G4: agent {which} has {total} and is to run {load}"));
        }
    }

    pub(crate) fn agent_hears_executor(&mut self, which: usize, from: Node, parcel: Parcel) {
        let Some(executor) = self.executors.get(&from) else { return };
        let (framework, id) = (executor.framework.clone(), executor.id.clone());
        match parcel {
            Parcel::ExecutorSubscribes(attempt, tasks, updates) => {
                let host = &mut self.agents[which];
                if host.core.admits(&framework, &id, true).is_err() {
                    return;
                }
                host.next_stream += 1;
                let stream = StreamId(host.next_stream);
                host.streams.insert(stream, (from, attempt));
                self.world.watch(host.node, from);
                let updates: Vec<_> =
                    updates.into_iter().map(|one| self.sabotage_update(which, one)).collect();
                let call =
                    ExecutorSubscription { framework, executor: id, tasks, updates, driver: None };
                self.agent_step(which, Kind::ExecutorSubscribes(stream, Box::new(call)));
            }
            Parcel::ExecutorUpdates(status)
                if self.agents[which].core.admits(&framework, &id, false).is_ok() =>
            {
                let status = self.sabotage_update(which, status);
                let kind = Kind::ExecutorUpdates(framework, id, Box::new(status));
                self.agent_step(which, kind);
            }
            Parcel::ExecutorStreamEnds(attempt) => {
                let streams = &mut self.agents[which].streams;
                let stream = streams.iter().find(|(_, of)| **of == (from, attempt));
                if let Some(stream) = stream.map(|(id, _)| *id) {
                    streams.remove(&stream);
                    self.agent_step(which, Kind::ExecutorStreamClosed(stream));
                }
            }
            _ => {}
        }
    }

    /// A connection of the agent's broke.
    pub(crate) fn agent_alone(&mut self, which: usize, peer: Node) {
        if matches!(self.who[peer.0 as usize], Who::Master(_)) {
            let pid = self.pid_of(peer);
            return self.agent_step(which, Kind::MasterLinkBroken(pid));
        }
        let streams = &self.agents[which].streams;
        let broken = streams.iter().filter(|(_, (node, _))| *node == peer);
        let broken: Vec<(StreamId, u64)> =
            broken.map(|(id, (_, attempt))| (*id, *attempt)).collect();
        for (stream, attempt) in broken {
            self.agents[which].streams.remove(&stream);
            // If it was opened since, its other end has to hear that it is given up.
            self.world.send(self.agents[which].node, peer, Parcel::ExecutorStreamEnds(attempt));
            self.agent_step(which, Kind::ExecutorStreamClosed(stream));
        }
    }

    /// The daemon exits of its own accord; its supervisor starts it again.
    fn agent_exits(&mut self, which: usize) {
        let wait = self.dice.duration(secs(1)..secs(5));
        self.agent_crashes(which);
        let node = self.agents[which].node;
        self.world.outside(wait, Parcel::Restart(node));
    }

    /// The agent's process dies. What it was writing may or may not be durable, in order.
    pub(crate) fn agent_crashes(&mut self, which: usize) {
        let node = self.agents[which].node;
        if !self.world.is_up(node) {
            return;
        }
        self.world.crash(node);
        self.clients.remove(&node);
        let host = &mut self.agents[which];
        let writes = std::mem::take(&mut host.writes);
        let torn = self.dice.below(writes.len() as u64 + 1) as usize;
        if !writes.is_empty() && !host.disk_full {
            writes.into_iter().take(torn).for_each(|(_, record)| host.disk.apply(record));
            self.fault(Fault::TornWrites);
        }
        let host = &mut self.agents[which];
        host.streams.clear();
        host.in_flight.clear();
        host.acknowledged.clear();
        host.welcomed.clear();
        host.wake = None;
        host.disk_clear = Tick::ZERO;
        // A container that was being made is undone when its maker dies.
        host.containers.retain(|_, container| container.state != Life::Starting);
    }

    /// The machine boots: nothing outlives that but the disk.
    pub(crate) fn machine_reboots(&mut self, which: usize) {
        self.agent_crashes(which);
        for node in self.agents[which].processes() {
            self.executors.remove(&node);
            self.world.crash(node);
        }
        self.agents[which].containers.clear();
        self.agents[which].rebooted = true;
    }

    /// The agent's process starts: it reads its disk and looks for what outlived it.
    pub(crate) fn agent_starts(&mut self, which: usize) {
        let seed = self.dice.next_u64();
        let host = &mut self.agents[which];
        self.world.restart(host.node);
        host.core = Agent::new(options(), host.info.clone(), seed);
        host.life = seed;
        if !host.forgetful {
            host.id = host.disk.agent.as_ref().and_then(|info| info.id.clone());
        }
        let strangers: Vec<Node> = host
            .containers
            .iter()
            .filter(|(id, _)| !host.disk.knows(id))
            .filter_map(|(_, container)| match container.state {
                Life::Running(node) => Some(node),
                _ => None,
            })
            .collect();
        for node in strangers {
            if let Some(executor) = self.executors.remove(&node) {
                self.agents[which].containers.remove(&executor.container);
                self.world.crash(node);
            }
        }
        let host = &self.agents[which];
        let fate = |id: &ContainerId| match host.containers.get(id).map(|it| &it.state) {
            Some(Life::Running(node)) => Fate::Alive(node.0),
            Some(Life::Over(status)) => {
                Fate::Ended(Ending { status: Some(*status), limitation: None })
            }
            Some(Life::Starting) | None => Fate::Unknown,
        };
        let mut found = host.disk.read(fate, host.rebooted);
        self.sabotage_recovery(&mut found);
        self.agents[which].rebooted = false;
        self.agent_step(which, Kind::Recovered(Box::new(found)));
        self.judge_survivors(which);
        let node = self.agents[which].node;
        if self.ensemble.is_some() {
            self.agents[which].leader = None;
            self.elector_starts(node);
        } else {
            self.agent_detects(which, Some(self.masters[0].node));
        }
    }

    /// Its detector tells who leads, if anybody does.
    pub(crate) fn agent_detects(&mut self, which: usize, leader: Option<Node>) {
        self.agents[which].leader = leader;
        let pid = leader.map(|leader| self.pid_of(leader));
        self.agent_step(which, Kind::MasterDetected(pid));
    }

    /// G2: what runs is what the agent knows of.
    fn judge_survivors(&mut self, which: usize) {
        let host = &self.agents[which];
        let known = host.core.live_containers();
        for (id, container) in &host.containers {
            if matches!(container.state, Life::Running(_)) && !known.contains(id) {
                self.violated(format!(
                    "G2: container {id} runs on agent {which}, which ignores it"
                ));
                return;
            }
        }
    }

    /// A message for a master from a life of this agent.
    pub(crate) fn agent_reports(
        &mut self,
        master: usize,
        which: usize,
        message: ToMaster,
        life: u64,
    ) {
        let host = &self.agents[which];
        let id = host.core.info().id.clone();
        let pid = host.pid.clone();
        if let Some(kind) = translate::to_master(message, &pid, id.as_ref(), life) {
            self.master_step(master, kind);
        }
    }
}
