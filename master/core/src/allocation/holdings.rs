//! What is held and what comes back, into the books.

use std::time::Duration;

use reeve_model::{Quantities, Quantity, ResourceName, Resources, Role};
use reeve_module_sdk::allocator::{AgentIx, Change, FrameworkIx, Limit, RoleIx};

use super::books::Books;
use super::kinds::Weighed;

impl Books {
    /// Books what one framework holds more, or less, in one role.
    pub(super) fn account(
        &mut self,
        framework: FrameworkIx,
        role: &Role,
        agent: AgentIx,
        delta: &Weighed,
    ) {
        let role = self.roles.ensure(role, &mut self.changes);
        self.account_quietly(framework, role, delta);
        self.reclaims.held((agent, framework, role), delta);
        if delta.firm.is_empty() && delta.reserved.is_empty() {
            return;
        }
        let (delta, reserved) = (delta.firm.clone(), delta.reserved.clone());
        self.changes.push(Change::Holds { framework, role, agent, delta, reserved });
    }

    /// The same for what the module has booked by itself.
    pub(super) fn account_quietly(
        &mut self,
        framework: FrameworkIx,
        role: RoleIx,
        delta: &Weighed,
    ) {
        self.ensure_framework(framework).ensure_role(role).held.add(&delta.firm);
        self.roles.consume(role, &delta.firm);
        if !delta.reserved.is_empty() {
            self.roles.consume(role, &delta.negated().reserved);
        }
    }

    /// A top-level role's quota, for the module and for the check of grants.
    pub(super) fn set_quota(
        &mut self,
        role: &Role,
        guarantees: &Quantities,
        limits: &[(ResourceName, Quantity)],
    ) {
        let number = self.roles.ensure(role, &mut self.changes);
        let guarantees = self.kinds.amounts(guarantees, &mut self.changes);
        let limits: Vec<_> = limits
            .iter()
            .map(|(name, most)| Limit {
                kind: self.kinds.ensure(name, &mut self.changes),
                amount: most.thousandths(),
            })
            .collect();
        self.roles.set_limits(number, limits.clone());
        let limits = limits.into();
        self.changes.push(Change::Quota { role: number, guarantees, limits });
    }

    pub(super) fn use_resources(
        &mut self,
        framework: FrameworkIx,
        agent: AgentIx,
        resources: &Resources,
    ) {
        if self.agent(agent).is_none() {
            return;
        }
        self.kinds.announce(resources, &mut self.changes);
        for (role, part) in by_role(resources) {
            let weighed = self.kinds.weigh(&part);
            self.account(framework, &role, agent, &weighed);
        }
        if let Some(known) = self.agent_mut(agent) {
            known.hold(framework, resources);
        }
        self.touch(agent, false);
    }

    pub(super) fn recover(
        &mut self,
        framework: FrameworkIx,
        agent: AgentIx,
        resources: &Resources,
        filter: Option<Duration>,
    ) {
        let Some(known) = self.agent_mut(agent) else { return };
        let freed = known.release(framework, resources);
        for (role, part) in by_role(&freed) {
            let less = self.kinds.weigh(&part).negated();
            self.account(framework, &role, agent, &less);
            if let Some(lasts) = filter {
                self.refuse(framework, &role, agent, &part, lasts);
            }
        }
        self.touch(agent, true);
    }

    /// A framework has so many tasks in a role on an agent. Only policies count them.
    pub(super) fn count_tasks(
        &mut self,
        framework: FrameworkIx,
        role: &Role,
        agent: AgentIx,
        count: u32,
    ) {
        if self.agent(agent).is_none() {
            return;
        }
        self.ensure_framework(framework);
        let role = self.roles.ensure(role, &mut self.changes);
        self.changes.push(Change::Tasks { framework, role, agent, count });
    }

    pub(super) fn convert(
        &mut self,
        framework: Option<FrameworkIx>,
        agent: AgentIx,
        from: &Resources,
        to: &Resources,
    ) {
        let Some(known) = self.agent_mut(agent) else { return };
        let total = &known.total - &from.unallocated() + &to.unallocated();
        if let Some(framework) = framework {
            let held = known.held.of(framework);
            *held -= from;
            *held += to;
            self.kinds.announce(to, &mut self.changes);
            for (role, part) in by_role(from) {
                let less = self.kinds.weigh(&part).negated();
                self.account(framework, &role, agent, &less);
            }
            for (role, part) in by_role(to) {
                let more = self.kinds.weigh(&part);
                self.account(framework, &role, agent, &more);
            }
        }
        self.set_total(agent, total);
        self.touch(agent, true);
    }
}

/// The parts of resources by the role that they are allocated to; what has none counts for `*`.
pub(super) fn by_role(resources: &Resources) -> Vec<(Role, Resources)> {
    let mut roles = resources.iter().map(|one| one.allocation.as_ref());
    let Some(first) = roles.next() else { return Vec::new() };
    if roles.all(|role| role == first) {
        return vec![(first.cloned().unwrap_or_else(Role::any), resources.clone())];
    }
    let mut parts: Vec<(Role, Resources)> = resources.allocations().into_iter().collect();
    let none = resources.filter(|one| one.allocation.is_none());
    if !none.is_empty() {
        parts.push((Role::any(), none));
    }
    parts
}
