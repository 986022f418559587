//! Pings, broken connections, and the times until an agent is given up (AGM-3).

use reeve_model::{Pid, Reason};
use reeve_module_sdk::allocator::AgentIx;

use super::removals::Cause;
use super::{Pings, State};
use crate::allocation;
use crate::effect::{ToAgent, ToScheduler};
use crate::master::{Master, Timer};
use crate::step::Step;

impl Master {
    /// The time between two pings is over.
    pub(crate) fn ping_due(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        let limit = self.options.max_agent_ping_timeouts;
        let Some(agent) = self.agents.get_mut(ix) else { return };
        let unanswered = match agent.pings {
            Pings::Answered => 0,
            Pings::Waiting(before) => before + 1,
        };
        let id = agent.id.clone();
        if unanswered >= limit {
            self.give_up(step, ix, Cause::Silent);
            if !self.agents.removals.waits(&id) {
                return;
            }
        }
        let Some(agent) = self.agents.get_mut(ix) else { return };
        agent.pings = Pings::Waiting(unanswered);
        let connected = agent.state == State::Connected;
        step.agent(&agent.pid, ToAgent::Ping { connected });
        self.timers.set(Timer::Ping(ix), step.now + self.options.agent_ping_timeout);
    }

    /// An agent answered a ping.
    pub(crate) fn agent_ponged(&mut self, step: &mut Step<'_>, pid: &Pid) {
        let agent = self.agents.at(pid).and_then(|ix| self.agents.get_mut(ix));
        let Some(agent) = agent.filter(|agent| agent.pings != Pings::Answered) else { return };
        agent.pings = Pings::Answered;
        let id = agent.id.clone();
        self.break_silence(step, &id);
    }

    /// The connection to an agent or a driver broke.
    pub(crate) fn link_broken(&mut self, step: &mut Step<'_>, pid: &Pid) {
        if let Some(ix) = self.agents.at(pid) {
            self.disconnect_agent(step, ix);
        }
        if let Some(fx) = self.frameworks.driven_by(pid) {
            // If the driver lives, it does not know, and would wait for offers for ever.
            self.tell(step, fx, ToScheduler::Error("Framework disconnected".to_owned()));
            self.disconnect_framework(step, fx);
        }
    }

    pub(super) fn disconnect_agent(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        let Some(agent) = self.agents.get_mut(ix) else { return };
        if agent.state != State::Connected {
            return;
        }
        let was_active = agent.is_active();
        agent.state = State::Disconnected;
        step.changed(agent.change());
        if was_active {
            step.allocation(allocation::Event::AgentActive { agent: ix, active: false });
            self.rescind_agent(step, ix);
        }
        self.lose_unchecked(step, ix);
        let end = step.now + self.options.agent_reregister_timeout;
        self.timers.set(Timer::Reregister(ix), end);
    }

    /// Tasks and executors of frameworks without checkpointing do not outlive their agent (RC-5).
    fn lose_unchecked(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        let Some(agent) = self.agents.get(ix) else { return };
        let message = format!("Agent {} disconnected", agent.info.hostname);
        let unchecked = |fx| self.frameworks.get(fx).is_some_and(|f| !f.info.checkpoint);
        let tasks: Vec<_> = agent
            .tasks
            .iter()
            .copied()
            .filter(|tx| self.tasks.get(*tx).is_some_and(|task| unchecked(task.framework)))
            .collect();
        let executors: Vec<_> =
            agent.executors.keys().filter(|(fx, _)| unchecked(*fx)).cloned().collect();
        for tx in tasks {
            self.lose_task(step, tx, Reason::AgentDisconnected, &message);
        }
        for (fx, executor) in executors {
            self.remove_executor(step, fx, ix, &executor);
        }
    }

    /// A disconnected agent did not come back in time.
    pub(crate) fn reregistration_overdue(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        self.give_up(step, ix, Cause::Disconnected);
    }

    /// A registered agent is out of reach.
    fn give_up(&mut self, step: &mut Step<'_>, ix: AgentIx, cause: Cause) {
        let Some(id) = self.agents.get(ix).map(|agent| agent.id.clone()) else { return };
        if self.agents.busy.contains(&id) {
            // Something else about it is being written: see again when that is over.
            self.timers.set(Timer::Ping(ix), step.now + self.options.agent_ping_timeout);
            return;
        }
        self.schedule_removal(step, id, cause);
    }

    /// Nothing is offered of an agent on its way out, and nothing it says counts.
    pub(super) fn deactivate(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        self.timers.cancel(&Timer::Ping(ix));
        self.timers.cancel(&Timer::Reregister(ix));
        let Some(agent) = self.agents.get_mut(ix) else { return };
        let was_active = agent.is_active();
        agent.state = State::Leaving;
        step.changed(agent.change());
        if was_active {
            step.allocation(allocation::Event::AgentActive { agent: ix, active: false });
            self.rescind_agent(step, ix);
        }
    }
}
