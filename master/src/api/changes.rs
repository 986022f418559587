//! Operators' calls that change something: each is permitted, checked, and then the core's.

use reeve_access::thing;
use reeve_master_core::event::Ask;
use reeve_model::AgentId;
use reeve_transport::{Principal, Response};
use reeve_wire::v1::master::Call;
use reeve_wire::v1::master::call::Type;
use tokio::sync::oneshot;

use super::answer;
use super::operator::invalid;
use crate::office::Leader;
use crate::owner::Input;

/// Carries a call out if it is one of those.
pub async fn take(
    leader: &Leader,
    sender: Option<&Principal>,
    kind: Type,
    call: &Call,
) -> Option<Result<Response, Response>> {
    Some(match kind {
        Type::MarkAgentGone => mark_gone(leader, sender, call).await,
        _ => return None,
    })
}

async fn mark_gone(
    leader: &Leader,
    sender: Option<&Principal>,
    call: &Call,
) -> Result<Response, Response> {
    let Some(wanted) = &call.mark_agent_gone else {
        return Err(invalid("Expecting 'mark_agent_gone' to be present"));
    };
    leader.permissions.check(sender, "mark_agents_gone", thing([])).await?;
    Ok(ask(leader, Ask::MarkGone(AgentId::new(wanted.agent_id.value.as_str()))).await)
}

/// Asks the core, and says what it answers.
pub async fn ask(leader: &Leader, ask: Ask) -> Response {
    let (reply, answered) = oneshot::channel();
    if leader.term.core.send(Input::Asks(ask, reply)).await.is_err() {
        return answer::ending();
    }
    match answered.await {
        Ok(answer) => answer::response(answer, None),
        Err(_) => answer::ending(),
    }
}
