//! Who is asked, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reeve_model::Unavailability;
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::InverseOffer;
use super::store::Talk;
use crate::agents::Agent;
use crate::effect::ToScheduler;
use crate::master::{Master, Timer};
use crate::step::Step;
use crate::view::Change;

impl Master {
    /// Asks frameworks about agents that they have something on, unless they were asked before.
    pub(crate) fn ask(&mut self, step: &mut Step<'_>, pairs: Vec<(AgentIx, FrameworkIx)>) {
        let mut made = BTreeMap::<FrameworkIx, Vec<Arc<InverseOffer>>>::new();
        for (ix, fx) in pairs {
            if let Some(offer) = self.make_inverse_offer(step, ix, fx) {
                made.entry(fx).or_default().push(offer);
            }
        }
        for (fx, offers) in made {
            self.tell(step, fx, ToScheduler::InverseOffers(offers));
        }
    }

    /// Asks everybody who has something on an agent.
    pub(crate) fn ask_about(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        let pairs = self.to_ask_about(ix);
        self.ask(step, pairs);
    }

    /// Asks a framework that has just come about every agent that it has tasks or executors on.
    pub(crate) fn ask_framework(&mut self, step: &mut Step<'_>, fx: FrameworkIx) {
        if self.machines.plan.machines.is_empty() {
            return;
        }
        let Some(framework) = self.frameworks.get(fx) else { return };
        let there = framework.agents.keys().copied().filter(|ix| self.has_something(*ix, fx));
        let pairs = there.map(|ix| (ix, fx)).collect();
        self.ask(step, pairs);
    }

    /// Everybody who has something on an agent, if it has maintenance ahead.
    pub(crate) fn to_ask_about(&self, ix: AgentIx) -> Vec<(AgentIx, FrameworkIx)> {
        if self.unavailability_of(ix).is_none() {
            return Vec::new();
        }
        let Some(agent) = self.agents.get(ix) else { return Vec::new() };
        let all: BTreeSet<FrameworkIx> = self.owners_on(agent).collect();
        all.into_iter().map(|fx| (ix, fx)).collect()
    }

    /// When an agent's machine is to be down.
    pub(crate) fn unavailability_of(&self, ix: AgentIx) -> Option<Unavailability> {
        let agent = self.agents.get(ix)?;
        self.machines.unavailability(&agent.info, &agent.pid)
    }

    /// Whether a framework has an offer, a task that has not ended, or an executor on an agent.
    pub(crate) fn has_something(&self, ix: AgentIx, fx: FrameworkIx) -> bool {
        self.agents.get(ix).is_some_and(|agent| self.owners_on(agent).any(|owner| owner == fx))
    }

    /// Whose everything on an agent is, once or more.
    fn owners_on<'a>(&'a self, agent: &'a Agent) -> impl Iterator<Item = FrameworkIx> + 'a {
        let offers = agent.offers.iter().filter_map(|number| self.offers.get(*number));
        let tasks = agent.tally.iter().map(|(fx, ..)| fx);
        let executors = agent.executors.keys().map(|(fx, _)| *fx);
        offers.map(|live| live.framework).chain(tasks).chain(executors)
    }

    fn make_inverse_offer(
        &mut self,
        step: &mut Step<'_>,
        ix: AgentIx,
        fx: FrameworkIx,
    ) -> Option<Arc<InverseOffer>> {
        if self.inverse_offers.get(ix, fx).is_some() {
            return None;
        }
        let unavailability = self.unavailability_of(ix)?;
        let agent = self.agents.get(ix).filter(|agent| agent.is_active())?;
        let framework = self.frameworks.get(fx).filter(|framework| framework.is_active())?;
        let (_, id) = self.offers.number();
        let offer = Arc::new(InverseOffer {
            id,
            framework: framework.id.clone(),
            agent_id: agent.id.clone(),
            agent: agent.info.clone(),
            pid: agent.pid.clone(),
            unavailability,
        });
        self.inverse_offers.set(ix, fx, Talk::Asked(offer.clone()));
        if let Some(timeout) = self.options.offer_timeout {
            self.timers.set(Timer::Inverse(ix, fx), step.now + timeout);
        }
        step.changed(Change::InverseOfferMade(offer.clone()));
        Some(offer)
    }
}
