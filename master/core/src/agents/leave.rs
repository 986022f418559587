//! Agents that are out of reach or leave for good, and what becomes of what ran on them (FL-13).

use reeve_machine::Wall;
use reeve_model::{AgentId, Pid, Reason};
use reeve_module_sdk::allocator::AgentIx;

use super::Pending;
use crate::allocation;
use crate::effect::{Effect, Mutation, ToScheduler};
use crate::master::{Master, Timer};
use crate::step::Step;
use crate::view::{Change, Departure};

impl Master {
    /// An agent says that it leaves for good.
    pub(crate) fn agent_unregisters(&mut self, step: &mut Step<'_>, pid: &Pid, id: &AgentId) {
        if let Some(ix) = self.agents.speaking(pid, id) {
            self.leave(step, ix, "the agent unregistered");
        }
    }

    /// A registered agent is to leave; that is written before anybody hears of it.
    pub(super) fn leave(&mut self, step: &mut Step<'_>, ix: AgentIx, why: &str) {
        let Some(id) = self.agents.get(ix).map(|agent| agent.id.clone()) else { return };
        if !self.agents.busy.insert(id.clone()) {
            return;
        }
        self.deactivate(step, ix);
        self.persist(step, Mutation::Remove(id.clone()), Pending::Remove(id, why.to_owned()));
    }

    /// An agent turns up at an address: whoever was there before is there no longer.
    pub(super) fn vacate(&mut self, step: &mut Step<'_>, pid: &Pid) {
        let Some(before) = self.agents.at(pid) else { return };
        // If something else about it is being written, it has its time to come back.
        self.disconnect_agent(step, before);
        self.leave(step, before, "another agent registered at the same address");
    }

    /// It is durable that an agent is out of reach.
    pub(super) fn now_unreachable(
        &mut self,
        step: &mut Step<'_>,
        id: AgentId,
        since: Wall,
        why: &str,
    ) {
        self.agents.stop_awaiting(&id);
        if let Some(ix) = self.agents.find(&id) {
            self.part_with_tasks(step, ix, Some(since), why);
            self.part_with(step, ix);
        }
        self.agents.lose(id.clone(), since);
        step.changed(Change::AgentLeft(id.clone(), Departure::Unreachable(since)));
        self.tell_all_lost(step, &id);
    }

    /// It is durable that an agent left for good.
    pub(super) fn now_removed(&mut self, step: &mut Step<'_>, id: &AgentId, why: &str) {
        self.agents.stop_awaiting(id);
        if let Some(ix) = self.agents.find(id) {
            self.part_with_tasks(step, ix, None, why);
            self.part_with(step, ix);
        }
        step.changed(Change::AgentLeft(id.clone(), Departure::Removed));
        self.tell_all_lost(step, id);
    }

    fn part_with_tasks(
        &mut self,
        step: &mut Step<'_>,
        ix: AgentIx,
        unreachable: Option<Wall>,
        why: &str,
    ) {
        let Some(agent) = self.agents.get(ix) else { return };
        let tasks: Vec<_> = agent.tasks.iter().copied().collect();
        let executors: Vec<_> = agent.executors.keys().cloned().collect();
        let host = &agent.info.hostname;
        let message = match unreachable {
            Some(_) => format!("Agent {host} is unreachable: {why}"),
            None => format!("Agent {host} removed: {why}"),
        };
        for tx in tasks {
            match unreachable {
                Some(since) => self.task_unreachable(step, tx, since, &message),
                None => self.lose_task(step, tx, Reason::AgentRemoved, &message),
            }
        }
        for (fx, executor) in executors {
            self.remove_executor(step, fx, ix, &executor);
        }
    }

    /// Forgets a registered agent whose tasks, executors and offers are gone.
    fn part_with(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        self.timers.cancel(&Timer::Ping(ix));
        self.timers.cancel(&Timer::Reregister(ix));
        if let Some(agent) = self.agents.remove(step.now, ix) {
            // A successor at the same address has the connection now.
            if self.agents.at(&agent.pid).is_none() && !self.agents.joining.contains(&agent.pid) {
                step.push(Effect::Unlink(agent.pid));
            }
            step.allocation(allocation::Event::AgentRemoved { agent: ix });
        }
    }

    /// Every framework hears that an agent is lost (AGM-6).
    fn tell_all_lost(&self, step: &mut Step<'_>, id: &AgentId) {
        for scheduler in self.frameworks.schedulers() {
            step.scheduler(scheduler, ToScheduler::Failure(id.clone(), None));
        }
    }

    /// Forgets agents that are out of reach for too long, or too many (MA-5).
    pub(crate) fn forget_due(&mut self, step: &mut Step<'_>) {
        self.timers.set(Timer::Forget, step.now + super::FORGET_INTERVAL);
        let age = self.options.registry_max_agent_age;
        let excess = self.agents.lost().len().saturating_sub(self.options.registry_max_agent_count);
        let old: Vec<AgentId> = self
            .agents
            .lost()
            .enumerate()
            .take_while(|(at, (since, _))| *at < excess || step.wall.since(*since) > age)
            .map(|(_, (_, id))| id.clone())
            .filter(|id| !self.agents.busy.contains(id))
            .collect();
        for id in old {
            self.agents.busy.insert(id.clone());
            self.persist(step, Mutation::Remove(id.clone()), Pending::Forget(id));
        }
    }

    /// It is durable that an unreachable agent is forgotten.
    pub(super) fn now_forgotten(&mut self, step: &mut Step<'_>, id: AgentId) {
        self.agents.find_again(&id);
        self.forget_unreachable_on(step, &id);
        step.changed(Change::AgentForgotten(id));
    }
}
