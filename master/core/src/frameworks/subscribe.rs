//! Schedulers that subscribe: new ones, and ones that return (SC-1, FL-6, FL-7).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reeve_model::{FrameworkId, FrameworkInfo, OfferConstraints, Role};
use reeve_module_sdk::allocator::FrameworkIx;

use super::{Framework, State};
use crate::allocation;
use crate::effect::{Effect, Scheduler, ToScheduler};
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

impl Master {
    /// A scheduler subscribes.
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
        let Some(id) = info.id.clone() else {
            return self.subscribe_new(step, to, info, suppressed, constraints);
        };
        if self.frameworks.is_completed(&id) {
            return refuse(step, &to, "Framework has been removed");
        }
        if let Scheduler::Driver(pid) = &to
            && let Some(before) = self.frameworks.driven_by(pid)
            && self.frameworks.find(&id) != Some(before)
        {
            // A driver has one framework: the one before has lost its scheduler.
            self.disconnect_framework(step, before);
        }
        let Some(fx) = self.frameworks.find(&id) else {
            // Known to an earlier leader; its tasks follow when their agents return.
            let fx = self.add_framework(step, id, info, State::Disconnected);
            self.set_wishes(fx, suppressed, constraints);
            self.connect_framework(step, fx, &to, true);
            return self.announce_framework(step, fx);
        };
        if let Err(why) = self.may_take_over(fx, &to, &info, force) {
            return refuse(step, &to, why);
        }
        self.subscribe_again(step, fx, to, info, suppressed, constraints);
    }

    fn subscribe_new(
        &mut self,
        step: &mut Step<'_>,
        to: Scheduler,
        info: Arc<FrameworkInfo>,
        suppressed: BTreeSet<Role>,
        constraints: Option<Arc<OfferConstraints>>,
    ) {
        if let Scheduler::Driver(pid) = &to
            && let Some(known) = self.frameworks.driven_by(pid)
        {
            // Our answer got lost, and the driver does not know its id yet.
            let Some(framework) = self.frameworks.get(known) else { return };
            let event = ToScheduler::Subscribed { framework: framework.id.clone(), again: false };
            return step.scheduler(&to, event);
        }
        let id = self.new_framework_id();
        let fx = self.add_framework(step, id, info, State::Disconnected);
        self.set_wishes(fx, suppressed, constraints);
        self.connect_framework(step, fx, &to, false);
        self.announce_framework(step, fx);
    }

    /// An id that no framework has or had.
    fn new_framework_id(&mut self) -> FrameworkId {
        loop {
            let id = FrameworkId::new(format!("{}-{:04}", self.name(), self.frameworks.next));
            self.frameworks.next += 1;
            if self.frameworks.find(&id).is_none() && !self.frameworks.is_completed(&id) {
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
        let known = framework.state != State::Recovered;
        if known && framework.info.principal != info.principal {
            return Err("Changing framework's principal is not allowed.".to_owned());
        }
        match (framework.scheduler(), to) {
            // A driver takes over from another only if it says so.
            (Some(current), Scheduler::Driver(_)) if !force && current != to => {
                Err("Framework failed over".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn subscribe_again(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        to: Scheduler,
        info: Arc<FrameworkInfo>,
        suppressed: BTreeSet<Role>,
        constraints: Option<Arc<OfferConstraints>>,
    ) {
        let old = self.frameworks.disconnect(fx);
        if let Some(old) = &old
            && *old != to
        {
            refuse(step, old, "Framework failed over");
            if let Scheduler::Driver(pid) = old {
                step.push(Effect::Unlink(pid.clone()));
            }
        }
        let wall = step.wall;
        if let Some(framework) = self.frameworks.get_mut(fx) {
            let mut info = FrameworkInfo::clone(&info);
            if framework.state != State::Recovered {
                // What cannot change stays as it was (SC-16).
                info.user.clone_from(&framework.info.user);
                info.checkpoint = framework.info.checkpoint;
            }
            info.id = Some(framework.id.clone());
            framework.info = Arc::new(info);
            framework.reregistered = Some(wall);
        }
        self.set_wishes(fx, suppressed, constraints);
        self.describe_framework(step, fx);
        self.connect_framework(step, fx, &to, true);
        if old.as_ref() != Some(&to) {
            // A scheduler that took over knows nothing of offers made to the one before.
            self.end_framework_offers(step, fx);
        }
        step.allocation(allocation::Event::FrameworkActive { framework: fx, active: true });
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
                suppressed: BTreeSet::new(),
                constraints: None,
                registered: step.wall,
                reregistered: None,
                tasks: Lookup::default(),
                unreachable: Lookup::default(),
                offers: BTreeSet::new(),
                agents: BTreeMap::new(),
            },
        )
    }

    pub(super) fn set_wishes(
        &mut self,
        fx: FrameworkIx,
        suppressed: BTreeSet<Role>,
        constraints: Option<Arc<OfferConstraints>>,
    ) {
        if let Some(framework) = self.frameworks.get_mut(fx) {
            framework.suppressed = suppressed;
            framework.constraints = constraints;
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
        let Some(framework) = self.frameworks.get(fx) else { return };
        // Mesos lets it run for ever if its scheduler never comes (FW-2, MESOS-4659). Here it has
        // its failover timeout, but no less time than agents have to come back.
        let timeout = framework.info.failover_timeout.max(self.options.agent_reregister_timeout);
        self.timers.set(Timer::Failover(fx), step.now + timeout);
        step.changed(framework.change());
        self.announce_framework(step, fx);
    }
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
