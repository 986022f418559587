//! Grants of the allocation machine, which become offers if they still can.

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve_module_sdk::allocator::FrameworkIx;

use super::{Live, Offer};
use crate::allocation::Granted;
use crate::effect::ToScheduler;
use crate::master::{Master, Timer};
use crate::step::Step;
use crate::view::Change;

impl Master {
    /// The allocation machine grants resources. What came too late, because the framework or the
    /// agent changed meanwhile, goes back to it.
    pub(crate) fn granted(&mut self, step: &mut Step<'_>, granted: Vec<Granted>) {
        let mut made = BTreeMap::<FrameworkIx, Vec<Arc<Offer>>>::new();
        let mut scheduled = Vec::new();
        for grant in granted {
            if self.can_offer(&grant) {
                let (framework, agent) = (grant.framework, grant.agent);
                if let Some(offer) = self.make_offer(step, grant) {
                    if offer.unavailability.is_some() {
                        scheduled.push((agent, framework));
                    }
                    made.entry(framework).or_default().push(offer);
                }
            } else {
                let Granted { framework, agent, resources, .. } = grant;
                // Not taken from the agent's books, so not given back to them either.
                step.allocation(crate::allocation::Event::Recover {
                    framework,
                    agent,
                    resources,
                    filter: None,
                });
            }
        }
        for (framework, offers) in made {
            self.tell(step, framework, ToScheduler::Offers(offers));
        }
        self.ask(step, scheduled);
    }

    fn can_offer(&self, grant: &Granted) -> bool {
        let Some(framework) = self.frameworks.get(grant.framework) else { return false };
        let Some(agent) = self.agents.get(grant.agent) else { return false };
        framework.is_active()
            && framework.info.has_role(&grant.role)
            && !framework.suppressed.contains(&grant.role)
            && agent.is_active()
            && !grant.resources.is_empty()
            && agent.has_free(&grant.resources)
    }

    fn make_offer(&mut self, step: &mut Step<'_>, grant: Granted) -> Option<Arc<Offer>> {
        let framework = self.frameworks.get_mut(grant.framework)?;
        let agent = self.agents.get_mut(grant.agent)?;
        let (number, id) = self.offers.number();
        agent.take(&grant.resources);
        agent.offers.insert(number);
        framework.offers.insert(number);
        let offer = Arc::new(Offer {
            id,
            framework: framework.id.clone(),
            role: grant.role,
            agent_id: agent.id.clone(),
            agent: agent.info.clone(),
            pid: agent.pid.clone(),
            executors: agent.executors_of(grant.framework).map(|(id, _)| id.clone()).collect(),
            resources: grant.resources,
            unavailability: self.machines.unavailability(&agent.info, &agent.pid),
        });
        let live = Live { framework: grant.framework, agent: grant.agent, offer: offer.clone() };
        self.offers.insert(number, live);
        if let Some(timeout) = self.options.offer_timeout {
            self.timers.set(Timer::Offer(number), step.now + timeout);
        }
        step.changed(Change::OfferMade(offer.clone()));
        Some(offer)
    }
}
