//! The allocator: who is offered what next.
//!
//! The host keeps the books and tells a module what changed, in batches of plain data; the module
//! answers with grants. It owns the order and the amounts and nothing else: the host checks every
//! grant against its books, cuts the real resources, and drops what is not lawful. Time comes in
//! as an argument; a module has no clock, no I/O and no chance of its own, so that a run can be
//! repeated.

use std::time::Duration;

/// An agent, as a dense number that the host reuses once the agent is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentIx(pub u32);

/// A framework, as a dense number that the host reuses once the framework is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameworkIx(pub u32);

/// A role, as a dense number; `a/b` has `a` as its parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleIx(pub u32);

/// A scalar resource name (`cpus`, `mem`, …), numbered in the order the cluster first saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindIx(pub u16);

/// Scalar amounts by kind, in thousandths, sorted by kind, without zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amounts(Vec<(KindIx, i64)>);

impl Amounts {
    /// Collects amounts; equal kinds add up and zeros vanish.
    pub fn new(amounts: impl IntoIterator<Item = (KindIx, i64)>) -> Self {
        let mut all: Vec<(KindIx, i64)> = amounts.into_iter().collect();
        all.sort_unstable_by_key(|&(kind, _)| kind);
        all.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
        all.retain(|&(_, amount)| amount != 0);
        Self(all)
    }

    /// The amount of one kind in thousandths, zero where there is none.
    pub fn get(&self, kind: KindIx) -> i64 {
        self.0.binary_search_by_key(&kind, |&(k, _)| k).map_or(0, |at| self.0[at].1)
    }

    /// Kinds and amounts in the order of kinds.
    pub fn iter(&self) -> impl Iterator<Item = (KindIx, i64)> + '_ {
        self.0.iter().copied()
    }

    /// Whether there is nothing of any kind.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds `other`, kind by kind.
    pub fn add(&mut self, other: &Self) {
        self.combine(other, 1);
    }

    /// Takes `other` away, kind by kind; an amount may become negative.
    pub fn subtract(&mut self, other: &Self) {
        self.combine(other, -1);
    }

    fn combine(&mut self, other: &Self, sign: i64) {
        for (kind, amount) in other.iter() {
            let delta = amount.saturating_mul(sign);
            match self.0.binary_search_by_key(&kind, |&(k, _)| k) {
                Ok(at) => {
                    self.0[at].1 = self.0[at].1.saturating_add(delta);
                    if self.0[at].1 == 0 {
                        self.0.remove(at);
                    }
                }
                Err(at) => self.0.insert(at, (kind, delta)),
            }
        }
    }
}

/// What an agent has to give at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Free {
    /// Scalars that no role has reserved.
    pub unreserved: Amounts,
    /// Scalars reserved, per role; they may go to that role and its descendants.
    pub reserved: Vec<(RoleIx, Amounts)>,
    /// Whether there is more that scalars do not show (ports, sets, revocable resources).
    pub other: bool,
}

impl Free {
    /// Whether the agent has nothing to give.
    pub fn is_empty(&self) -> bool {
        self.unreserved.is_empty() && self.reserved.is_empty() && !self.other
    }
}

/// One fact the module must know. Batches are ordered; numbers are announced before use.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A scalar resource name is in use from now on.
    Kind {
        /// Its number.
        kind: KindIx,
        /// Its name, such as `cpus`.
        name: String,
        /// Whether shares ignore it (`fair_sharing_excluded_resource_names`).
        excluded: bool,
    },
    /// A role is in use, or its weight changed.
    Role {
        /// Its number.
        role: RoleIx,
        /// Its whole path, such as `eng/backend`.
        name: String,
        /// The role above it in the tree.
        parent: Option<RoleIx>,
        /// Its weight in thousandths (1000 unless set).
        weight: i64,
    },
    /// A role's quota; empty amounts mean none. Consumption is what the role's subtree holds.
    Quota {
        /// The role.
        role: RoleIx,
        /// What it is to reach when the cluster has it.
        guarantees: Amounts,
        /// What it is never to exceed; a kind that is absent is unlimited.
        limits: Amounts,
    },
    /// No framework and no resource names the role any more.
    RoleGone {
        /// The role.
        role: RoleIx,
    },
    /// A framework came.
    Framework {
        /// Its number.
        framework: FrameworkIx,
        /// Its id, for explanations and as the tie-break of equal shares.
        id: String,
        /// Bits of what it can take; it may be offered an agent when it has all of `needs`.
        has: u32,
    },
    /// A framework is gone; its allocations are gone with it.
    FrameworkGone {
        /// The framework.
        framework: FrameworkIx,
    },
    /// Whether the framework wants offers for this role (active, subscribed, not suppressed).
    Demand {
        /// The framework.
        framework: FrameworkIx,
        /// The role.
        role: RoleIx,
        /// Whether it wants offers.
        wanted: bool,
    },
    /// An agent came, or its total or its needs changed.
    Agent {
        /// Its number.
        agent: AgentIx,
        /// Its id, for explanations.
        id: String,
        /// All its scalars, free or not.
        total: Amounts,
        /// Bits a framework must have (GPU agents, other regions).
        needs: u32,
    },
    /// An agent is gone.
    AgentGone {
        /// The agent.
        agent: AgentIx,
    },
    /// What the agent has to give changed. An inactive agent has nothing.
    Free {
        /// The agent.
        agent: AgentIx,
        /// What there is now.
        free: Free,
    },
    /// The framework holds more (or, negative, less) in this role than before.
    Holds {
        /// The framework.
        framework: FrameworkIx,
        /// The role.
        role: RoleIx,
        /// The agent it is on.
        agent: AgentIx,
        /// The difference in thousandths.
        delta: Amounts,
    },
    /// The framework may not be offered this agent in this role (a decline filter, a constraint).
    Blocked {
        /// The framework.
        framework: FrameworkIx,
        /// The role.
        role: RoleIx,
        /// The agent.
        agent: AgentIx,
    },
    /// The framework may be offered this agent in this role again.
    Unblocked {
        /// The framework.
        framework: FrameworkIx,
        /// The role.
        role: RoleIx,
        /// The agent.
        agent: AgentIx,
    },
}

/// How much of an agent a grant asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Share {
    /// All that the role may have of what is free, scalars and the rest.
    All,
    /// No more than these unreserved scalars; reservations of the role and non-scalars come along.
    UpTo(Amounts),
}

/// A proposal: offer this agent's resources to that framework in that role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The framework.
    pub framework: FrameworkIx,
    /// The role.
    pub role: RoleIx,
    /// The agent.
    pub agent: AgentIx,
    /// How much.
    pub share: Share,
}

/// Where a module puts its grants, and how long it may go on.
#[derive(Debug, Default)]
pub struct Room {
    /// The grants of this round, in order.
    pub grants: Vec<Grant>,
    /// How many agents the module may visit before it returns; more are visited next round.
    pub budget: usize,
}

/// A policy of allocation.
///
/// Order of calls: `apply` with what changed, then `allocate`, over and over. The module must treat
/// its own grants as made: the host confirms each with `Holds` and `Free` changes, and a grant that
/// it refused is followed by a `Free` change of that agent alone.
pub trait Allocator: Send {
    /// Takes in what changed since the last call.
    fn apply(&mut self, changes: &[Change]);

    /// Fills `room` with grants for agents that changed since they were last visited. `now` is the
    /// time since the host's start. Returns whether agents are left to visit.
    fn allocate(&mut self, now: Duration, room: &mut Room) -> bool;

    /// Why this framework has no offer for this role now, one sentence each, most telling first.
    fn explain(&self, framework: FrameworkIx, role: RoleIx) -> Vec<String>;
}
