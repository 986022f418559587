//! Whatever happens in whatever order: the books balance, offers end once, requests are answered
//! once, readers see what the core sees, and the allocation machine gets back what it gave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use reeve_machine::Machine;
use reeve_model::{
    AgentId, Capabilities, ExecutorId, Filters, FrameworkId, FrameworkInfo, OfferId, Operation,
    Pid, Resources, Role, TaskId, TaskState, Uuid,
};

use super::Cluster;
use super::cluster::{
    Wish, framework, known, parse, pid, registration, reregistration, subscription, task,
};
use crate::allocation::{AgentIx, Event as Alloc, FrameworkIx, Granted, Reclaimed};
use crate::effect::Effect;
use crate::event::{
    Ask, Call, Caller, Kind, MaintenanceChange, RequestId, StreamClaim, StreamId, WriteId,
};
use crate::inverse_offers::Talk;
use crate::view::Change;

/// One thing that happens: which kind, and three choices within it.
type Move = (u8, u8, u8, u8);

const STATES: [TaskState; 5] = [
    TaskState::Running,
    TaskState::Finished,
    TaskState::Failed,
    TaskState::Starting,
    TaskState::Killing,
];

/// A cluster, and what must come out even.
struct Watch {
    c: Cluster,
    streams: u64,
    offers: BTreeSet<OfferId>,
    ended: BTreeSet<OfferId>,
    writes: Vec<WriteId>,
    requests: u64,
    /// Requests that were not answered yet.
    open: BTreeSet<RequestId>,
    /// What the allocation machine believes to be held.
    ledger: BTreeMap<(u32, u32), Resources>,
    /// How many tasks it believes to live: by framework, agent and role.
    tasks: BTreeMap<(u32, u32, Role), u32>,
}

impl Watch {
    fn new() -> Self {
        let mut c = Cluster::new();
        c.commits = false;
        Watch {
            c,
            streams: 0,
            offers: BTreeSet::new(),
            ended: BTreeSet::new(),
            writes: Vec::new(),
            requests: 0,
            open: BTreeSet::new(),
            ledger: BTreeMap::new(),
            tasks: BTreeMap::new(),
        }
    }

    fn step(&mut self, kind: Kind) {
        if let Kind::Granted(grants) = &kind {
            for grant in grants {
                let held = self.ledger.entry((grant.framework.0, grant.agent.0)).or_default();
                *held += &grant.resources;
            }
        }
        self.c.step(kind);
        let effects = std::mem::take(&mut self.c.effects);
        for effect in &effects {
            match effect {
                Effect::Answer(request, _) => {
                    assert!(self.open.remove(request), "{request:?} is answered twice");
                }
                Effect::Persist(write, _) => self.writes.push(*write),
                Effect::Allocation(event) => self.account(event),
                Effect::Changed(Change::OfferMade(offer)) => {
                    assert!(self.offers.insert(offer.id.clone()), "an id is given once");
                }
                Effect::Changed(Change::OfferEnded(id, _)) => {
                    assert!(self.offers.contains(id));
                    assert!(self.ended.insert(id.clone()), "{id} ended twice");
                }
                _ => {}
            }
        }
        self.readers_see_the_same();
        self.tasks_are_told();
    }

    /// What the allocation machine was told of tasks, change by change, is a count of them.
    fn tasks_are_told(&self) {
        let mut recount = BTreeMap::new();
        for (_, task) in self.c.master.tasks.iter().filter(|(_, task)| !task.state.is_terminal()) {
            *recount.entry((task.framework.0, task.agent.0, task.role())).or_default() += 1;
        }
        assert_eq!(self.tasks, recount);
    }

    fn account(&mut self, event: &Alloc) {
        match event {
            Alloc::Introduction(_) => {
                self.ledger.clear();
                self.tasks.clear();
            }
            Alloc::Tasks { framework, role, agent, count } => {
                let key = (framework.0, agent.0, role.clone());
                match count {
                    0 => self.tasks.remove(&key),
                    count => self.tasks.insert(key, *count),
                };
            }
            Alloc::AgentAdded { agent, used, .. } => {
                for (framework, resources) in used {
                    *self.ledger.entry((framework.0, agent.0)).or_default() += resources;
                }
            }
            Alloc::Used { framework, agent, resources } => {
                *self.ledger.entry((framework.0, agent.0)).or_default() += resources;
            }
            Alloc::Recover { framework, agent, resources, .. } => {
                let held = self.ledger.entry((framework.0, agent.0)).or_default();
                assert!(held.contains(resources), "{held} cannot give {resources}");
                *held -= resources;
            }
            Alloc::Converted { framework: Some(framework), agent, from, to } => {
                let held = self.ledger.entry((framework.0, agent.0)).or_default();
                assert!(held.contains(from));
                *held -= from;
                *held += to;
            }
            Alloc::AgentRemoved { agent } => {
                let left =
                    self.ledger.iter().find(|((_, at), held)| *at == agent.0 && !held.is_empty());
                assert!(left.is_none(), "{left:?} is left on a removed agent");
            }
            Alloc::FrameworkRemoved { framework } => {
                let left = self
                    .ledger
                    .iter()
                    .find(|((of, _), held)| *of == framework.0 && !held.is_empty());
                assert!(left.is_none(), "{left:?} is left of a removed framework");
            }
            _ => {}
        }
    }

    fn readers_see_the_same(&self) {
        let view = self.c.view();
        let mut seen = 0;
        for (ix, agent) in self.c.master.agents.iter() {
            let Some(shown) = view.agents.get(&agent.id) else { panic!("{ix:?} is not shown") };
            let held = shown.used.unallocated() + shown.offered.unallocated();
            assert_eq!(held + &agent.free, agent.total() + &agent.debt, "{}", agent.id);
            seen += 1;
        }
        assert_eq!(view.agents.len(), seen);
        let tasks: usize = view.frameworks.values().map(|framework| framework.tasks.len()).sum();
        assert_eq!(tasks, self.c.master.tasks.iter().count());
        assert_eq!(view.offers.len(), self.offers.len() - self.ended.len());
        let asked: usize = view.frameworks.values().map(|one| one.inverse_offers.len()).sum();
        let talks = self.c.master.inverse_offers.iter();
        assert_eq!(asked, talks.filter(|(_, _, talk)| matches!(talk, Talk::Asked(_))).count());
        for (agent, answers) in &view.answers {
            let record = &view.agents[agent].record;
            assert!(view.machines.contains_key(&record.machine()), "{agent} is not to go");
            assert!(answers.keys().all(|framework| view.frameworks.contains_key(framework)));
        }
    }

    /// A request that waits from now on.
    fn request(&mut self) -> RequestId {
        self.requests += 1;
        let request = RequestId(self.requests);
        self.open.insert(request);
        request
    }

    /// Everything becomes durable, and then nobody waits.
    fn settle(&mut self) {
        while !self.writes.is_empty() {
            let write = self.writes.remove(0);
            self.step(Kind::Committed(write));
        }
        assert!(self.open.is_empty(), "{:?} are never answered", self.open);
    }

    fn agent(&self, choice: u8) -> AgentId {
        AgentId::new(format!("m-S{}", choice % 4))
    }

    fn framework(&self, choice: u8) -> FrameworkId {
        FrameworkId::new(format!("m-000{}", choice % 4))
    }

    /// Moves of agents.
    fn agent_moves(&mut self, (kind, x, y, z): Move) {
        let name = pid(["a1", "a2", "a3"][usize::from(x % 3)]);
        match kind {
            0 => {
                let asks = registration(None, ["cpus:4", "cpus:8"][usize::from(y % 2)]);
                self.step(Kind::AgentRegisters(name, Box::new(asks)));
            }
            1 => {
                let mut back =
                    reregistration(&self.agent(y), ["cpus:4", "cpus:8"][usize::from(z % 5 == 0)]);
                for of in 0..3 {
                    let id = self.framework(of);
                    back.frameworks
                        .push(Arc::new(FrameworkInfo { id: Some(id.clone()), ..framework() }));
                    if z & (1 << of) != 0 {
                        let state = STATES[usize::from(z % 5)];
                        back.tasks.push(known(&format!("t{}", z % 6), &id, state, "cpus:1"));
                    }
                }
                self.step(Kind::AgentReregisters(name, Box::new(back)));
            }
            2 => self.step(Kind::LinkBroken(name)),
            3 => self.step(Kind::AgentUnregisters(name, self.agent(y))),
            4 => self.step(Kind::AgentPonged(name)),
            5 if z < 40 => {
                let request = self.request();
                self.step(Kind::Asks(request, Ask::MarkGone(self.agent(y))));
            }
            _ => {
                let exits = ExecutorId::new("e");
                self.step(Kind::ExecutorExited(self.agent(x), self.framework(y), exits, 0));
            }
        }
    }

    /// A task that is tracked: its framework, itself, its agent, and where that listens.
    fn some_task(&self, choice: u8) -> Option<(FrameworkId, TaskId, AgentId, Pid)> {
        let master = &self.c.master;
        let all: Vec<_> = master.tasks.iter().map(|(_, task)| task).collect();
        let task = all.get(usize::from(choice) % all.len().max(1))?;
        let agent = master.agents.get(task.agent)?;
        let framework = master.frameworks.get(task.framework)?;
        Some((framework.id.clone(), task.id.clone(), agent.id.clone(), agent.pid.clone()))
    }

    /// A status, most often of a task that is there.
    fn status_moves(&mut self, (_, x, y, z): Move) {
        let any = || {
            let at = pid(["a1", "a2", "a3"][usize::from(z % 3)]);
            (self.framework(z / 3), TaskId::new(format!("t{}", x % 6)), self.agent(y), at)
        };
        let real = if z % 8 > 0 { self.some_task(x) } else { None };
        let (framework, task, agent, at) = real.unwrap_or_else(any);
        let state = STATES[usize::from(y % 5)];
        let mut status = reeve_model::TaskStatus::new(task, state);
        let uuid = (z > 40).then_some(Uuid([x; 16]));
        status.uuid = uuid;
        let update = reeve_model::StatusUpdate {
            framework,
            executor: None,
            agent: Some(agent),
            timestamp: reeve_model::Seconds(1.0),
            uuid,
            latest_state: (y > 200).then_some(TaskState::Finished),
            status,
        };
        self.step(Kind::StatusUpdated(at, Box::new(update)));
    }

    fn scheduler_moves(&mut self, (kind, x, y, z): Move) {
        match kind {
            0 => {
                self.streams += 1;
                let id = (y % 3 > 0).then(|| self.framework(x));
                let capabilities =
                    if z % 2 == 0 { framework().capabilities } else { Capabilities::none() };
                let checkpoint = z % 3 > 0;
                let info = FrameworkInfo { id, capabilities, checkpoint, ..framework() };
                let stream = StreamId(self.streams);
                self.step(Kind::Subscribes(stream, Box::new(subscription(info))));
            }
            1 => self.step(Kind::StreamClosed(StreamId(u64::from(x) % (self.streams + 1)))),
            2 => {
                let request = self.request();
                self.step(Kind::TeardownAsked(request, self.framework(x)));
            }
            _ => {
                let call = self.call((kind, x, y, z));
                let claim = StreamClaim::Is(self.stream_of(&self.framework(x)));
                let caller = Caller::Request(self.request(), claim, None);
                self.step(Kind::Calls(self.framework(x), caller, call));
            }
        }
    }

    fn stream_of(&self, id: &FrameworkId) -> StreamId {
        let fx = self.c.master.frameworks.find(id);
        match fx.and_then(|fx| self.c.master.frameworks.get(fx)?.scheduler().cloned()) {
            Some(crate::effect::Scheduler::Stream(stream)) => stream,
            _ => StreamId(0),
        }
    }

    fn call(&self, (kind, x, y, z): Move) -> Call {
        let task_id = TaskId::new(format!("t{}", y % 6));
        let filters = Filters { refuse: Duration::from_secs(u64::from(z % 2)) };
        match kind {
            3..=6 => {
                let (offers, agent) = self.offers_of(&self.framework(x), y);
                let executor = (z % 3 == 0).then_some(("e", "cpus:0.5"));
                let wish =
                    |id: &str, resources| Ok(task(Wish { id, agent: &agent, resources, executor }));
                let tasks = vec![
                    wish(&format!("t{}", z % 6), "cpus:1"),
                    wish(&format!("t{}", y % 6), ["cpus:0.5", "cpus:3"][usize::from(z % 2)]),
                ];
                Call::Accept { offers, operations: vec![Operation::Launch(tasks)], filters }
            }
            7 => Call::Decline { offers: self.offers_of(&self.framework(x), y).0, filters },
            8 => Call::Kill { task: task_id, agent: None, policy: None },
            9 | 10 => {
                let agent = if z % 4 > 0 { self.home_of(&task_id) } else { None };
                let agent = agent.unwrap_or_else(|| self.agent(z));
                let uuid = self.uuid_of(&self.framework(x), &task_id).unwrap_or(Uuid([z; 16]));
                Call::Acknowledge { agent, task: task_id, uuid }
            }
            11 => Call::Reconcile(vec![(task_id, (z % 2 == 0).then(|| self.agent(z)))]),
            12 => Call::Reconcile(Vec::new()),
            13 => Call::Suppress(Vec::new()),
            14 => Call::Revive(Vec::new()),
            15 => {
                let id = Some(self.framework(x));
                let name = format!("name {}", y % 2);
                let info = Arc::new(FrameworkInfo { id, name, ..framework() });
                Call::UpdateFramework { info, suppressed: BTreeSet::new(), constraints: None }
            }
            _ => Call::Teardown,
        }
    }

    fn home_of(&self, id: &TaskId) -> Option<AgentId> {
        let master = &self.c.master;
        let (_, task) = master.tasks.iter().find(|(_, task)| task.id == *id)?;
        Some(master.agents.get(task.agent)?.id.clone())
    }

    fn uuid_of(&self, id: &FrameworkId, task: &TaskId) -> Option<Uuid> {
        let master = &self.c.master;
        let framework = master.frameworks.get(master.frameworks.find(id)?)?;
        Some(master.tasks.get(*framework.tasks.get(task)?)?.update?.1)
    }

    fn offers_of(&self, id: &FrameworkId, choice: u8) -> (Vec<OfferId>, AgentId) {
        let view = self.c.view();
        let all: Vec<_> = view.offers.values().filter(|offer| offer.framework == *id).collect();
        match all.get(usize::from(choice) % all.len().max(1)) {
            Some(offer) => (vec![offer.id.clone()], offer.agent_id.clone()),
            None => (vec![OfferId::new("m-O0")], AgentId::new("m-S0")),
        }
    }

    fn make(&mut self, (kind, x, y, z): Move) {
        match kind % 56 {
            kind @ 0..=5 => self.agent_moves((kind, x, y, z)),
            6..=15 => self.status_moves((kind, x, y, z)),
            kind @ 16..=32 => self.scheduler_moves((kind - 16, x, y, z)),
            33..=40 => {
                let resources = ["cpus:1", "cpus:2", "cpus:4.5"][usize::from(z % 3)];
                self.step(Kind::Granted(vec![Granted {
                    framework: FrameworkIx(u32::from(x % 3)),
                    agent: AgentIx(u32::from(y % 3)),
                    role: "*".into(),
                    resources: parse(resources).allocated_to(&"*".into()),
                }]));
            }
            41..=46 => {
                if !self.writes.is_empty() {
                    let write = self.writes.remove(0);
                    self.step(Kind::Committed(write));
                }
            }
            47 => self.step(Kind::AllocatorReplaced(1)),
            48 => self.step(Kind::Reclaimed(vec![Reclaimed {
                framework: FrameworkIx(u32::from(x % 3)),
                role: "*".into(),
                agent: AgentIx(u32::from(y % 3)),
                amounts: parse(["cpus:1", "cpus:3"][usize::from(z % 2)]).quantities(),
                held: parse("cpus:4").quantities(),
                grace: Duration::from_secs(u64::from(z)),
                reason: "others wait".into(),
            }])),
            49 => self.pass(Duration::from_secs(u64::from(x) / 4)),
            50..=52 => self.maintenance_moves((x, y, z)),
            _ => self.answer_moves((x, y, z)),
        }
    }

    /// Operators plan the maintenance of the one machine here, or of none, and take agents out of
    /// use.
    fn maintenance_moves(&mut self, (x, y, z): (u8, u8, u8)) {
        let (request, machine) = (self.request(), super::maintenance::machine());
        let change = match x % 8 {
            0..=3 => {
                let mut window = super::maintenance::window(&[machine]);
                window.unavailability.start = i64::from(y % 3);
                MaintenanceChange::Schedule(if z % 4 == 0 { Vec::new() } else { vec![window] })
            }
            4 if z % 8 == 0 => MaintenanceChange::Start(vec![machine]),
            4 => MaintenanceChange::Stop(vec![machine]),
            5 => return self.step(Kind::Asks(request, Ask::Deactivate(self.agent(y)))),
            _ => return self.step(Kind::Asks(request, Ask::Reactivate(self.agent(y)))),
        };
        self.step(Kind::Asks(request, Ask::Maintenance(change)));
    }

    /// Frameworks answer inverse offers, also those of others.
    fn answer_moves(&mut self, (x, y, z): (u8, u8, u8)) {
        let view = self.c.view();
        let all = view.frameworks.values().flat_map(|framework| framework.inverse_offers.values());
        let all: Vec<_> = all.cloned().collect();
        let Some(offer) = all.get(usize::from(y) % all.len().max(1)) else { return };
        let id = if z % 8 == 0 { self.framework(x) } else { offer.framework.clone() };
        let filters = Filters { refuse: Duration::from_secs(u64::from(z % 3)) };
        let (offers, accepted) = (vec![offer.id.clone()], z % 2 == 0);
        let claim = StreamClaim::Is(self.stream_of(&id));
        let caller = Caller::Request(self.request(), claim, None);
        let call = Call::AnswerInverseOffers { offers, accepted, filters };
        self.step(Kind::Calls(id, caller, call));
    }

    fn pass(&mut self, time: Duration) {
        let end = self.c.now + time;
        while let Some(deadline) = self.c.master.deadline().filter(|deadline| *deadline <= end) {
            self.c.now = self.c.now.max(deadline);
            self.step(Kind::Deadline);
        }
        self.c.now = end;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_that_happens_breaks_the_books(
        moves in prop::collection::vec(any::<Move>(), 1..200)
    ) {
        let mut watch = Watch::new();
        for name in ["a1", "a2"] {
            watch.step(Kind::AgentRegisters(pid(name), Box::new(registration(None, "cpus:4"))));
        }
        for _ in 0..2 {
            watch.scheduler_moves((0, 0, 0, 0));
        }
        watch.settle();
        for one in moves {
            watch.make(one);
        }
        watch.settle();
    }

    #[test]
    fn equal_events_give_equal_effects(moves in prop::collection::vec(any::<Move>(), 1..60)) {
        let run = || {
            let mut watch = Watch::new();
            let mut seen = String::new();
            for one in &moves {
                watch.make(*one);
                seen += &format!("{:?}", watch.c.view().tallies);
            }
            seen
        };
        prop_assert_eq!(run(), run());
    }
}
