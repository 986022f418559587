//! What frameworks are asked, and have answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reeve_model::{AgentId, AgentInfo, FrameworkId, OfferId, Pid, Unavailability};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

/// An inverse offer as it is sent (SE-3). It is about a whole agent, so it names no resources.
#[derive(Clone, Debug)]
pub struct InverseOffer {
    /// Its id; no other offer has the same.
    pub id: OfferId,
    /// Who is asked.
    pub framework: FrameworkId,
    /// About which agent.
    pub agent_id: AgentId,
    /// The agent: hostname.
    pub agent: Arc<AgentInfo>,
    /// Where the agent listens, for the offer's `url`.
    pub pid: Pid,
    /// When the agent's machine is to be down.
    pub unavailability: Unavailability,
}

/// How it stands between a framework and an agent; see the diagram above.
#[derive(Clone, Debug)]
pub(crate) enum Talk {
    /// The framework has not answered yet.
    Asked(Arc<InverseOffer>),
    /// It has answered, and is not asked again for some time.
    Answered,
}

/// All talks, of which there are none about agents without maintenance ahead.
#[derive(Debug, Default)]
pub(crate) struct InverseOffers {
    talks: BTreeMap<(AgentIx, FrameworkIx), Talk>,
    by_framework: BTreeSet<(FrameworkIx, AgentIx)>,
    by_id: BTreeMap<OfferId, (AgentIx, FrameworkIx)>,
}

impl InverseOffers {
    pub fn get(&self, ix: AgentIx, fx: FrameworkIx) -> Option<&Talk> {
        self.talks.get(&(ix, fx))
    }

    /// Who is asked about which agent by the outstanding inverse offer of this id.
    pub fn find(&self, id: &OfferId) -> Option<(AgentIx, FrameworkIx)> {
        self.by_id.get(id).copied()
    }

    /// The frameworks that are talked to about an agent.
    pub fn about(&self, ix: AgentIx) -> Vec<FrameworkIx> {
        let all = (ix, FrameworkIx(0))..=(ix, FrameworkIx(u32::MAX));
        self.talks.range(all).map(|((_, fx), _)| *fx).collect()
    }

    /// The agents that a framework is talked to about.
    pub fn with(&self, fx: FrameworkIx) -> Vec<AgentIx> {
        let all = (fx, AgentIx(0))..=(fx, AgentIx(u32::MAX));
        self.by_framework.range(all).map(|(_, ix)| *ix).collect()
    }

    pub fn set(&mut self, ix: AgentIx, fx: FrameworkIx, talk: Talk) {
        self.remove(ix, fx);
        if let Talk::Asked(offer) = &talk {
            self.by_id.insert(offer.id.clone(), (ix, fx));
        }
        self.by_framework.insert((fx, ix));
        self.talks.insert((ix, fx), talk);
    }

    pub fn remove(&mut self, ix: AgentIx, fx: FrameworkIx) -> Option<Talk> {
        let talk = self.talks.remove(&(ix, fx))?;
        self.by_framework.remove(&(fx, ix));
        if let Talk::Asked(offer) = &talk {
            self.by_id.remove(&offer.id);
        }
        Some(talk)
    }

    pub fn iter(&self) -> impl Iterator<Item = (AgentIx, FrameworkIx, &Talk)> {
        self.talks.iter().map(|((ix, fx), talk)| (*ix, *fx, talk))
    }
}
