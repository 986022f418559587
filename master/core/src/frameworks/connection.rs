//! A framework's connection: heartbeats, its end, and the time to come back (FW-1).

use std::time::Duration;

use reeve_model::{FrameworkId, Pid};
use reeve_module_sdk::allocator::FrameworkIx;

use super::State;
use crate::allocation;
use crate::effect::{Effect, Scheduler, ToScheduler};
use crate::event::StreamId;
use crate::master::{Master, Timer};
use crate::step::Step;

/// How long a framework's end waits if something else about it is being written.
const AGAIN: Duration = Duration::from_secs(1);

impl Master {
    /// A scheduler's event stream ended from its side, or could not take more.
    pub(crate) fn stream_closed(&mut self, step: &mut Step<'_>, stream: StreamId) {
        self.frameworks.opening.remove(&stream);
        if let Some(fx) = self.frameworks.streaming(stream) {
            self.disconnect_framework(step, fx);
        }
    }

    /// A v0 driver aborts: its offers end, and it gets no more.
    pub(crate) fn driver_deactivates(&mut self, step: &mut Step<'_>, pid: &Pid, id: &FrameworkId) {
        let Some(fx) = self.frameworks.driven_by(pid) else { return };
        let Some(framework) = self.frameworks.get_mut(fx) else { return };
        if framework.id != *id {
            return;
        }
        framework.state = State::Inactive(Scheduler::Driver(pid.clone()));
        step.changed(framework.change());
        step.allocation(allocation::Event::FrameworkActive { framework: fx, active: false });
        self.end_framework_offers(step, fx);
    }

    /// A framework has lost its scheduler: its offers end, and it has some time to come back.
    pub(crate) fn disconnect_framework(&mut self, step: &mut Step<'_>, fx: FrameworkIx) {
        if self.frameworks.disconnect(fx).is_none() {
            return;
        }
        self.timers.cancel(&Timer::Heartbeat(fx));
        let Some(framework) = self.frameworks.get(fx) else { return };
        step.changed(framework.change());
        step.allocation(allocation::Event::FrameworkActive { framework: fx, active: false });
        self.timers.set(Timer::Failover(fx), step.now + framework.info.failover_timeout);
        self.end_framework_offers(step, fx);
    }

    /// A scheduler is due for a heartbeat.
    pub(crate) fn heartbeat_due(&mut self, step: &mut Step<'_>, fx: FrameworkIx) {
        let Some(framework) = self.frameworks.get(fx) else { return };
        let Some(to @ Scheduler::Stream(_)) = framework.scheduler() else { return };
        step.scheduler(to, ToScheduler::Heartbeat);
        self.timers.set(Timer::Heartbeat(fx), step.now + self.options.heartbeat);
    }

    /// A framework did not come back in time.
    pub(crate) fn failover_overdue(&mut self, step: &mut Step<'_>, fx: FrameworkIx) {
        let Some(framework) = self.frameworks.get(fx) else { return };
        if self.frameworks.waiting.contains_key(&framework.id) {
            // Something else about it is being written: see again when that is over.
            self.timers.set(Timer::Failover(fx), step.now + AGAIN);
            return;
        }
        self.end_framework(step, fx, None);
    }

    /// Sends an event to a framework's scheduler, if it is there.
    pub(crate) fn tell(&self, step: &mut Step<'_>, fx: FrameworkIx, event: ToScheduler) {
        if let Some(to) = self.frameworks.get(fx).and_then(super::Framework::scheduler) {
            step.push(Effect::ToScheduler(to.clone(), event));
        }
    }
}
