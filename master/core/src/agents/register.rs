//! Agents that join, and what every registered agent is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reeve_machine::Wall;
use reeve_model::{AgentId, AgentInfo, Pid, Resources};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::{Agent, Pending, Pings, State};
use crate::allocation;
use crate::effect::{Effect, Mutation, ToAgent};
use crate::event::Registration;
use crate::master::{Master, Timer};
use crate::step::{Step, numbered};
use crate::tasks::Tally;
use crate::view::Leaving;

impl Master {
    /// An agent asks to join (AGM-1). One that is too old, or whose admission is being written, is
    /// not answered: it asks again.
    pub(crate) fn agent_registers(
        &mut self,
        step: &mut Step<'_>,
        pid: Pid,
        registration: Box<Registration>,
    ) {
        if !is_supported(&registration.version) || self.agents.joining.contains(&pid) {
            return;
        }
        if self.sends_away(step, &registration.info, &pid) {
            return;
        }
        // Whoever wanted to return there is there no longer.
        self.agents.returning.retain(|_, (at, _)| *at != pid);
        if let Some(ix) = self.agents.at(&pid) {
            let Some(agent) = self.agents.get(ix) else { return };
            match agent.state {
                // Our answer got lost.
                State::Connected if agent.may_be(&registration) => return self.confirm(step, ix),
                // And the connection with it. (Mesos takes it for another agent.)
                State::Disconnected if agent.is_unanswered(&registration) => {
                    return self.confirm_again(step, ix);
                }
                State::Connected | State::Disconnected => {
                    self.leave(step, ix, Leaving::Replaced);
                }
                State::Leaving => {}
            }
        }
        let id = self.new_agent_id();
        self.agents.joining.insert(pid.clone());
        self.agents.busy.insert(id.clone());
        let info = Arc::new(AgentInfo { id: Some(id.clone()), ..registration.info.clone() });
        self.persist(step, Mutation::Admit(info), Pending::Admit(pid, id, registration));
    }

    /// An id that no agent has or claims.
    fn new_agent_id(&mut self) -> AgentId {
        loop {
            let id = AgentId::new(numbered(self.name(), "-S", self.agents.next));
            self.agents.next += 1;
            if !self.agents.is_taken(&id) {
                return id;
            }
        }
    }

    /// What was written about an agent is durable: what waited for it goes on.
    pub(crate) fn agent_written(&mut self, step: &mut Step<'_>, pending: Pending) {
        let id = pending.agent().clone();
        self.agents.busy.remove(&id);
        self.go_on_with_agent(step, pending);
        self.down_after_all(step, &id);
        self.return_at_last(step, &id);
    }

    fn go_on_with_agent(&mut self, step: &mut Step<'_>, pending: Pending) {
        match pending {
            Pending::Admit(pid, id, registration) => {
                self.agents.joining.remove(&pid);
                self.vacate(step, &pid);
                let ix = self.admit(step, pid, id, *registration, None);
                self.show_agent(step, ix);
                self.announce(step, ix, Vec::new());
                self.confirm(step, ix);
            }
            Pending::Readmit(pid, id, reregistration, message) => {
                let (pid, back) = self.newest(&id, pid, reregistration);
                self.readmit(step, pid, id, *back, message);
            }
            Pending::Revise(pid, id, reregistration) => {
                let (pid, back) = self.newest(&id, pid, reregistration);
                self.revise(step, pid, &id, *back);
            }
            Pending::Unreachable(id, since, why) => {
                self.now_unreachable(step, id, since, why);
            }
            Pending::Remove(id, why) => {
                self.now_removed(step, &id, why);
            }
            Pending::Gone(id, since, request) => {
                self.now_gone(step, id, since, request);
            }
            Pending::Deactivate(id, deactivation, request) => {
                self.now_deactivated(step, &id, deactivation, request);
            }
            Pending::Reactivate(id, request) => {
                self.now_reactivated(step, &id, request);
            }
            Pending::Forget(id) => {
                self.now_forgotten(step, id);
            }
        }
    }

    /// Puts an agent among the registered ones. Nobody is told yet.
    pub(super) fn admit(
        &mut self,
        step: &mut Step<'_>,
        pid: Pid,
        id: AgentId,
        registration: Registration,
        returned: Option<Wall>,
    ) -> AgentIx {
        let own = registration.info.resources.with_checkpointed(&registration.checkpointed);
        let info = Arc::new(AgentInfo { id: Some(id.clone()), ..registration.info });
        let agent = Agent {
            id,
            info,
            pid: pid.clone(),
            version: registration.version,
            capabilities: registration.capabilities,
            resource_version: registration.resource_version,
            registered: step.wall,
            reregistered: returned,
            state: State::Connected,
            deactivated: None,
            drain_told: None,
            pings: Pings::Answered,
            free: own.non_shared(),
            own,
            oversubscribed: Resources::new(),
            debt: Resources::new(),
            tasks: BTreeSet::new(),
            offers: BTreeSet::new(),
            executors: BTreeMap::new(),
            tally: Tally::default(),
        };
        let ix = self.agents.insert(step.now, agent);
        step.push(Effect::Link(pid));
        self.timers.set(Timer::Ping(ix), step.now + self.options.agent_ping_timeout);
        ix
    }

    /// Tells the allocation machine of a new agent, and of what is used and runs on it.
    pub(super) fn announce(
        &mut self,
        step: &mut Step<'_>,
        ix: AgentIx,
        used: Vec<(FrameworkIx, Resources)>,
    ) {
        let Some(agent) = self.agents.get(ix) else { return };
        step.allocation(allocation::Event::AgentAdded {
            agent: ix,
            info: Box::new(agent.facts()),
            total: agent.total(),
            used,
            active: agent.is_active(),
        });
        for (framework, role, count) in agent.tally.iter() {
            let role = role.clone();
            step.allocation(allocation::Event::Tasks { framework, role, agent: ix, count });
        }
    }

    /// Tells readers how an agent is.
    pub(crate) fn show_agent(&self, step: &mut Step<'_>, ix: AgentIx) {
        if let Some(agent) = self.agents.get(ix) {
            step.changed(agent.change());
        }
    }

    /// An agent that was never answered is connected again.
    fn confirm_again(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        let Some(agent) = self.agents.get_mut(ix) else { return };
        agent.state = State::Connected;
        let (id, pid, is_active) = (agent.id.clone(), agent.pid.clone(), agent.is_active());
        self.cancel_removal(step, &id);
        self.timers.cancel(&Timer::Reregister(ix));
        step.push(Effect::Link(pid));
        self.show_agent(step, ix);
        if is_active {
            step.allocation(allocation::Event::AgentActive { agent: ix, active: true });
        }
        self.confirm(step, ix);
    }

    fn confirm(&self, step: &mut Step<'_>, ix: AgentIx) {
        let Some(agent) = self.agents.get(ix) else { return };
        let ping_timeout = self.options.total_ping_timeout();
        let message = ToAgent::Registered { agent: agent.id.clone(), ping_timeout };
        step.agent(&agent.pid, message);
    }
}

/// Agents older than 1.0.0 are not supported (AGM-1).
fn is_supported(version: &str) -> bool {
    version.split('.').next().and_then(|major| major.parse::<u64>().ok()).is_some_and(|n| n >= 1)
}
