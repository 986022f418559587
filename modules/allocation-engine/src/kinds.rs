//! The scalar resource names and what the cluster has of each. Who holds it is in `tree`.

use reeve_module_sdk::allocator::{Amounts, KindIx};

/// Names, totals, and which kinds shares ignore.
#[derive(Debug, Default)]
pub struct Kinds {
    known: Vec<Kind>,
    /// Moves on whenever a total that counts in shares changes: orders made before are stale.
    epoch: u64,
}

#[derive(Debug, Default)]
struct Kind {
    name: String,
    excluded: bool,
    total: i64,
}

impl Kinds {
    pub(crate) fn set(&mut self, kind: KindIx, name: &str, excluded: bool) {
        let at = usize::from(kind.0);
        if self.known.len() <= at {
            self.known.resize_with(at + 1, Kind::default);
        }
        name.clone_into(&mut self.known[at].name);
        self.known[at].excluded = excluded;
        self.epoch += 1;
    }

    /// Counts an agent's scalars in (`sign` 1) or out (-1).
    pub(crate) fn count(&mut self, amounts: &Amounts, sign: i64) {
        for (kind, amount) in amounts.iter() {
            if let Some(known) = self.known.get_mut(usize::from(kind.0)) {
                known.total = known.total.saturating_add(amount.saturating_mul(sign));
                self.epoch += u64::from(!known.excluded);
            }
        }
    }

    /// The cluster's total of a kind in thousandths.
    pub fn total(&self, kind: KindIx) -> i64 {
        self.known.get(usize::from(kind.0)).map_or(0, |k| k.total)
    }

    /// The cluster's total of a kind in thousandths, zero if shares ignore the kind.
    pub fn total_for_shares(&self, kind: KindIx) -> i64 {
        self.known.get(usize::from(kind.0)).map_or(0, |k| if k.excluded { 0 } else { k.total })
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// All that the cluster has and that counts in shares.
    pub fn totals_for_shares(&self) -> Amounts {
        let counts = |(at, kind): (u16, &Kind)| {
            (!kind.excluded && kind.total > 0).then_some((KindIx(at), kind.total))
        };
        Amounts::new((0u16..).zip(&self.known).filter_map(counts))
    }

    /// An amount in the grammar of resources, such as `cpus:2.5`.
    pub fn describe_one(&self, kind: KindIx, amount: i64) -> String {
        let name = self.known.get(usize::from(kind.0)).map_or("?", |k| k.name.as_str());
        format!("{name}:{}", amount as f64 / 1000.0)
    }

    /// Amounts in the grammar of resources, such as `cpus:2.5;mem:1024`.
    pub fn describe(&self, amounts: &Amounts) -> String {
        let all: Vec<String> =
            amounts.iter().map(|(kind, amount)| self.describe_one(kind, amount)).collect();
        all.join(";")
    }
}
