//! The thread that owns the core: the next fact, a step, and each effect to who carries it out.
//!
//! Nothing is decided here. Facts come by one bounded queue; what the core wants sent, written
//! or told leaves in the order in which the core said it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use reeve_election::Lease;
use reeve_machine::Machine;
use reeve_master_core::allocation::{self, Granted, Reclaimed};
use reeve_master_core::effect::{Effect, Scheduler, ToScheduler, TookBack};
use reeve_master_core::event::{
    Ask, Call, Caller, Event, Kind, RequestId, StreamClaim, StreamId, Subscription, WriteId,
};
use reeve_master_core::view::Change;
use reeve_master_core::{Answer, Master};
use reeve_model::{Capabilities, FrameworkId, Pid, Principal};
use reeve_module_host::Hooks;
use reeve_registry::Registry;
use reeve_wire::v1::scheduler::call::Type;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::allocation::Allocation;
use crate::approvals::{Approvals, Approved, Known, Lane, Ruling};
use crate::clock::Clock;
use crate::counters::Counters;
use crate::counters::traffic::{Traffic, call_type};
use crate::identity::now;
use crate::messages::{AgentFacts, Outbound};
use crate::persist;
use crate::schedulers::{Outlet, Streams};

/// How many facts may wait; who brings more waits too. A few batches: a fact can be all that runs
/// on an agent.
pub const QUEUE: usize = 1024;

/// How many facts are taken before the readers are told what changed.
const BATCH: usize = 256;

/// How long the thread sleeps if nothing has a deadline.
const IDLE: Duration = Duration::from_secs(3600);

/// What the owner is told.
#[derive(Debug)]
pub enum Input {
    /// A fact, as it is.
    Fact(Kind),
    /// Grants of the allocation machine of this number.
    Granted(u64, Vec<Granted>),
    /// What the allocation machine of this number wants back.
    Reclaimed(u64, Vec<Reclaimed>),
    /// The master cannot go on, and why.
    GivesUp(String),
    /// A transaction of the registry ended.
    Written(reeve_registry::Group),
    /// A scheduler subscribes on a stream.
    Subscribes(StreamId, Outlet, Box<Subscription>),
    /// A v0 driver subscribes.
    DriverSubscribes(Box<Subscription>),
    /// A scheduler calls over HTTP.
    Calls {
        /// The framework.
        framework: FrameworkId,
        /// What it says of its stream.
        claim: StreamClaim,
        /// Who calls, if that was asked.
        principal: Option<Principal>,
        /// The call.
        call: Call,
        /// Where the answer goes.
        reply: oneshot::Sender<Answer>,
    },
    /// The authorizer has said what of a call is permitted.
    Ruled(Lane, Ruling),
    /// An operator asks for something else.
    Asks(Ask, oneshot::Sender<Answer>),
    /// An operator ends a framework.
    Teardown(FrameworkId, oneshot::Sender<Answer>),
    /// Somebody wants to know whether the core still works.
    Ping(oneshot::Sender<()>),
}

/// The parts that carry effects out.
#[derive(Debug)]
pub struct Hands {
    /// Messages to peers.
    pub outbound: Outbound,
    /// The registry's thread.
    pub registry: Registry,
    /// The allocation machine's thread.
    pub allocation: Allocation,
    /// The readers' task.
    pub changes: mpsc::UnboundedSender<Vec<Change>>,
    /// Who is told of lost agents.
    pub hooks: Hooks,
    /// Numbers of streams.
    pub streams: Streams,
    /// Counts of what passed.
    pub counters: Arc<Counters>,
}

/// A scheduler's event stream.
#[derive(Debug)]
struct Listener {
    outlet: Outlet,
    /// What is counted of its framework, once that is known.
    traffic: Option<Arc<Traffic>>,
}

/// The owner of the core.
#[derive(Debug)]
pub struct Owner {
    master: Master,
    clock: Clock,
    hands: Hands,
    outlets: BTreeMap<StreamId, Listener>,
    replies: BTreeMap<RequestId, oneshot::Sender<Answer>>,
    last_request: u64,
    approvals: Approvals,
    /// Frameworks, and who listens behind a driver's pid.
    frameworks: Known,
    drivers: BTreeMap<Pid, FrameworkId>,
    /// Facts that came of carrying effects out.
    own: VecDeque<Kind>,
    /// What the readers and the allocation machine hear at the end of a batch.
    changed: Vec<Change>,
    allocation: Vec<allocation::Event>,
    effects: Vec<Effect>,
    /// Why the master cannot go on.
    stepped_down: Option<String>,
    /// How many completed frameworks are remembered.
    remembered: usize,
    /// As long as it holds, this master leads.
    lease: Lease,
}

impl Owner {
    /// An owner of `master`, which remembers so many completed frameworks, and acts as long as
    /// the lease holds.
    pub fn new(
        master: Master,
        clock: Clock,
        hands: Hands,
        approvals: Approvals,
        remembered: usize,
        lease: Lease,
    ) -> Self {
        Owner {
            master,
            clock,
            hands,
            outlets: BTreeMap::new(),
            replies: BTreeMap::new(),
            last_request: 0,
            approvals,
            frameworks: Known::new(),
            drivers: BTreeMap::new(),
            own: VecDeque::new(),
            changed: Vec::new(),
            allocation: Vec::new(),
            effects: Vec::new(),
            stepped_down: None,
            remembered,
            lease,
        }
    }

    /// Takes facts until `stop` or until the master steps down; then the text says why.
    pub async fn run(
        mut self,
        mut inputs: mpsc::Receiver<Input>,
        stop: CancellationToken,
    ) -> Option<String> {
        let mut batch = Vec::with_capacity(BATCH);
        while self.stepped_down.is_none() {
            let wait = self.master.deadline().map_or(IDLE, |tick| self.clock.until(tick));
            tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                taken = inputs.recv_many(&mut batch, BATCH) => if taken == 0 { return None },
                () = tokio::time::sleep(wait) => {}
            }
            for input in batch.drain(..) {
                // Whoever was stopped in the meantime must not act on what it was told before.
                if !self.lease.holds() {
                    return Some("its lease is over".to_owned());
                }
                self.take(input);
            }
            let is_due = self.master.deadline().is_some_and(|tick| tick <= self.clock.now());
            if is_due && self.lease.holds() {
                self.step(Kind::Deadline);
            }
            self.pass_on();
        }
        self.stepped_down
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Fact(kind) => self.admit(kind),
            // One that was replaced may still have had something to say.
            Input::Granted(number, granted) => {
                if self.hands.allocation.is(number) {
                    self.step(Kind::Granted(granted));
                }
            }
            Input::Reclaimed(number, reclaims) => {
                if self.hands.allocation.is(number) {
                    self.step(Kind::Reclaimed(reclaims));
                }
            }
            Input::GivesUp(why) => self.stepped_down = Some(why),
            // Whoever asked may have given up.
            Input::Ping(reply) => drop(reply.send(())),
            Input::Written(group) => {
                self.hands.counters.stored(group.took);
                let failure = group.result.err().map(|error| error.to_string());
                for id in group.ids.into_iter().map(WriteId) {
                    self.step(match &failure {
                        None => Kind::Committed(id),
                        Some(why) => Kind::CommitFailed(id, why.clone()),
                    });
                }
            }
            Input::Subscribes(stream, outlet, subscription) => {
                self.outlets.insert(stream, Listener { outlet, traffic: None });
                self.step(Kind::Subscribes(stream, subscription));
            }
            Input::DriverSubscribes(subscription) => {
                let number = self.hands.streams.number();
                self.admit(Kind::Subscribes(number, subscription));
            }
            Input::Calls { framework, claim, principal, call, reply } => {
                let caller = Caller::Request(self.request(reply), claim, principal);
                self.admit(Kind::Calls(framework, caller, call));
            }
            Input::Ruled(lane, ruling) => self.ruled(&lane, &ruling),
            Input::Asks(ask, reply) => {
                let request = self.request(reply);
                self.step(Kind::Asks(request, ask));
            }
            Input::Teardown(framework, reply) => {
                let request = self.request(reply);
                self.step(Kind::TeardownAsked(request, framework));
            }
        }
    }

    /// Steps, unless somebody has to permit that first.
    fn admit(&mut self, kind: Kind) {
        if let Some(kind) = self.approvals.take(kind, &self.frameworks) {
            self.step(kind);
        }
    }

    fn ruled(&mut self, lane: &Lane, ruling: &Ruling) {
        let Some((approved, behind)) = self.approvals.ruled(lane, ruling, &self.frameworks) else {
            return;
        };
        match approved {
            Approved::Call(kind) => self.step(kind),
            // It is not told, as in Mesos: it asks again, and may be permitted by then.
            Approved::NoAgent(pid, why) => {
                tracing::warn!(%pid, "the agent is not registered: {why} (register_agents)");
            }
            Approved::NoDriver(pid, why) => {
                let (error, nothing) = (ToScheduler::Error(why), Capabilities::none());
                self.hands.outbound.to_driver(&pid, None, nothing, error);
            }
        }
        for kind in behind {
            self.admit(kind);
        }
    }

    fn request(&mut self, reply: oneshot::Sender<Answer>) -> RequestId {
        self.last_request += 1;
        let request = RequestId(self.last_request);
        self.replies.insert(request, reply);
        request
    }

    /// One step, and those that follow from carrying its effects out.
    fn step(&mut self, kind: Kind) {
        self.hands.counters.arrived(&kind);
        let called = self.called(&kind);
        let mut refused = false;
        let mut next = Some(kind);
        while let Some(kind) = next {
            let event = Event { wall: now(), kind };
            let mut effects = std::mem::take(&mut self.effects);
            self.master.step(self.clock.now(), event, &mut effects);
            for effect in effects.drain(..) {
                refused |= matches!(effect, Effect::Answer(_, Answer::Refused(_)));
                self.carry_out(effect);
            }
            self.effects = effects;
            next = self.own.pop_front();
        }
        if let Some((traffic, call)) = called.filter(|_| !refused) {
            traffic.called(call);
        }
    }

    /// Where a call is counted, unless it is refused. Drivers are not answered.
    fn called(&self, kind: &Kind) -> Option<(Arc<Traffic>, Type)> {
        let Kind::Calls(framework, caller, call) = kind else { return None };
        if let Caller::Driver(pid) = caller
            && self.drivers.get(pid) != Some(framework)
        {
            return None;
        }
        Some((self.hands.counters.frameworks.find(framework)?, call_type(call)))
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Persist(write, mutation) => match persist::writes(&mutation) {
                Ok(writes) => self.hands.registry.submit(write.0, writes),
                Err(why) => self.own.push_back(Kind::CommitFailed(write, why)),
            },
            Effect::ToAgent(pid, message) => self.hands.outbound.to_agent(&pid, message),
            Effect::Link(pid) => self.hands.outbound.link(&pid),
            Effect::Unlink(pid) => self.hands.outbound.unlink(&pid),
            Effect::ToScheduler(Scheduler::Stream(stream), event) => self.write(stream, event),
            Effect::ToScheduler(Scheduler::Driver(pid), event) => {
                let framework = self.drivers.get(&pid);
                if let Some(framework) = framework {
                    tell(&self.hands.counters.frameworks.of(framework), &event);
                }
                let capabilities = capabilities(&self.frameworks, framework);
                self.hands.outbound.to_driver(&pid, framework, capabilities, event);
            }
            Effect::Answer(request, answer) => {
                if let Some(reply) = self.replies.remove(&request) {
                    // The client may have hung up meanwhile.
                    let _ = reply.send(answer);
                }
            }
            Effect::Close(stream) => {
                self.outlets.remove(&stream);
            }
            Effect::Allocation(event) => self.allocation.push(event),
            Effect::Changed(change) => {
                self.note(&change);
                self.changed.push(change);
            }
            Effect::TookBack(back) => {
                self.hands.counters.reclaimed(&back);
                log_reclaim(&back);
            }
            Effect::StepDown(why) => self.stepped_down = Some(why),
        }
    }

    fn write(&mut self, stream: StreamId, event: ToScheduler) {
        let Some(listener) = self.outlets.get_mut(&stream) else { return };
        if let ToScheduler::Subscribed { framework, .. } = &event {
            listener.traffic = Some(self.hands.counters.frameworks.of(framework));
        }
        if let Some(traffic) = &listener.traffic {
            tell(traffic, &event);
        }
        let framework = match &event {
            ToScheduler::Offers(offers) => offers.first().map(|offer| &offer.framework),
            _ => None,
        };
        let capabilities = capabilities(&self.frameworks, framework);
        if !listener.outlet.send(capabilities, event) {
            self.outlets.remove(&stream);
            self.own.push_back(Kind::StreamClosed(stream));
        }
    }

    /// Keeps what must be known to write to agents and frameworks.
    fn note(&mut self, change: &Change) {
        match change {
            Change::Agent(record) => {
                let facts = AgentFacts::new(&record.capabilities, record.resource_version);
                self.hands.outbound.know(record.id.clone(), record.pid.clone(), facts);
            }
            Change::AgentLeft(id, _) => {
                self.hands.outbound.forget(id);
                if !self.hands.hooks.is_empty() {
                    let (hooks, agent) = (self.hands.hooks.clone(), id.to_string());
                    tokio::spawn(async move { hooks.agent_lost(agent).await });
                }
            }
            Change::Framework(record) => {
                self.frameworks.insert(record.id.clone(), Arc::clone(&record.info));
                if let Some(pid) = &record.pid {
                    self.drivers.insert(pid.clone(), record.id.clone());
                }
            }
            Change::FrameworkCompleted(id, _) => {
                self.frameworks.remove(id);
                self.hands.counters.frameworks.completed(id, self.remembered);
                self.drivers.retain(|_, framework| framework != id);
            }
            _ => {}
        }
    }

    /// Tells the readers and the allocation machine what a batch has brought.
    fn pass_on(&mut self) {
        if !self.allocation.is_empty() {
            self.hands.allocation.tell(std::mem::take(&mut self.allocation));
        }
        let changed = std::mem::take(&mut self.changed);
        if !changed.is_empty() && self.hands.changes.send(changed).is_err() {
            tracing::debug!("the readers' task has ended");
        }
    }
}

/// Counts an event, and the call that it answers if that is SUBSCRIBE.
fn tell(traffic: &Traffic, event: &ToScheduler) {
    if let ToScheduler::Subscribed { .. } = event {
        traffic.called(Type::Subscribe);
    }
    traffic.told(event);
}

fn log_reclaim(back: &TookBack) {
    let count = back.tasks.len();
    let first: Vec<&str> = back.tasks.iter().take(5).map(|task| task.as_str()).collect();
    tracing::info!(
        framework = %back.framework,
        role = %back.role,
        agent = %back.agent,
        offers = back.offers.len(),
        tasks = count,
        first_tasks = first.join(","),
        not_to_be_had = %back.missing,
        reason = &*back.reason,
        "resources are taken back for others"
    );
}

fn capabilities(known: &Known, framework: Option<&FrameworkId>) -> Capabilities {
    framework.and_then(|id| known.get(id)).map(|info| info.capabilities).unwrap_or_default()
}
