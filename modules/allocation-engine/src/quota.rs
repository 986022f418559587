//! Quota of top-level roles: what they consume, what they may still have, and what is kept free
//! for those below their guarantee. Who wants what is in `tree`.
//!
//! Mesos's rule: a role consumes its reservations, allocated or not, and the unreserved resources
//! that its subtree holds.

use std::collections::{BTreeMap, BTreeSet};

use reeve_module_sdk::allocator::{Amounts, KindIx, Limit, RoleIx};

/// Quotas, and the headroom that guarantees need.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    /// By the number of the top-level role, also of those without quota.
    consumed: Vec<Amounts>,
    set: BTreeMap<RoleIx, Quota>,
    /// What is missing to all guarantees.
    required: Amounts,
    /// Unreserved and free in the whole cluster.
    available: Amounts,
    /// Roles that gained room below their limit since the last sweep.
    loosened: BTreeSet<RoleIx>,
    surplus_grew: bool,
}

#[derive(Debug, Default)]
struct Quota {
    guarantees: Amounts,
    limits: Vec<Limit>,
    shortfall: Amounts,
}

impl Quotas {
    pub(crate) fn set(&mut self, role: RoleIx, guarantees: &Amounts, limits: &[Limit]) {
        if let Some(old) = self.set.remove(&role) {
            self.required.subtract(&old.shortfall);
        }
        if !guarantees.is_empty() || !limits.is_empty() {
            let (guarantees, limits) = (guarantees.clone(), limits.to_vec());
            let shortfall = Amounts::default();
            self.set.insert(role, Quota { guarantees, limits, shortfall });
            self.measure(role);
        }
        self.loosened.insert(role);
        self.surplus_grew = true;
    }

    /// A role consumes more, or with negative amounts less.
    pub(crate) fn consume(&mut self, top: RoleIx, delta: &Amounts) {
        if delta.is_empty() {
            return;
        }
        let at = top.0 as usize;
        if self.consumed.len() <= at {
            self.consumed.resize_with(at + 1, Amounts::default);
        }
        self.consumed[at].add(delta);
        if self.set.is_empty() || !self.set.contains_key(&top) {
            return;
        }
        self.measure(top);
        if delta.iter().any(|(_, amount)| amount < 0) {
            self.loosened.insert(top);
            self.surplus_grew = true;
        }
    }

    fn measure(&mut self, top: RoleIx) {
        let consumed = self.consumed.get(top.0 as usize);
        let Some(quota) = self.set.get_mut(&top) else { return };
        self.required.subtract(&quota.shortfall);
        quota.shortfall = Amounts::new(quota.guarantees.iter().map(|(kind, guaranteed)| {
            (kind, (guaranteed - consumed.map_or(0, |c| c.get(kind))).max(0))
        }));
        self.required.add(&quota.shortfall);
    }

    /// An agent's free unreserved scalars were `old` and are `new`.
    pub(crate) fn freed(&mut self, old: &Amounts, new: &Amounts) {
        self.available.subtract(old);
        self.available.add(new);
        self.surplus_grew |= new.iter().any(|(kind, amount)| amount > old.get(kind));
    }

    /// What the top-level role lacks to its guarantee.
    pub(crate) fn shortfall(&self, top: RoleIx) -> Option<&Amounts> {
        self.set.get(&top).map(|quota| &quota.shortfall).filter(|short| !short.is_empty())
    }

    pub(crate) fn any_shortfall(&self) -> bool {
        !self.required.is_empty()
    }

    /// How much of `free` the role may have: up to its limit, and what guarantees leave over; with
    /// `guaranteed`, also what it lacks to its own guarantee. `None`: all of it.
    pub(crate) fn cap(&self, top: RoleIx, free: &Amounts, guaranteed: bool) -> Option<Amounts> {
        if self.set.is_empty() {
            return None;
        }
        let quota = self.set.get(&top);
        let mut capped = false;
        let most = Amounts::new(free.iter().map(|(kind, free)| {
            let lacks = quota.filter(|_| guaranteed).map_or(0, |quota| quota.shortfall.get(kind));
            let most = self
                .surplus(kind)
                .map_or(free, |surplus| free.min(surplus.saturating_add(lacks)))
                .min(self.below_limit(top, kind).unwrap_or(i64::MAX))
                .max(0);
            capped |= most < free;
            (kind, most)
        }));
        capped.then_some(most)
    }

    /// What is free beyond what guarantees still need; `None` if no guarantee lacks the kind.
    fn surplus(&self, kind: KindIx) -> Option<i64> {
        let required = self.required.get(kind);
        (required > 0).then(|| (self.available.get(kind) - required).max(0))
    }

    /// What the role may have until its limit, `None` if it has none of the kind.
    fn below_limit(&self, top: RoleIx, kind: KindIx) -> Option<i64> {
        let limits = &self.set.get(&top)?.limits;
        let limit = limits.iter().find(|limit| limit.kind == kind)?.amount;
        Some(limit - self.consumed.get(top.0 as usize).map_or(0, |c| c.get(kind)))
    }

    /// Whether so much more is within the role's limit.
    pub(crate) fn allows(&self, top: RoleIx, more: &Amounts) -> bool {
        more.iter().all(|(kind, more)| self.below_limit(top, kind).is_none_or(|left| left >= more))
    }

    /// The role's limits if it has reached every one of them.
    pub(crate) fn exhausted(&self, top: RoleIx) -> Option<&[Limit]> {
        let limits = &self.set.get(&top)?.limits;
        let full = |limit: &Limit| self.below_limit(top, limit.kind).is_some_and(|left| left <= 0);
        (!limits.is_empty() && limits.iter().all(full)).then_some(limits.as_slice())
    }

    /// What is free and unreserved of a kind in the whole cluster.
    pub(crate) fn available(&self, kind: KindIx) -> i64 {
        self.available.get(kind)
    }

    /// Whether agents that quota or `reserves` held back are worth another look.
    pub(crate) fn has_loosened(&mut self, reserves: bool) -> bool {
        if self.surplus_grew && (reserves || self.any_shortfall()) {
            return true;
        }
        while let Some(&role) = self.loosened.first() {
            if self.set.contains_key(&role) && self.exhausted(role).is_some() {
                self.loosened.pop_first();
            } else {
                return true;
            }
        }
        false
    }

    /// A sweep over all agents that were held back has ended.
    pub(crate) fn settle(&mut self) {
        self.loosened.clear();
        self.surplus_grew = false;
    }
}
