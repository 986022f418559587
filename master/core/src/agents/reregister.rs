//! Agents that return, with what runs on them (AGM-2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reeve_model::{
    AgentId, AgentInfo, ExecutorInfo, FrameworkId, FrameworkInfo, Pid, Reason, Resources,
    TaskStatus,
};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::gone::GONE;
use super::{Pending, State};
use crate::allocation;
use crate::effect::{Effect, Mutation, ToAgent};
use crate::event::{KnownTask, Reregistration};
use crate::master::{Master, Timer};
use crate::step::Step;
use crate::tasks::{Speech, mark_allocated};
use crate::view::TaskRecord;

impl Master {
    /// An agent returns. What must be durable first is written; while something about the agent is
    /// being written it waits.
    pub(crate) fn agent_reregisters(
        &mut self,
        step: &mut Step<'_>,
        pid: Pid,
        back: Box<Reregistration>,
    ) {
        let Some(id) = back.registration.info.id.clone() else { return };
        if self.agents.is_gone(&id) {
            return step.agent(&pid, ToAgent::Shutdown(GONE.to_owned()));
        }
        if self.sends_away(step, &back.registration.info, &pid) {
            return;
        }
        if self.agents.busy.contains(&id) {
            self.agents.returning.insert(id, (pid, back));
            return;
        }
        self.cancel_removal(step, &id);
        let info = Arc::new(back.registration.info.clone());
        if let Some(ix) = self.agents.find(&id) {
            let same = self.agents.get(ix).is_some_and(|agent| *agent.info == *info);
            if same {
                return self.return_registered(step, ix, pid, *back);
            }
            self.agents.busy.insert(id.clone());
            let pending = Pending::Revise(pid, id, back);
            return self.persist(step, Mutation::Admit(info), pending);
        }
        if let Some(known) = self.agents.awaited(&id) {
            if **known == *info {
                return self.readmit(step, pid, id, *back, None);
            }
            self.agents.busy.insert(id.clone());
            let pending = Pending::Readmit(pid, id, back, None);
            return self.persist(step, Mutation::Admit(info), pending);
        }
        let message = if self.agents.unreachable(&id).is_some() {
            "Unreachable agent reregistered"
        } else {
            "Unknown agent reregistered"
        };
        self.agents.busy.insert(id.clone());
        let pending = Pending::Readmit(pid, id, back, Some(message));
        self.persist(step, Mutation::MarkReachable(info), pending);
    }

    /// A registered agent's new description is durable.
    pub(super) fn revise(
        &mut self,
        step: &mut Step<'_>,
        pid: Pid,
        id: &AgentId,
        back: Reregistration,
    ) {
        if let Some(ix) = self.agents.find(id) {
            self.return_registered(step, ix, pid, back);
        }
    }

    /// What an agent said last counts, if it describes itself as was written.
    pub(super) fn newest(
        &mut self,
        id: &AgentId,
        pid: Pid,
        back: Box<Reregistration>,
    ) -> (Pid, Box<Reregistration>) {
        let written = &back.registration.info;
        let newer = self.agents.returning.get(id);
        if newer.is_some_and(|(_, newer)| newer.registration.info == *written)
            && let Some(newer) = self.agents.returning.remove(id)
        {
            return newer;
        }
        (pid, back)
    }

    /// Nothing is being written about an agent any more: if it said meanwhile that it returns, it
    /// does.
    pub(super) fn return_at_last(&mut self, step: &mut Step<'_>, id: &AgentId) {
        if self.agents.busy.contains(id) {
            return;
        }
        if let Some((pid, back)) = self.agents.returning.remove(id) {
            self.agent_reregisters(step, pid, back);
        }
    }

    /// An agent that was not registered is again: all that runs on it becomes known.
    pub(super) fn readmit(
        &mut self,
        step: &mut Step<'_>,
        pid: Pid,
        id: AgentId,
        back: Reregistration,
        message: Option<&'static str>,
    ) {
        self.vacate(step, &pid);
        let Reregistration { registration, tasks, executors, frameworks } = back;
        let ix = self.admit(step, pid, id.clone(), registration, Some(step.wall));
        self.show_agent(step, ix);
        let over = self.completed_among(&frameworks);
        for info in frameworks {
            self.meet_framework(step, info);
        }
        let mut used = BTreeMap::<FrameworkIx, Resources>::new();
        for (framework, info) in executors {
            let Some(fx) = self.frameworks.find(&framework) else { continue };
            let info = self.marked_executor(fx, info);
            if self.add_executor(step, fx, ix, &info) {
                *used.entry(fx).or_default() += &info.resources;
            }
        }
        let mut added = Vec::with_capacity(tasks.len());
        for task in tasks {
            let Some(fx) = self.frameworks.find(&task.framework) else { continue };
            let task = self.marked_task(fx, task);
            // When an earlier leader lost sight of the agent, it said that such tasks are gone.
            let unchecked = self.frameworks.get(fx).is_some_and(|known| !known.info.checkpoint);
            let message = message.or(unchecked.then_some("Agent reregistered"));
            let Some(record) = self.meet_task(step, fx, ix, task, message) else { continue };
            if !record.state.is_terminal() {
                *used.entry(fx).or_default() += &record.resources;
            }
            added.push(record);
        }
        step.tasks_added(added);
        for (fx, resources) in &mut used {
            if let Some(framework) = self.frameworks.get_mut(*fx) {
                *resources = framework.bring_back(std::mem::take(resources));
            }
            if let Some(agent) = self.agents.get_mut(ix) {
                agent.owe(resources);
            }
        }
        self.tasks_not_brought_back(step, &id);
        self.announce(step, ix, used.into_iter().collect());
        self.greet(step, ix, Vec::new());
        self.end_there_too(step, ix, over);
        self.tell_drain(step, ix);
        self.ask_about(step, ix);
    }

    /// A registered agent is back: what both sides know is compared.
    fn return_registered(
        &mut self,
        step: &mut Step<'_>,
        ix: AgentIx,
        pid: Pid,
        back: Reregistration,
    ) {
        let Some(agent) = self.agents.get(ix) else { return };
        if agent.state == State::Leaving {
            return;
        }
        let was_connected = agent.state == State::Connected;
        let was_to_be_down = self.unavailability_of(ix);
        if self.agents.at(&pid) != Some(ix) {
            if self.agents.at(&agent.pid) == Some(ix) {
                step.push(Effect::Unlink(agent.pid.clone()));
            }
            self.vacate(step, &pid);
            self.agents.moved(ix, pid.clone());
        }
        self.redescribe(step, ix, &back);
        self.timers.cancel(&Timer::Reregister(ix));
        step.push(Effect::Link(pid));
        self.show_agent(step, ix);
        if !was_connected && self.agents.get(ix).is_some_and(super::Agent::is_active) {
            step.allocation(allocation::Event::AgentActive { agent: ix, active: true });
        }
        let over = self.completed_among(&back.frameworks);
        let missing = self.compare(step, ix, back);
        self.greet(step, ix, missing);
        self.end_there_too(step, ix, over);
        self.kill_again(step, ix);
        self.tell_drain(step, ix);
        if self.unavailability_of(ix) != was_to_be_down {
            self.talk_anew_about(step, ix);
        }
        self.ask_about(step, ix);
    }

    fn completed_among(&self, frameworks: &[Arc<FrameworkInfo>]) -> Vec<FrameworkId> {
        let ids = frameworks.iter().filter_map(|info| info.id.clone());
        ids.filter(|id| self.frameworks.is_completed(id)).collect()
    }

    /// Frameworks that ended are to end on a returning agent too. Only said once it is greeted:
    /// agents do not listen to it before.
    fn end_there_too(&self, step: &mut Step<'_>, ix: AgentIx, over: Vec<FrameworkId>) {
        let Some(agent) = self.agents.get(ix) else { return };
        for framework in over {
            step.agent(&agent.pid, ToAgent::ShutdownFramework(framework));
        }
    }

    /// Takes over what a returning agent says of itself.
    fn redescribe(&mut self, step: &mut Step<'_>, ix: AgentIx, back: &Reregistration) {
        let Some(agent) = self.agents.get_mut(ix) else { return };
        let registration = &back.registration;
        let own = registration.info.resources.with_checkpointed(&registration.checkpointed);
        agent.state = State::Connected;
        agent.reregistered = Some(step.wall);
        agent.version.clone_from(&registration.version);
        agent.capabilities.clone_from(&registration.capabilities);
        agent.resource_version = registration.resource_version;
        let id = agent.id.clone();
        agent.info = Arc::new(AgentInfo { id: Some(id), ..registration.info.clone() });
        if own != agent.own {
            let oversubscribed = agent.oversubscribed.clone();
            agent.retotal(own, oversubscribed);
            let total = agent.total();
            self.rescind_agent(step, ix);
            step.allocation(allocation::Event::AgentChanged { agent: ix, total });
        }
    }

    /// A task that its agent reports and the master does not track. Readers are to hear of it if
    /// it is one now.
    pub(super) fn meet_task(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        ix: AgentIx,
        task: KnownTask,
        message: Option<&'static str>,
    ) -> Option<Arc<TaskRecord>> {
        let record = self.add_known_task(step, fx, ix, task)?;
        let state = record.state;
        if let Some(message) = message
            && !state.is_terminal()
        {
            let (reason, message) = (Reason::AgentReregistered, message.to_owned());
            let speech = Speech { state, reason, message };
            self.speak_of(step, fx, &record.id, ix, record.executor.as_ref(), speech);
        }
        Some(record)
    }

    pub(super) fn marked_task(&self, fx: FrameworkIx, mut task: KnownTask) -> KnownTask {
        if let Some(framework) = self.frameworks.get(fx) {
            task.resources = mark_allocated(&task.resources, &framework.info);
        }
        task
    }

    pub(super) fn marked_executor(
        &self,
        fx: FrameworkIx,
        info: Arc<ExecutorInfo>,
    ) -> Arc<ExecutorInfo> {
        let Some(framework) = self.frameworks.get(fx) else { return info };
        let resources = mark_allocated(&info.resources, &framework.info);
        if resources == info.resources {
            return info;
        }
        Arc::new(ExecutorInfo { resources, ..ExecutorInfo::clone(&info) })
    }

    /// Confirms that the agent is registered again, and tells it where its frameworks are.
    fn greet(
        &self,
        step: &mut Step<'_>,
        ix: AgentIx,
        missing: Vec<(FrameworkId, Vec<TaskStatus>)>,
    ) {
        let Some(agent) = self.agents.get(ix) else { return };
        let ping_timeout = self.options.total_ping_timeout();
        let id = agent.id.clone();
        step.agent(&agent.pid, ToAgent::Reregistered { agent: id, ping_timeout, missing });
        let mut frameworks: BTreeSet<FrameworkIx> =
            agent.executors.keys().map(|(framework, _)| *framework).collect();
        frameworks.extend(agent.tasks.iter().filter_map(|tx| Some(self.tasks.get(*tx)?.framework)));
        for fx in frameworks {
            let Some(framework) = self.frameworks.get(fx) else { continue };
            if framework.is_connected() {
                let update =
                    ToAgent::UpdateFramework(framework.info.clone(), framework.driver().cloned());
                step.agent(&agent.pid, update);
            }
        }
    }
}
