//! Resources of a registered agent that change while it runs.

use reeve_model::{AgentId, Pid};

use crate::allocation;
use crate::event::AgentUpdate;
use crate::master::Master;
use crate::step::Step;

impl Master {
    /// An agent says what it has to give beyond its own (`UpdateSlaveMessage`). Offers of
    /// oversubscribed resources are taken back: they may not be there any more.
    pub(crate) fn agent_updates(
        &mut self,
        step: &mut Step<'_>,
        pid: &Pid,
        id: &AgentId,
        update: AgentUpdate,
    ) {
        let Some(ix) = self.agents.speaking(pid, id) else { return };
        let Some(agent) = self.agents.get_mut(ix) else { return };
        if update.resource_version.is_some() {
            agent.resource_version = update.resource_version;
        }
        let Some(oversubscribed) = update.oversubscribed else { return };
        let oversubscribed = oversubscribed.unallocated().revocable();
        if oversubscribed == agent.oversubscribed {
            return;
        }
        let own = agent.own.clone();
        agent.retotal(own, oversubscribed);
        let total = agent.total();
        let offers: Vec<_> = agent.offers.iter().copied().collect();
        step.changed(agent.change());
        for offer in offers {
            if self.offers.get(offer).is_some_and(|o| !o.offer.resources.revocable().is_empty()) {
                self.rescind(step, offer);
            }
        }
        step.allocation(allocation::Event::AgentChanged { agent: ix, total });
    }
}
