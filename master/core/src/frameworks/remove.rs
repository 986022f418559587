//! The end of a framework: its tasks are killed, its resources free (FL-15).

use reeve_machine::Wall;
use reeve_model::{FrameworkId, Reason};
use reeve_module_sdk::allocator::FrameworkIx;

use crate::allocation;
use crate::answer::{Answer, Refusal};
use crate::effect::{Effect, Scheduler, ToAgent};
use crate::event::RequestId;
use crate::master::{Master, Timer};
use crate::step::Step;
use crate::view::Change;

impl Master {
    /// An operator ends a framework.
    pub(crate) fn teardown_asked(
        &mut self,
        step: &mut Step<'_>,
        request: RequestId,
        id: &FrameworkId,
    ) {
        match self.frameworks.find(id) {
            None => {
                let answer = Answer::Refused(Refusal::NothingToTearDown);
                step.push(Effect::Answer(request, answer));
            }
            Some(fx) => self.end_framework(step, fx, Some((request, Answer::Done))),
        }
    }

    /// Ends a framework and all it runs, as soon as it is durable that it ended at `ended`.
    pub(super) fn remove_framework(&mut self, step: &mut Step<'_>, fx: FrameworkIx, ended: Wall) {
        self.timers.cancel(&Timer::Failover(fx));
        self.timers.cancel(&Timer::Heartbeat(fx));
        self.end_framework_offers(step, fx);
        let Some(framework) = self.frameworks.get(fx) else { return };
        let id = framework.id.clone();
        let agents: Vec<_> = framework.agents.keys().copied().collect();
        let tasks: Vec<_> = framework.tasks.values().copied().collect();
        let lost: Vec<_> = framework.unreachable.keys().cloned().collect();
        for ix in &agents {
            if let Some(agent) = self.agents.get(*ix) {
                step.agent(&agent.pid, ToAgent::ShutdownFramework(id.clone()));
            }
        }
        let message = format!("Framework {id} removed");
        for tx in tasks {
            self.kill_removed(step, tx, Reason::FrameworkRemoved, &message);
        }
        for task in lost {
            step.changed(Change::TaskRemoved(id.clone(), task, crate::view::TaskEnd::Forgotten));
        }
        self.remove_framework_executors(step, fx, &agents);
        self.finish_framework(step, fx, ended);
    }

    fn remove_framework_executors(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        agents: &[reeve_module_sdk::allocator::AgentIx],
    ) {
        for ix in agents {
            let Some(agent) = self.agents.get(*ix) else { continue };
            let executors: Vec<_> = agent.executors_of(fx).map(|(id, _)| id.clone()).collect();
            for executor in executors {
                self.remove_executor(step, fx, *ix, &executor);
            }
        }
    }

    fn finish_framework(&mut self, step: &mut Step<'_>, fx: FrameworkIx, ended: Wall) {
        match self.frameworks.disconnect(fx) {
            Some(Scheduler::Stream(stream)) => step.push(Effect::Close(stream)),
            Some(Scheduler::Driver(pid)) => step.push(Effect::Unlink(pid)),
            None => {}
        }
        if let Some(framework) = self.frameworks.complete(step.now, fx) {
            step.allocation(allocation::Event::FrameworkRemoved { framework: fx });
            step.changed(Change::FrameworkCompleted(framework.id, ended));
        }
    }
}
