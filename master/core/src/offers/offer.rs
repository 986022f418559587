//! An offer as it is sent.

use std::sync::Arc;

use reeve_model::{
    AgentId, AgentInfo, ExecutorId, FrameworkId, OfferId, Pid, Resources, Role, Unavailability,
};

/// Resources of one agent, offered to one framework in one role (SE-2).
#[derive(Clone, Debug)]
pub struct Offer {
    /// Its id.
    pub id: OfferId,
    /// Who gets it.
    pub framework: FrameworkId,
    /// In which role.
    pub role: Role,
    /// Whose resources these are.
    pub agent_id: AgentId,
    /// The agent: hostname, attributes, domain.
    pub agent: Arc<AgentInfo>,
    /// Where the agent listens, for the offer's `url`.
    pub pid: Pid,
    /// The resources, with allocation info.
    pub resources: Resources,
    /// When the agent's machine is to be down.
    pub unavailability: Option<Unavailability>,
    /// The framework's executors on the agent.
    pub executors: Vec<ExecutorId>,
}
