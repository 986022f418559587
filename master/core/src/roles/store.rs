//! What is set for roles.

use std::collections::BTreeMap;

use reeve_model::{Quantities, Quantity, ResourceName, Role};

use crate::allocation;

/// What a top-level role is to get, and what it may not exceed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// What it is to reach.
    pub guarantees: Quantities,
    /// What it may not exceed; what is not named is unlimited, zero means none.
    pub limits: Vec<(ResourceName, Quantity)>,
}

impl Quota {
    /// Whether nothing is set.
    pub fn is_none(&self) -> bool {
        self.guarantees.is_empty() && self.limits.is_empty()
    }

    /// The first limit that is less than `amounts`.
    pub fn exceeded(&self, amounts: &Quantities) -> Option<&(ResourceName, Quantity)> {
        self.limits.iter().find(|(name, most)| amounts.get(name) > *most)
    }
}

/// What is set for roles; for all others the defaults hold.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    pub quotas: BTreeMap<Role, Quota>,
    pub weights: BTreeMap<Role, f64>,
}

impl Roles {
    /// What an allocation machine must be told.
    pub fn told(&self) -> Vec<allocation::Event> {
        let weights = self.weights.iter().map(|(role, weight)| weighs(role, *weight));
        let quotas = self.quotas.iter().map(|(role, quota)| has(role, quota));
        weights.chain(quotas).collect()
    }
}

/// A role's weight.
pub(super) fn weighs(role: &Role, weight: f64) -> allocation::Event {
    // The least weight that can be told, a thousandth, is less than anybody means.
    let weight = Quantity::from_f64(weight).max(Quantity::from_thousandths(1));
    allocation::Event::Weight { role: role.clone(), weight }
}

/// A role's quota.
pub(super) fn has(role: &Role, quota: &Quota) -> allocation::Event {
    allocation::Event::Quota {
        role: role.clone(),
        guarantees: quota.guarantees.clone(),
        limits: quota.limits.clone(),
    }
}
