//! What is kept free for classes. Quota, which is for roles, is in `quota`.
//!
//! A class lacks what its reserve is larger than what it holds; those who belong to a lower class
//! may have of what is free in the cluster only what all classes above theirs do not lack.

use reeve_module_sdk::allocator::{Amounts, KindIx};

use crate::kinds::Kinds;
use crate::policy::Class;

/// The reserve of each class, and what its members hold without reservations.
#[derive(Debug, Default)]
pub(crate) struct Reserves {
    /// Thousandths of the cluster; empty if no class has any.
    parts: Vec<i64>,
    held: Vec<Amounts>,
}

impl Reserves {
    pub(crate) fn new(parts: Vec<i64>) -> Self {
        if parts.iter().all(|&part| part <= 0) {
            return Self::default();
        }
        Self { held: vec![Amounts::default(); parts.len()], parts }
    }

    /// Whether any class has a reserve.
    pub(crate) fn are_set(&self) -> bool {
        !self.parts.is_empty()
    }

    /// The members of a class hold so much more unreserved.
    pub(crate) fn hold(&mut self, class: Class, delta: &Amounts) {
        if let Some(held) = self.held.get_mut(class) {
            held.add(delta);
        }
    }

    /// The first class above `class` that lacks some of `kind`.
    pub(crate) fn first_lacking(&self, class: Class, kind: KindIx, kinds: &Kinds) -> Option<Class> {
        (0..class.min(self.parts.len())).find(|&above| self.lacks(above, kind, kinds) > 0)
    }

    fn lacks(&self, class: Class, kind: KindIx, kinds: &Kinds) -> i64 {
        let reserve = i128::from(kinds.total(kind)) * i128::from(self.parts[class].max(0)) / 1000;
        let reserve = i64::try_from(reserve).unwrap_or(i64::MAX);
        reserve.saturating_sub(self.held[class].get(kind)).max(0)
    }

    /// How much of a kind a class may have when so much is free in the whole cluster.
    pub(crate) fn surplus(&self, class: Class, kind: KindIx, available: i64, kinds: &Kinds) -> i64 {
        let kept = (0..class.min(self.parts.len()))
            .fold(0i64, |sum, above| sum.saturating_add(self.lacks(above, kind, kinds)));
        if kept == 0 { i64::MAX } else { available.saturating_sub(kept).max(0) }
    }
}
