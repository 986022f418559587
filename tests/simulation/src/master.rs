//! The shell of the simulated master: its registry, its allocation machine, its streams.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use reeve_machine::sim::Node;
use reeve_machine::{Machine, Tick, Wall};
use reeve_master_core::allocation::{self, Host};
use reeve_master_core::effect::{Mutation, Scheduler as To, ToScheduler};
use reeve_master_core::event::{
    Call, Caller, Channel, CompletedFramework, Event, Kind, Recovered, RecoveredFramework,
    RequestId, StreamClaim, StreamId, Subscription, WriteId,
};
use reeve_master_core::{Effect, Master, Options, View};
use reeve_model::{AgentId, AgentInfo, FrameworkId, FrameworkInfo, OfferId, Operation, TaskId};

use crate::allocators::AnyAllocator;
use crate::cluster::Cluster;
use crate::laws::Ledger;
use crate::parcel::{Parcel, ms, secs};

/// The master's machine.
#[derive(Debug)]
pub struct MasterHost {
    /// The master's process.
    pub node: Node,
    /// The decisions.
    pub core: Master,
    /// The allocation machine.
    pub host: Host<AnyAllocator>,
    /// The machine's number; what machines of other numbers say does not count.
    pub allocator: u64,
    /// Whether the master has begun to tell it all from the beginning.
    pub introduced: bool,
    /// What readers see.
    pub view: View,
    registry: Registry,
    /// Counts starts; each leads under a new id.
    term: u32,
    /// How slow the registry is.
    pub disk_slow: Duration,
    /// Whether it refuses.
    pub disk_full: bool,
    disk_clear: Tick,
    streams: BTreeMap<StreamId, (Node, u64)>,
    /// The newest stream of each framework (M9).
    newest: BTreeMap<FrameworkId, StreamId>,
    next_stream: u64,
    next_request: u64,
    wake: Option<Tick>,
    host_wake: Option<Tick>,
    host_clear: Tick,
    grant_clear: Tick,
    /// Messages between the two machines that are under way.
    pub between: usize,
    /// How many tasks had to give way to others.
    pub preempted: u64,
    /// What the allocation machine may do.
    pub ledger: Ledger,
    offers: BTreeMap<OfferId, StreamId>,
    ended: BTreeSet<OfferId>,
    /// Agents that were ever out of reach.
    written_off: BTreeSet<AgentId>,
    /// Tasks of accepted offers (M2).
    lawful: BTreeSet<(FrameworkId, TaskId)>,
}

/// Committed mutations.
#[derive(Debug, Default)]
struct Registry {
    agents: BTreeMap<AgentId, AgentInfo>,
    unreachable: BTreeMap<AgentId, Wall>,
    gone: BTreeMap<AgentId, Wall>,
    frameworks: BTreeMap<FrameworkId, RecoveredFramework>,
    completed: BTreeMap<FrameworkId, CompletedFramework>,
}

impl Registry {
    fn apply(&mut self, mutation: Mutation) {
        match mutation {
            Mutation::Admit(info) | Mutation::MarkReachable(info) => {
                if let Some(id) = info.id.clone() {
                    self.unreachable.remove(&id);
                    self.agents.insert(id, AgentInfo::clone(&info));
                }
            }
            Mutation::MarkUnreachable(id, at) => {
                self.agents.remove(&id);
                self.unreachable.insert(id, at);
            }
            Mutation::Remove(id) => {
                self.agents.remove(&id);
                self.unreachable.remove(&id);
                self.gone.remove(&id);
            }
            Mutation::MarkGone(id, at) => {
                self.agents.remove(&id);
                self.unreachable.remove(&id);
                self.gone.insert(id, at);
            }
            // No operator is simulated yet.
            Mutation::SetQuotas(_) | Mutation::SetWeights(_) => {}
            Mutation::Describe(info, registered) => {
                if let Some(id) = info.id.clone() {
                    self.frameworks.insert(id, RecoveredFramework { info, registered });
                }
            }
            Mutation::Complete { completed, forgotten } => {
                if let Some(id) = completed.info.id.clone() {
                    self.frameworks.remove(&id);
                    self.completed.insert(id, completed);
                }
                forgotten.iter().for_each(|id| {
                    self.completed.remove(id);
                });
            }
            Mutation::ForgetFramework(id) => {
                self.frameworks.remove(&id);
                self.completed.remove(&id);
            }
        }
    }
}

fn options() -> Options {
    // Shorter than by default, so that a run sees it pass.
    Options { agent_reregister_timeout: secs(300), ..Options::default() }
}

fn host(allocator: AnyAllocator) -> Host<AnyAllocator> {
    Host::new(allocation::Options::default(), allocator)
}

impl MasterHost {
    /// A master that has never led.
    pub fn new(node: Node, allocator: AnyAllocator) -> Self {
        MasterHost {
            node,
            core: Master::new(options()),
            host: host(allocator),
            allocator: 0,
            introduced: true,
            view: View::new(&options()),
            registry: Registry::default(),
            term: 0,
            disk_slow: Duration::ZERO,
            disk_full: false,
            disk_clear: Tick::ZERO,
            streams: BTreeMap::new(),
            newest: BTreeMap::new(),
            next_stream: 0,
            next_request: 0,
            wake: None,
            host_wake: None,
            host_clear: Tick::ZERO,
            grant_clear: Tick::ZERO,
            between: 0,
            preempted: 0,
            ledger: Ledger::default(),
            offers: BTreeMap::new(),
            ended: BTreeSet::new(),
            lawful: BTreeSet::new(),
            written_off: BTreeSet::new(),
        }
    }

    /// Whether the agent was ever out of reach.
    pub fn was_unreachable(&self, agent: &AgentId) -> bool {
        self.written_off.contains(agent)
    }
}

impl Cluster {
    /// The master's process starts and reads its registry.
    pub(crate) fn master_starts(&mut self) {
        // Whoever starts it may have configured another allocator meanwhile.
        let allocator = AnyAllocator::some(&mut self.dice);
        let master = &mut self.master;
        self.world.restart(master.node);
        master.term += 1;
        master.core = Master::new(options());
        master.host = host(allocator);
        master.allocator += 1;
        master.introduced = true;
        master.view = View::new(&options());
        master.ledger = Ledger::default();
        master.between = 0;
        master.streams.clear();
        master.newest.clear();
        master.offers.clear();
        master.lawful.clear();
        (master.wake, master.host_wake) = (None, None);
        (master.disk_clear, master.host_clear) = (Tick::ZERO, Tick::ZERO);
        master.grant_clear = Tick::ZERO;
        let found = Recovered {
            master: format!("m{}", master.term).into(),
            agents: master.registry.agents.values().cloned().collect(),
            unreachable: master.registry.unreachable.clone().into_iter().collect(),
            gone: master.registry.gone.clone().into_iter().collect(),
            frameworks: master.registry.frameworks.values().cloned().collect(),
            completed: master.registry.completed.values().cloned().collect(),
            ..Recovered::default()
        };
        self.master_step(Kind::Recovered(found));
        self.announce_master();
    }

    pub(crate) fn master_step(&mut self, kind: Kind) {
        let now = self.world.now();
        self.tell(|| format!("master <- {kind:?}"));
        let event = Event { wall: self.wall(), kind };
        let mut effects = Vec::new();
        self.master.core.step(now, event, &mut effects);
        if let Err(law) = self.master.core.check() {
            self.violated(format!("master: {law}"));
        }
        self.world.mix(effects.len() as u64);
        for effect in self.sabotage_master(effects) {
            if !matches!(effect, Effect::Changed(_)) {
                self.tell(|| format!("master -> {effect:?}"));
            }
            self.master_effect(effect);
        }
        self.master_wakes();
    }

    fn master_wakes(&mut self) {
        let now = self.world.now();
        let Some(due) = self.master.core.deadline() else { return };
        if self.master.wake.is_none_or(|wake| due < wake) {
            self.master.wake = Some(due);
            self.world.local(self.master.node, due.since(now), Parcel::MasterWakes(due));
        }
    }

    pub(crate) fn master_woken(&mut self, at: Tick) {
        if self.master.wake == Some(at) {
            self.master.wake = None;
        }
        if self.master.core.deadline().is_some_and(|due| due <= self.world.now()) {
            self.master_step(Kind::Deadline);
        } else {
            self.master_wakes();
        }
    }

    fn master_effect(&mut self, effect: Effect) {
        let node = self.master.node;
        match effect {
            Effect::Persist(id, mutation) => self.master_writes(id, mutation),
            Effect::ToAgent(pid, message) => {
                self.judge_run(&message);
                if let Some(to) = self.node_of(&pid) {
                    self.world.send(node, to, Parcel::ToAgent(message));
                }
            }
            Effect::Link(pid) => {
                if let Some(peer) = self.node_of(&pid) {
                    self.world.watch(node, peer);
                }
            }
            Effect::Unlink(_) | Effect::Answer(..) => {}
            Effect::ToScheduler(to, event) => self.master_speaks(to, event),
            Effect::Close(stream) => {
                if let Some((to, attempt)) = self.master.streams.remove(&stream) {
                    self.master.offers.retain(|_, of| *of != stream);
                    self.world.send(node, to, Parcel::StreamEnds(attempt));
                }
            }
            Effect::Allocation(event) => {
                let now = self.world.now();
                let delay = self.dice.duration(Duration::ZERO..ms(1));
                let at = self.master.host_clear.max(now + delay);
                self.master.host_clear = at;
                self.master.between += 1;
                self.world.local(node, at.since(now), Parcel::Allocation(Box::new(event)));
            }
            Effect::Changed(change) => self.master.view.apply(change),
            Effect::TookBack(back) => self.master.preempted += back.tasks.len() as u64,
            Effect::StepDown(_) => self.master_crashes(),
        }
    }

    fn master_writes(&mut self, id: WriteId, mutation: Mutation) {
        let now = self.world.now();
        let delay = self.dice.duration(Duration::from_micros(500)..ms(10));
        let at = self.master.disk_clear.max(now + delay + self.master.disk_slow);
        self.master.disk_clear = at;
        let parcel = Parcel::MasterWrote(id, mutation, !self.master.disk_full);
        self.world.local(self.master.node, at.since(now), parcel);
    }

    pub(crate) fn master_wrote(&mut self, id: WriteId, mutation: Mutation, ok: bool) {
        if ok {
            if let Mutation::MarkUnreachable(agent, _) = &mutation {
                self.master.written_off.insert(agent.clone());
            }
            self.master.registry.apply(mutation);
            self.master_step(Kind::Committed(id));
        } else {
            self.master_step(Kind::CommitFailed(id, "no space left on device".to_owned()));
        }
    }

    /// M12: who subscribed is written down, and who ended stays ended.
    fn judge_subscribed(&self, id: &FrameworkId) -> Option<String> {
        let registry = &self.master.registry;
        if registry.completed.contains_key(id) {
            return Some(format!("M12: {id} ended, and subscribes"));
        }
        (!registry.frameworks.contains_key(id)).then(|| format!("M12: {id} is not written down"))
    }

    /// M1 and M9: offers are new when they are made and known when they are taken back, and only
    /// the newest stream of a framework hears of anything.
    fn master_speaks(&mut self, to: To, event: ToScheduler) {
        let To::Stream(stream) = to else { return };
        let Some((node, attempt)) = self.master.streams.get(&stream).copied() else { return };
        let master = &mut self.master;
        let mut broken = None;
        match &event {
            ToScheduler::Subscribed { framework: id, .. } => {
                master.newest.insert(id.clone(), stream);
                broken = self.judge_subscribed(id);
            }
            ToScheduler::Offers(offers) => {
                for offer in offers {
                    if master.newest.get(&offer.framework) != Some(&stream) {
                        broken = Some(format!("M9: {} goes to an old stream", offer.id));
                    }
                    let old = master.offers.insert(offer.id.clone(), stream);
                    if old.is_some() || master.ended.contains(&offer.id) {
                        broken = Some(format!("M1: {} is made twice", offer.id));
                    }
                }
            }
            ToScheduler::Rescind(id) => {
                if master.offers.remove(id).is_none() {
                    broken = Some(format!("M1: {id} is taken back, and was not out"));
                }
                master.ended.insert(id.clone());
            }
            ToScheduler::Update(update)
                if master.newest.get(&update.framework) != Some(&stream) =>
            {
                broken = Some(format!("M9: {} goes to an old stream", update.status.task));
            }
            _ => {}
        }
        self.world.send(self.master.node, node, Parcel::Event(attempt, event));
        if let Some(law) = broken {
            self.violated(law);
        }
    }

    /// M2: what is run was asked for with an offer that stood.
    fn judge_run(&mut self, message: &reeve_master_core::effect::ToAgent) {
        use reeve_master_core::effect::ToAgent;
        let (framework, tasks): (_, Vec<&TaskId>) = match message {
            ToAgent::Run { framework, task, .. } => (framework, vec![&task.id]),
            ToAgent::RunGroup { framework, tasks, .. } => {
                (framework, tasks.iter().map(|task| &task.id).collect())
            }
            _ => return,
        };
        let Some(id) = framework.id.clone() else { return };
        for task in tasks {
            if !self.master.lawful.remove(&(id.clone(), task.clone())) {
                self.violated(format!("M2: {task} is run without an offer"));
                return;
            }
        }
    }

    pub(crate) fn scheduler_subscribes(
        &mut self,
        from: Node,
        attempt: u64,
        info: Arc<FrameworkInfo>,
    ) {
        let master = &mut self.master;
        master.next_stream += 1;
        let stream = StreamId(master.next_stream);
        master.streams.insert(stream, (from, attempt));
        self.world.watch(master.node, from);
        let subscription = Subscription {
            info,
            suppressed: BTreeSet::new(),
            constraints: None,
            channel: Channel::Http,
            force: false,
        };
        self.master_step(Kind::Subscribes(stream, Box::new(subscription)));
    }

    pub(crate) fn scheduler_calls(
        &mut self,
        from: Node,
        attempt: u64,
        framework: FrameworkId,
        call: Call,
    ) {
        let master = &mut self.master;
        let stream = master.streams.iter().find(|(_, of)| **of == (from, attempt));
        let stream = stream.map(|(id, _)| *id);
        let claim = stream.map_or(StreamClaim::Unknown, StreamClaim::Is);
        if stream.is_some() && master.newest.get(&framework) == stream.as_ref() {
            self.note_call(&framework, &call);
        }
        self.master.next_request += 1;
        let request = RequestId(self.master.next_request);
        self.master_step(Kind::Calls(framework, Caller::Request(request, claim, None), call));
    }

    /// Offers that end with this call, and tasks that may be run by it.
    fn note_call(&mut self, framework: &FrameworkId, call: &Call) {
        let master = &mut self.master;
        let (Call::Accept { offers, .. } | Call::Decline { offers, .. }) = call else { return };
        let standing = offers.iter().all(|offer| master.offers.contains_key(offer));
        for offer in offers {
            if master.offers.remove(offer).is_some() {
                master.ended.insert(offer.clone());
            }
        }
        let Call::Accept { operations, .. } = call else { return };
        if !standing {
            return;
        }
        for operation in operations {
            if let Operation::Launch(tasks) | Operation::LaunchGroup { tasks, .. } = operation {
                let ids = tasks.iter().flatten().map(|task| (framework.clone(), task.id.clone()));
                master.lawful.extend(ids);
            }
        }
    }

    /// A scheduler closes its stream.
    pub(crate) fn stream_ends(&mut self, from: Node, attempt: u64) {
        let stream = self.master.streams.iter().find(|(_, of)| **of == (from, attempt));
        if let Some(stream) = stream.map(|(id, _)| *id) {
            self.stream_is_over(stream);
        }
    }

    fn stream_is_over(&mut self, stream: StreamId) {
        self.master.streams.remove(&stream);
        self.master.offers.retain(|_, of| *of != stream);
        self.master_step(Kind::StreamClosed(stream));
    }

    /// A connection of the master's broke.
    pub(crate) fn master_alone(&mut self, peer: Node) {
        let streams = self.master.streams.iter().filter(|(_, (node, _))| *node == peer);
        let broken: Vec<(StreamId, u64)> =
            streams.map(|(id, (_, attempt))| (*id, *attempt)).collect();
        for (stream, attempt) in broken {
            // If it was opened since, its other end has to hear that it is given up.
            self.world.send(self.master.node, peer, Parcel::StreamEnds(attempt));
            self.stream_is_over(stream);
        }
        let pid = self.pid_of(peer);
        self.master_step(Kind::LinkBroken(pid));
    }

    pub(crate) fn master_crashes(&mut self) {
        if self.world.is_up(self.master.node) {
            let wait = self.dice.duration(ms(500)..Duration::from_secs(30));
            self.world.crash(self.master.node);
            self.world.outside(wait, Parcel::Restart(self.master.node));
        }
    }

    /// The allocation machine's grants reach the master.
    pub(crate) fn granted(&mut self, by: u64, granted: Vec<allocation::Granted>) {
        self.master.between -= 1;
        if by == self.master.allocator {
            self.master_step(Kind::Granted(granted));
            self.audit();
        }
    }

    /// What it wants back reaches the master.
    pub(crate) fn reclaimed(&mut self, by: u64, reclaims: Vec<allocation::Reclaimed>) {
        self.master.between -= 1;
        if by == self.master.allocator {
            self.master_step(Kind::Reclaimed(reclaims));
            self.audit();
        }
    }

    /// Now and then, when both machines must agree, their books are compared.
    fn audit(&mut self) {
        if self.master.between == 0
            && self.world.steps().is_multiple_of(8)
            && let Err(law) = self.master.ledger.audit(&self.master.view.snapshot())
        {
            self.violated(law);
        }
    }

    pub(crate) fn host_hears(&mut self, event: allocation::Event) {
        self.master.between -= 1;
        let own = self.master.allocator;
        self.master.introduced |=
            matches!(event, allocation::Event::Introduction(number) if number == own);
        if !self.master.introduced {
            return;
        }
        self.tell(|| format!("allocation <- {event:?}"));
        if let Err(law) = self.master.ledger.hears(&event, self.world.now()) {
            self.violated(law);
        }
        self.host_step(event);
        self.audit();
    }

    pub(crate) fn host_woken(&mut self, at: Tick) {
        if self.master.host_wake == Some(at) {
            self.master.host_wake = None;
        }
        if self.master.host.deadline().is_some_and(|due| due <= self.world.now()) {
            self.host_step(allocation::Event::Deadline);
        } else {
            self.host_wakes();
        }
    }

    fn host_step(&mut self, event: allocation::Event) {
        let now = self.world.now();
        let mut effects = Vec::new();
        self.master.host.step(now, event, &mut effects);
        for effect in effects {
            self.tell(|| format!("allocation -> {effect:?}"));
            match effect {
                allocation::Effect::Offer(granted) => {
                    if let Err(law) = self.master.ledger.grants(&granted, now) {
                        self.violated(law);
                    }
                    self.host_says(Parcel::Granted(self.master.allocator, granted));
                }
                allocation::Effect::Reclaim(reclaims) => {
                    if let Err(law) = self.master.ledger.reclaims(&reclaims) {
                        self.violated(law);
                    }
                    self.host_says(Parcel::Reclaimed(self.master.allocator, reclaims));
                }
                allocation::Effect::Report(unlawful) => {
                    self.violated(format!("the allocator module errs: {unlawful:?}"));
                }
            }
        }
        self.host_wakes();
    }

    /// What the allocation machine wants done is under way to the master.
    fn host_says(&mut self, parcel: Parcel) {
        let now = self.world.now();
        let delay = self.dice.duration(Duration::ZERO..ms(2));
        let at = self.master.grant_clear.max(now + delay);
        self.master.grant_clear = at;
        self.master.between += 1;
        self.world.local(self.master.node, at.since(now), parcel);
    }

    fn host_wakes(&mut self) {
        let now = self.world.now();
        let Some(due) = self.master.host.deadline() else { return };
        if self.master.host_wake.is_none_or(|wake| due < wake) {
            self.master.host_wake = Some(due);
            self.world.local(self.master.node, due.since(now), Parcel::HostWakes(due));
        }
    }
}
