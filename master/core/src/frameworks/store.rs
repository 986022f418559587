//! Which frameworks there are, and in which state.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use reeve_machine::{Tick, Wall};
use reeve_model::{
    AgentId, ExecutorId, FrameworkId, FrameworkInfo, OfferConstraints, Pid, Resources, Role, TaskId,
};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use crate::effect::Scheduler;
use crate::event::{Kind, StreamId};
use crate::lookup::Lookup;
use crate::offers::OfferNr;
use crate::options::Options;
use crate::slab::Slab;
use crate::tasks::TaskIx;
use crate::view::{Change, FrameworkRecord};

/// A number is not used again for so long; see the agents' store.
const REST: Duration = Duration::from_secs(60);

/// All frameworks that did not end, and the ids of some that did.
#[derive(Debug)]
pub(crate) struct Frameworks {
    all: Slab<Framework>,
    by_id: Lookup<FrameworkId, FrameworkIx>,
    by_stream: BTreeMap<StreamId, FrameworkIx>,
    by_driver: BTreeMap<Pid, FrameworkIx>,
    /// Tasks on each agent out of reach.
    lost_on: BTreeMap<AgentId, BTreeSet<(FrameworkIx, TaskId)>>,
    completed: BTreeSet<FrameworkId>,
    /// Those that ended, and those whose end is being written; the oldest first.
    completed_order: VecDeque<FrameworkId>,
    max_completed: usize,
    /// Frameworks that something is being written about, and what came for them meanwhile.
    pub waiting: BTreeMap<FrameworkId, VecDeque<Kind>>,
    /// Streams whose subscription waits for that.
    pub opening: BTreeMap<StreamId, FrameworkId>,
    /// Drivers whose new framework is being written.
    pub joining: BTreeSet<Pid>,
    /// The number in the next framework's id.
    pub next: u64,
}

/// One framework.
#[derive(Debug)]
pub(crate) struct Framework {
    pub id: FrameworkId,
    pub info: Arc<FrameworkInfo>,
    pub state: State,
    /// Whether the registry holds it, as it is described here.
    pub recorded: bool,
    /// The driver that it has or had last; none if its last scheduler was on a stream.
    pub driver: Option<Pid>,
    pub suppressed: BTreeSet<Role>,
    pub constraints: Option<Arc<OfferConstraints>>,
    pub registered: Wall,
    pub reregistered: Option<Wall>,
    /// Tasks that are not terminal, or whose end is not acknowledged.
    pub tasks: Lookup<TaskId, TaskIx>,
    /// Tasks on agents out of reach, the longest first.
    pub unreachable: Lookup<TaskId, Lost>,
    pub offers: BTreeSet<OfferNr>,
    /// How many tasks and executors it has on each agent.
    pub agents: BTreeMap<AgentIx, u32>,
    /// What it held on the agent that last brought something of it back.
    pub brought_back: Resources,
}

/// Whether a framework has a scheduler (FL-1).
///
/// ```text
///   (new) ──subscribes──▶ Connected ──stream or link breaks──▶ Disconnected
///                          ▲     ▲ └──────────subscribes again──────┘  │
///   Recovered ──subscribes─┘     │                                     │ failover timeout,
///     │  (from the registry or   │                                     │ committed
///     │   an agent's report)     │ teardown, committed                 ▼
///     └──failover timeout, committed; see `await_scheduler`──▶ (completed)
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Known from the registry, or from agents alone.
    Recovered,
    /// Its scheduler is there, and wants offers.
    Active(Scheduler),
    /// Its scheduler is there, but its driver was aborted.
    Inactive(Scheduler),
    /// Its scheduler is gone; it may come back.
    Disconnected,
}

/// A task on an agent out of reach.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    pub agent: AgentId,
    pub executor: Option<ExecutorId>,
}

impl Frameworks {
    pub fn new(options: &Options) -> Self {
        Frameworks {
            all: Slab::new(REST),
            by_id: Lookup::default(),
            by_stream: BTreeMap::new(),
            by_driver: BTreeMap::new(),
            lost_on: BTreeMap::new(),
            completed: BTreeSet::new(),
            completed_order: VecDeque::new(),
            max_completed: options.max_completed_frameworks,
            waiting: BTreeMap::new(),
            opening: BTreeMap::new(),
            joining: BTreeSet::new(),
            next: 0,
        }
    }

    pub fn get(&self, ix: FrameworkIx) -> Option<&Framework> {
        self.all.get(ix.0)
    }

    pub fn get_mut(&mut self, ix: FrameworkIx) -> Option<&mut Framework> {
        self.all.get_mut(ix.0)
    }

    pub fn find(&self, id: &FrameworkId) -> Option<FrameworkIx> {
        self.by_id.get(id).copied()
    }

    pub fn streaming(&self, stream: StreamId) -> Option<FrameworkIx> {
        self.by_stream.get(&stream).copied()
    }

    pub fn driven_by(&self, pid: &Pid) -> Option<FrameworkIx> {
        self.by_driver.get(pid).copied()
    }

    pub fn is_completed(&self, id: &FrameworkId) -> bool {
        self.completed.contains(id)
    }

    /// Whether anything is known of a framework of this id.
    pub fn is_taken(&self, id: &FrameworkId) -> bool {
        self.by_id.contains_key(id) || self.waiting.contains_key(id) || self.is_completed(id)
    }

    pub fn insert(&mut self, now: Tick, framework: Framework) -> FrameworkIx {
        let id = framework.id.clone();
        let ix = FrameworkIx(self.all.insert(now, framework));
        self.by_id.insert(id, ix);
        ix
    }

    /// Makes room for one more that ended; says who is not remembered any longer.
    pub fn retire(&mut self, id: &FrameworkId) -> Vec<FrameworkId> {
        self.completed_order.push_back(id.clone());
        let excess = self.completed_order.len().saturating_sub(self.max_completed);
        let forgotten: Vec<FrameworkId> = self.completed_order.drain(..excess).collect();
        forgotten.iter().for_each(|id| {
            self.completed.remove(id);
        });
        forgotten
    }

    /// Remembers that a framework ended, if there was room made for it and still is.
    pub fn remember(&mut self, id: &FrameworkId) {
        if self.completed_order.contains(id) {
            self.completed.insert(id.clone());
        }
    }

    /// Takes a framework out and remembers that it ended.
    pub fn complete(&mut self, now: Tick, ix: FrameworkIx) -> Option<Framework> {
        self.disconnect(ix);
        let lost: Vec<TaskId> = self.get(ix)?.unreachable.keys().cloned().collect();
        for task in lost {
            self.find_task(ix, &task);
        }
        let framework = self.all.remove(now, ix.0)?;
        self.by_id.swap_remove(&framework.id);
        self.remember(&framework.id);
        Some(framework)
    }

    /// The framework's scheduler is there from now on.
    pub fn connect(&mut self, ix: FrameworkIx, scheduler: Scheduler) {
        self.disconnect(ix);
        match &scheduler {
            Scheduler::Stream(stream) => {
                self.by_stream.insert(*stream, ix);
            }
            Scheduler::Driver(pid) => {
                self.by_driver.insert(pid.clone(), ix);
            }
        }
        if let Some(framework) = self.get_mut(ix) {
            framework.driver = match &scheduler {
                Scheduler::Driver(pid) => Some(pid.clone()),
                Scheduler::Stream(_) => None,
            };
            framework.state = State::Active(scheduler);
        }
    }

    /// The framework has no scheduler from now on; says which it had.
    pub fn disconnect(&mut self, ix: FrameworkIx) -> Option<Scheduler> {
        let framework = self.get_mut(ix)?;
        let scheduler = framework.scheduler()?.clone();
        framework.state = State::Disconnected;
        match &scheduler {
            Scheduler::Stream(stream) => {
                self.by_stream.remove(stream);
            }
            Scheduler::Driver(pid) => {
                self.by_driver.remove(pid);
            }
        }
        Some(scheduler)
    }

    /// A task's agent is out of reach.
    pub fn lose_task(&mut self, ix: FrameworkIx, task: TaskId, lost: Lost) {
        let Some(framework) = self.all.get_mut(ix.0) else { return };
        self.lost_on.entry(lost.agent.clone()).or_default().insert((ix, task.clone()));
        framework.unreachable.insert(task, lost);
    }

    /// A task on an agent out of reach is known again, or is not to be remembered; says whether it
    /// was one.
    pub fn find_task(&mut self, ix: FrameworkIx, task: &TaskId) -> bool {
        let framework = self.all.get_mut(ix.0);
        let Some(lost) = framework.and_then(|f| f.unreachable.shift_remove(task)) else {
            return false;
        };
        if let Some(there) = self.lost_on.get_mut(&lost.agent) {
            there.remove(&(ix, task.clone()));
            if there.is_empty() {
                self.lost_on.remove(&lost.agent);
            }
        }
        true
    }

    /// The executor of a task on an agent out of reach.
    pub fn executor_of_lost(&self, ix: FrameworkIx, task: &TaskId) -> Option<ExecutorId> {
        self.get(ix)?.unreachable.get(task)?.executor.clone()
    }

    /// The tasks that were on an agent when it went out of reach, and were not found since.
    pub fn lost_on(&self, agent: &AgentId) -> Vec<(FrameworkIx, TaskId)> {
        self.lost_on.get(agent).into_iter().flatten().cloned().collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = (FrameworkIx, &Framework)> {
        self.all.iter().map(|(at, framework)| (FrameworkIx(at), framework))
    }

    /// Every scheduler that is there.
    pub fn schedulers(&self) -> impl Iterator<Item = &Scheduler> {
        self.iter().filter_map(|(_, framework)| framework.scheduler())
    }
}

impl Framework {
    /// Where its scheduler is, if it is there.
    pub fn scheduler(&self) -> Option<&Scheduler> {
        match &self.state {
            State::Active(scheduler) | State::Inactive(scheduler) => Some(scheduler),
            State::Recovered | State::Disconnected => None,
        }
    }

    pub fn is_connected(&self) -> bool {
        self.scheduler().is_some()
    }

    /// Whether it is described by its scheduler's own words, and not by what an agent remembers.
    pub fn is_authentic(&self) -> bool {
        self.recorded || self.state != State::Recovered
    }

    pub fn is_active(&self) -> bool {
        matches!(self.state, State::Active(_))
    }

    /// Where its v0 driver listens, if it has one.
    pub fn driver(&self) -> Option<&Pid> {
        match self.scheduler()? {
            Scheduler::Driver(pid) => Some(pid),
            Scheduler::Stream(_) => None,
        }
    }

    /// One more task or executor on an agent.
    pub fn arrive(&mut self, agent: AgentIx) {
        *self.agents.entry(agent).or_default() += 1;
    }

    /// One task or executor less on an agent.
    pub fn leave(&mut self, agent: AgentIx) {
        if let Some(count) = self.agents.get_mut(&agent) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.agents.remove(&agent);
            }
        }
    }

    /// What it holds on a returning agent. Agents with the same tasks share its memory.
    pub fn bring_back(&mut self, held: Resources) -> Resources {
        if held != self.brought_back {
            self.brought_back = held;
        }
        self.brought_back.clone()
    }

    /// What readers are to know of it.
    pub fn change(&self) -> Change {
        Change::Framework(Arc::new(FrameworkRecord {
            id: self.id.clone(),
            info: self.info.clone(),
            pid: self.driver().cloned(),
            active: self.is_active(),
            connected: self.is_connected(),
            recovered: self.state == State::Recovered,
            registered: self.registered,
            reregistered: self.reregistered,
            unregistered: None,
            suppressed: self.suppressed.clone(),
            constraints: self.constraints.clone(),
        }))
    }
}
