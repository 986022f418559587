//! Who is in the cluster, and in which state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use reeve_machine::{Tick, Wall};
use reeve_model::{
    AgentId, AgentInfo, Deactivation, ExecutorId, ExecutorInfo, Pid, Resources, Uuid,
};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::absent::Absent;
use super::removals::{Cause, Removals};
use crate::allocation::AgentFacts;
use crate::event::{Registration, RequestId, Reregistration};
use crate::lookup::Lookup;
use crate::offers::OfferNr;
use crate::options::Options;
use crate::slab::Slab;
use crate::tasks::{Tally, TaskIx};
use crate::view::{AgentRecord, Change, Leaving};

/// A number is not used again for so long: far longer than any message to the allocation machine
/// is under way.
const REST: Duration = Duration::from_secs(60);

/// All agents the master knows anything of (FL-3).
///
/// ```text
///   (new) ──registers──▶ joining ──committed──▶ registered ──out of reach──▶ unreachable
///                                                ▲  ▲   │                        │
///   awaited ──reregisters─────(if changed: committed)┘  │  └──leaves──▶ (removed)     │
///      │                                            └────reregisters, committed──────┘
///      └──10 min──▶ unreachable
///
///   registered, awaited, unreachable ──an operator says so, committed──▶ gone
/// ```
#[derive(Debug)]
pub(crate) struct Agents {
    registered: Slab<Agent>,
    by_id: Lookup<AgentId, AgentIx>,
    by_pid: Lookup<Pid, AgentIx>,
    /// Admitted under an earlier leader and not seen since.
    awaited: BTreeMap<AgentId, Arc<AgentInfo>>,
    /// How many were awaited when this master began to lead.
    pub recovered: usize,
    /// Out of reach.
    unreachable: Absent,
    /// Not to come back.
    gone: Absent,
    /// Out of use, wherever they are; registered ones know it themselves, too.
    deactivated: BTreeMap<AgentId, Deactivation>,
    /// To be given up.
    pub removals: Removals,
    /// Where agents listen whose admission is being written.
    pub joining: BTreeSet<Pid>,
    /// Agents that something is being written about.
    pub busy: BTreeSet<AgentId>,
    /// The newest of what each of them said meanwhile to return. What came before it may be of an
    /// earlier life of the agent.
    pub returning: BTreeMap<AgentId, (Pid, Box<Reregistration>)>,
    /// The number in the next agent's id.
    pub next: u64,
}

/// A registered agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub id: AgentId,
    pub info: Arc<AgentInfo>,
    pub pid: Pid,
    pub version: String,
    pub capabilities: Vec<i32>,
    pub resource_version: Option<Uuid>,
    pub registered: Wall,
    pub reregistered: Option<Wall>,
    pub state: State,
    /// Whether and how it is out of use.
    pub deactivated: Option<Deactivation>,
    /// When it was first told to empty itself.
    pub drain_told: Option<Wall>,
    pub pings: Pings,
    /// All it has, reservations and volumes applied, but nothing oversubscribed.
    pub own: Resources,
    /// Revocable resources on top.
    pub oversubscribed: Resources,
    /// What is neither offered nor used, without allocation info; shared volumes never appear.
    pub free: Resources,
    /// What is offered or used although the agent does not have it any more.
    pub debt: Resources,
    pub tasks: BTreeSet<TaskIx>,
    pub offers: BTreeSet<OfferNr>,
    /// Custom and default executors; command executors are the agent's own business.
    pub executors: BTreeMap<(FrameworkIx, ExecutorId), Arc<ExecutorInfo>>,
    /// How many of `tasks` have not ended, by framework and role.
    pub tally: Tally,
}

/// How a registered agent is doing.
///
/// ```text
///   Connected ──link breaks──▶ Disconnected
///       │    ◀──reregisters──      │
///       └──5 pings missed, leaves──┴─10 min──▶ Leaving ──committed──▶ (not registered)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Messages reach it; its resources are offered, if it is in use.
    Connected,
    /// Its connection broke; nothing is offered.
    Disconnected,
    /// Its departure is being written; nothing is offered and nothing it says counts.
    Leaving,
}

/// Pings of one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pings {
    /// All are answered.
    Answered,
    /// One is out, after so many without an answer.
    Waiting(u32),
}

/// What goes on when what is written about an agent is durable.
#[derive(Debug)]
pub(crate) enum Pending {
    /// A new agent joins.
    Admit(Pid, AgentId, Box<Registration>),
    /// An agent that is not registered returns; the text for its tasks' frameworks is set unless
    /// it was only awaited.
    Readmit(Pid, AgentId, Box<Reregistration>, Option<&'static str>),
    /// A registered agent returns with another description.
    Revise(Pid, AgentId, Box<Reregistration>),
    /// An agent is out of reach since then, because of this.
    Unreachable(AgentId, Wall, Cause),
    /// An agent leaves for good.
    Remove(AgentId, Leaving),
    /// An agent is gone since then, as this request says, or because it is drained.
    Gone(AgentId, Wall, Option<RequestId>),
    /// An agent is out of use, as this request says, or goes on being so.
    Deactivate(AgentId, Deactivation, Option<RequestId>),
    /// An agent is in use again.
    Reactivate(AgentId, RequestId),
    /// An unreachable or gone agent is forgotten.
    Forget(AgentId),
}

impl Pending {
    /// Which agent it is about.
    pub fn agent(&self) -> &AgentId {
        match self {
            Pending::Admit(_, id, _)
            | Pending::Readmit(_, id, ..)
            | Pending::Revise(_, id, _)
            | Pending::Unreachable(id, ..)
            | Pending::Remove(id, _)
            | Pending::Gone(id, ..)
            | Pending::Deactivate(id, ..)
            | Pending::Reactivate(id, _)
            | Pending::Forget(id) => id,
        }
    }
}

impl Agents {
    pub fn new(options: &Options) -> Self {
        Agents {
            registered: Slab::new(REST),
            by_id: Lookup::default(),
            by_pid: Lookup::default(),
            awaited: BTreeMap::new(),
            recovered: 0,
            unreachable: Absent::default(),
            gone: Absent::default(),
            deactivated: BTreeMap::new(),
            removals: Removals::new(options.agent_removal_spacing),
            joining: BTreeSet::new(),
            busy: BTreeSet::new(),
            returning: BTreeMap::new(),
            next: 0,
        }
    }

    /// Takes in what the registry held.
    pub fn recover(
        &mut self,
        awaited: Vec<Arc<AgentInfo>>,
        unreachable: Vec<(AgentId, Wall)>,
        gone: Vec<(AgentId, Wall)>,
        deactivated: Vec<(AgentId, Deactivation)>,
    ) {
        self.deactivated = deactivated.into_iter().collect();
        self.awaited =
            awaited.into_iter().filter_map(|info| info.id.clone().map(|id| (id, info))).collect();
        self.recovered = self.awaited.len();
        for (id, since) in unreachable {
            self.lose(id, since);
        }
        for (id, since) in gone {
            self.end(id, since);
        }
    }

    pub fn get(&self, ix: AgentIx) -> Option<&Agent> {
        self.registered.get(ix.0)
    }

    pub fn get_mut(&mut self, ix: AgentIx) -> Option<&mut Agent> {
        self.registered.get_mut(ix.0)
    }

    pub fn find(&self, id: &AgentId) -> Option<AgentIx> {
        self.by_id.get(id).copied()
    }

    pub fn at(&self, pid: &Pid) -> Option<AgentIx> {
        self.by_pid.get(pid).copied()
    }

    /// The agent of this id, if it listens there and is not leaving.
    pub fn speaking(&self, pid: &Pid, id: &AgentId) -> Option<AgentIx> {
        let ix = self.find(id)?;
        let agent = self.get(ix)?;
        (agent.pid == *pid && agent.state != State::Leaving).then_some(ix)
    }

    pub fn insert(&mut self, now: Tick, agent: Agent) -> AgentIx {
        let (id, pid) = (agent.id.clone(), agent.pid.clone());
        let agent = Agent { deactivated: self.deactivated.get(&id).copied(), ..agent };
        self.awaited.remove(&id);
        self.find_again(&id);
        let ix = AgentIx(self.registered.insert(now, agent));
        self.by_id.insert(id, ix);
        self.by_pid.insert(pid, ix);
        ix
    }

    pub fn remove(&mut self, now: Tick, ix: AgentIx) -> Option<Agent> {
        let agent = self.registered.remove(now, ix.0)?;
        self.by_id.swap_remove(&agent.id);
        if self.at(&agent.pid) == Some(ix) {
            self.by_pid.swap_remove(&agent.pid);
        }
        Some(agent)
    }

    /// The agent listens elsewhere now.
    pub fn moved(&mut self, ix: AgentIx, pid: Pid) {
        let Some(agent) = self.registered.get_mut(ix.0) else { return };
        let old = std::mem::replace(&mut agent.pid, pid.clone());
        if self.at(&old) == Some(ix) {
            self.by_pid.swap_remove(&old);
        }
        self.by_pid.insert(pid, ix);
    }

    pub fn iter(&self) -> impl Iterator<Item = (AgentIx, &Agent)> {
        self.registered.iter().map(|(at, agent)| (AgentIx(at), agent))
    }

    /// Whether anything is known of an agent of this id.
    pub fn is_taken(&self, id: &AgentId) -> bool {
        self.by_id.contains_key(id)
            || self.busy.contains(id)
            || self.unreachable(id).is_some()
            || self.is_awaited(id)
            || self.is_gone(id)
    }

    pub fn is_awaited(&self, id: &AgentId) -> bool {
        self.awaited.contains_key(id)
    }

    pub fn any_awaited(&self) -> bool {
        !self.awaited.is_empty()
    }

    pub fn awaited(&self, id: &AgentId) -> Option<&Arc<AgentInfo>> {
        self.awaited.get(id)
    }

    pub fn awaited_ids(&self) -> Vec<AgentId> {
        self.awaited.keys().cloned().collect()
    }

    pub fn stop_awaiting(&mut self, id: &AgentId) -> Option<Arc<AgentInfo>> {
        self.awaited.remove(id)
    }

    pub fn unreachable(&self, id: &AgentId) -> Option<Wall> {
        self.unreachable.get(id)
    }

    pub fn is_gone(&self, id: &AgentId) -> bool {
        self.gone.get(id).is_some()
    }

    /// The agent is out of reach.
    pub fn lose(&mut self, id: AgentId, since: Wall) {
        self.unreachable.insert(id, since);
    }

    /// The agent is not unreachable.
    pub fn find_again(&mut self, id: &AgentId) {
        self.unreachable.remove(id);
    }

    /// Whether and how an agent is out of use.
    pub fn deactivation(&self, id: &AgentId) -> Option<&Deactivation> {
        self.deactivated.get(id)
    }

    /// The agent is out of use from now on, or in use again.
    pub fn set_deactivation(&mut self, id: &AgentId, deactivation: Option<Deactivation>) {
        match deactivation {
            Some(deactivation) => self.deactivated.insert(id.clone(), deactivation),
            None => self.deactivated.remove(id),
        };
        if let Some(agent) = self.find(id).and_then(|ix| self.get_mut(ix)) {
            agent.deactivated = deactivation;
            // A new drain begins anew.
            agent.drain_told =
                agent.drain_told.filter(|_| deactivation.is_some_and(|one| one.drain.is_some()));
        }
    }

    /// The agent may not come back.
    pub fn end(&mut self, id: AgentId, since: Wall) {
        self.set_deactivation(&id, None);
        self.gone.insert(id, since);
    }

    /// The agent is not worth remembering as unreachable or gone.
    pub fn forget(&mut self, id: &AgentId) {
        self.set_deactivation(id, None);
        self.unreachable.remove(id);
        self.gone.remove(id);
    }

    /// Agents that need not be remembered as unreachable or gone any longer (MA-5).
    pub fn outdated(&self, now: Wall, options: &Options) -> Vec<AgentId> {
        let (age, count) = (options.registry_max_agent_age, options.registry_max_agent_count);
        let lost = self.unreachable.outdated(now, age, count);
        lost.chain(self.gone.outdated(now, age, count)).cloned().collect()
    }
}

impl Agent {
    /// Whether who registers at its address may be this agent, whose answer got lost: agents make
    /// their first version of resources up with each start, and one without an id has lost all.
    pub fn may_be(&self, who: &Registration) -> bool {
        let versions = self.resource_version.zip(who.resource_version);
        versions.is_none_or(|(own, other)| own == other)
    }

    /// Whether who registers at its address is this agent for sure, and never heard its id: nothing
    /// that was sent to it counts.
    pub fn is_unanswered(&self, who: &Registration) -> bool {
        let is_same =
            self.resource_version.is_some() && self.resource_version == who.resource_version;
        is_same && self.tasks.is_empty() && self.executors.is_empty()
    }

    /// Whether its resources are offered.
    pub fn is_active(&self) -> bool {
        self.state == State::Connected && self.deactivated.is_none()
    }

    /// All that can be offered.
    pub fn total(&self) -> Resources {
        &self.own + &self.oversubscribed
    }

    /// A framework's executors here.
    pub fn executors_of(
        &self,
        framework: FrameworkIx,
    ) -> impl Iterator<Item = (&ExecutorId, &Arc<ExecutorInfo>)> {
        self.executors
            .range((framework, ExecutorId::new(""))..)
            .take_while(move |((owner, _), _)| *owner == framework)
            .map(|((_, id), info)| (id, info))
    }

    /// What readers are to know of it.
    pub fn change(&self) -> Change {
        let connected = self.state == State::Connected;
        Change::Agent(Arc::new(AgentRecord {
            id: self.id.clone(),
            info: self.info.clone(),
            pid: self.pid.clone(),
            version: self.version.clone(),
            capabilities: self.capabilities.clone(),
            registered: self.registered,
            reregistered: self.reregistered,
            connected,
            active: self.is_active(),
            deactivated: self.deactivated,
            drain_told: self.drain_told,
            total: self.total(),
            resource_version: self.resource_version,
        }))
    }

    /// What the allocation machine is to know of it.
    pub fn facts(&self) -> AgentFacts {
        AgentFacts {
            id: self.id.clone(),
            hostname: self.info.hostname.clone(),
            attributes: self.info.attributes.clone(),
            domain: self.info.domain.clone(),
            capabilities: self.capabilities.clone(),
        }
    }
}
