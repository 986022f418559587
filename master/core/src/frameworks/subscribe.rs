//! Schedulers that subscribe: new ones, and ones that return (SC-1, FL-6, FL-7).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reeve_model::{FrameworkId, FrameworkInfo, OfferConstraints, Resources, Role};
use reeve_module_sdk::allocator::FrameworkIx;

use super::record::Novelty;
use super::{Framework, Pending, State};
use crate::allocation;
use crate::effect::{Effect, Mutation, Scheduler, ToScheduler};
use crate::event::{Channel, StreamId, Subscription};
use crate::lookup::Lookup;
use crate::master::{Master, Timer};
use crate::step::Step;

/// Where the events of a subscription go.
pub(crate) fn address(stream: StreamId, channel: &Channel) -> Scheduler {
    match channel {
        Channel::Http => Scheduler::Stream(stream),
        Channel::Libprocess(pid) => Scheduler::Driver(pid.clone()),
    }
}

/// Tells a scheduler that it must stop, and hangs up.
pub(crate) fn refuse(step: &mut Step<'_>, to: &Scheduler, why: impl Into<String>) {
    step.scheduler(to, ToScheduler::Error(why.into()));
    if let Scheduler::Stream(stream) = to {
        step.push(Effect::Close(*stream));
    }
}

/// What a framework wants of the offers it gets.
#[derive(Clone, Debug)]
pub(crate) struct Wishes {
    /// Roles it wants no offers for.
    pub suppressed: BTreeSet<Role>,
    /// What agents it wants offers of.
    pub constraints: Option<Arc<OfferConstraints>>,
}

impl Master {
    /// A scheduler subscribes. What the registry does not hold yet is written first.
    pub(crate) fn subscribes(
        &mut self,
        step: &mut Step<'_>,
        stream: StreamId,
        subscription: Subscription,
    ) {
        let to = address(stream, &subscription.channel);
        let Subscription { info, suppressed, constraints, force, .. } = subscription;
        if let Err(why) = check_roles(&info, &suppressed, constraints.as_deref()) {
            return refuse(step, &to, why);
        }
        let wishes = Wishes { suppressed, constraints };
        let Some(id) = info.id.clone() else {
            return self.subscribe_new(step, to, &info, wishes);
        };
        if self.frameworks.is_completed(&id) {
            return refuse(step, &to, "Framework has been removed");
        }
        let known = self.frameworks.find(&id);
        if let Some(fx) = known
            && let Err(why) = self.may_take_over(fx, &to, &info, force)
        {
            return refuse(step, &to, why);
        }
        let known = known.and_then(|fx| self.frameworks.get(fx));
        let registered = known.map_or(step.wall, |framework| framework.registered);
        let info = described(&id, &info, known.filter(|framework| framework.is_authentic()));
        let novelty = if force { Novelty::TakenOver } else { Novelty::Again };
        if known.is_some_and(|framework| framework.recorded && framework.info == info) {
            return self.take_in(step, id, &to, info, wishes, novelty);
        }
        let mutation = Mutation::Describe(info.clone(), registered);
        let pending = Pending::Subscribe(to, info, wishes, novelty);
        self.write_framework(step, id, mutation, pending);
    }

    fn subscribe_new(
        &mut self,
        step: &mut Step<'_>,
        to: Scheduler,
        info: &FrameworkInfo,
        wishes: Wishes,
    ) {
        if let Scheduler::Driver(pid) = &to {
            if let Some(known) = self.frameworks.driven_by(pid) {
                // Our answer got lost, and the driver does not know its id yet.
                let Some(framework) = self.frameworks.get(known) else { return };
                let id = framework.id.clone();
                let event = ToScheduler::Subscribed { framework: id, again: false };
                return step.scheduler(&to, event);
            }
            if !self.frameworks.joining.insert(pid.clone()) {
                // It is answered when its framework is written.
                return;
            }
        }
        let id = self.new_framework_id();
        let info = described(&id, info, None);
        let mutation = Mutation::Describe(info.clone(), step.wall);
        let pending = Pending::Subscribe(to, info, wishes, Novelty::New);
        self.write_framework(step, id, mutation, pending);
    }

    /// An id that no framework has or had.
    fn new_framework_id(&mut self) -> FrameworkId {
        loop {
            let id = FrameworkId::new(format!("{}-{:04}", self.name(), self.frameworks.next));
            self.frameworks.next += 1;
            if !self.frameworks.is_taken(&id) {
                return id;
            }
        }
    }

    /// Whether the scheduler may be the framework's from now on.
    fn may_take_over(
        &self,
        fx: FrameworkIx,
        to: &Scheduler,
        info: &FrameworkInfo,
        force: bool,
    ) -> Result<(), String> {
        let Some(framework) = self.frameworks.get(fx) else { return Ok(()) };
        if framework.is_authentic() && framework.info.principal != info.principal {
            return Err("Changing framework's principal is not allowed.".to_owned());
        }
        let known = framework.state != State::Recovered;
        match to {
            // A driver takes over from another only if it says so, also if that one is gone: it may
            // itself be the one that was replaced, and has not heard of it.
            Scheduler::Driver(pid) if known && !force && framework.driver.as_ref() != Some(pid) => {
                Err("Framework failed over".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The registry holds the framework like this, and its scheduler is there.
    pub(super) fn take_in(
        &mut self,
        step: &mut Step<'_>,
        id: FrameworkId,
        to: &Scheduler,
        info: Arc<FrameworkInfo>,
        wishes: Wishes,
        novelty: Novelty,
    ) {
        let known = self.frameworks.find(&id);
        if let Scheduler::Driver(pid) = to
            && let Some(before) = self.frameworks.driven_by(pid)
            && known != Some(before)
        {
            // A driver has one framework: the one before has lost its scheduler.
            self.disconnect_framework(step, before);
        }
        if let Some(fx) = known {
            return self.subscribe_again(step, fx, to, info, wishes, novelty);
        }
        let fx = self.add_framework(step, id, info, State::Disconnected);
        if let Some(framework) = self.frameworks.get_mut(fx) {
            framework.recorded = true;
        }
        self.set_wishes(fx, wishes);
        // An id that we did not give is known from an earlier leader; the tasks follow when their
        // agents return.
        let again = novelty != Novelty::New && matches!(to, Scheduler::Stream(_));
        self.connect_framework(step, fx, to, again);
        self.announce_framework(step, fx);
    }

    fn subscribe_again(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        to: &Scheduler,
        info: Arc<FrameworkInfo>,
        wishes: Wishes,
        novelty: Novelty,
    ) {
        let Some(framework) = self.frameworks.get(fx) else { return };
        // A driver that takes over, or that an earlier leader knew, is told that it is registered,
        // as if it came for the first time: schedulers count on that.
        let known = framework.state != State::Recovered;
        let again = match to {
            Scheduler::Stream(_) => true,
            Scheduler::Driver(_) => known && novelty == Novelty::Again,
        };
        let old = self.frameworks.disconnect(fx);
        if let Some(old) = &old
            && old != to
        {
            refuse(step, old, "Framework failed over");
            if let Scheduler::Driver(pid) = old {
                step.push(Effect::Unlink(pid.clone()));
            }
        }
        let wall = step.wall;
        if let Some(framework) = self.frameworks.get_mut(fx) {
            framework.info = info;
            framework.recorded = true;
            framework.reregistered = Some(wall);
        }
        self.set_wishes(fx, wishes);
        self.connect_framework(step, fx, to, again);
        self.describe_framework(step, fx);
        if old.as_ref() == Some(to) {
            // A driver drops what reaches it before it knows that it is registered.
            self.rescind_framework(step, fx);
        } else {
            // A scheduler that took over knows nothing of offers made to the one before.
            self.end_framework_offers(step, fx);
        }
        step.allocation(allocation::Event::FrameworkActive { framework: fx, active: true });
        self.ask_framework(step, fx);
    }

    /// Adds a framework that nobody subscribed for yet.
    pub(super) fn add_framework(
        &mut self,
        step: &mut Step<'_>,
        id: FrameworkId,
        info: Arc<FrameworkInfo>,
        state: State,
    ) -> FrameworkIx {
        let info = Arc::new(FrameworkInfo { id: Some(id.clone()), ..FrameworkInfo::clone(&info) });
        self.frameworks.insert(
            step.now,
            Framework {
                id,
                info,
                state,
                recorded: false,
                driver: None,
                suppressed: BTreeSet::new(),
                constraints: None,
                registered: step.wall,
                reregistered: None,
                tasks: Lookup::default(),
                unreachable: Lookup::default(),
                offers: BTreeSet::new(),
                agents: BTreeMap::new(),
                brought_back: Resources::new(),
            },
        )
    }

    pub(super) fn set_wishes(&mut self, fx: FrameworkIx, wishes: Wishes) {
        if let Some(framework) = self.frameworks.get_mut(fx) {
            framework.suppressed = wishes.suppressed;
            framework.constraints = wishes.constraints;
        }
    }

    /// The scheduler is the framework's: it is told so, and offers may flow.
    fn connect_framework(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        to: &Scheduler,
        again: bool,
    ) {
        self.frameworks.connect(fx, to.clone());
        self.timers.cancel(&Timer::Failover(fx));
        let Some(framework) = self.frameworks.get(fx) else { return };
        let subscribed = ToScheduler::Subscribed { framework: framework.id.clone(), again };
        match to {
            Scheduler::Stream(_) => {
                step.scheduler(to, subscribed);
                step.scheduler(to, ToScheduler::Heartbeat);
                self.timers.set(Timer::Heartbeat(fx), step.now + self.options.heartbeat);
            }
            Scheduler::Driver(pid) => {
                step.push(Effect::Link(pid.clone()));
                step.scheduler(to, subscribed);
                self.timers.cancel(&Timer::Heartbeat(fx));
            }
        }
        step.changed(framework.change());
    }

    /// Tells the allocation machine of a new framework.
    pub(crate) fn announce_framework(&self, step: &mut Step<'_>, fx: FrameworkIx) {
        let Some(framework) = self.frameworks.get(fx) else { return };
        step.allocation(allocation::Event::FrameworkAdded {
            framework: fx,
            info: framework.info.clone(),
            suppressed: framework.suppressed.clone(),
            constraints: framework.constraints.clone(),
            active: framework.is_active(),
        });
    }

    /// A framework is met among what an agent reports.
    pub(crate) fn meet_framework(&mut self, step: &mut Step<'_>, info: Arc<FrameworkInfo>) {
        let Some(id) = info.id.clone() else { return };
        if self.frameworks.is_completed(&id) || self.frameworks.find(&id).is_some() {
            return;
        }
        let fx = self.add_framework(step, id, info, State::Recovered);
        self.await_scheduler(step, fx);
    }

    /// A framework is known and its scheduler is not there: it has some time to come. Mesos lets
    /// it run for ever (FW-2, MESOS-4659); here it has its failover timeout, but no less time than
    /// agents have to come back.
    pub(super) fn await_scheduler(&mut self, step: &mut Step<'_>, fx: FrameworkIx) {
        let Some(framework) = self.frameworks.get(fx) else { return };
        let timeout = framework.info.failover_timeout.max(self.options.agent_reregister_timeout);
        self.timers.set(Timer::Failover(fx), step.now + timeout);
        step.changed(framework.change());
        self.announce_framework(step, fx);
    }
}

/// The framework as a subscription leaves it: what cannot change stays as it was (SC-16).
fn described(
    id: &FrameworkId,
    info: &FrameworkInfo,
    before: Option<&Framework>,
) -> Arc<FrameworkInfo> {
    let mut info = FrameworkInfo { id: Some(id.clone()), ..info.clone() };
    if let Some(before) = before {
        info.user.clone_from(&before.info.user);
        info.checkpoint = before.info.checkpoint;
    }
    Arc::new(info)
}

/// Roles that are only spoken of must be roles of the framework.
pub(super) fn check_roles(
    info: &FrameworkInfo,
    suppressed: &BTreeSet<Role>,
    constraints: Option<&OfferConstraints>,
) -> Result<(), String> {
    if let Some(role) = suppressed.iter().find(|role| !info.has_role(role)) {
        return Err(format!(
            "Suppressed role '{role}' is not contained in the list of roles of the framework"
        ));
    }
    let mut constrained = constraints.iter().flat_map(|constraints| constraints.iter());
    if let Some((role, _)) = constrained.find(|(role, _)| !info.has_role(role)) {
        return Err(format!(
            "Offer constraints specify a role '{role}' that is not contained in the list of roles \
             of the framework"
        ));
    }
    Ok(())
}
