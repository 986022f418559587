//! Agents that are out of reach or leave for good, and what becomes of what ran on them (FL-13).

use reeve_machine::Wall;
use reeve_model::{AgentId, Pid, Reason};
use reeve_module_sdk::allocator::AgentIx;

use super::Pending;
use super::removals::Cause;
use crate::allocation;
use crate::effect::{Effect, Mutation, ToScheduler};
use crate::master::{Master, Timer};
use crate::step::Step;
use crate::view::{Change, Departure, Leaving};

impl Master {
    /// An agent says that it leaves for good.
    pub(crate) fn agent_unregisters(&mut self, step: &mut Step<'_>, pid: &Pid, id: &AgentId) {
        if let Some(ix) = self.agents.speaking(pid, id) {
            self.leave(step, ix, Leaving::Unregistered);
        }
    }

    /// A registered agent is to leave; that is written before anybody hears of it.
    pub(crate) fn leave(&mut self, step: &mut Step<'_>, ix: AgentIx, why: Leaving) {
        let Some(id) = self.agents.get(ix).map(|agent| agent.id.clone()) else { return };
        if !self.agents.busy.insert(id.clone()) {
            return;
        }
        self.cancel_removal(step, &id);
        self.deactivate(step, ix);
        self.persist(step, Mutation::Remove(id.clone()), Pending::Remove(id, why));
    }

    /// An agent turns up at an address: whoever was there before is there no longer.
    pub(super) fn vacate(&mut self, step: &mut Step<'_>, pid: &Pid) {
        let Some(before) = self.agents.at(pid) else { return };
        // If something else about it is being written, it has its time to come back.
        self.disconnect_agent(step, before);
        self.leave(step, before, Leaving::Replaced);
    }

    /// It is durable that an agent is out of reach.
    pub(super) fn now_unreachable(
        &mut self,
        step: &mut Step<'_>,
        id: AgentId,
        since: Wall,
        why: Cause,
    ) {
        self.agents.stop_awaiting(&id);
        let awaited = why == Cause::Awaited;
        let departure = Departure::Unreachable { since, awaited };
        if let Some(ix) = self.agents.find(&id) {
            let why = why.text(self.options.agent_reregister_timeout);
            let message = format!("Agent {} is unreachable: {why}", self.host(ix));
            self.part_with_tasks(step, ix, &departure, &message);
            self.part_with(step, ix);
        }
        self.agents.lose(id.clone(), since);
        step.changed(Change::AgentLeft(id.clone(), departure));
        self.tell_all_lost(step, &id);
    }

    /// It is durable that an agent left for good.
    pub(super) fn now_removed(&mut self, step: &mut Step<'_>, id: &AgentId, why: Leaving) {
        self.agents.stop_awaiting(id);
        if let Some(ix) = self.agents.find(id) {
            let message = format!("Agent {} removed: {}", self.host(ix), why.text());
            self.part_with_tasks(step, ix, &Departure::Removed(why), &message);
            self.part_with(step, ix);
        }
        self.agents.set_deactivation(id, None);
        step.changed(Change::AgentLeft(id.clone(), Departure::Removed(why)));
        self.tell_all_lost(step, id);
    }

    fn host(&self, ix: AgentIx) -> &str {
        self.agents.get(ix).map_or("", |agent| &agent.info.hostname)
    }

    /// What ran on a registered agent that leaves is not there any more.
    pub(super) fn part_with_tasks(
        &mut self,
        step: &mut Step<'_>,
        ix: AgentIx,
        departure: &Departure,
        message: &str,
    ) {
        let Some(agent) = self.agents.get(ix) else { return };
        let tasks: Vec<_> = agent.tasks.iter().copied().collect();
        let executors: Vec<_> = agent.executors.keys().cloned().collect();
        for tx in tasks {
            match departure {
                Departure::Unreachable { since, .. } => {
                    self.task_unreachable(step, tx, *since, message);
                }
                Departure::Removed(_) => self.lose_task(step, tx, Reason::AgentRemoved, message),
                Departure::Gone(_) => self.task_gone(step, tx, message),
            }
        }
        for (fx, executor) in executors {
            self.remove_executor(step, fx, ix, &executor);
        }
    }

    /// Forgets a registered agent whose tasks, executors and offers are gone.
    pub(super) fn part_with(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        self.timers.cancel(&Timer::Ping(ix));
        self.timers.cancel(&Timer::Reregister(ix));
        self.end_talks_about(step, ix);
        if let Some(agent) = self.agents.remove(step.now, ix) {
            // A successor at the same address has the connection now.
            if self.agents.at(&agent.pid).is_none() && !self.agents.joining.contains(&agent.pid) {
                step.push(Effect::Unlink(agent.pid));
            }
            step.allocation(allocation::Event::AgentRemoved { agent: ix });
        }
    }

    /// Every framework hears that an agent is lost (AGM-6).
    pub(super) fn tell_all_lost(&self, step: &mut Step<'_>, id: &AgentId) {
        for scheduler in self.frameworks.schedulers() {
            step.scheduler(scheduler, ToScheduler::Failure(id.clone(), None));
        }
    }

    /// Forgets agents that are out of reach or gone for too long, or too many (MA-5).
    pub(crate) fn forget_due(&mut self, step: &mut Step<'_>) {
        self.timers.set(Timer::Forget, step.now + super::FORGET_INTERVAL);
        for id in self.agents.outdated(step.wall, &self.options) {
            if !self.agents.busy.insert(id.clone()) {
                continue;
            }
            self.persist(step, Mutation::Remove(id.clone()), Pending::Forget(id));
        }
    }

    /// It is durable that an unreachable or gone agent is forgotten.
    pub(super) fn now_forgotten(&mut self, step: &mut Step<'_>, id: AgentId) {
        self.agents.forget(&id);
        self.forget_unreachable_on(step, &id);
        step.changed(Change::AgentForgotten(id));
    }
}
