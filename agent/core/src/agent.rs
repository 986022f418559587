//! The machine itself: which event goes to whom. The rules are with the nouns.

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve_machine::{Chance, Machine, Tick, Timers};
use reeve_model::{AgentInfo, ContainerId, DrainConfig, FrameworkId, Pid, Resources};

use crate::effect::{Effect, Record, ToExecutor, ToMaster};
use crate::event::{Event, FromMaster, Kind, StreamId, WriteId};
use crate::frameworks::Framework;
use crate::gc::Collector;
use crate::options::Options;
use crate::registration::Registration;
use crate::step::{Step, Waiting, Whose, Writes};
use crate::tasks::Assignment;
use crate::updates::Updates;
use crate::view::Change;

/// The agent: joins a master, runs what it is told to, and says what became of it.
#[derive(Debug)]
pub struct Agent {
    pub(crate) options: Options,
    pub(crate) info: Arc<AgentInfo>,
    /// Reservations and volumes.
    pub(crate) checkpointed: Resources,
    /// What may be offered as revocable, once that is known.
    pub(crate) oversubscribed: Option<Resources>,
    pub(crate) registration: Registration,
    /// The leading master, as detected.
    pub(crate) master: Option<Pid>,
    /// The master that this life of the agent asked for admission last.
    pub(crate) asked: Option<Pid>,
    /// How it is being emptied, if it is.
    pub(crate) draining: Option<DrainConfig>,
    pub(crate) frameworks: BTreeMap<FrameworkId, Framework>,
    /// Whose each container is; entries go when the container is gone.
    pub(crate) containers: BTreeMap<ContainerId, Whose>,
    /// Whose each open event stream is.
    pub(crate) streams: BTreeMap<StreamId, Whose>,
    pub(crate) updates: Updates,
    pub(crate) collector: Collector,
    pub(crate) writes: Writes,
    pub(crate) timers: Timers<Timer>,
    pub(crate) chance: Chance,
    pub(crate) counters: Counters,
}

/// What the agent waits for beside its updates and its collector.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The next attempt to register.
    Enrol,
    /// No ping for too long.
    Ping,
    /// Survivors had their chance.
    Recovery,
    /// An executor should have subscribed.
    Subscription(ContainerId),
    /// An executor should have ended.
    Grace(ContainerId),
}

/// Counts since the start, for `/metrics/snapshot`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Updates that were taken in.
    pub valid_status_updates: u64,
    /// Updates of unknown frameworks, executors or tasks.
    pub invalid_status_updates: u64,
    /// Updates that contradicted a terminal one (S3).
    pub late_status_updates: u64,
    /// Executors that ended.
    pub executors_terminated: u64,
    /// Containers that could not be made.
    pub container_launch_errors: u64,
    /// Records that could not be written.
    pub failed_writes: u64,
    /// Directories deleted.
    pub paths_removed: u64,
    /// Directories that could not be deleted.
    pub paths_not_removed: u64,
    /// Things that were found broken at the start.
    pub recovery_errors: u64,
}

impl Agent {
    /// An agent that waits for [`Kind::Recovered`]. `info` is what its settings and its machine
    /// say, without an id; `seed` feeds the waits that are to differ between agents.
    pub fn new(options: Options, info: AgentInfo, seed: u64) -> Self {
        Agent {
            info: Arc::new(AgentInfo { id: None, ..info }),
            checkpointed: Resources::new(),
            oversubscribed: None,
            registration: Registration::Recovering { read: false, awaiting: [].into() },
            master: None,
            asked: None,
            draining: None,
            frameworks: BTreeMap::new(),
            containers: BTreeMap::new(),
            streams: BTreeMap::new(),
            updates: Updates::new(&options),
            collector: Collector::new(&options),
            writes: Writes::default(),
            timers: Timers::new(),
            chance: Chance::new(seed),
            counters: Counters::default(),
            options,
        }
    }

    /// The agent's description; the id is set once it was admitted.
    pub fn info(&self) -> &Arc<AgentInfo> {
        &self.info
    }

    /// Counts since the start.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn committed(&mut self, step: &mut Step<'_>, write: WriteId) {
        match self.writes.over(write) {
            Some(Waiting::Framework(framework)) => self.framework_saved(&framework),
            Some(Waiting::Launch(container)) => self.launch_saved(step, &container, write),
            Some(Waiting::Delivery(container, task)) => self.task_saved(step, &container, &task),
            Some(Waiting::Update(key)) => self.update_saved(step, &key, write),
            Some(Waiting::Farewell) => self.farewell_saved(step),
            Some(Waiting::Drain) => self.drain_saved(step),
            Some(Waiting::Agent | Waiting::Nothing) | None => {}
        }
    }

    fn commit_failed(&mut self, step: &mut Step<'_>, write: WriteId, why: &str) {
        let Some(waiting) = self.writes.over(write) else { return };
        self.counters.failed_writes += 1;
        match waiting {
            Waiting::Nothing => {}
            Waiting::Agent => {
                step.emit(Effect::Fail(format!(
                    "cannot write the agent's record below meta/slaves: {why}; \
                     free the disk or make it writable, then start the agent again"
                )));
            }
            Waiting::Farewell => self.farewell_saved(step),
            Waiting::Drain => self.drain_saved(step),
            Waiting::Framework(framework) => self.framework_not_saved(step, &framework, why),
            Waiting::Launch(container) => self.launch_not_saved(step, &container, why),
            Waiting::Delivery(container, task) => {
                self.task_not_saved(step, &container, &task, why);
            }
            Waiting::Update(key) => self.updates.commit_failed(step, &key, write),
        }
    }

    fn farewell_saved(&mut self, step: &mut Step<'_>) {
        if let Registration::Leaving { farewell, .. } = &mut self.registration {
            *farewell = false;
        }
        self.left(step);
    }

    fn hear(&mut self, step: &mut Step<'_>, from: Pid, message: FromMaster) {
        if let FromMaster::Ping(observer, connected) = message {
            return self.ping(step, observer, connected);
        }
        if let FromMaster::Message(framework, executor, data) = &message
            && self.frameworks.get(framework).is_some_and(|owner| owner.pid.as_ref() == Some(&from))
        {
            // Drivers write to the agents that they know of themselves (LP-5).
            let message = ToExecutor::Message(data.clone());
            return self.to_executor(step, framework, executor, message);
        }
        // Only the detected leader commands.
        if self.master.as_ref() != Some(&from) {
            return;
        }
        match message {
            FromMaster::Registered(id, timeout) => self.registered(step, id, timeout),
            FromMaster::Reregistered(id, timeout, missing) => {
                self.reregistered(step, id, timeout, missing);
            }
            // What is safe with the framework is so whether the agent is registered or not.
            FromMaster::Acknowledge(framework, task, uuid) => {
                self.acknowledge(step, framework, task, uuid);
            }
            // Masters of Mesos say this before they greet an agent that is back.
            FromMaster::Drain(config) => self.drain(step, config),
            FromMaster::Shutdown(reason) => {
                self.leave(step, format!("the master said: {reason}"), true);
            }
            other => self.command(step, other),
        }
    }

    /// Commands of the master this agent is registered with.
    fn command(&mut self, step: &mut Step<'_>, message: FromMaster) {
        if self.registered_with().is_none() {
            return;
        }
        match message {
            FromMaster::Run { framework, task, launch_executor, scheduler } => {
                let executor = task.executor.clone();
                let tasks = vec![task];
                let grouped = false;
                self.run(
                    step,
                    Assignment { framework, executor, tasks, grouped, launch_executor, scheduler },
                );
            }
            FromMaster::RunGroup { framework, executor, tasks, launch_executor } => {
                let executor = Some(executor);
                let (grouped, scheduler) = (true, None);
                self.run(
                    step,
                    Assignment { framework, executor, tasks, grouped, launch_executor, scheduler },
                );
            }
            FromMaster::Kill(framework, task, policy) => self.kill(step, &framework, &task, policy),
            FromMaster::ShutdownExecutor(framework, executor) => {
                self.shutdown_executor(step, &framework, &executor, None);
            }
            FromMaster::ShutdownFramework(framework) => self.shutdown_framework(step, &framework),
            FromMaster::UpdateFramework(id, info, pid) => {
                self.update_framework(step, &id, info, pid);
            }
            FromMaster::Message(framework, executor, data) => {
                self.to_executor(step, &framework, &executor, ToExecutor::Message(data));
            }
            FromMaster::CheckpointResources(resources) => {
                self.checkpointed = resources.clone();
                self.writes.write(step, Record::Resources(resources.clone()), Waiting::Nothing);
                step.change(Change::Checkpointed(resources));
            }
            FromMaster::Registered(..)
            | FromMaster::Reregistered(..)
            | FromMaster::Ping(..)
            | FromMaster::Acknowledge(..)
            | FromMaster::Drain(..)
            | FromMaster::Shutdown(..) => {}
        }
    }

    fn deadline_passed(&mut self, step: &mut Step<'_>) {
        while let Some(timer) = self.timers.due(step.now) {
            match timer {
                Timer::Enrol => self.enrol(step),
                Timer::Ping => self.pings_missed(step),
                Timer::Recovery => self.survivors_late(step),
                Timer::Subscription(container) => self.subscription_late(step, &container),
                Timer::Grace(container) => self.destroy(step, &container),
            }
        }
        self.updates.alarms(step, &mut self.writes);
        self.collector.collect(step);
    }

    fn path_removed(&mut self, path: &str, outcome: &Result<(), String>) {
        self.collector.removed(path);
        match outcome {
            Ok(()) => self.counters.paths_removed += 1,
            Err(_) => self.counters.paths_not_removed += 1,
        }
    }

    fn stops(&mut self, step: &mut Step<'_>, unregister: bool) {
        if !unregister {
            step.emit(Effect::Exit("asked to stop; executors run on".to_owned()));
            return;
        }
        if let (Some(master), Some(id)) = (self.registered_with().cloned(), self.info.id.clone()) {
            step.emit(Effect::ToMaster(master, ToMaster::Unregister(id)));
        }
        self.leave(step, "asked to leave the cluster".to_owned(), true);
    }
}

impl Machine for Agent {
    type Event = Event;
    type Effect = Effect;

    fn step(&mut self, now: Tick, event: Event, out: &mut Vec<Effect>) {
        let step = &mut Step::new(now, event.wall, event.fresh, out);
        match event.kind {
            Kind::Recovered(found) => self.recover(step, *found),
            Kind::Committed(write) => self.committed(step, write),
            Kind::CommitFailed(write, why) => self.commit_failed(step, write, &why),
            Kind::MasterDetected(master) => self.master_detected(step, master),
            Kind::MasterLinkBroken(peer) => self.link_broken(step, &peer),
            Kind::Authenticated(master, proof) => self.authenticated(step, &master, &proof),
            Kind::FromMaster(from, message) => self.hear(step, from, message),
            Kind::ExecutorSubscribes(stream, call) => self.subscribe(step, stream, *call),
            Kind::ExecutorStreamClosed(stream) => self.stream_closed(stream),
            Kind::ExecutorUpdates(framework, executor, status) => {
                self.executor_update(step, &framework, &executor, *status);
            }
            Kind::ExecutorMessage(framework, executor, data) => {
                if let Some(master) = self.registered_with().cloned() {
                    let message = ToMaster::Message(framework, executor, data);
                    step.emit(Effect::ToMaster(master, message));
                }
            }
            Kind::ContainerStarted(container, process) => {
                self.container_started(step, &container, process);
            }
            Kind::ContainerFailed(container, failure) => {
                self.container_failed(step, &container, &failure);
            }
            Kind::ContainerEnded(container, ending) => {
                self.container_ended(step, &container, &ending);
            }
            Kind::ContainerUpdateFailed(container, why) => {
                self.container_update_failed(step, &container, &why);
            }
            Kind::Oversubscribes(resources) => self.oversubscribes(step, resources),
            Kind::Corrects(correction) => self.correct(step, &correction),
            Kind::DiskUsage(thousandths) => self.collector.disk_usage(step, thousandths),
            Kind::PathRemoved(path, outcome) => self.path_removed(&path, &outcome),
            Kind::Deadline => self.deadline_passed(step),
            Kind::Stops { unregister } => self.stops(step, unregister),
        }
    }

    fn deadline(&self) -> Option<Tick> {
        [self.timers.next(), self.updates.deadline(), self.collector.deadline()]
            .into_iter()
            .flatten()
            .min()
    }
}
