//! The facts that readers are told, in the order in which they became true.

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve_machine::Wall;
use reeve_model::{
    AgentId, AgentInfo, ExecutorId, FrameworkId, Machine, MachineId, OfferId, Role, TaskId,
    TaskState, TaskStatus, Window,
};

use super::{AgentRecord, Answered, ExecutorRecord, FrameworkRecord, TaskRecord};
use crate::inverse_offers::InverseOffer;
use crate::offers::Offer;
use crate::roles::Quota;

/// One fact.
#[derive(Clone, Debug)]
pub enum Change {
    /// The registry was read: this master leads, and waits for these agents.
    Led {
        /// The master's id.
        master: Arc<str>,
        /// Since when.
        at: Wall,
        /// Agents of an earlier leader that have not come back yet.
        awaited: Vec<Arc<AgentInfo>>,
        /// Agents that were out of reach under an earlier leader.
        unreachable: Vec<(AgentId, Wall)>,
    },
    /// An agent came, came back, or anything in its record changed.
    Agent(Arc<AgentRecord>),
    /// An agent left; its tasks and executors were reported before.
    AgentLeft(AgentId, Departure),
    /// An agent is to be given up when its turn comes.
    RemovalScheduled,
    /// An agent was there before its turn came.
    RemovalCanceled,
    /// A role has this quota from now on; it may be none.
    Quota(Role, Quota),
    /// A role has this weight from now on.
    Weight(Role, f64),
    /// When machines are to be down, and which are in that schedule.
    Maintenance(Arc<Vec<Window>>, Arc<BTreeMap<MachineId, Machine>>),
    /// An agent is too long out of reach to be remembered.
    AgentForgotten(AgentId),
    /// A framework came, came back, or anything in its record changed.
    Framework(Arc<FrameworkRecord>),
    /// A framework ended; its tasks, executors and offers were reported before.
    FrameworkCompleted(FrameworkId, Wall),
    /// An executor runs, or is about to.
    ExecutorAdded(Arc<ExecutorRecord>),
    /// An executor is gone.
    ExecutorRemoved(FrameworkId, AgentId, ExecutorId),
    /// Tasks of one agent, launched or reported by it when it returns. Together, so that the agent
    /// is looked up once.
    TasksAdded(Vec<Arc<TaskRecord>>),
    /// A task's status arrived. Its resources are free from the first terminal state on.
    TaskProgressed {
        /// The task's framework.
        framework: FrameworkId,
        /// The task.
        task: TaskId,
        /// The newest state its agent knows.
        latest: TaskState,
        /// The status that was passed on.
        status: Arc<TaskStatus>,
    },
    /// A task that never was a task of an agent got a terminal status (a refused launch).
    TaskRefused(FrameworkId, Arc<TaskStatus>),
    /// A task on an agent out of reach ended with that agent.
    LostTaskEnded(FrameworkId, Arc<TaskStatus>),
    /// The master no longer tracks a task.
    TaskRemoved(FrameworkId, TaskId, TaskEnd),
    /// An offer was sent.
    OfferMade(Arc<Offer>),
    /// An offer ended.
    OfferEnded(OfferId, OfferEnd),
    /// A framework was asked whether an agent may go.
    InverseOfferMade(Arc<InverseOffer>),
    /// An inverse offer ended: with an answer, or taken back.
    InverseOfferEnded(Arc<InverseOffer>, Option<Answered>),
    /// What frameworks have answered about an agent counts no longer.
    AnswersVoid(AgentId),
    /// An operation on accepted offers was carried out, by its name on the wire; LAUNCH is told
    /// once for each task, as Mesos counts it.
    Operated(FrameworkId, &'static str),
}

/// How an agent left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It is out of reach, and may return.
    Unreachable {
        /// Since then.
        since: Wall,
        /// Whether this master has waited for it in vain since it leads.
        awaited: bool,
    },
    /// It left for good.
    Removed(Leaving),
    /// It is gone since then, as an operator says.
    Gone(Wall),
}

/// Why an agent left for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// It said so.
    Unregistered,
    /// Another agent is at its address.
    Replaced,
    /// Its machine is down, as an operator says.
    MachineDown,
}

impl Leaving {
    /// The words that frameworks are told.
    pub fn text(self) -> &'static str {
        match self {
            Leaving::Unregistered => "the agent unregistered",
            Leaving::Replaced => "a new agent registered at the same address",
            Leaving::MachineDown => "Operator initiated 'Machine DOWN'",
        }
    }
}

/// What became of a task's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskEnd {
    /// It ended and that was acknowledged: to the completed ones.
    Completed,
    /// Its agent is out of reach: to the unreachable ones.
    Unreachable,
    /// It was unreachable and is a task again, or is forgotten.
    Forgotten,
}

/// How an offer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferEnd {
    /// The framework used it.
    Accepted,
    /// The framework gave it back.
    Declined,
    /// The master took it back.
    Rescinded,
}
