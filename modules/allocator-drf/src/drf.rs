//! The allocator as the host sees it: what each change does to tree, quota and agents.

use std::sync::Arc;
use std::time::Duration;

use reeve_module_sdk::allocator::{
    AgentIx, Allocator, Amounts, Change, FrameworkIx, Free, Reserved, RoleIx, Room, Taken,
};

use crate::agents::Agents;
use crate::kinds::Kinds;
use crate::mask::Mask;
use crate::quota::Quotas;
use crate::tree::Tree;

/// What can be chosen about dominant resource fairness. Nothing yet: an offer is a whole agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {}

/// Hierarchical dominant resource fairness.
#[derive(Debug, Default)]
pub struct Drf {
    pub(crate) kinds: Kinds,
    pub(crate) tree: Tree,
    pub(crate) quotas: Quotas,
    pub(crate) agents: Agents,
    frameworks: Vec<Option<Framework>>,
    /// What each grant of the last round took, by its place.
    pub(crate) booked: Vec<Booked>,
    /// Clients that the agent under visit may go to; kept for its memory.
    pub(crate) candidates: Mask,
}

/// One grant as it was booked.
#[derive(Debug)]
pub(crate) struct Booked {
    pub(crate) client: u32,
    pub(crate) taken: Taken,
}

#[derive(Debug)]
struct Framework {
    id: Arc<str>,
    has: u32,
    /// Client numbers, sorted by role.
    clients: Vec<(RoleIx, u32)>,
}

impl Drf {
    /// An allocator that knows nothing yet.
    pub fn new(_options: Options) -> Self {
        Self::default()
    }

    /// The number of a framework in a role, if it ever wanted or held something there.
    pub(crate) fn client(&self, framework: FrameworkIx, role: RoleIx) -> Option<u32> {
        let clients = &self.frameworks.get(framework.0 as usize)?.as_ref()?.clients;
        let at = clients.binary_search_by_key(&role, |&(role, _)| role).ok()?;
        Some(clients[at].1)
    }

    fn ensure_client(&mut self, framework: FrameworkIx, role: RoleIx) -> Option<u32> {
        self.tree.node(role)?;
        let known = self.frameworks.get_mut(framework.0 as usize)?.as_mut()?;
        match known.clients.binary_search_by_key(&role, |&(role, _)| role) {
            Ok(at) => Some(known.clients[at].1),
            Err(at) => {
                let slot = self.tree.add_client(framework, role, Arc::clone(&known.id), known.has);
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
                for &(_, slot) in &known.clients {
                    self.tree.rename(slot, Arc::clone(&known.id), has, &self.kinds);
                    self.agents.wake_for(slot);
                }
            }
            vacant => *vacant = Some(Framework { id: id.into(), has, clients: Vec::new() }),
        }
    }

    fn remove_framework(&mut self, framework: FrameworkIx) {
        let gone = self.frameworks.get_mut(framework.0 as usize).and_then(Option::take);
        for (_, slot) in gone.map(|gone| gone.clients).unwrap_or_default() {
            self.tree.remove_client(slot, &self.kinds);
        }
    }

    fn demand(&mut self, framework: FrameworkIx, role: RoleIx, wanted: bool, minimum: &[Amounts]) {
        let Some(slot) = self.ensure_client(framework, role) else { return };
        let client = &mut self.tree.clients[slot as usize];
        let eager = wanted && (!client.wanted || client.minimum != minimum);
        client.minimum = minimum.to_vec();
        self.tree.want(slot, wanted, &self.kinds);
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
        self.kinds.count(&growth, 1);
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
        self.kinds.count(&gone.total, -1);
        self.count_reserved(&[], &gone.reserved);
    }

    fn set_free(&mut self, agent: AgentIx, free: Free) {
        let Some(known) = self.agents.get(agent) else { return };
        self.quotas.freed(&known.free.unreserved, &free.unreserved);
        self.agents.set_free(agent, free);
    }

    /// Books what a client got or gave back.
    pub(crate) fn hold(&mut self, slot: u32, delta: &Amounts, reserved: &Amounts, granted: bool) {
        self.tree.hold(slot, delta, granted, &self.kinds);
        let top = self.tree.top_of(self.tree.clients[slot as usize].role);
        if reserved.is_empty() {
            self.quotas.consume(top, delta);
        } else {
            let mut unreserved = delta.clone();
            unreserved.subtract(reserved);
            self.quotas.consume(top, &unreserved);
        }
    }

    fn undo(&mut self, grant: usize) {
        let Some(booked) = self.booked.get_mut(grant) else { return };
        let (slot, taken) = (booked.client, std::mem::take(&mut booked.taken));
        let (mut delta, mut reserved) = (Amounts::default(), Amounts::default());
        reserved.subtract(&taken.reserved);
        delta.subtract(&taken.unreserved);
        delta.add(&reserved);
        self.hold(slot, &delta, &reserved, false);
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
        match change {
            Change::Kind { kind, name, excluded } => self.kinds.set(*kind, name, *excluded),
            Change::Role { role, name, parent, weight } => {
                self.tree.set_role(*role, name, parent.into_option(), *weight, &self.kinds);
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
            Change::Holds { framework, role, agent: _, delta, reserved } => {
                if let Some(slot) = self.ensure_client(*framework, *role) {
                    self.hold(slot, delta, reserved, false);
                }
            }
            Change::Tasks { .. } => {}
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

impl Allocator for Drf {
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
