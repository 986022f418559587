//! What a module decides about the order of the engine.

use reeve_module_sdk::allocator::{Amounts, Change, FrameworkIx, RoleIx};

use crate::kinds::Kinds;

/// The number of a class; 0 goes first.
pub type Class = usize;

/// What a share is of: `held` of `total`. The total of what nobody holds may be anything positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// How much is held.
    pub held: i64,
    /// How much there is.
    pub total: i64,
}

impl Measured {
    /// Nothing is held.
    pub const NOTHING: Self = Self { held: 0, total: 1 };
}

/// What differs between allocators: what is shared fairly, and who goes before whom.
pub trait Policy: std::fmt::Debug + Send {
    /// Hears of every change before the engine acts on it.
    fn notice(&mut self, change: &Change) {
        let _ = change;
    }

    /// The share that holdings are, before weights.
    fn measure(&self, held: &Amounts, tasks: i64, kinds: &Kinds) -> Measured;

    /// Whether `measure` looks at the number of tasks; it is not counted otherwise.
    fn counts_tasks(&self) -> bool {
        false
    }

    /// A share for people, such as "a weighted dominant share of 0.25".
    fn describe(&self, share: f64, kinds: &Kinds) -> String;

    /// How many classes there are, at least one; it never changes.
    fn classes(&self) -> usize {
        1
    }

    /// The class that a framework in a role stands in now. After a change that `notice` saw, or
    /// [`Engine::reclass`](crate::Engine::reclass), the engine asks again.
    fn class_of(&self, framework: FrameworkIx, role: RoleIx) -> Class {
        let _ = (framework, role);
        0
    }

    /// The class that a framework in a role belongs to, wherever it stands: reserves are for
    /// those who belong to the class.
    fn home_of(&self, framework: FrameworkIx, role: RoleIx) -> Class {
        self.class_of(framework, role)
    }

    /// The name of a class, for people.
    fn class_name(&self, class: Class) -> &str {
        let _ = class;
        ""
    }

    /// How much of the cluster is kept free for a class, in thousandths.
    fn reserve(&self, class: Class) -> i64 {
        let _ = class;
        0
    }
}

/// Dominant resource fairness: a share is the largest part of any one resource of the cluster.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dominant;

impl Dominant {
    /// The largest share of any kind that the cluster has and that counts.
    pub fn of(held: &Amounts, kinds: &Kinds) -> Measured {
        let mut largest = Measured::NOTHING;
        for (kind, amount) in held.iter() {
            let total = kinds.total_for_shares(kind);
            if total <= 0 || amount <= 0 {
                continue;
            }
            let grows = i128::from(amount) * i128::from(largest.total)
                > i128::from(largest.held) * i128::from(total);
            if grows {
                largest = Measured { held: amount, total };
            }
        }
        largest
    }

    /// A share for people.
    pub fn sentence(share: f64) -> String {
        format!("a weighted dominant share of {share:.4}")
    }
}

impl Policy for Dominant {
    fn measure(&self, held: &Amounts, _tasks: i64, kinds: &Kinds) -> Measured {
        Self::of(held, kinds)
    }

    fn describe(&self, share: f64, _: &Kinds) -> String {
        Self::sentence(share)
    }
}
