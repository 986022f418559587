//! Calls of schedulers: who may call, and which room takes which call.

use reeve_model::FrameworkId;
use reeve_module_sdk::allocator::FrameworkIx;

use super::Wishes;
use super::subscribe::refuse;
use crate::answer::{Answer, Refusal};
use crate::effect::{Effect, Scheduler, ToAgent};
use crate::event::{Call, Caller, RequestId, StreamClaim};
use crate::master::Master;
use crate::step::Step;

impl Master {
    /// A scheduler calls.
    pub(crate) fn calls(
        &mut self,
        step: &mut Step<'_>,
        id: &FrameworkId,
        caller: Caller,
        call: Call,
    ) {
        let request = match &caller {
            Caller::Request(request, ..) => Some(*request),
            Caller::Driver(_) => None,
        };
        let answer = match self.admits(id, &caller) {
            Ok(fx) => self.carry_out(step, fx, request, call),
            Err(refusal) => Some(Answer::Refused(refusal)),
        };
        match (caller, answer) {
            (_, None) => {}
            (Caller::Request(request, ..), Some(answer)) => {
                step.push(Effect::Answer(request, answer));
            }
            // Drivers get no answers, but they learn that they must stop.
            (Caller::Driver(pid), Some(Answer::Refused(why))) if is_told(&why) => {
                refuse(step, &Scheduler::Driver(pid), why.to_string());
            }
            (Caller::Driver(_), Some(_)) => {}
        }
    }

    /// Whether the caller speaks for the framework; the checks are in Mesos's order.
    fn admits(&self, id: &FrameworkId, caller: &Caller) -> Result<FrameworkIx, Refusal> {
        let fx = self.frameworks.find(id).ok_or(Refusal::UnknownFramework)?;
        let framework = self.frameworks.get(fx).ok_or(Refusal::UnknownFramework)?;
        if let Caller::Request(_, _, Some(sender)) = caller
            && framework.info.principal.as_ref() != Some(sender)
        {
            let owner = framework.info.principal.as_ref().map(ToString::to_string);
            return Err(Refusal::NotTheOwner(sender.clone(), owner.unwrap_or_default()));
        }
        let Some(scheduler) = framework.scheduler() else {
            let lost = |pid| framework.driver.as_ref() == Some(pid);
            let lost = matches!(&caller, Caller::Driver(pid) if lost(pid));
            return Err(if lost { Refusal::Disconnected } else { Refusal::NotSubscribed });
        };
        match (scheduler, caller) {
            (Scheduler::Driver(_), Caller::Request(..)) => Err(Refusal::NotHttp),
            (Scheduler::Stream(current), Caller::Request(_, claim, _)) => match claim {
                StreamClaim::Missing => Err(Refusal::StreamMissing),
                StreamClaim::Is(claimed) if claimed == current => Ok(fx),
                StreamClaim::Is(_) | StreamClaim::Unknown => Err(Refusal::StreamStale(id.clone())),
            },
            (Scheduler::Driver(current), Caller::Driver(pid)) if current == pid => Ok(fx),
            (_, Caller::Driver(_)) => Err(Refusal::NotSubscribed),
        }
    }

    /// The answer to a call; none if it must wait for a write.
    fn carry_out(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        request: Option<RequestId>,
        call: Call,
    ) -> Option<Answer> {
        match call {
            Call::Teardown => {
                self.end_framework(step, fx, request.map(|request| (request, Answer::Accepted)));
                return None;
            }
            Call::Accept { offers, operations, filters } => {
                self.accept(step, fx, &offers, operations, filters);
            }
            Call::Decline { offers, filters } => self.decline(step, fx, &offers, filters),
            Call::Revive(roles) => self.revive(step, fx, roles),
            Call::Suppress(roles) => self.suppress(step, fx, roles),
            Call::Kill { task, agent, policy } => self.kill(step, fx, &task, agent, policy),
            Call::Shutdown(executor, agent) => {
                self.shutdown_executor(step, fx, executor, &agent);
            }
            Call::Acknowledge { agent, task, uuid } => {
                self.acknowledge(step, fx, &agent, task, uuid);
            }
            Call::Reconcile(tasks) => self.reconcile(step, fx, tasks),
            Call::ReconcileOperations(operations) => {
                self.reconcile_operations(step, fx, operations);
            }
            Call::Message { agent, executor, data } => {
                self.message_executor(step, fx, &agent, executor, data);
            }
            Call::UpdateFramework { info, suppressed, constraints } => {
                let wishes = Wishes { suppressed, constraints };
                let done = self.update_framework(step, fx, request, &info, wishes);
                return done.unwrap_or_else(|refusal| Some(Answer::Refused(refusal)));
            }
            Call::Forbidden(why) => return Some(Answer::Refused(Refusal::Forbidden(why))),
            Call::AnswerInverseOffers { offers, accepted, filters } => {
                self.answer_inverse_offers(step, fx, &offers, accepted, filters);
            }
            // Operations are applied at once and their statuses carry no uuid; nobody listens to
            // REQUEST.
            Call::AcknowledgeOperation { .. } | Call::Request => {}
        }
        Some(Answer::Accepted)
    }

    /// Sends a message to the agent of this id if it is connected.
    pub(crate) fn send_to(&self, step: &mut Step<'_>, id: &reeve_model::AgentId, message: ToAgent) {
        let Some(agent) = self.agents.find(id).and_then(|ix| self.agents.get(ix)) else { return };
        if agent.state == crate::agents::State::Connected {
            step.agent(&agent.pid, message);
        }
    }
}

/// Whether a driver hears of a refusal. Who does not know that they are not subscribed will ask to
/// be.
fn is_told(why: &Refusal) -> bool {
    !matches!(why, Refusal::UnknownFramework | Refusal::NotSubscribed)
}
