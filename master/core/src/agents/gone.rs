//! MARK_AGENT_GONE: an operator knows that an agent will not come back (MO-18).

use reeve_machine::Wall;
use reeve_model::AgentId;

use super::Pending;
use crate::answer::{Answer, Refusal};
use crate::effect::{Effect, Mutation, ToAgent};
use crate::event::RequestId;
use crate::master::Master;
use crate::step::Step;
use crate::view::{Change, Departure};

/// What a gone agent and its tasks' frameworks are told.
pub(super) const GONE: &str = "Agent has been marked gone";

impl Master {
    /// An operator says that an agent is gone. That is written first; asking again is no mistake.
    pub(crate) fn gone_asked(&mut self, step: &mut Step<'_>, request: RequestId, id: AgentId) {
        if self.agents.is_gone(&id) {
            return step.push(Effect::Answer(request, Answer::Done));
        }
        let refusal = if self.agents.busy.contains(&id) {
            Some(Refusal::AgentBusy(id.clone()))
        } else if !self.agents.is_taken(&id) {
            Some(Refusal::UnknownAgent(id.clone()))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return step.push(Effect::Answer(request, Answer::Refused(refusal)));
        }
        self.mark_gone(step, id, Some(request));
    }

    /// Has it written that an agent is gone; somebody may wait for that.
    pub(super) fn mark_gone(
        &mut self,
        step: &mut Step<'_>,
        id: AgentId,
        request: Option<RequestId>,
    ) {
        self.cancel_removal(step, &id);
        if let Some(ix) = self.agents.find(&id) {
            self.deactivate(step, ix);
        }
        self.agents.busy.insert(id.clone());
        let mutation = Mutation::MarkGone(id.clone(), step.wall);
        self.persist(step, mutation, Pending::Gone(id, step.wall, request));
    }

    /// It is durable that an agent is gone: its tasks are too, wherever they are remembered.
    pub(super) fn now_gone(
        &mut self,
        step: &mut Step<'_>,
        id: AgentId,
        since: Wall,
        request: Option<RequestId>,
    ) {
        self.agents.stop_awaiting(&id);
        let was_lost = self.agents.unreachable(&id).is_some();
        self.agents.find_again(&id);
        self.agents.end(id.clone(), since);
        if let Some(ix) = self.agents.find(&id) {
            if let Some(agent) = self.agents.get(ix) {
                step.agent(&agent.pid, ToAgent::Shutdown(GONE.to_owned()));
            }
            self.part_with_tasks(step, ix, &Departure::Gone(since), GONE);
            self.part_with(step, ix);
        }
        self.unreachable_are_gone(step, &id, GONE);
        step.changed(Change::AgentLeft(id.clone(), Departure::Gone(since)));
        if !was_lost {
            self.tell_all_lost(step, &id);
        }
        if let Some(request) = request {
            step.push(Effect::Answer(request, Answer::Done));
        }
    }
}
