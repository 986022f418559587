//! What reaches the allocation machine, and what it wants done.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reeve_model::{
    AgentId, Attributes, Domain, FrameworkInfo, OfferConstraints, Quantities, Quantity,
    ResourceName, Resources, Role,
};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

/// What offers depend on besides an agent's resources.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentFacts {
    /// Its id.
    pub id: AgentId,
    /// Its host name, for offer constraints.
    pub hostname: String,
    /// Its attributes, for offer constraints.
    pub attributes: Attributes,
    /// Where it stands; frameworks without REGION_AWARE see the master's region alone.
    pub domain: Option<Domain>,
    /// Numbers of its capabilities (`AgentInfo.Capability.Type`).
    pub capabilities: Vec<i32>,
}

/// A fact of the master that matters to allocation. Numbers of agents and frameworks are the
/// master's own and may be used again once it has told that the old bearer is gone.
#[derive(Clone, Debug)]
pub enum Event {
    /// What follows is told from the beginning, to the machine of this number, which knows nothing
    /// yet. It is not for another: two may fail before the first is introduced, and whoever took
    /// the introduction of one before it would be told all twice, in the midst of its grants.
    Introduction(u64),
    /// An agent is admitted, or came back with what runs on it.
    AgentAdded {
        /// Its number.
        agent: AgentIx,
        /// What it is.
        info: Box<AgentFacts>,
        /// All that it has, without allocation info.
        total: Resources,
        /// What is in use, with allocation info. The frameworks may be unknown yet.
        used: Vec<(FrameworkIx, Resources)>,
        /// Whether it is offered.
        active: bool,
    },
    /// An agent has other resources than before. All filters on it are dropped (FI-5).
    AgentChanged {
        /// The agent.
        agent: AgentIx,
        /// All that it has now, without allocation info.
        total: Resources,
    },
    /// Whether an agent is offered: it is connected, and not deactivated or draining.
    AgentActive {
        /// The agent.
        agent: AgentIx,
        /// Whether it is.
        active: bool,
    },
    /// An agent is gone, and all that was allocated on it.
    AgentRemoved {
        /// The agent.
        agent: AgentIx,
    },
    /// A framework subscribed, or is known from agents that came back (inactive until it does).
    FrameworkAdded {
        /// Its number.
        framework: FrameworkIx,
        /// What it is.
        info: Arc<FrameworkInfo>,
        /// Roles in which it wants no offers.
        suppressed: BTreeSet<Role>,
        /// Which agents it wants offers of.
        constraints: Option<Arc<OfferConstraints>>,
        /// Whether it is connected.
        active: bool,
    },
    /// A framework described itself anew (SUBSCRIBE again, UPDATE_FRAMEWORK). Filters in roles
    /// that it had suppressed before and has no longer are dropped.
    FrameworkChanged {
        /// The framework.
        framework: FrameworkIx,
        /// What it is now.
        info: Arc<FrameworkInfo>,
        /// Roles in which it wants no offers.
        suppressed: BTreeSet<Role>,
        /// Which agents it wants offers of.
        constraints: Option<Arc<OfferConstraints>>,
    },
    /// Whether a framework is connected. Its filters end when it is not.
    FrameworkActive {
        /// The framework.
        framework: FrameworkIx,
        /// Whether it is.
        active: bool,
    },
    /// A framework is gone. The master recovered its allocations before; what is left is freed.
    FrameworkRemoved {
        /// The framework.
        framework: FrameworkIx,
    },
    /// A framework wants no offers (SUPPRESS).
    Suppress {
        /// The framework.
        framework: FrameworkIx,
        /// In these roles; empty: in all.
        roles: Vec<Role>,
    },
    /// A framework wants offers again, also of what it declined (REVIVE).
    Revive {
        /// The framework.
        framework: FrameworkIx,
        /// In these roles; empty: in all.
        roles: Vec<Role>,
    },
    /// Resources are free again: declined, rescinded, left over, or their task ended.
    Recover {
        /// Who had them.
        framework: FrameworkIx,
        /// Where.
        agent: AgentIx,
        /// What, with allocation info.
        resources: Resources,
        /// How long the framework refuses them, the allocation interval at the least. `None`: it
        /// may be offered them at once.
        filter: Option<Duration>,
    },
    /// Resources are in use that this machine never granted (tasks of a master before).
    Used {
        /// By whom.
        framework: FrameworkIx,
        /// Where.
        agent: AgentIx,
        /// What, with allocation info.
        resources: Resources,
    },
    /// An operation turned resources into others (RESERVE, CREATE, …); the agent's total follows.
    Converted {
        /// Who holds them, with allocation info; `None`: they are free.
        framework: Option<FrameworkIx>,
        /// Where.
        agent: AgentIx,
        /// What is no more.
        from: Resources,
        /// What came instead.
        to: Resources,
    },
    /// How many tasks that have not ended a framework has in a role on an agent, since it changed.
    Tasks {
        /// Whose tasks.
        framework: FrameworkIx,
        /// In which role.
        role: Role,
        /// Where.
        agent: AgentIx,
        /// How many there are now.
        count: u32,
    },
    /// A role's weight, 1 unless told.
    Weight {
        /// The role.
        role: Role,
        /// Its weight.
        weight: Quantity,
    },
    /// A top-level role's quota; both empty: none.
    Quota {
        /// The role.
        role: Role,
        /// What it is to reach.
        guarantees: Quantities,
        /// What it may not exceed; names that are absent are unlimited, zero means none.
        limits: Vec<(ResourceName, Quantity)>,
    },
    /// [`reeve_machine::Machine::deadline`] has come.
    Deadline,
}

/// What the allocation machine wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Offer these. They are allocated until they are recovered.
    Offer(Vec<Granted>),
    /// Take these back.
    Reclaim(Vec<Reclaimed>),
    /// Log that the allocator module proposed what is not lawful; it was not carried out.
    Report(Unlawful),
}

/// Resources that a framework is to be offered.
#[derive(Clone, Debug, PartialEq)]
pub struct Granted {
    /// The framework.
    pub framework: FrameworkIx,
    /// In which of its roles.
    pub role: Role,
    /// Where.
    pub agent: AgentIx,
    /// What, with the role as allocation info.
    pub resources: Resources,
}

/// Resources that a framework is to give back, so that another may have them.
#[derive(Clone, Debug, PartialEq)]
pub struct Reclaimed {
    /// The framework.
    pub framework: FrameworkIx,
    /// In which of its roles.
    pub role: Role,
    /// Where.
    pub agent: AgentIx,
    /// How much at the least, without what is reserved or revocable.
    pub amounts: Quantities,
    /// How much of that kind it held when the module was asked. If it holds less by now, the
    /// difference has come already.
    pub held: Quantities,
    /// How long its tasks have to end by themselves.
    pub grace: Duration,
    /// Why, for the framework.
    pub reason: Arc<str>,
}

/// A proposal of the module that the host refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlawful {
    /// The framework's number, known or not.
    pub framework: FrameworkIx,
    /// The agent's number, known or not.
    pub agent: AgentIx,
    /// The rule it breaks.
    pub rule: Rule,
}

/// The rules of grants and reclaims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Rule {
    /// There is no such framework.
    #[error("there is no framework of this number")]
    UnknownFramework,
    /// There is no such role.
    #[error("there is no role of this number")]
    UnknownRole,
    /// There is no such agent.
    #[error("there is no agent of this number")]
    UnknownAgent,
    /// The agent is not offered to anybody.
    #[error("the agent is not active")]
    InactiveAgent,
    /// The framework is gone, disconnected, not in the role, or has suppressed it.
    #[error("the framework wants no offers for this role")]
    Unwanted,
    /// The agent needs a capability that the framework lacks.
    #[error("the framework lacks a capability that the agent needs")]
    Unfit,
    /// The module was told that the framework may not have this agent.
    #[error("the framework refuses this agent for now")]
    Blocked,
    /// The same grant was made before in this round.
    #[error("the agent was granted to the framework and role twice in a round")]
    Twice,
    /// The agent has nothing that the role may have.
    #[error("the agent has nothing free for the role")]
    NothingFree,
    /// More than what is free was asked for.
    #[error("more was granted than is free")]
    TooMuch,
    /// Less than the framework's smallest offer.
    #[error("the grant is below the framework's smallest offer")]
    TooLittle,
    /// The role would exceed its quota limit.
    #[error("the role would exceed its quota limit")]
    OverLimit,
    /// Nothing, or less than nothing, is to be taken back.
    #[error("the amounts to be taken back are not positive")]
    NothingWanted,
    /// More is to be taken back than the framework holds on the agent in the role.
    #[error("more was to be taken back than the framework holds there")]
    NotHeld,
    /// What was taken back before from there is still on its way.
    #[error("the framework is giving back on this agent in this role already")]
    UnderWay,
}

impl Rule {
    /// Whether it is about how much an agent has: a module can break it without knowing, if less or
    /// more is free than it was told.
    pub(super) fn is_of_agent(self) -> bool {
        matches!(self, Rule::NothingFree | Rule::TooMuch | Rule::TooLittle)
    }
}
