//! The allocator: who is offered what next.
//!
//! The host keeps the books and tells a module what changed, in batches of plain data; the module
//! answers with grants. It owns the order and the amounts and nothing else: the host checks every
//! grant against its books, cuts the real resources, and drops what is not lawful. Time comes in
//! as an argument; a module has no clock, no I/O and no chance of its own, so that a run can be
//! repeated.

use std::time::Duration;

use smallvec::SmallVec;

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
pub struct Amounts(SmallVec<[(KindIx, i64); 4]>);

impl Amounts {
    /// Collects amounts; equal kinds add up and zeros vanish.
    pub fn new(amounts: impl IntoIterator<Item = (KindIx, i64)>) -> Self {
        let mut all = Self::default();
        for (kind, amount) in amounts {
            all.add_one(kind, amount);
        }
        all
    }

    /// The amount of one kind in thousandths, zero where there is none.
    pub fn get(&self, kind: KindIx) -> i64 {
        self.0.iter().find(|&&(k, _)| k == kind).map_or(0, |&(_, amount)| amount)
    }

    /// Kinds and amounts in the order of kinds.
    pub fn iter(&self) -> impl Iterator<Item = (KindIx, i64)> + '_ {
        self.0.iter().copied()
    }

    /// Whether there is nothing of any kind.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every amount of `other` is here, kind by kind.
    pub fn contains(&self, other: &Self) -> bool {
        other.iter().all(|(kind, amount)| self.get(kind) >= amount)
    }

    /// Adds `other`, kind by kind.
    pub fn add(&mut self, other: &Self) {
        for (kind, amount) in other.iter() {
            self.add_one(kind, amount);
        }
    }

    /// Takes `other` away, kind by kind; an amount may become negative.
    pub fn subtract(&mut self, other: &Self) {
        for (kind, amount) in other.iter() {
            self.add_one(kind, amount.saturating_neg());
        }
    }

    /// Adds to one kind.
    pub fn add_one(&mut self, kind: KindIx, amount: i64) {
        if amount == 0 {
            return;
        }
        // A handful of kinds at most: walking beats searching.
        let at = self.0.iter().position(|&(k, _)| k >= kind).unwrap_or(self.0.len());
        match self.0.get_mut(at) {
            Some(entry) if entry.0 == kind => {
                entry.1 = entry.1.saturating_add(amount);
                if entry.1 == 0 {
                    self.0.remove(at);
                }
            }
            _ => self.0.insert(at, (kind, amount)),
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
    /// Scalars that may be taken back at any time; they go to frameworks with [`TAKES_REVOCABLE`]
    /// alone, and neither shares nor quota count them.
    pub revocable: Amounts,
    /// Whether there is more that scalars do not show (ports, sets).
    pub other: bool,
}

impl Free {
    /// Whether the agent has nothing to give.
    pub fn is_empty(&self) -> bool {
        self.unreserved.is_empty()
            && self.reserved.is_empty()
            && self.revocable.is_empty()
            && !self.other
    }
}

/// What one grant took out of an agent's [`Free`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Unreserved scalars.
    pub unreserved: Amounts,
    /// Reserved scalars.
    pub reserved: Amounts,
}

impl Free {
    /// Takes out what a lawful grant of `share` takes: host and module book by this same rule.
    /// `revocable` says whether the framework takes revocable resources, `may_have` whether the
    /// reservations of a role are for the granted one.
    pub fn take(
        &mut self,
        share: &Share,
        revocable: bool,
        may_have: impl Fn(RoleIx) -> bool,
    ) -> Taken {
        let mut taken = Taken::default();
        match share {
            Share::All => taken.unreserved = std::mem::take(&mut self.unreserved),
            Share::UpTo(most) => {
                for (kind, amount) in most.iter() {
                    taken.unreserved.add_one(kind, amount.min(self.unreserved.get(kind)).max(0));
                }
                self.unreserved.subtract(&taken.unreserved);
            }
        }
        self.reserved.retain(|(role, amounts)| {
            let goes = may_have(*role);
            if goes {
                taken.reserved.add(amounts);
            }
            !goes
        });
        if revocable {
            self.revocable = Amounts::default();
        }
        self.other = false;
        taken
    }
}

/// The bit of [`Change::Framework`]'s `has` that lets a framework take revocable resources.
pub const TAKES_REVOCABLE: u32 = 1 << 31;

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
        /// What it is never to exceed; a kind that is absent is unlimited, zero means none.
        limits: Vec<(KindIx, i64)>,
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
    /// A framework is gone. Its allocations and its blocks were lifted before.
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
        /// What an offer must hold at the least: all amounts of any one entry. Empty: anything.
        minimum: Vec<Amounts>,
    },
    /// An agent came, or its total or its needs changed.
    Agent {
        /// Its number.
        agent: AgentIx,
        /// Its id, for explanations.
        id: String,
        /// All its scalars, free or not, without the revocable ones.
        total: Amounts,
        /// The part of `total` that roles have reserved, free or not.
        reserved: Vec<(RoleIx, Amounts)>,
        /// Bits a framework must have (GPU agents, other regions).
        needs: u32,
    },
    /// An agent is gone, and the blocks on it with it. What was held on it is told by `Holds`.
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
        /// The part of `delta` that is reserved (quota counts reservations by themselves).
        reserved: Amounts,
    },
    /// The grant at this place of the last round was not carried out, or not as asked: forget what
    /// was booked for it. What was given instead comes as `Holds`, and the agent's `Free` follows.
    Undone {
        /// The place in [`Room::grants`].
        grant: usize,
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

/// How much of an agent a grant asks for. Reservations that the role may have, everything that is
/// not a scalar, and revocable resources for those that take them come along with either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Share {
    /// All unreserved scalars.
    All,
    /// No more than these unreserved scalars; a kind that is absent is not taken.
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
/// Order of calls: `apply` with what changed, then `allocate`, over and over. A module books its
/// own grants as it makes them, out of the `Free` that it was told; the host says nothing about a
/// grant that it carried out so, and answers any other with [`Change::Undone`] at the next `apply`.
/// One round grants the same agent to the same framework and role once at most.
pub trait Allocator: Send {
    /// Takes in what changed since the last call.
    fn apply(&mut self, changes: &[Change]);

    /// Fills `room` with grants for agents that changed since they were last visited. `now` is the
    /// time since the host's start. Returns whether agents are left to visit.
    fn allocate(&mut self, now: Duration, room: &mut Room) -> bool;

    /// Why this framework has no offer for this role now, one sentence each, most telling first.
    fn explain(&self, framework: FrameworkIx, role: RoleIx) -> Vec<String>;
}
