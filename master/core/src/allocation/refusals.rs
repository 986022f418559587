//! Refusals and their ends, into the books. What they mean on one agent is in `filters`.

use std::time::Duration;

use reeve_machine::Tick;
use reeve_model::{Resources, Role};
use reeve_module_sdk::allocator::{AgentIx, Change, FrameworkIx, RoleIx};

use super::books::Books;
use super::filters::Client;

impl Books {
    pub(super) fn refuse(
        &mut self,
        framework: FrameworkIx,
        role: &Role,
        agent: AgentIx,
        refused: &Resources,
        lasts: Duration,
    ) {
        let until = self.now + lasts.max(self.options.allocation_interval);
        let number = self.roles.ensure(role, &mut self.changes);
        let Some(known) = self.framework_mut(framework) else { return };
        if !known.active {
            return;
        }
        known.refused_on.insert(agent);
        let Some(book) = self.agent_mut(agent) else { return };
        let client = (framework, number);
        let refused = refused.filter(|one| !one.shared).unallocated();
        if refused.is_empty() {
            return;
        }
        let blocked = book.filters.refuse(client, refused, until);
        let end = book.filters.first_end(client);
        if blocked {
            self.tell_blocked(client, agent, true);
        }
        if let Some(end) = end {
            self.ends.set((agent, framework, number), end);
        }
    }

    pub(super) fn tell_blocked(&mut self, client: Client, agent: AgentIx, blocked: bool) {
        let (framework, role) = client;
        self.changes.push(if blocked {
            Change::Blocked { framework, role, agent }
        } else {
            Change::Unblocked { framework, role, agent }
        });
    }

    /// Drops the refusals whose time has come.
    pub(super) fn expire(&mut self) {
        while let Some((agent, framework, role)) = self.ends.due(self.now) {
            self.end_refusals(agent, (framework, role), Some(self.now));
        }
    }

    /// Drops refusals of a client on an agent: those that ended until `now`, or all.
    fn end_refusals(&mut self, agent: AgentIx, client: Client, now: Option<Tick>) {
        let Some(book) = self.agent_mut(agent) else { return };
        let unblocked = book.filters.expire(client, now);
        let next = book.filters.first_end(client);
        if unblocked {
            self.tell_blocked(client, agent, false);
        }
        match next {
            Some(end) => {
                self.ends.set((agent, client.0, client.1), end);
            }
            None => self.forget_refusals(agent, client),
        }
    }

    /// Nothing of a client's refusals is left on the agent, or the agent itself is not.
    pub(super) fn forget_refusals(&mut self, agent: AgentIx, client: Client) {
        self.ends.cancel(&(agent, client.0, client.1));
        let (framework, _) = client;
        let named = self.agent(agent).is_some_and(|book| {
            let roles = self.framework(framework).map_or(&[][..], |known| &known.roles);
            roles.iter().any(|role| book.filters.names((framework, role.role)))
        });
        if !named && let Some(known) = self.framework_mut(framework) {
            known.refused_on.remove(&agent);
        }
    }

    /// Drops what a framework refused, in one role or in all.
    pub(super) fn clear_refusals(&mut self, framework: FrameworkIx, role: Option<&Role>) {
        let role = match role {
            Some(role) => match self.roles.find(role) {
                Some(number) => Some(number),
                None => return,
            },
            None => None,
        };
        let Some(known) = self.framework(framework) else { return };
        let roles: Vec<RoleIx> = match role {
            Some(role) => vec![role],
            None => known.roles.iter().map(|known| known.role).collect(),
        };
        let agents: Vec<AgentIx> = known.refused_on.iter().copied().collect();
        for agent in agents {
            for &role in &roles {
                self.end_refusals(agent, (framework, role), None);
            }
        }
    }

    /// A framework's constraints or capabilities changed: what was barred may suit it now.
    pub(super) fn judge_anew(&mut self, framework: FrameworkIx) {
        let Some(known) = self.framework(framework) else { return };
        let roles: Vec<RoleIx> = known.roles.iter().map(|known| known.role).collect();
        let agents: Vec<AgentIx> = known.refused_on.iter().copied().collect();
        for agent in agents {
            for &role in &roles {
                let Some(book) = self.agent_mut(agent) else { continue };
                let client = (framework, role);
                if book.filters.is_barred(client) && book.filters.unbar(client) {
                    self.tell_blocked(client, agent, false);
                }
                if self.ends.get(&(agent, framework, role)).is_none() {
                    self.forget_refusals(agent, client);
                }
            }
        }
    }

    /// Drops every refusal on an agent; who can never be offered it stays barred.
    pub(super) fn drop_filters(&mut self, agent: AgentIx) {
        let Some(book) = self.agent(agent) else { return };
        for client in book.filters.clients() {
            self.end_refusals(agent, client, None);
        }
    }
}
