//! DRAIN_AGENT, DEACTIVATE_AGENT, REACTIVATE_AGENT (MO-15): agents out of use and back.

use std::time::Duration;

use reeve_access::thing;
use reeve_master_core::event::Ask;
use reeve_model::DrainConfig;
use reeve_transport::{Principal, Response};
use reeve_wire::v1;
use reeve_wire::v1::master::call;

use super::changes::{MARK_GONE, agent_id, ask};
use super::operator::invalid;
use crate::office::Leader;

/// The longest grace period that agents can be told: 2^63 nanoseconds, in seconds.
const LONGEST: u64 = 9_223_372_036;

/// Empties an agent. Who has it marked as gone in the end must be allowed that, too.
pub async fn drain(
    leader: &Leader,
    sender: Option<&Principal>,
    wanted: &call::DrainAgent,
) -> Result<Response, Response> {
    let max_grace = wanted.max_grace_period.as_ref();
    let max_grace = max_grace.map(|most| grace(most.seconds, most.nanos)).transpose()?;
    let mark_gone = wanted.mark_gone();
    leader.permissions.check(sender, "drain_agents", thing([])).await?;
    if mark_gone {
        leader.permissions.check(sender, MARK_GONE, thing([])).await?;
    }
    let config = DrainConfig { max_grace, mark_gone };
    Ok(ask(leader, Ask::Drain(agent_id(&wanted.agent_id), config)).await)
}

/// Stops the offers of an agent.
pub async fn deactivate(
    leader: &Leader,
    sender: Option<&Principal>,
    agent: &v1::AgentId,
) -> Result<Response, Response> {
    leader.permissions.check(sender, "deactivate_agents", thing([])).await?;
    Ok(ask(leader, Ask::Deactivate(agent_id(agent))).await)
}

/// Brings an agent back.
pub async fn reactivate(
    leader: &Leader,
    sender: Option<&Principal>,
    agent: &v1::AgentId,
) -> Result<Response, Response> {
    leader.permissions.check(sender, "reactivate_agents", thing([])).await?;
    Ok(ask(leader, Ask::Reactivate(agent_id(agent))).await)
}

fn grace(seconds: i64, nanos: i32) -> Result<Duration, Response> {
    match (u64::try_from(seconds), u32::try_from(nanos)) {
        (Ok(seconds), Ok(nanos)) if seconds < LONGEST => Ok(Duration::new(seconds, nanos)),
        _ => {
            Err(invalid("'drain_agent.max_grace_period' must be between 0 and 9223372035 seconds"))
        }
    }
}
