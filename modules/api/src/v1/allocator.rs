//! The allocator: who is offered what next.
//!
//! The host keeps the books and tells a module what changed, in batches of plain data; the module
//! answers with grants. It owns the order and the amounts and nothing else: the host checks every
//! grant against its books, cuts the real resources, and drops what is not lawful. Time comes in
//! as an argument; a module has no clock, no I/O and no chance of its own, so that a run can be
//! repeated.

use std::time::Duration;

use abi_stable::std_types::{RBox, ROption, RResult, RSlice, RString, RVec};
use abi_stable::{StableAbi, sabi_trait};

use super::{Amounts, Fault};

/// An agent, as a dense number that the host reuses once the agent is gone.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, StableAbi)]
pub struct AgentIx(pub u32);

/// A framework, as a dense number that the host reuses once the framework is gone.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, StableAbi)]
pub struct FrameworkIx(pub u32);

/// A role, as a dense number; `a/b` has `a` as its parent.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, StableAbi)]
pub struct RoleIx(pub u32);

/// A scalar resource name (`cpus`, `mem`, …), numbered in the order the cluster first saw it.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, StableAbi)]
pub struct KindIx(pub u16);

/// What a role has reserved.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq, StableAbi)]
pub struct Reserved {
    /// The role.
    pub role: RoleIx,
    /// Scalars.
    pub amounts: Amounts,
}

/// The most that there may be of a kind.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, StableAbi)]
pub struct Limit {
    /// The kind.
    pub kind: KindIx,
    /// The most in thousandths; zero means none.
    pub amount: i64,
}

/// A name and a value that a framework gave itself.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq, StableAbi)]
pub struct Label {
    /// The name.
    pub key: RString,
    /// The value, empty if there is none.
    pub value: RString,
}

/// What an agent has to give at this moment.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, Eq, StableAbi)]
pub struct Free {
    /// Scalars that no role has reserved.
    pub unreserved: Amounts,
    /// Scalars reserved, per role; they may go to that role and its descendants.
    pub reserved: RVec<Reserved>,
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
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, Eq, StableAbi)]
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
        self.reserved.retain(|reserved| {
            let goes = may_have(reserved.role);
            if goes {
                taken.reserved.add(&reserved.amounts);
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
#[repr(u8)]
#[derive(Clone, Debug, PartialEq, StableAbi)]
pub enum Change {
    /// A scalar resource name is in use from now on.
    Kind {
        /// Its number.
        kind: KindIx,
        /// Its name, such as `cpus`.
        name: RString,
        /// Whether shares ignore it (`fair_sharing_excluded_resource_names`).
        excluded: bool,
    },
    /// A role is in use, or its weight changed.
    Role {
        /// Its number.
        role: RoleIx,
        /// Its whole path, such as `eng/backend`.
        name: RString,
        /// The role above it in the tree.
        parent: ROption<RoleIx>,
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
        limits: RVec<Limit>,
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
        id: RString,
        /// Bits of what it can take; it may be offered an agent when it has all of `needs`.
        has: u32,
        /// Its labels (`FrameworkInfo.labels`).
        labels: RVec<Label>,
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
        minimum: RVec<Amounts>,
    },
    /// An agent came, or its total or its needs changed.
    Agent {
        /// Its number.
        agent: AgentIx,
        /// Its id, for explanations.
        id: RString,
        /// All its scalars, free or not, without the revocable ones.
        total: Amounts,
        /// The part of `total` that roles have reserved, free or not.
        reserved: RVec<Reserved>,
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
    /// How many tasks the framework has in this role on this agent, if it has changed.
    Tasks {
        /// The framework.
        framework: FrameworkIx,
        /// The role.
        role: RoleIx,
        /// The agent.
        agent: AgentIx,
        /// The number now.
        count: u32,
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
#[repr(u8)]
#[derive(Clone, Debug, PartialEq, Eq, StableAbi)]
pub enum Share {
    /// All unreserved scalars.
    All,
    /// No more than these unreserved scalars; a kind that is absent is not taken.
    UpTo(Amounts),
}

/// A proposal: offer this agent's resources to that framework in that role.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq, StableAbi)]
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

/// A proposal: take back what a framework holds on an agent, so that another may have it. The
/// host takes back its offers there first, then ends its tasks, the youngest first.
///
/// It is lawful to ask for what the framework holds there in this role without reservations and
/// not revocable, and once: another for the same framework, role and agent only when all of it has
/// come, or this one has stood for [`Reclaim::stands_for`] in vain.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq, StableAbi)]
pub struct Reclaim {
    /// Who gives back.
    pub framework: FrameworkIx,
    /// In which role.
    pub role: RoleIx,
    /// Where.
    pub agent: AgentIx,
    /// How much is wanted at the least.
    pub amounts: Amounts,
    /// How long a task has to end by itself, in nanoseconds.
    pub grace: u64,
    /// Why, for the framework whose tasks end.
    pub reason: RString,
}

impl Reclaim {
    /// How long the host waits for what it takes back with this grace. A task that has not ended
    /// then is not going to.
    pub fn stands_for(grace: Duration) -> Duration {
        grace.saturating_mul(2).saturating_add(Duration::from_secs(10))
    }
}

/// Where a module puts its proposals, and how long it may go on.
#[repr(C)]
#[derive(Debug, Default, StableAbi)]
pub struct Room {
    /// The grants of this round, in order.
    pub grants: RVec<Grant>,
    /// What is to be taken back. It comes as `Free` when it is there.
    pub reclaims: RVec<Reclaim>,
    /// How many agents the module may visit before it returns; more are visited next round.
    pub budget: usize,
    /// Set by the module: after so many nanoseconds it wants to be asked again even if nothing has
    /// changed, because something became due by time alone (a wait that is over). Zero: only when
    /// something changes. It holds until the next round, which sets it anew.
    pub wake_after: u64,
}

/// An allocator as it crosses; the SDK makes one of its plain trait `Allocator`, which says what
/// the calls mean.
#[sabi_trait]
pub trait RawAllocator: Send {
    /// Takes in what changed since the last call.
    fn apply(&mut self, changes: RSlice<'_, Change>) -> RResult<(), Fault>;

    /// Fills `room`; `now` is in nanoseconds since the host's start. Returns whether agents are
    /// left to visit.
    fn allocate(&mut self, now: u64, room: &mut Room) -> RResult<bool, Fault>;

    /// Why this framework has no offer for this role now.
    #[sabi(last_prefix_field)]
    fn explain(&self, framework: FrameworkIx, role: RoleIx) -> RResult<RVec<RString>, Fault>;
}

/// An allocator as it crosses.
pub type RawAllocatorBox = RawAllocator_TO<'static, RBox<()>>;
