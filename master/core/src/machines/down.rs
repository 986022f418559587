//! What maintenance does to the agents on a machine.

use reeve_model::{AgentId, AgentInfo, Pid};
use reeve_module_sdk::allocator::AgentIx;

use super::Plan;
use super::store::machine_of;
use crate::agents::State;
use crate::effect::ToAgent;
use crate::master::Master;
use crate::step::Step;
use crate::view::{Change, Leaving};

impl Master {
    /// Sends an agent away whose machine is down (AGM-1); says whether it did.
    pub(crate) fn sends_away(&self, step: &mut Step<'_>, info: &AgentInfo, pid: &Pid) -> bool {
        let is_down = self.machines.is_down(info, pid);
        if is_down {
            step.agent(pid, ToAgent::Shutdown("Machine is `DOWN`".to_owned()));
        }
        is_down
    }

    /// The maintenance of machines changed: agents on those that are down now go, and offers of the
    /// others are made anew, with the time at which they are to be down; who has something on them
    /// is asked about that. Looks at every agent, which only an operator's call may cost.
    pub(super) fn machines_changed(&mut self, step: &mut Step<'_>, before: &Plan) {
        let now = &self.machines.plan.machines;
        let is_changed = |info: &AgentInfo, pid: &Pid| {
            let id = machine_of(info, pid);
            now.get(&id) != before.machines.get(&id)
        };
        let agents = self.agents.iter().filter(|(_, agent)| is_changed(&agent.info, &agent.pid));
        let changed: Vec<AgentIx> = agents.map(|(ix, _)| ix).collect();
        let mut to_ask = Vec::new();
        for ix in changed {
            let agent = self.agents.get(ix);
            if agent.is_some_and(|agent| self.machines.is_down(&agent.info, &agent.pid)) {
                self.take_down(step, ix);
            } else {
                self.rescind_agent(step, ix);
                self.talk_anew_about(step, ix);
                to_ask.extend(self.to_ask_about(ix));
            }
        }
        self.ask(step, to_ask);
    }

    /// An agent's machine is to be down at another time, or is not: what frameworks have answered
    /// says nothing of that.
    pub(crate) fn talk_anew_about(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        self.end_talks_about(step, ix);
        if let Some(agent) = self.agents.get(ix) {
            step.changed(Change::AnswersVoid(agent.id.clone()));
        }
    }

    /// What was written about an agent is over: if its machine is down by now, it goes.
    pub(crate) fn down_after_all(&mut self, step: &mut Step<'_>, id: &AgentId) {
        let Some(ix) = self.agents.find(id) else { return };
        let agent = self.agents.get(ix);
        if agent.is_some_and(|agent| self.machines.is_down(&agent.info, &agent.pid)) {
            self.take_down(step, ix);
        }
    }

    /// An agent is told to end, and is not waited for: its frameworks hear at once that its tasks
    /// are gone. If something about it is being written, that comes first.
    fn take_down(&mut self, step: &mut Step<'_>, ix: AgentIx) {
        let Some(agent) = self.agents.get(ix) else { return };
        if agent.state == State::Leaving || self.agents.busy.contains(&agent.id) {
            return;
        }
        step.agent(&agent.pid, ToAgent::Shutdown(Leaving::MachineDown.text().to_owned()));
        self.leave(step, ix, Leaving::MachineDown);
    }
}
