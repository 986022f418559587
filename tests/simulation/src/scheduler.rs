//! Schedulers as processes: they want work done, answer offers in all the ways there are, and keep
//! track of what became of their tasks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use reeve_machine::Tick;
use reeve_machine::sim::Node;
use reeve_master_core::effect::ToScheduler;
use reeve_master_core::event::Call;
use reeve_master_core::offers::Offer;
use reeve_model::{
    AgentId, ExecutorId, ExecutorInfo, ExecutorKind, Filters, FrameworkId, FrameworkInfo, Limits,
    OfferId, Operation, Reason, Reservation, Resource, Resources, Source, StatusUpdate, TaskId,
    TaskInfo, TaskState, TaskStatus, Uuid,
};

use crate::cluster::Cluster;
use crate::parcel::{Parcel, ms, secs};

/// How long a master may be silent, whose heartbeats come every 15 seconds: the end of a connection
/// need not reach its other end.
const SILENCE: Duration = secs(75);

/// One framework's scheduler.
#[derive(Debug)]
pub struct Scheduler {
    /// Where it runs.
    pub node: Node,
    /// Its number.
    pub number: usize,
    /// What it says of itself; the id is set once it has one.
    pub info: FrameworkInfo,
    attempt: u64,
    subscribed: bool,
    /// When it last heard from its master.
    heard: Tick,
    /// Who leads, as far as its detector knows.
    pub leader: Option<Node>,
    /// Whom it subscribed at, the last time it tried.
    at: Option<Node>,
    /// Its framework was ended; it must not come back.
    pub over: bool,
    /// What it launched.
    pub tasks: BTreeMap<TaskId, Known>,
    offers: BTreeMap<OfferId, Arc<Offer>>,
    next_task: u32,
    suppressed: bool,
}

/// A task as its scheduler knows it.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its latest state.
    pub state: TaskState,
    /// Where it went.
    pub agent: AgentId,
    /// Terminal updates it acknowledged, by uuid (S3).
    pub ends: BTreeSet<Uuid>,
    /// What its executor said, which it says once each (S2).
    said: BTreeMap<TaskState, Uuid>,
}

impl Known {
    /// Whether nothing more can come of it: it ended, or its agent is lost for good.
    pub fn settled(&self, agents: &BTreeSet<AgentId>) -> bool {
        let lost = matches!(self.state, TaskState::Unreachable | TaskState::Unknown);
        self.state.is_terminal() || (lost && !agents.contains(&self.agent))
    }
}

impl Scheduler {
    /// A scheduler that has never subscribed.
    pub fn new(node: Node, number: usize, info: FrameworkInfo) -> Self {
        Scheduler {
            node,
            number,
            info,
            attempt: 0,
            subscribed: false,
            heard: Tick::ZERO,
            leader: None,
            at: None,
            over: false,
            tasks: BTreeMap::new(),
            offers: BTreeMap::new(),
            next_task: 0,
            suppressed: false,
        }
    }
}

impl Scheduler {
    /// Whether this is its latest attempt to subscribe.
    pub fn is_current(&self, attempt: u64) -> bool {
        self.attempt == attempt
    }
}

impl Cluster {
    pub(crate) fn scheduler_tries(&mut self, which: usize, attempt: u64) {
        let wait = self.dice.duration(secs(1)..secs(5));
        let scheduler = &mut self.schedulers[which];
        if scheduler.over || scheduler.subscribed || scheduler.attempt != attempt {
            return;
        }
        let (node, old) = (scheduler.node, scheduler.attempt);
        scheduler.attempt += 1;
        let attempt = scheduler.attempt;
        let before = std::mem::replace(&mut scheduler.at, scheduler.leader);
        let leader = scheduler.leader;
        let call = Parcel::Subscribe(attempt, Arc::new(scheduler.info.clone()));
        if let Some(before) = before {
            self.world.send(node, before, Parcel::StreamEnds(old));
        }
        // Without a leader it waits for its detector.
        if let Some(leader) = leader {
            self.world.watch(node, leader);
            self.world.send(node, leader, call);
            self.world.local(node, wait, Parcel::SchedulerTries(attempt));
        }
    }

    /// It subscribes although it is subscribed, as after a failover of its own.
    pub(crate) fn scheduler_subscribes_again(&mut self, which: usize) {
        let scheduler = &mut self.schedulers[which];
        scheduler.subscribed = false;
        let attempt = scheduler.attempt;
        self.scheduler_tries(which, attempt);
    }

    /// A connection broke; perhaps the one that its stream is on.
    pub(crate) fn scheduler_left(&mut self, which: usize, peer: Node) {
        if self.schedulers[which].at == Some(peer) {
            self.scheduler_alone(which);
        }
    }

    pub(crate) fn scheduler_alone(&mut self, which: usize) {
        let wait = self.dice.duration(ms(10)..secs(3));
        let scheduler = &mut self.schedulers[which];
        scheduler.subscribed = false;
        scheduler.offers.clear();
        let (node, attempt) = (scheduler.node, scheduler.attempt);
        self.world.local(node, wait, Parcel::SchedulerTries(attempt));
    }

    /// The process starts anew. What it knew it had written down, as frameworks do.
    pub(crate) fn scheduler_starts(&mut self, which: usize) {
        let node = self.schedulers[which].node;
        self.world.local(node, secs(1), Parcel::SchedulerActs);
        if self.ensemble.is_some() {
            self.schedulers[which].leader = None;
            return self.elector_starts(node);
        }
        self.scheduler_detects(which, Some(self.masters[0].node));
    }

    /// Its detector tells who leads, if anybody does.
    pub(crate) fn scheduler_detects(&mut self, which: usize, leader: Option<Node>) {
        self.schedulers[which].leader = leader;
        self.scheduler_alone(which);
    }

    pub(crate) fn scheduler_hears(
        &mut self,
        which: usize,
        from: Node,
        attempt: u64,
        event: ToScheduler,
    ) {
        let scheduler = &mut self.schedulers[which];
        if attempt != scheduler.attempt || scheduler.at != Some(from) {
            // It has closed that stream long since.
            return self.world.send(scheduler.node, from, Parcel::StreamEnds(attempt));
        }
        scheduler.heard = self.world.now();
        match event {
            ToScheduler::Subscribed { framework: id, .. } => {
                scheduler.subscribed = true;
                scheduler.suppressed = false;
                let old = scheduler.info.id.replace(id.clone());
                if old.is_some_and(|old| old != id) {
                    self.violated(format!("a framework was given a second id, {id}"));
                }
                self.calls(which, Call::Reconcile(Vec::new()));
            }
            ToScheduler::Offers(offers) => {
                for offer in offers {
                    self.schedulers[which].offers.insert(offer.id.clone(), offer);
                }
                if !self.dice.one_in(10) {
                    self.answer_offers(which);
                }
            }
            ToScheduler::Rescind(id) => {
                scheduler.offers.remove(&id);
            }
            ToScheduler::Update(update) => self.scheduler_learns(which, &update),
            ToScheduler::Error(_) => self.framework_over(which),
            _ => {}
        }
    }

    /// Its framework was ended. Its operator starts another in its place.
    fn framework_over(&mut self, which: usize) {
        let scheduler = &mut self.schedulers[which];
        let known = scheduler.info.id.take().is_some();
        if self.peace || !known {
            scheduler.over = true;
            return;
        }
        self.generations += 1;
        scheduler.number = 100 + self.generations;
        scheduler.tasks.clear();
        self.scheduler_alone(which);
    }

    fn scheduler_learns(&mut self, which: usize, update: &Arc<StatusUpdate>) {
        let status = &update.status;
        let forgets = !self.peace && self.dice.one_in(12);
        let name = self.schedulers[which].info.name.clone();
        let Some(known) = self.schedulers[which].tasks.get_mut(&status.task) else {
            return self.violated(format!("{name} hears of a task it never had: {}", status.task));
        };
        // A task that ended stays ended, unless what was said of it was a guess of the master's.
        if !(known.state.is_terminal() && status.state != known.state && known.ends.len() == 1) {
            known.state = status.state;
        }
        let Some(uuid) = status.uuid else { return };
        let by_executor = status.source == Some(Source::Executor);
        if by_executor && *known.said.entry(status.state).or_insert(uuid) != uuid {
            self.violated(format!("S2: {} is told a second time as new: {status:?}", status.task));
            return;
        }
        if forgets {
            return;
        }
        // What an agent says of a task that it lost with its memory comes anew each time.
        let guessed = status.reason == Some(Reason::Reconciliation)
            || self.answers_overtaken_kill(&update.framework, status);
        let Some(known) = self.schedulers[which].tasks.get_mut(&status.task) else { return };
        if status.state.is_terminal() && !guessed {
            known.ends.insert(uuid);
            if known.ends.len() > 1 {
                self.violated(format!("S3: {} ends a second time: {status:?}", status.task));
            }
        }
        if let Some(agent) = status.agent.clone() {
            let task = status.task.clone();
            self.calls(which, Call::Acknowledge { agent, task, uuid });
        }
    }

    /// A kill is answered by what its agent has, as in Mesos. One that arrives before its task, or
    /// after the end was acknowledged, finds nothing.
    fn answers_overtaken_kill(&self, framework: &FrameworkId, status: &TaskStatus) -> bool {
        let host = self.agents.iter().find(|host| host.core.info().id == status.agent);
        status.source == Some(Source::Agent)
            && status.reason == Some(Reason::ExecutorTerminated)
            && status.executor.is_none()
            && host.is_some_and(|host| host.late.concerns(framework, &status.task))
    }

    fn calls(&mut self, which: usize, call: Call) {
        let scheduler = &self.schedulers[which];
        let Some(id) = scheduler.info.id.clone() else { return };
        if let (true, Some(master)) = (scheduler.subscribed, scheduler.at) {
            let parcel = Parcel::Call(scheduler.attempt, id, call);
            self.world.send(scheduler.node, master, parcel);
        }
    }

    /// What it does of its own accord, every few seconds.
    pub(crate) fn scheduler_acts(&mut self, which: usize) {
        let pause = self.dice.duration(secs(2)..secs(20));
        let node = self.schedulers[which].node;
        self.world.local(node, pause, Parcel::SchedulerActs);
        let scheduler = &self.schedulers[which];
        if scheduler.subscribed && self.world.now().since(scheduler.heard) > SILENCE {
            return self.scheduler_alone(which);
        }
        if self.peace {
            if self.closing {
                self.kill_everything(which);
            } else {
                self.reconcile(which);
            }
            return self.answer_offers(which);
        }
        match self.dice.below(8) {
            0 | 1 => self.kill_something(which),
            2 => self.reconcile(which),
            3 => {
                let scheduler = &mut self.schedulers[which];
                scheduler.suppressed = true;
                self.calls(which, Call::Suppress(Vec::new()));
            }
            4 | 5 => {
                let scheduler = &mut self.schedulers[which];
                scheduler.suppressed = false;
                self.calls(which, Call::Revive(Vec::new()));
            }
            6 => self.shutdown_something(which),
            _ => self.answer_offers(which),
        }
    }

    fn reconcile(&mut self, which: usize) {
        let tasks = &self.schedulers[which].tasks;
        let open = tasks.iter().filter(|(_, known)| !known.state.is_terminal());
        let open = open.map(|(id, known)| (id.clone(), Some(known.agent.clone()))).collect();
        self.calls(which, Call::Reconcile(open));
    }

    fn kill_something(&mut self, which: usize) {
        let tasks = &self.schedulers[which].tasks;
        let open: Vec<TaskId> = tasks
            .iter()
            .filter(|(_, known)| !known.state.is_terminal())
            .map(|(id, _)| id.clone())
            .collect();
        if open.is_empty() {
            return;
        }
        let task = open[self.dice.below(open.len() as u64) as usize].clone();
        self.calls(which, Call::Kill { task, agent: None, policy: None });
    }

    fn kill_everything(&mut self, which: usize) {
        let tasks = &self.schedulers[which].tasks;
        let open: Vec<(TaskId, AgentId)> = tasks
            .iter()
            .filter(|(_, known)| !known.state.is_terminal())
            .map(|(id, known)| (id.clone(), known.agent.clone()))
            .collect();
        for (task, agent) in open {
            self.calls(which, Call::Kill { task, agent: Some(agent), policy: None });
        }
        self.reconcile(which);
    }

    fn shutdown_something(&mut self, which: usize) {
        let tasks = &self.schedulers[which].tasks;
        let Some((_, known)) = tasks.iter().find(|(_, known)| !known.state.is_terminal()) else {
            return;
        };
        let executor = ExecutorId::new(format!("e{}", self.schedulers[which].number));
        self.calls(which, Call::Shutdown(executor, known.agent.clone()));
    }

    fn answer_offers(&mut self, which: usize) {
        let scheduler = &mut self.schedulers[which];
        let offers: Vec<Arc<Offer>> = std::mem::take(&mut scheduler.offers).into_values().collect();
        for offer in offers {
            let filters = Filters { refuse: self.dice.duration(Duration::ZERO..secs(20)) };
            let reserved = offer.resources.reserved(Some(&offer.role));
            if !reserved.is_empty() && (self.peace || self.dice.one_in(3)) {
                let offers = vec![offer.id.clone()];
                let operations = vec![Operation::Unreserve { id: None, resources: reserved }];
                self.calls(which, Call::Accept { offers, operations, filters });
            } else if self.peace || self.dice.one_in(3) {
                self.calls(which, Call::Decline { offers: vec![offer.id.clone()], filters });
            } else {
                self.accept(which, &offer, filters);
            }
        }
    }

    fn accept(&mut self, which: usize, offer: &Arc<Offer>, filters: Filters) {
        let count = 1 + self.dice.below(3);
        let grouped = self.dice.one_in(5);
        let executor = (grouped || self.dice.one_in(3)).then(|| self.executor_of(which, grouped));
        let mut tasks = Vec::new();
        for _ in 0..count {
            let task = self.next_task(which, offer, executor.clone().filter(|_| !grouped));
            tasks.push(task);
        }
        if self.dice.one_in(20)
            && let Some(task) = tasks.first_mut()
        {
            // More than anybody has: it must end as TASK_ERROR, not in silence (M3).
            task.resources = scalars("cpus:10000", offer);
        }
        let tasks = tasks.into_iter().map(Ok).collect();
        let operation = match executor.filter(|_| grouped) {
            Some(executor) => Operation::LaunchGroup { executor: Ok(executor), tasks },
            None => Operation::Launch(tasks),
        };
        let offers = vec![offer.id.clone()];
        let mut operations = vec![operation];
        if !offer.role.is_any() && self.dice.one_in(6) {
            let resources = reserved("cpus:0.2;mem:16", offer);
            operations.push(Operation::Reserve { id: None, source: Resources::new(), resources });
        }
        self.calls(which, Call::Accept { offers, operations, filters });
    }

    fn next_task(
        &mut self,
        which: usize,
        offer: &Arc<Offer>,
        executor: Option<Arc<ExecutorInfo>>,
    ) -> TaskInfo {
        let cpus = 100 + self.dice.below(900);
        let mem = 32 + self.dice.below(200);
        let scheduler = &mut self.schedulers[which];
        scheduler.next_task += 1;
        let id = TaskId::new(format!("f{}-t{}", scheduler.number, scheduler.next_task));
        let known = Known {
            state: TaskState::Staging,
            agent: offer.agent_id.clone(),
            ends: [].into(),
            said: [].into(),
        };
        scheduler.tasks.insert(id.clone(), known);
        let cpus = format!("cpus:{}.{:03};mem:{mem}", cpus / 1000, cpus % 1000);
        TaskInfo {
            name: id.to_string(),
            id,
            agent: offer.agent_id.clone(),
            resources: scalars(&cpus, offer),
            executor,
            kill_grace: None,
            max_completion: None,
            limits: Limits::default(),
            rest: bytes::Bytes::new(),
        }
    }

    /// The framework's own executor, of which there is one per agent, and one more for groups.
    fn executor_of(&self, which: usize, grouped: bool) -> Arc<ExecutorInfo> {
        let scheduler = &self.schedulers[which];
        let kind = if grouped { ExecutorKind::Default } else { ExecutorKind::Custom };
        let letter = if grouped { 'g' } else { 'e' };
        let role = &scheduler.info.roles[0];
        let any = reeve_model::Role::any();
        let mut resources = Resources::parse("cpus:0.1;mem:32", &any).unwrap_or_default();
        resources.allocate(role);
        Arc::new(ExecutorInfo {
            id: ExecutorId::new(format!("{letter}{}", scheduler.number)),
            framework: scheduler.info.id.clone(),
            kind,
            resources,
            shutdown_grace: None,
            rest: bytes::Bytes::new(),
        })
    }

    /// The last call of a framework.
    pub(crate) fn scheduler_tears_down(&mut self, which: usize) {
        self.calls(which, Call::Teardown);
    }
}

/// The same amounts, kept for the offer's role from now on.
fn reserved(text: &str, offer: &Offer) -> Resources {
    let level = Reservation::dynamic(offer.role.clone(), None);
    let keep = |resource: &Resource| Resource {
        reservations: resource.reservations.push(level.clone()),
        ..resource.clone()
    };
    scalars(text, offer).iter().map(keep).collect()
}

/// Unreserved amounts, given to the offer's role.
fn scalars(text: &str, offer: &Offer) -> Resources {
    let any = reeve_model::Role::any();
    let mut resources = Resources::parse(text, &any).unwrap_or_default();
    resources.allocate(&offer.role);
    resources
}
