//! How things stand, for modules that do more than order: nothing here changes anything.

use reeve_module_sdk::allocator::{
    AgentIx, Amounts, FrameworkIx, Reserved, RoleIx, TAKES_REVOCABLE,
};

use crate::agents::Agent;
use crate::engine::Engine;
use crate::policy::Policy;
use crate::tree::Client;

/// An agent as a framework in a role sees it.
#[derive(Clone, Debug)]
pub struct View {
    /// The scalars that are free there and that it may have.
    pub free: Amounts,
    /// Whether it has what the agent needs.
    pub fits: bool,
    /// Whether it must not be offered the agent now: a filter, or a constraint.
    pub blocked: bool,
}

impl<P: Policy> Engine<P> {
    /// An agent as a framework in a role sees it.
    pub fn view(&self, agent: AgentIx, framework: FrameworkIx, role: RoleIx) -> Option<View> {
        let slot = self.client(framework, role)?;
        let (client, agent) = (&self.tree.clients[slot as usize], self.agents.get(agent)?);
        Some(View {
            free: self.scalars_for(client, agent),
            fits: client.has & agent.needs == agent.needs,
            blocked: agent.blocked.has(slot),
        })
    }

    /// The agents where something is free.
    pub fn agents_with_something(&self) -> impl Iterator<Item = AgentIx> {
        self.agents.with_something_free().map(|(agent, _)| agent)
    }

    /// What an offer to the framework must hold at the least: all of any one entry.
    pub fn minimum(&self, framework: FrameworkIx, role: RoleIx) -> &[Amounts] {
        let slot = self.client(framework, role);
        slot.map_or(&[], |slot| &self.tree.clients[slot as usize].minimum)
    }

    /// Whether the role may have so much more before a quota limit is reached.
    pub fn is_below_limit(&self, role: RoleIx, more: &Amounts) -> bool {
        self.quotas.allows(self.tree.top_of(role), more)
    }

    /// The id of a framework.
    pub fn framework_id(&self, framework: FrameworkIx) -> Option<&str> {
        self.frameworks.get(framework.0 as usize)?.as_ref().map(|known| &*known.id)
    }

    pub(crate) fn scalars_for(&self, client: &Client, agent: &Agent) -> Amounts {
        let mut scalars = agent.free.unreserved.clone();
        for Reserved { role, amounts } in &agent.free.reserved {
            if self.tree.is_within(client.role, *role) {
                scalars.add(amounts);
            }
        }
        if client.has & TAKES_REVOCABLE != 0 {
            scalars.add(&agent.free.revocable);
        }
        scalars
    }
}
