//! What the command executor decides: a machine over events and effects, without I/O or clock.
//!
//! Time comes in as the time since the executor's start, ids and wall time through [`Stamp`].
//!
//! The task:
//! ```text
//!  Waiting --Launch--> Starting --Spawned--> Running --Kill, limit, shutdown--> Stopping
//!                          |                    |                                  |
//!                          +----SpawnFailed-----+-------------Exited---------------+--> Ended
//! ```
//! The link to the agent:
//! ```text
//!  Connecting --Subscribed--> Connected --Disconnected--> Pausing --retry--> Connecting
//!                                             |
//!                                             +--too long--> GivenUp
//! ```
//! A task that a wrapper runs elsewhere is not Running until the wrapper says so.

use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use reeve_wire::v1::executor::{Call, call};
use reeve_wire::v1::task_status::{Reason, Source};
use reeve_wire::v1::{ExecutorId, FrameworkId, TaskId, TaskInfo, TaskState, TaskStatus};

use crate::checks::{Checks, Kind, Outcome, Probe, Wanted};
use crate::launch;
use crate::process::{self, Program};
use crate::report::Report;
use crate::settings::Settings;

mod checking;
mod elsewhere;

use elsewhere::Elsewhere;

/// How long a task has between `SIGTERM` and `SIGKILL` unless a kill policy says otherwise
/// (Mesos docs: kill policy of a task).
const DEFAULT_GRACE: Duration = Duration::from_secs(3);

/// How long a wrapper may take to kill its task before it is killed itself.
const WRAPPER_GRACE: Duration = Duration::from_secs(10);

/// How long the agent may take to acknowledge the last update while it is connected. Past that
/// the agent learns of the end of the executor and says so itself.
const LAST_WORDS: Duration = Duration::from_secs(15);

/// What the machine cannot make itself: identity and wall time of an update.
#[derive(Clone, Debug, PartialEq)]
pub struct Stamp {
    /// A fresh UUID.
    pub uuid: [u8; 16],
    /// Seconds since 1970.
    pub timestamp: f64,
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// The agent took the subscription.
    Subscribed {
        /// Whether the framework knows `TASK_KILLING`.
        killing_state: bool,
    },
    /// The agent hands over the task.
    Launch(Box<TaskInfo>),
    /// The task is to be killed.
    Kill {
        /// Which task.
        task: TaskId,
        /// The grace period of this kill, if it has one.
        grace: Option<Duration>,
    },
    /// The agent has an update safe.
    Acknowledged {
        /// Which update.
        uuid: Bytes,
    },
    /// The executor is to end.
    Shutdown,
    /// The link broke or could not be made; `wait` is how long to wait before the next try.
    Disconnected {
        /// Chosen by chance, at most the subscription backoff.
        wait: Duration,
    },
    /// The program runs.
    Spawned,
    /// The program could not be started, and why.
    SpawnFailed(String),
    /// The program ended with this wait status, and nothing of it is left.
    Exited(i32),
    /// A probe of a check has an outcome.
    Probed {
        /// Whose probe.
        check: Kind,
        /// What came of it.
        outcome: Outcome,
    },
    /// The wrapper says something of the task.
    Reported(Report),
    /// A deadline may have passed.
    Tick,
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Connect and send this SUBSCRIBE.
    Connect(Box<Call>),
    /// Send this call on the connected link.
    Send(Box<Call>),
    /// Start the task's program.
    Spawn(Box<Program>),
    /// Begin a probe.
    Probe {
        /// For which check; it has none under way.
        check: Kind,
        /// What to do.
        probe: Box<Probe>,
    },
    /// Give up this check's probe.
    Abandon(Kind),
    /// Send `SIGTERM` to the task.
    Terminate,
    /// Tell the task's wrapper to kill it.
    KillByWrapper,
    /// Kill all that is left of the task.
    Kill,
    /// End the executor.
    Exit,
}

/// Why a task is being stopped, which decides what its end is called.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stop {
    Killed,
    MaxCompletionTime,
    /// Its health check failed too often; in words.
    Unhealthy(String),
}

#[derive(Debug)]
enum Task {
    Waiting,
    Starting { limits: Limits, wanted: Wanted },
    Running { limits: Limits, max_completion: Option<Duration>, checks: Checks },
    Stopping { limits: Limits, why: Stop, pressure: Pressure },
    Ended { until: Duration },
}

/// How hard a task is being pressed to end.
#[derive(Debug)]
enum Pressure {
    /// It was asked to, and has this long.
    Asked { until: Duration },
    /// Its wrapper was told to kill it, and has this long.
    Told { until: Duration },
    /// All of it was killed.
    Killed,
}

impl Pressure {
    fn deadline(&self) -> Option<Duration> {
        match self {
            Self::Asked { until } | Self::Told { until } => Some(*until),
            Self::Killed => None,
        }
    }

    /// A grace period may become shorter, never longer.
    fn hasten(&mut self, at: Duration) {
        if let Self::Asked { until } = self {
            *until = (*until).min(at);
        }
    }
}

/// What the machine keeps of the TaskInfo for as long as the task lives.
#[derive(Clone, Debug)]
struct Limits {
    task: TaskId,
    grace: Duration,
    max_completion: Option<Duration>,
}

#[derive(Debug)]
enum Link {
    Connecting {
        lost: Option<Duration>,
    },
    Connected,
    Pausing {
        lost: Duration,
        retry: Duration,
    },
    /// Nobody will ask for the task any more: the executor ends when it has.
    GivenUp,
}

/// The command executor's machine.
pub struct Executor<S> {
    settings: Settings,
    /// What is known of a task that a wrapper runs; none if it runs right here.
    elsewhere: Option<Elsewhere>,
    /// Variables of the task that its description does not tell.
    secrets: Vec<(String, String)>,
    stamp: S,
    task: Task,
    link: Link,
    killing_state: bool,
    /// The task until any of its updates is acknowledged, encoded.
    unacknowledged_task: Option<Bytes>,
    unacknowledged: Vec<Unacknowledged>,
}

/// An update that the agent does not have safe.
struct Unacknowledged {
    status: TaskStatus,
    /// Whether it has gone out over this link, by itself or with the SUBSCRIBE.
    told: bool,
}

impl<S: FnMut() -> Stamp> Executor<S> {
    /// A machine at the executor's start, and the call to connect with. `wrapped` says that
    /// a wrapper runs the task's program, and knows what to do if there is none.
    pub fn new(settings: Settings, wrapped: bool, stamp: S) -> (Self, Effect) {
        let mut machine = Self {
            settings,
            elsewhere: wrapped.then(Elsewhere::default),
            secrets: Vec::new(),
            stamp,
            task: Task::Waiting,
            link: Link::Connecting { lost: None },
            killing_state: false,
            unacknowledged_task: None,
            unacknowledged: Vec::new(),
        };
        let connect = Effect::Connect(Box::new(machine.subscribe()));
        (machine, connect)
    }

    /// The same with these secrets for the environment of the task.
    pub fn with_secrets(mut self, secrets: Vec<(String, String)>) -> Self {
        self.secrets = secrets;
        self
    }

    /// Takes in one event at time `now`.
    pub fn step(&mut self, now: Duration, event: Event, out: &mut Vec<Effect>) {
        match event {
            Event::Subscribed { killing_state } => {
                self.link = Link::Connected;
                self.killing_state = killing_state;
                self.send_untold(out);
                if let Task::Ended { until } = &mut self.task {
                    *until = now + LAST_WORDS;
                }
            }
            Event::Launch(task) => self.launch(now, *task, out),
            Event::Kill { task, grace } => self.kill(now, &task, grace, out),
            Event::Acknowledged { uuid } => self.acknowledged(&uuid, out),
            Event::Shutdown => self.shutdown(now, out),
            Event::Disconnected { wait } => self.disconnected(now, wait, out),
            Event::Spawned if self.elsewhere.is_some() => {}
            Event::Spawned => self.runs(now, out),
            Event::Reported(report) => self.reported(now, report, out),
            Event::SpawnFailed(message) => {
                self.ended(now, TaskState::TaskFailed, &message, None, out)
            }
            Event::Exited(status) => self.exited(now, status, out),
            Event::Probed { check, outcome } => self.probed(now, check, &outcome, out),
            Event::Tick => {}
        }
        self.meet_deadlines(now, out);
    }

    /// When `step` wants to be called with a tick at the latest.
    pub fn deadline(&self) -> Option<Duration> {
        let task = match &self.task {
            Task::Waiting | Task::Starting { .. } => None,
            Task::Running { max_completion, checks, .. } => {
                max_completion.iter().copied().chain(checks.deadline()).min()
            }
            Task::Stopping { pressure, .. } => pressure.deadline(),
            Task::Ended { until } => matches!(self.link, Link::Connected).then_some(*until),
        };
        let link = match &self.link {
            Link::Pausing { retry, .. } => Some(*retry),
            Link::Connecting { .. } | Link::Connected | Link::GivenUp => None,
        };
        task.into_iter().chain(link).min()
    }

    fn meet_deadlines(&mut self, now: Duration, out: &mut Vec<Effect>) {
        self.meet_checks(now, out);
        match &mut self.task {
            Task::Running { max_completion: Some(at), .. } if *at <= now => {
                self.stop(now, Stop::MaxCompletionTime, None, out);
            }
            Task::Stopping { pressure, .. } if pressure.deadline().is_some_and(|at| at <= now) => {
                self.escalate(now, out);
            }
            Task::Ended { until } if *until <= now && matches!(self.link, Link::Connected) => {
                out.push(Effect::Exit);
            }
            _ => {}
        }
        if let Link::Pausing { lost, retry } = self.link
            && retry <= now
        {
            self.link = Link::Connecting { lost: Some(lost) };
            out.push(Effect::Connect(Box::new(self.subscribe())));
        }
    }

    fn launch(&mut self, now: Duration, task: TaskInfo, out: &mut Vec<Effect>) {
        if self.current() == Some(&task.task_id) {
            return;
        }
        if !matches!(self.task, Task::Waiting) {
            let message = "Attempted to run multiple tasks using a \"command\" executor";
            let status = self.status(&task.task_id, TaskState::TaskFailed, Some(message), None);
            self.update(status, out);
            return;
        }
        let limits = Limits {
            task: task.task_id.clone(),
            grace: launch::grace(task.kill_policy.as_ref()).unwrap_or(DEFAULT_GRACE),
            max_completion: task.max_completion_time.as_ref().map(launch::duration),
        };
        self.unacknowledged_task = Some(Bytes::from(task.encode_to_vec()));
        let wanted = Wanted::read(&task);
        let program = launch::program(task, self.elsewhere.is_some(), &self.secrets);
        let status = self.status(&limits.task, TaskState::TaskStarting, None, None);
        self.task = Task::Starting { limits: limits.clone(), wanted: Wanted::default() };
        self.update(status, out);
        match wanted.and_then(|wanted| Ok((wanted, program?))) {
            Ok((wanted, program)) => {
                self.task = Task::Starting { limits, wanted };
                out.push(Effect::Spawn(Box::new(program)));
            }
            Err(refused) => {
                self.ended(now, TaskState::TaskFailed, &refused.to_string(), None, out);
            }
        }
    }

    /// The task runs, be it here or elsewhere.
    fn runs(&mut self, now: Duration, out: &mut Vec<Effect>) {
        let address = self.address();
        if let Task::Starting { limits, wanted } = &self.task {
            let limits = limits.clone();
            let id = limits.task.clone();
            let max_completion = limits.max_completion.map(|limit| now + limit);
            let checks = Checks::start(wanted.clone().at(address), now);
            self.task = Task::Running { limits, max_completion, checks };
            let status = self.running_status(&id, None, None);
            self.update(status, out);
        }
    }

    fn kill(&mut self, now: Duration, id: &TaskId, grace: Option<Duration>, out: &mut Vec<Effect>) {
        if self.current() != Some(id) {
            return;
        }
        match &mut self.task {
            Task::Stopping { limits, pressure, .. } => {
                pressure.hasten(now + grace.unwrap_or(limits.grace));
            }
            _ => self.stop(now, Stop::Killed, grace, out),
        }
    }

    fn stop(&mut self, now: Duration, why: Stop, grace: Option<Duration>, out: &mut Vec<Effect>) {
        let limits = match &self.task {
            Task::Starting { limits, .. } => limits.clone(),
            Task::Running { limits, checks, .. } => {
                out.extend(checks.under_way().map(Effect::Abandon));
                limits.clone()
            }
            Task::Waiting | Task::Stopping { .. } | Task::Ended { .. } => return,
        };
        let pressure = Pressure::Asked { until: now + grace.unwrap_or(limits.grace) };
        if self.killing_state && why != Stop::MaxCompletionTime {
            let status = self.status(&limits.task, TaskState::TaskKilling, None, None);
            self.update(status, out);
        }
        self.task = Task::Stopping { limits, why, pressure };
        out.push(Effect::Terminate);
    }

    fn escalate(&mut self, now: Duration, out: &mut Vec<Effect>) {
        let wrapped = self.elsewhere.is_some();
        let Task::Stopping { pressure, .. } = &mut self.task else { return };
        let (next, effect) = match pressure {
            // Killing the wrapper would leave the task alone.
            Pressure::Asked { .. } if wrapped => {
                (Pressure::Told { until: now + WRAPPER_GRACE }, Effect::KillByWrapper)
            }
            _ => (Pressure::Killed, Effect::Kill),
        };
        *pressure = next;
        out.push(effect);
    }

    fn shutdown(&mut self, now: Duration, out: &mut Vec<Effect>) {
        let bound = self.settings.shutdown_grace;
        // A share of the bound is left for the last update, before the agent loses patience.
        let bound = bound.saturating_sub((bound / 4).min(Duration::from_secs(1)));
        match &mut self.task {
            Task::Waiting => out.push(Effect::Exit),
            Task::Starting { limits, .. } | Task::Running { limits, .. } => {
                let grace = limits.grace.min(bound);
                self.stop(now, Stop::Killed, Some(grace), out);
            }
            Task::Stopping { pressure, .. } => pressure.hasten(now + bound),
            Task::Ended { .. } => {}
        }
    }

    fn exited(&mut self, now: Duration, status: i32, out: &mut Vec<Effect>) {
        let mut message = process::describe(self.subject(), status);
        let (state, reason) = match &self.task {
            Task::Stopping { why: Stop::Unhealthy(why), .. } => {
                // Mesos too calls this killed, and tells the cause by `healthy`.
                message = format!("{why}. {message}");
                (TaskState::TaskKilled, None)
            }
            Task::Stopping { why: Stop::MaxCompletionTime, .. } => {
                (TaskState::TaskFailed, Some(Reason::MaxCompletionTimeReached))
            }
            // Killed is killed, even if the program took SIGTERM as a reason to succeed.
            Task::Stopping { why: Stop::Killed, .. } => (TaskState::TaskKilled, None),
            _ if process::succeeded(status) => (TaskState::TaskFinished, None),
            _ => {
                let (reason, told) = self.cause();
                message = told.unwrap_or(message);
                (TaskState::TaskFailed, reason)
            }
        };
        self.ended(now, state, &message, reason, out);
    }

    fn ended(
        &mut self,
        now: Duration,
        state: TaskState,
        message: &str,
        reason: Option<Reason>,
        out: &mut Vec<Effect>,
    ) {
        let Some(id) = self.current().cloned() else { return };
        let unhealthy = matches!(&self.task, Task::Stopping { why: Stop::Unhealthy(_), .. });
        self.task = Task::Ended { until: now + LAST_WORDS };
        let mut status = self.status(&id, state, Some(message), reason);
        status.healthy = unhealthy.then_some(false);
        self.update(status, out);
        if matches!(self.link, Link::GivenUp) {
            out.push(Effect::Exit);
        }
    }

    fn acknowledged(&mut self, uuid: &Bytes, out: &mut Vec<Effect>) {
        let before = self.unacknowledged.len();
        self.unacknowledged.retain(|update| update.status.uuid.as_ref() != Some(uuid));
        if self.unacknowledged.len() < before {
            self.unacknowledged_task = None;
        }
        if matches!(self.task, Task::Ended { .. }) && self.unacknowledged.is_empty() {
            out.push(Effect::Exit);
        }
    }

    fn disconnected(&mut self, now: Duration, wait: Duration, out: &mut Vec<Effect>) {
        let lost = match self.link {
            Link::Connected => now,
            Link::Connecting { lost } => lost.unwrap_or(now),
            Link::Pausing { .. } | Link::GivenUp => return,
        };
        let patience = self.settings.checkpoint.then_some(self.settings.recovery_timeout);
        match patience {
            Some(patience) if now + wait < lost + patience => {
                self.link = Link::Pausing { lost, retry: now + wait };
            }
            _ => self.give_up(now, out),
        }
    }

    /// Nobody will ask for the task any more: it goes with the executor.
    fn give_up(&mut self, now: Duration, out: &mut Vec<Effect>) {
        self.link = Link::GivenUp;
        if self.elsewhere.is_none() || self.current().is_none() {
            return out.extend([Effect::Kill, Effect::Exit]);
        }
        self.stop(now, Stop::Killed, Some(Duration::ZERO), out);
        if let Task::Stopping { pressure, .. } = &mut self.task {
            pressure.hasten(now);
        }
    }

    /// The task, from its launch to its end.
    fn current(&self) -> Option<&TaskId> {
        match &self.task {
            Task::Starting { limits, .. }
            | Task::Running { limits, .. }
            | Task::Stopping { limits, .. } => Some(&limits.task),
            Task::Waiting | Task::Ended { .. } => None,
        }
    }

    fn status(
        &mut self,
        task: &TaskId,
        state: TaskState,
        message: Option<&str>,
        reason: Option<Reason>,
    ) -> TaskStatus {
        let stamp = (self.stamp)();
        TaskStatus {
            task_id: task.clone(),
            state: state as i32,
            message: message.map(str::to_owned),
            source: Some(Source::Executor as i32),
            reason: reason.map(|reason| reason as i32),
            executor_id: Some(self.executor_id()),
            timestamp: Some(stamp.timestamp),
            container_status: self.container_status(state),
            uuid: Some(Bytes::copy_from_slice(&stamp.uuid)),
            ..TaskStatus::default()
        }
    }

    /// Keeps the update until it is acknowledged. One made while there is no link goes with the
    /// next SUBSCRIBE, one made while that is under way right after it.
    fn update(&mut self, status: TaskStatus, out: &mut Vec<Effect>) {
        self.unacknowledged.push(Unacknowledged { status, told: false });
        if matches!(self.link, Link::Connected) {
            self.send_untold(out);
        }
    }

    fn send_untold(&mut self, out: &mut Vec<Effect>) {
        let call = self.call(call::Type::Update);
        for update in self.unacknowledged.iter_mut().filter(|update| !update.told) {
            update.told = true;
            let status = update.status.clone();
            let call = Call { update: Some(call::Update { status }), ..call.clone() };
            out.push(Effect::Send(Box::new(call)));
        }
    }

    fn subscribe(&mut self) -> Call {
        let task = self.unacknowledged_task.clone().and_then(|task| TaskInfo::decode(task).ok());
        let mut call = self.call(call::Type::Subscribe);
        let updates = self.unacknowledged.iter_mut().map(|update| {
            update.told = true;
            call::Update { status: update.status.clone() }
        });
        call.subscribe = Some(call::Subscribe {
            unacknowledged_tasks: task.into_iter().collect(),
            unacknowledged_updates: updates.collect(),
        });
        call
    }

    fn call(&self, kind: call::Type) -> Call {
        Call {
            executor_id: self.executor_id(),
            framework_id: FrameworkId { value: self.settings.framework_id.clone() },
            r#type: Some(kind as i32),
            ..Call::default()
        }
    }

    fn executor_id(&self) -> ExecutorId {
        ExecutorId { value: self.settings.executor_id.clone() }
    }
}

#[cfg(test)]
mod tests;
