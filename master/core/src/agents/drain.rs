//! DRAIN_AGENT, DEACTIVATE_AGENT, REACTIVATE_AGENT: agents that operators take out of use and bring
//! back (MO-15, MN-3, MN-4, FL-17).
//!
//! ```text
//!            DEACTIVATE_AGENT            DRAIN_AGENT            all ended, acknowledged
//!   in use ──────────────────▶ deactivated ─────────▶ draining ───────────────────────▶ drained
//!     ▲  └──────────────DRAIN_AGENT──────────────────▶   │                                 │
//!     │                                                  └──── and with mark_gone ────▶ gone
//!     └──────────────REACTIVATE_AGENT (deactivated, drained)───────────────────────────────┘
//! ```
//!
//! Each of these is written before it counts, and outlives agents that are away and masters.

use reeve_model::{AgentId, Deactivation, DrainConfig, DrainInfo};
use reeve_module_sdk::allocator::AgentIx;

use super::{Pending, State};
use crate::allocation;
use crate::answer::{Answer, Refusal};
use crate::effect::{Effect, Mutation, ToAgent};
use crate::event::RequestId;
use crate::master::Master;
use crate::step::Step;

/// `AgentInfo.Capability.Type` AGENT_DRAINING.
const AGENT_DRAINING: i32 = 7;

impl Master {
    /// An agent is to be emptied and kept empty.
    pub(crate) fn drain_asked(
        &mut self,
        step: &mut Step<'_>,
        request: RequestId,
        id: AgentId,
        config: DrainConfig,
    ) {
        if let Err(refusal) = self.may_drain(&id) {
            return step.push(Effect::Answer(request, Answer::Refused(refusal)));
        }
        let drain = Some(DrainInfo::begun(config));
        self.deactivate_agent(step, id, Deactivation { drain }, Some(request));
    }

    /// Nothing is to be offered of an agent; what runs there stays.
    pub(crate) fn deactivation_asked(
        &mut self,
        step: &mut Step<'_>,
        request: RequestId,
        id: AgentId,
    ) {
        if self.agents.deactivation(&id).is_some() {
            return step.push(Effect::Answer(request, Answer::Done));
        }
        match self.may_change(&id) {
            Ok(()) => self.deactivate_agent(step, id, Deactivation::default(), Some(request)),
            Err(refusal) => step.push(Effect::Answer(request, Answer::Refused(refusal))),
        }
    }

    /// An agent is to be used again.
    pub(crate) fn reactivation_asked(
        &mut self,
        step: &mut Step<'_>,
        request: RequestId,
        id: AgentId,
    ) {
        if let Err(refusal) = self.may_reactivate(&id) {
            return step.push(Effect::Answer(request, Answer::Refused(refusal)));
        }
        self.agents.busy.insert(id.clone());
        self.persist(step, Mutation::Reactivate(id.clone()), Pending::Reactivate(id, request));
    }

    fn may_change(&self, id: &AgentId) -> Result<(), Refusal> {
        if self.agents.busy.contains(id) {
            return Err(Refusal::Conflict(id.clone()));
        }
        if !self.agents.is_taken(id) || self.agents.is_gone(id) {
            return Err(Refusal::Invalid(format!("Unknown agent '{id}'")));
        }
        Ok(())
    }

    fn may_drain(&self, id: &AgentId) -> Result<(), Refusal> {
        self.may_change(id)?;
        // What an agent can that is away is seen when it is back.
        let agent = self.agents.find(id).and_then(|ix| self.agents.get(ix));
        let machine = agent.and_then(|agent| self.machines.scheduled(&agent.info, &agent.pid));
        if let Some(machine) = machine {
            return Err(Refusal::Invalid(format!(
                "Agent {id} is part of a maintenance schedule under Machine {machine}"
            )));
        }
        match agent {
            Some(agent) if !agent.capabilities.contains(&AGENT_DRAINING) => {
                Err(Refusal::Invalid(format!("Agent {id} is not capable of draining")))
            }
            _ => Ok(()),
        }
    }

    fn may_reactivate(&self, id: &AgentId) -> Result<(), Refusal> {
        let Some(deactivation) = self.agents.deactivation(id) else {
            return Err(Refusal::Invalid("Agent is not deactivated".to_owned()));
        };
        self.may_change(id)?;
        if deactivation.is_draining() {
            return Err(Refusal::Invalid("Agent is still in the DRAINING state".to_owned()));
        }
        Ok(())
    }

    fn deactivate_agent(
        &mut self,
        step: &mut Step<'_>,
        id: AgentId,
        deactivation: Deactivation,
        request: Option<RequestId>,
    ) {
        self.agents.busy.insert(id.clone());
        let mutation = Mutation::Deactivate(id.clone(), deactivation);
        self.persist(step, mutation, Pending::Deactivate(id, deactivation, request));
    }

    /// It is durable that an agent is out of use.
    pub(super) fn now_deactivated(
        &mut self,
        step: &mut Step<'_>,
        id: &AgentId,
        deactivation: Deactivation,
        request: Option<RequestId>,
    ) {
        let ix = self.agents.find(id);
        let was_active = ix.and_then(|ix| self.agents.get(ix)).is_some_and(super::Agent::is_active);
        self.agents.set_deactivation(id, Some(deactivation));
        if let Some(ix) = ix {
            if was_active {
                step.allocation(allocation::Event::AgentActive { agent: ix, active: false });
                self.rescind_agent(step, ix);
            }
            self.show_agent(step, ix);
            if deactivation.is_draining() {
                self.tell_drain(step, ix);
            }
        }
        if let Some(request) = request {
            step.push(Effect::Answer(request, Answer::Done));
        }
    }

    /// It is durable that an agent is in use again.
    pub(super) fn now_reactivated(
        &mut self,
        step: &mut Step<'_>,
        id: &AgentId,
        request: RequestId,
    ) {
        self.agents.set_deactivation(id, None);
        if let Some(ix) = self.agents.find(id) {
            self.show_agent(step, ix);
            if self.agents.get(ix).is_some_and(super::Agent::is_active) {
                step.allocation(allocation::Event::AgentActive { agent: ix, active: true });
                self.ask_about(step, ix);
            }
        }
        step.push(Effect::Answer(request, Answer::Done));
    }

    /// Tells an agent that it is to be emptied, if it is. Also one that is empty is told when it
    /// comes back: it may know of tasks that this master does not.
    pub(super) fn tell_drain(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        let Some(agent) = self.agents.get_mut(ix) else { return };
        let Some(drain) = agent.deactivated.and_then(|deactivation| deactivation.drain) else {
            return;
        };
        if agent.state == State::Connected {
            agent.drain_told.get_or_insert(step.wall);
            step.agent(&agent.pid, ToAgent::Drain(drain.config));
            step.changed(agent.change());
        }
        self.drained_if_empty(step, ix);
    }

    /// An agent that is being emptied is empty once all its tasks ended and their frameworks know.
    /// That is written, too; if it is to be gone then, that is all there is to write.
    pub(crate) fn drained_if_empty(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        let Some(agent) = self.agents.get(ix) else { return };
        let Some(drain) = agent.deactivated.and_then(|deactivation| deactivation.drain) else {
            return;
        };
        let over = drain.drained || agent.state == State::Leaving;
        let id = agent.id.clone();
        if over || !agent.tasks.is_empty() || self.agents.busy.contains(&id) {
            return;
        }
        if drain.config.mark_gone {
            return self.mark_gone(step, id, None);
        }
        let drain = Some(DrainInfo { drained: true, ..drain });
        self.deactivate_agent(step, id, Deactivation { drain }, None);
    }
}
