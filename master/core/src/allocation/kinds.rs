//! Names of scalars as numbers, and resources as the amounts that a module sees.

use std::collections::BTreeSet;

use reeve_model::{Quantities, Quantity, Resource, ResourceName, Resources, Value};
use reeve_module_sdk::allocator::{Amounts, Change, KindIx};

/// Every scalar name that the cluster ever had, by number.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    names: Vec<ResourceName>,
    excluded: BTreeSet<ResourceName>,
}

/// The scalars of some resources, by how they count. What is shared counts nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Weighed {
    /// Reserved or not, without the revocable.
    pub(super) firm: Amounts,
    /// The reserved part of `firm`.
    pub(super) reserved: Amounts,
    /// What may be taken back.
    pub(super) revocable: Amounts,
}

impl Weighed {
    /// The unreserved part of `firm`.
    pub(super) fn unreserved(&self) -> Amounts {
        let mut unreserved = self.firm.clone();
        unreserved.subtract(&self.reserved);
        unreserved
    }

    /// The same, taken away.
    pub(super) fn negated(&self) -> Self {
        let negate = |amounts: &Amounts| {
            let mut less = Amounts::default();
            less.subtract(amounts);
            less
        };
        Self {
            firm: negate(&self.firm),
            reserved: negate(&self.reserved),
            revocable: negate(&self.revocable),
        }
    }
}

impl Kinds {
    pub(super) fn new(excluded: BTreeSet<ResourceName>) -> Self {
        Self { names: Vec::new(), excluded }
    }

    /// The number of a name, given now and announced if it is new.
    pub(super) fn ensure(&mut self, name: &ResourceName, out: &mut Vec<Change>) -> KindIx {
        if let Some(kind) = self.find(name) {
            return kind;
        }
        // More names than numbers: the last number stands for all the rest. Nobody has so many.
        let kind = KindIx(u16::try_from(self.names.len()).unwrap_or(u16::MAX));
        self.names.push(name.clone());
        let excluded = self.excluded.contains(name);
        out.push(Change::Kind { kind, name: name.to_string().into(), excluded });
        kind
    }

    /// Announces every name of a scalar in `resources`.
    pub(super) fn announce(&mut self, resources: &Resources, out: &mut Vec<Change>) {
        for resource in resources.iter() {
            if matches!(resource.value, Value::Scalar(_)) {
                self.ensure(&resource.name, out);
            }
        }
    }

    pub(super) fn find(&self, name: &ResourceName) -> Option<KindIx> {
        // A handful of names: a scan beats a tree.
        let at = self.names.iter().position(|known| known == name)?;
        u16::try_from(at).ok().map(KindIx)
    }

    pub(super) fn name(&self, kind: KindIx) -> Option<&ResourceName> {
        self.names.get(usize::from(kind.0))
    }

    pub(super) fn is_excluded(&self, kind: KindIx) -> bool {
        self.name(kind).is_some_and(|name| self.excluded.contains(name))
    }

    /// A scalar as kind and thousandths; `None` for what is no scalar or was never announced.
    pub(super) fn scalar(&self, resource: &Resource) -> Option<(KindIx, i64)> {
        let Value::Scalar(amount) = resource.value else { return None };
        Some((self.find(&resource.name)?, amount.thousandths()))
    }

    pub(super) fn weigh(&self, resources: &Resources) -> Weighed {
        let mut weighed = Weighed::default();
        for resource in resources.iter().filter(|resource| !resource.shared) {
            let Some((kind, amount)) = self.scalar(resource) else { continue };
            if resource.revocable {
                weighed.revocable.add_one(kind, amount);
                continue;
            }
            weighed.firm.add_one(kind, amount);
            if resource.is_reserved() {
                weighed.reserved.add_one(kind, amount);
            }
        }
        weighed
    }

    pub(super) fn amounts(&mut self, of: &Quantities, out: &mut Vec<Change>) -> Amounts {
        Amounts::new(of.iter().map(|(name, amount)| (self.ensure(name, out), amount.thousandths())))
    }

    pub(super) fn quantities(&self, of: &Amounts) -> Quantities {
        of.iter()
            .filter_map(|(kind, amount)| {
                Some((self.name(kind)?.clone(), Quantity::from_thousandths(amount)))
            })
            .collect()
    }
}
