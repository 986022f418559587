//! The machine: what it holds, and which room takes which event.

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve_machine::{Machine, Tick, Timers};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use crate::agents::Agents;
use crate::answer::{Answer, Refusal};
use crate::effect::Effect;
use crate::event::{Ask, Event, Kind, Recovered, RequestId, WriteId};
use crate::frameworks::Frameworks;
use crate::inverse_offers::InverseOffers;
use crate::machines::Machines;
use crate::offers::{OfferNr, Offers};
use crate::options::Options;
use crate::roles::Roles;
use crate::step::Step;
use crate::tasks::Tasks;
use crate::view::Change;
use crate::writes::Pending;

/// The master's state machine. One task owns it; see [`Event`] and [`Effect`] for its faces.
///
/// ```text
///            Recovered
///   waiting ───────────▶ leading
/// ```
///
/// Before the registry is read everything is dropped: agents and schedulers try again, and the
/// shell answers requests with 503.
#[derive(Debug)]
pub struct Master {
    pub(crate) options: Options,
    /// This master's id, once it leads.
    pub(crate) id: Option<Arc<str>>,
    pub(crate) agents: Agents,
    pub(crate) frameworks: Frameworks,
    pub(crate) offers: Offers,
    pub(crate) inverse_offers: InverseOffers,
    pub(crate) tasks: Tasks,
    pub(crate) roles: Roles,
    pub(crate) machines: Machines,
    pub(crate) timers: Timers<Timer>,
    pub(crate) writes: BTreeMap<WriteId, Pending>,
    pub(crate) next_write: u64,
}

/// What the master waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The next ping of an agent, or the end of waiting for its answer.
    Ping(AgentIx),
    /// A disconnected agent's time to come back is over.
    Reregister(AgentIx),
    /// The time for agents of an earlier leader to come back is over.
    Awaited,
    /// The next agent may be given up.
    Removal,
    /// A disconnected framework's time to come back is over.
    Failover(FrameworkIx),
    /// A scheduler is due for a heartbeat.
    Heartbeat(FrameworkIx),
    /// An offer was not answered in time.
    Offer(OfferNr),
    /// An inverse offer was not answered in time, or its answer holds no longer.
    Inverse(AgentIx, FrameworkIx),
    /// Look for unreachable agents that are too old to be remembered.
    Forget,
}

impl Machine for Master {
    type Event = Event;
    type Effect = Effect;

    fn step(&mut self, now: Tick, event: Event, out: &mut Vec<Effect>) {
        let mut step = Step { now, wall: event.wall, out };
        if let Kind::Recovered(recovered) = event.kind {
            self.lead(&mut step, *recovered);
        } else if self.id.is_some() {
            self.take(&mut step, event.kind);
        } else {
            refuse_early(&mut step, event.kind);
        }
    }

    fn deadline(&self) -> Option<Tick> {
        self.timers.next()
    }
}

/// Requests must be answered even before there is anything to answer with.
fn refuse_early(step: &mut Step<'_>, kind: Kind) {
    use crate::event::Caller;
    match kind {
        Kind::Calls(_, Caller::Request(request, ..), _) => {
            step.push(Effect::Answer(request, Answer::Refused(Refusal::UnknownFramework)));
        }
        Kind::Asks(request, _) => {
            step.push(Effect::Answer(request, Answer::Refused(Refusal::NotLeading)));
        }
        Kind::TeardownAsked(request, _) => {
            step.push(Effect::Answer(request, Answer::Refused(Refusal::NothingToTearDown)));
        }
        Kind::Subscribes(stream, subscription) => {
            let to = crate::frameworks::address(stream, &subscription.channel);
            crate::frameworks::refuse(step, &to, "Master has not finished recovery");
        }
        _ => {}
    }
}

impl Master {
    /// A master that waits for its registry.
    pub fn new(options: Options) -> Self {
        Master {
            agents: Agents::new(&options),
            frameworks: Frameworks::new(&options),
            offers: Offers::default(),
            inverse_offers: InverseOffers::default(),
            tasks: Tasks::new(),
            roles: Roles::default(),
            machines: Machines::default(),
            timers: Timers::new(),
            writes: BTreeMap::new(),
            next_write: 0,
            id: None,
            options,
        }
    }

    /// The settings it decides by.
    pub fn options(&self) -> &Options {
        &self.options
    }

    fn lead(&mut self, step: &mut Step<'_>, recovered: Recovered) {
        if self.id.is_some() {
            return;
        }
        self.id = Some(recovered.master.clone());
        self.offers.name(&recovered.master);
        let awaited: Vec<_> = recovered.agents.into_iter().map(Arc::new).collect();
        step.changed(Change::Led {
            master: recovered.master,
            at: step.wall,
            awaited: awaited.clone(),
            unreachable: recovered.unreachable.clone(),
        });
        let Recovered { unreachable, gone, deactivated, .. } = recovered;
        self.agents.recover(awaited, unreachable, gone, deactivated);
        if self.agents.any_awaited() {
            self.timers.set(Timer::Awaited, step.now + self.options.agent_reregister_timeout);
        }
        self.timers.set(Timer::Forget, step.now + crate::agents::FORGET_INTERVAL);
        self.recover_machines(step, recovered.schedule, recovered.machines);
        let (quotas, weights) = (recovered.quotas, recovered.weights);
        self.recover_roles(step, Roles { quotas, weights });
        self.recover_frameworks(step, recovered.frameworks, recovered.completed);
    }

    pub(crate) fn take(&mut self, step: &mut Step<'_>, kind: Kind) {
        let Some(kind) = self.in_turn(kind) else { return };
        match kind {
            Kind::Recovered(_) => {}
            Kind::Committed(write) => self.committed(step, write),
            Kind::CommitFailed(_, why) => step.push(Effect::StepDown(format!(
                "the registry could not be written, so this master may not lead: {why}"
            ))),
            Kind::AgentRegisters(pid, registration) => {
                self.agent_registers(step, pid, registration);
            }
            Kind::AgentReregisters(pid, reregistration) => {
                self.agent_reregisters(step, pid, reregistration);
            }
            Kind::AgentUnregisters(pid, id) => self.agent_unregisters(step, &pid, &id),
            Kind::AgentUpdates(pid, id, update) => self.agent_updates(step, &pid, &id, *update),
            Kind::AgentPonged(pid) => self.agent_ponged(step, &pid),
            Kind::LinkBroken(pid) => self.link_broken(step, &pid),
            Kind::StatusUpdated(pid, update) => self.status_updated(step, &pid, *update),
            Kind::ExecutorMessage(agent, framework, executor, data) => {
                self.executor_message(step, agent, &framework, executor, data);
            }
            Kind::ExecutorExited(agent, framework, executor, status) => {
                self.executor_exited(step, &agent, &framework, &executor, status);
            }
            Kind::Subscribes(stream, subscription) => {
                self.subscribes(step, stream, *subscription);
            }
            Kind::StreamClosed(stream) => self.stream_closed(step, stream),
            Kind::DriverDeactivates(pid, framework) => {
                self.driver_deactivates(step, &pid, &framework);
            }
            Kind::Calls(framework, caller, call) => self.calls(step, &framework, caller, call),
            Kind::TeardownAsked(request, framework) => {
                self.teardown_asked(step, request, &framework);
            }
            Kind::Asks(request, ask) => self.asked(step, request, ask),
            Kind::Granted(granted) => self.granted(step, granted),
            Kind::Reclaimed(reclaims) => {
                reclaims.into_iter().for_each(|reclaim| self.reclaim(step, reclaim));
            }
            Kind::AllocatorReplaced(number) => self.introduce(step, number),
            Kind::Deadline => self.deadline_passed(step),
        }
    }

    /// An operator asks for something.
    fn asked(&mut self, step: &mut Step<'_>, request: RequestId, ask: Ask) {
        match ask {
            Ask::MarkGone(agent) => self.gone_asked(step, request, agent),
            Ask::Drain(agent, config) => self.drain_asked(step, request, agent, config),
            Ask::Deactivate(agent) => self.deactivation_asked(step, request, agent),
            Ask::Reactivate(agent) => self.reactivation_asked(step, request, agent),
            Ask::Maintenance(change) => self.maintenance_asked(step, request, change),
            Ask::Quota { change, force } => self.quota_asked(step, request, change, force),
            Ask::Weights(weights) => self.weights_asked(step, request, weights),
        }
    }

    fn deadline_passed(&mut self, step: &mut Step<'_>) {
        while let Some(timer) = self.timers.due(step.now) {
            match timer {
                Timer::Ping(agent) => self.ping_due(step, agent),
                Timer::Reregister(agent) => self.reregistration_overdue(step, agent),
                Timer::Awaited => self.awaited_overdue(step),
                Timer::Removal => self.removals_due(step),
                Timer::Failover(framework) => self.failover_overdue(step, framework),
                Timer::Heartbeat(framework) => self.heartbeat_due(step, framework),
                Timer::Offer(offer) => self.offer_overdue(step, offer),
                Timer::Inverse(agent, framework) => {
                    self.inverse_offer_due(step, agent, framework);
                }
                Timer::Forget => self.forget_due(step),
            }
        }
    }

    /// This master's id; only asked for once it leads.
    pub(crate) fn name(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }
}
