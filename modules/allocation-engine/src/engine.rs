//! The allocator as the host sees it: what each change does to tree, quota and agents.

use std::sync::Arc;
use std::time::Duration;

use reeve_module_sdk::allocator::{
    AgentIx, Allocator, Amounts, Change, FrameworkIx, Free, Reserved, RoleIx, Room, Taken,
};

use crate::agents::Agents;
use crate::kinds::Kinds;
use crate::mask::Mask;
use crate::places::Places;
use crate::policy::{Class, Policy};
use crate::portions::Portions;
use crate::quota::Quotas;
use crate::reserves::Reserves;
use crate::tree::{Client, Holding, Scale, Tree};

/// How much of an agent one offer holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    /// All that is free on the agent.
    #[default]
    Agent,
    /// No more than what brings the framework to its fair share, while anybody who could take
    /// the agent is below theirs; then all that is left. Shares are dominant ones.
    Share,
}

/// What can be chosen about the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The size of offers.
    pub offer: Offer,
}

impl Options {
    /// With offers of a size.
    pub fn offering(offer: Offer) -> Self {
        Self { offer }
    }
}

/// An allocator by a policy.
#[derive(Debug)]
pub struct Engine<P> {
    pub(crate) options: Options,
    pub(crate) scale: Scale<P>,
    pub(crate) tree: Tree,
    pub(crate) quotas: Quotas,
    pub(crate) reserves: Reserves,
    pub(crate) agents: Agents,
    pub(crate) portions: Portions,
    places: Places,
    pub(crate) frameworks: Vec<Option<Framework>>,
    /// What each grant of the last round took, by its place.
    pub(crate) booked: Vec<Booked>,
    /// Clients that the agent under visit may go to; kept for its memory.
    pub(crate) candidates: Mask,
}

/// One grant as it was booked.
#[derive(Debug)]
pub(crate) struct Booked {
    pub(crate) client: u32,
    pub(crate) agent: AgentIx,
    pub(crate) taken: Taken,
}

#[derive(Debug)]
pub(crate) struct Framework {
    pub(crate) id: Arc<str>,
    has: u32,
    /// Client numbers, sorted by role.
    clients: Vec<(RoleIx, u32)>,
}

impl<P: Policy + Default> Default for Engine<P> {
    fn default() -> Self {
        Self::new(P::default(), Options::default())
    }
}

impl<P: Policy> Engine<P> {
    /// An allocator that knows nothing yet.
    pub fn new(policy: P, options: Options) -> Self {
        let classes = policy.classes();
        Self {
            options,
            tree: Tree::new(classes),
            reserves: Reserves::new((0..classes).map(|class| policy.reserve(class)).collect()),
            scale: Scale { kinds: Kinds::default(), policy },
            quotas: Quotas::default(),
            agents: Agents::default(),
            portions: Portions::default(),
            places: Places::default(),
            frameworks: Vec::new(),
            booked: Vec::new(),
            candidates: Mask::default(),
        }
    }

    /// The policy.
    pub fn policy(&self) -> &P {
        &self.scale.policy
    }

    /// The policy, to change what it knows; [`reclass`](Self::reclass) whoever it now sees in
    /// another class.
    pub fn policy_mut(&mut self) -> &mut P {
        &mut self.scale.policy
    }

    /// The resources of the cluster.
    pub fn kinds(&self) -> &Kinds {
        &self.scale.kinds
    }

    /// What each grant of the last round took, by its place in
    /// [`Room::grants`](reeve_module_sdk::allocator::Room::grants).
    pub fn taken(&self) -> impl Iterator<Item = &Taken> {
        self.booked.iter().map(|booked| &booked.taken)
    }

    /// Puts a framework in a role where the policy sees it now.
    pub fn reclass(&mut self, framework: FrameworkIx, role: RoleIx) {
        let Some(slot) = self.client(framework, role) else { return };
        let (class, home) = self.classes_of(framework, role);
        let client = &self.tree.clients[slot as usize];
        if client.home != home {
            self.move_home(slot, home);
        }
        if self.tree.clients[slot as usize].class != class {
            self.tree.move_client(slot, class, &self.scale);
            self.agents.wake_for(slot);
        }
    }

    fn classes_of(&self, framework: FrameworkIx, role: RoleIx) -> (Class, Class) {
        let lowest = self.tree.classes() - 1;
        let policy = &self.scale.policy;
        let (class, home) = (policy.class_of(framework, role), policy.home_of(framework, role));
        (class.min(lowest), home.min(lowest))
    }

    fn move_home(&mut self, slot: u32, home: Class) {
        let client = &mut self.tree.clients[slot as usize];
        let mut less = Amounts::default();
        less.subtract(&client.unreserved);
        self.reserves.hold(client.home, &less);
        self.reserves.hold(home, &client.unreserved);
        client.home = home;
        self.agents.wake_for(slot);
    }

    /// The number of a framework in a role, if it ever wanted or held something there.
    pub(crate) fn client(&self, framework: FrameworkIx, role: RoleIx) -> Option<u32> {
        let clients = &self.frameworks.get(framework.0 as usize)?.as_ref()?.clients;
        let at = clients.binary_search_by_key(&role, |&(role, _)| role).ok()?;
        Some(clients[at].1)
    }

    fn ensure_client(&mut self, framework: FrameworkIx, role: RoleIx) -> Option<u32> {
        self.tree.role(role)?;
        let known = self.frameworks.get(framework.0 as usize)?.as_ref()?;
        match known.clients.binary_search_by_key(&role, |&(role, _)| role) {
            Ok(at) => Some(known.clients[at].1),
            Err(at) => {
                let (id, has) = (Arc::clone(&known.id), known.has);
                let (class, home) = self.classes_of(framework, role);
                let slot = self.tree.add_client(Client {
                    framework,
                    role,
                    id,
                    has,
                    class,
                    home,
                    wanted: false,
                    minimum: Vec::new(),
                    held: Holding::default(),
                    unreserved: Amounts::default(),
                    offered: None,
                    needs_more: false,
                });
                let known = self.frameworks.get_mut(framework.0 as usize)?.as_mut()?;
                known.clients.insert(at, (role, slot));
                Some(slot)
            }
        }
    }

    fn add_framework(&mut self, framework: FrameworkIx, id: &str, has: u32) {
        let at = framework.0 as usize;
        if self.frameworks.len() <= at {
            self.frameworks.resize_with(at + 1, || None);
        }
        match &mut self.frameworks[at] {
            Some(known) => {
                (known.id, known.has) = (id.into(), has);
                let roles: Vec<RoleIx> = known.clients.iter().map(|&(role, _)| role).collect();
                for &(_, slot) in &known.clients {
                    self.tree.rename(slot, Arc::clone(&known.id), has, &self.scale);
                    self.agents.wake_for(slot);
                }
                roles.into_iter().for_each(|role| self.reclass(framework, role));
            }
            vacant => *vacant = Some(Framework { id: id.into(), has, clients: Vec::new() }),
        }
    }

    fn remove_framework(&mut self, framework: FrameworkIx) {
        let gone = self.frameworks.get_mut(framework.0 as usize).and_then(Option::take);
        for (_, slot) in gone.map(|gone| gone.clients).unwrap_or_default() {
            let client = &self.tree.clients[slot as usize];
            let mut rest = Amounts::default();
            rest.subtract(&client.unreserved);
            self.reserves.hold(client.home, &rest);
            self.tree.remove_client(slot, &self.scale);
            self.places.forget(slot);
        }
    }

    fn demand(&mut self, framework: FrameworkIx, role: RoleIx, wanted: bool, minimum: &[Amounts]) {
        let Some(slot) = self.ensure_client(framework, role) else { return };
        let client = &mut self.tree.clients[slot as usize];
        let eager = wanted && (!client.wanted || client.minimum != minimum);
        client.minimum = minimum.to_vec();
        self.tree.want(slot, wanted, &self.scale);
        if eager {
            self.agents.wake_for(slot);
        }
    }

    fn set_agent(
        &mut self,
        agent: AgentIx,
        id: &str,
        total: &Amounts,
        reserved: &[Reserved],
        needs: u32,
    ) {
        let known = self.agents.ensure(agent);
        id.clone_into(&mut known.id);
        let eager = known.needs != needs;
        known.needs = needs;
        let mut growth = total.clone();
        growth.subtract(&known.total);
        known.total = total.clone();
        let old = std::mem::replace(&mut known.reserved, reserved.to_vec());
        self.scale.kinds.count(&growth, 1);
        self.count_reserved(reserved, &old);
        if eager {
            self.agents.wake(agent);
        }
    }

    fn count_reserved(&mut self, now: &[Reserved], before: &[Reserved]) {
        for reserved in before {
            let mut less = Amounts::default();
            less.subtract(&reserved.amounts);
            self.quotas.consume(self.tree.top_of(reserved.role), &less);
        }
        for reserved in now {
            self.quotas.consume(self.tree.top_of(reserved.role), &reserved.amounts);
        }
    }

    fn remove_agent(&mut self, agent: AgentIx) {
        self.set_free(agent, Free::default());
        let Some(gone) = self.agents.remove(agent) else { return };
        self.scale.kinds.count(&gone.total, -1);
        self.count_reserved(&[], &gone.reserved);
    }

    /// Nobody is offered the agent until it is [released](Self::release): what comes back there
    /// in parts is kept until it is whole.
    pub fn withhold(&mut self, agent: AgentIx) {
        self.agents.withhold(agent);
    }

    /// The agent is offered again.
    pub fn release(&mut self, agent: AgentIx) {
        self.agents.release(agent);
    }

    fn set_free(&mut self, agent: AgentIx, free: Free) {
        let Some(known) = self.agents.get(agent) else { return };
        self.quotas.freed(&known.free.unreserved, &free.unreserved);
        self.agents.set_free(agent, free);
    }

    /// Books what a client got or gave back on an agent.
    pub(crate) fn hold(
        &mut self,
        (slot, agent): (u32, AgentIx),
        delta: &Amounts,
        reserved: &Amounts,
        granted: bool,
    ) {
        let tasks = if self.scale.policy.counts_tasks() {
            self.places.hold(slot, agent, delta, granted)
        } else {
            0
        };
        self.tree.hold(slot, delta, tasks, granted, &self.scale);
        if reserved.is_empty() {
            self.consume(slot, delta);
        } else {
            let mut unreserved = delta.clone();
            unreserved.subtract(reserved);
            self.consume(slot, &unreserved);
        }
    }

    /// Learns from what comes back of an offer whether cutting it down made it useless.
    fn hear_answer(&mut self, slot: u32, agent: AgentIx, delta: &Amounts) {
        let client = &mut self.tree.clients[slot as usize];
        let Some(offered) = client.offered.take_if(|offered| offered.agent == agent) else {
            return;
        };
        let mut kept = offered.scalars;
        kept.add(delta);
        client.needs_more = kept.is_empty() && (offered.cut || client.needs_more);
    }

    /// What a client holds without reservations counts against quota and reserves.
    fn consume(&mut self, slot: u32, unreserved: &Amounts) {
        let client = &mut self.tree.clients[slot as usize];
        if self.reserves.are_set() {
            client.unreserved.add(unreserved);
            self.reserves.hold(client.home, unreserved);
        }
        let top = self.tree.top_of(self.tree.clients[slot as usize].role);
        self.quotas.consume(top, unreserved);
    }

    fn count_tasks(&mut self, who: (FrameworkIx, RoleIx, AgentIx), count: u32) {
        if !self.scale.policy.counts_tasks() {
            return;
        }
        let Some(slot) = self.ensure_client(who.0, who.1) else { return };
        let more = self.places.set_tasks(slot, who.2, count);
        if more != 0 {
            self.tree.hold(slot, &Amounts::default(), more, false, &self.scale);
        }
    }

    fn undo(&mut self, grant: usize) {
        let Some(booked) = self.booked.get_mut(grant) else { return };
        let (slot, agent) = (booked.client, booked.agent);
        let taken = std::mem::take(&mut booked.taken);
        let (mut delta, mut reserved) = (Amounts::default(), Amounts::default());
        reserved.subtract(&taken.reserved);
        delta.subtract(&taken.unreserved);
        delta.add(&reserved);
        self.hold((slot, agent), &delta, &reserved, false);
    }

    fn block(&mut self, who: (FrameworkIx, RoleIx, AgentIx), blocked: bool) {
        let Some(slot) = self.ensure_client(who.0, who.1) else { return };
        let Some(agent) = self.agents.get_mut(who.2) else { return };
        if blocked {
            agent.blocked.set(slot);
            return;
        }
        agent.blocked.clear(slot);
        if self.tree.clients[slot as usize].wanted {
            self.agents.wake(who.2);
        }
    }

    fn take_in(&mut self, change: &Change) {
        self.scale.policy.notice(change);
        match change {
            Change::Kind { kind, name, excluded } => self.scale.kinds.set(*kind, name, *excluded),
            Change::Role { role, name, parent, weight } => {
                self.tree.set_role(*role, name, parent.into_option(), *weight, &self.scale);
            }
            Change::Quota { role, guarantees, limits } => {
                self.quotas.set(*role, guarantees, limits);
            }
            Change::RoleGone { role } => self.quotas.set(*role, &Amounts::default(), &[]),
            Change::Framework { framework, id, has, labels: _ } => {
                self.add_framework(*framework, id, *has);
            }
            Change::FrameworkGone { framework } => self.remove_framework(*framework),
            Change::Demand { framework, role, wanted, minimum } => {
                self.demand(*framework, *role, *wanted, minimum);
            }
            Change::Agent { agent, id, total, reserved, needs } => {
                self.set_agent(*agent, id, total, reserved, *needs);
            }
            Change::AgentGone { agent } => self.remove_agent(*agent),
            Change::Free { agent, free } => self.set_free(*agent, free.clone()),
            Change::Holds { framework, role, agent, delta, reserved } => {
                if let Some(slot) = self.ensure_client(*framework, *role) {
                    self.hear_answer(slot, *agent, delta);
                    self.hold((slot, *agent), delta, reserved, false);
                }
            }
            Change::Tasks { framework, role, agent, count } => {
                self.count_tasks((*framework, *role, *agent), *count);
            }
            Change::Undone { grant } => self.undo(*grant),
            Change::Blocked { framework, role, agent } => {
                self.block((*framework, *role, *agent), true);
            }
            Change::Unblocked { framework, role, agent } => {
                self.block((*framework, *role, *agent), false);
            }
        }
    }
}

impl<P: Policy> Allocator for Engine<P> {
    fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            self.take_in(change);
        }
    }

    fn allocate(&mut self, _now: Duration, room: &mut Room) -> bool {
        self.visit_agents(room)
    }

    fn explain(&self, framework: FrameworkIx, role: RoleIx) -> Vec<String> {
        self.reasons(framework, role)
    }
}
