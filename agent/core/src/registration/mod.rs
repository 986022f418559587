//! How the agent joins its master and notices that it lost it (FL-2, FL-12). What it does for the
//! master once joined is elsewhere.

mod report;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reeve_machine::backoff;
use reeve_model::{AgentId, AgentInfo, ExecutorId, FrameworkId, Pid, TaskStatus};

use crate::agent::{Agent, Timer};
use crate::effect::{Effect, Enrolment, Record, ToMaster};
use crate::event::Proof;
use crate::step::{Step, Waiting, Whose};
use crate::view::{Change, Phase, Standing};

/// Where the agent stands with its master.
///
/// ```text
///  Recovering ──► Seeking ◄──► Enrolling ──► Registered
///  checkpoints,   no master    asking, again      │ link broken, no pings, another master
///  survivors                   and again  ◄───────┘
///
///  any ──► Leaving: everything is ended, then the agent
/// ```
#[derive(Debug)]
pub(crate) enum Registration {
    /// Checkpoints are read; executors that outlived the agent have a moment to come back.
    Recovering {
        /// Whether the checkpoints have been read.
        read: bool,
        /// Who has not come back.
        awaiting: BTreeSet<Whose>,
    },
    /// No master is known.
    Seeking,
    /// A master is known and asked for admission, after it was shown who the agent is.
    Enrolling {
        /// How often it was asked for what is next.
        attempts: u32,
        /// Whether it knows who the agent is, or need not know.
        proven: bool,
    },
    /// Admitted.
    Registered {
        /// How long to wait for a ping.
        ping_timeout: Duration,
    },
    /// Ending.
    Leaving {
        /// Why, for the log.
        reason: String,
        /// Whether the next start is to be a new agent, and that is not durable yet.
        farewell: bool,
    },
}

impl Agent {
    /// The detector speaks.
    pub(crate) fn master_detected(&mut self, step: &mut Step<'_>, master: Option<Pid>) {
        self.master = master;
        match self.registration {
            Registration::Recovering { .. } | Registration::Leaving { .. } => {
                self.tell_standing(step);
            }
            _ => self.seek(step),
        }
    }

    /// Asks the known master for admission, from the beginning.
    pub(crate) fn seek(&mut self, step: &mut Step<'_>) {
        self.updates.pause();
        self.timers.cancel(&Timer::Ping);
        self.timers.cancel(&Timer::Enrol);
        if self.master.is_some() {
            // Masters forget what was proven when a connection breaks.
            let proven = self.options.authentication.is_none();
            self.registration = Registration::Enrolling { attempts: 0, proven };
            let wait = self.backoff(0);
            self.timers.set(Timer::Enrol, step.now + wait);
        } else {
            self.registration = Registration::Seeking;
        }
        self.tell_standing(step);
    }

    /// The connection to the master broke. Mesos waits for its detector or for pings to stay away;
    /// asking at once keeps the outage short.
    pub(crate) fn link_broken(&mut self, step: &mut Step<'_>, peer: &Pid) {
        let ours = self.master.as_ref() == Some(peer);
        if ours && matches!(self.registration, Registration::Registered { .. }) {
            self.seek(step);
        }
    }

    /// No ping came for too long.
    pub(crate) fn pings_missed(&mut self, step: &mut Step<'_>) {
        if matches!(self.registration, Registration::Registered { .. }) {
            self.seek(step);
        }
    }

    /// The time to ask (again) for admission.
    pub(crate) fn enrol(&mut self, step: &mut Step<'_>) {
        let Registration::Enrolling { attempts, proven } = &mut self.registration else { return };
        let Some(master) = self.master.clone() else { return };
        *attempts = attempts.saturating_add(1);
        let (attempts, proven) = (*attempts, *proven);
        if let Some(times) = self.options.authentication.filter(|_| !proven) {
            let room = times.timeout_max.saturating_sub(times.timeout_min);
            let more = backoff(attempts, times.backoff, room, &mut self.chance);
            self.timers.set(Timer::Enrol, step.now + times.timeout_min + more);
            step.emit(Effect::Link(master.clone()));
            return step.emit(Effect::Authenticate(master));
        }
        let wait = self.backoff(attempts);
        self.timers.set(Timer::Enrol, step.now + wait);
        let enrolment = Box::new(Enrolment {
            info: self.info.clone(),
            checkpointed: self.checkpointed.clone(),
        });
        let message = if self.info.id.is_some() {
            self.reregistration(enrolment)
        } else {
            ToMaster::Register(enrolment)
        };
        self.asked = Some(master.clone());
        step.emit(Effect::Link(master.clone()));
        step.emit(Effect::ToMaster(master, message));
    }

    /// The master was shown who the agent is, or should have been.
    pub(crate) fn authenticated(&mut self, step: &mut Step<'_>, master: &Pid, proof: &Proof) {
        if self.master.as_ref() != Some(master) {
            return;
        }
        let Registration::Enrolling { attempts, proven: proven @ false } = &mut self.registration
        else {
            return;
        };
        match proof {
            Proof::Accepted => {
                (*attempts, *proven) = (0, true);
                self.enrol(step);
            }
            Proof::Refused => step.emit(Effect::Exit(format!(
                "the master {master} refused authentication: it knows another secret of the \
                 principal in --credential, or none; executors run on"
            ))),
            Proof::Failed(_) => {
                let attempts = *attempts;
                let wait = self.backoff(attempts);
                self.timers.set(Timer::Enrol, step.now + wait);
            }
        }
    }

    fn backoff(&mut self, attempt: u32) -> Duration {
        let longest = self.options.registration_backoff_max;
        backoff(attempt, self.options.registration_backoff, longest, &mut self.chance)
    }

    /// `SlaveRegisteredMessage`.
    pub(crate) fn registered(
        &mut self,
        step: &mut Step<'_>,
        id: AgentId,
        ping_timeout: Option<Duration>,
    ) {
        if !self.has_asked() || self.refuses_id(step, &id) {
            return;
        }
        if self.info.id.is_none() {
            self.info = Arc::new(AgentInfo { id: Some(id), ..(*self.info).clone() });
            let record = Record::Agent(self.info.clone());
            self.writes.write(step, record, Waiting::Agent);
        }
        self.admitted(step, ping_timeout);
    }

    /// `SlaveReregisteredMessage`, with tasks the master knows and this agent did not name.
    pub(crate) fn reregistered(
        &mut self,
        step: &mut Step<'_>,
        id: AgentId,
        ping_timeout: Option<Duration>,
        missing: Vec<(FrameworkId, Vec<TaskStatus>)>,
    ) {
        if !self.has_asked() || self.refuses_id(step, &id) || self.info.id.is_none() {
            return;
        }
        let first = self.admitted(step, ping_timeout);
        // Once each: the master may have the next one started as soon as it hears of it. A later
        // answer can tell more than the first, which may be to what an earlier life of the agent
        // asked; what it only repeats was told already.
        let mut gone = BTreeSet::new();
        for (framework, statuses) in missing {
            for status in statuses {
                let told = self.unknown_task(step, &framework, &status.task);
                if !told && !first {
                    continue;
                }
                let unknown = |id: &ExecutorId| self.executor(&framework, id).is_none();
                gone.extend(status.executor.filter(unknown).map(|id| (framework.clone(), id)));
            }
        }
        for (framework, executor) in gone {
            self.tell_exit(step, &framework, &executor, None);
        }
    }

    /// Whether an answer of the master can be to this agent. One that comes before it asked is to
    /// an earlier life, whose message was late: of this one the master has not heard.
    fn has_asked(&self) -> bool {
        let hears = matches!(
            self.registration,
            Registration::Enrolling { .. } | Registration::Registered { .. }
        );
        hears && self.asked.is_some() && self.asked == self.master
    }

    /// A master that gives another id than the agent has is not the one it belongs to.
    fn refuses_id(&mut self, step: &mut Step<'_>, id: &AgentId) -> bool {
        let Some(own) = self.info.id.as_ref().filter(|own| *own != id) else { return false };
        step.emit(Effect::Fail(format!(
            "the master calls this agent {id}, but it is {own}; \
             to join as a new agent, end all that runs with --recover=cleanup, once"
        )));
        true
    }

    /// Whether the agent was not registered before.
    fn admitted(&mut self, step: &mut Step<'_>, ping_timeout: Option<Duration>) -> bool {
        let ping_timeout = ping_timeout.unwrap_or(self.options.ping_timeout);
        match &mut self.registration {
            Registration::Enrolling { .. } => {}
            // The answer to an attempt that was repeated.
            Registration::Registered { ping_timeout: known } => {
                *known = ping_timeout;
                self.timers.set(Timer::Ping, step.now + ping_timeout);
                return false;
            }
            _ => return false,
        }
        self.registration = Registration::Registered { ping_timeout };
        self.timers.cancel(&Timer::Enrol);
        self.timers.set(Timer::Ping, step.now + ping_timeout);
        self.tell_standing(step);
        self.tell_oversubscribed(step);
        self.tell_exits(step);
        if let Some(master) = self.master.clone() {
            self.updates.resume(step, master);
        }
        true
    }

    /// A ping; it comes from an observer beside the master, which gets the answer.
    pub(crate) fn ping(&mut self, step: &mut Step<'_>, from: Pid, connected: bool) {
        if self.master.as_ref().is_none_or(|master| master.address != from.address) {
            return;
        }
        step.emit(Effect::ToMaster(from, ToMaster::Pong));
        if let Registration::Registered { ping_timeout } = self.registration {
            self.timers.set(Timer::Ping, step.now + ping_timeout);
            if !connected {
                // The master took a broken connection for the agent's end.
                self.seek(step);
            }
        }
    }

    /// Ends everything, then the agent. With `forget`, the next start is a new agent.
    pub(crate) fn leave(&mut self, step: &mut Step<'_>, reason: String, forget: bool) {
        if matches!(self.registration, Registration::Leaving { .. }) {
            return;
        }
        let farewell = forget && self.info.id.is_some();
        if let Some(id) = self.info.id.clone().filter(|_| farewell) {
            self.writes.write(step, Record::Forget(id), Waiting::Farewell);
        }
        self.registration = Registration::Leaving { reason, farewell };
        self.updates.pause();
        [Timer::Ping, Timer::Enrol, Timer::Recovery].iter().for_each(|timer| {
            self.timers.cancel(timer);
        });
        self.tell_standing(step);
        let frameworks: Vec<FrameworkId> = self.frameworks.keys().cloned().collect();
        for framework in frameworks {
            self.shutdown_framework(step, &framework);
        }
        self.left(step);
    }

    /// Exits if everything is ended.
    pub(crate) fn left(&mut self, step: &mut Step<'_>) {
        if let Registration::Leaving { reason, farewell: false } = &self.registration
            && self.frameworks.is_empty()
        {
            step.emit(Effect::Exit(reason.clone()));
        }
    }

    /// The master this agent is registered with.
    pub(crate) fn registered_with(&self) -> Option<&Pid> {
        match self.registration {
            Registration::Registered { .. } => self.master.as_ref(),
            _ => None,
        }
    }

    pub(crate) fn tell_standing(&self, step: &mut Step<'_>) {
        let phase = match self.registration {
            Registration::Recovering { .. } => Phase::Recovering,
            Registration::Seeking | Registration::Enrolling { .. } => Phase::Disconnected,
            Registration::Registered { .. } => Phase::Running,
            Registration::Leaving { .. } => Phase::Terminating,
        };
        let standing = Standing { id: self.info.id.clone(), master: self.master.clone(), phase };
        step.change(Change::Standing(standing));
    }
}
