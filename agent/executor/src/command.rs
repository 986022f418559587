//! The command executor's loop: sockets, signals and timers in, effects out.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reeve_wire::v1::executor::{self, event};
use reeve_wire::v1::framework_info::capability;

use crate::checks::Kind;
use crate::core::{Effect, Event, Executor, Stamp};
use crate::launch;
use crate::link::{Link, LinkError};
use crate::log;
use crate::plan::Plan;
use crate::probe::Probes;
use crate::process::{self, Program};
use crate::report::Reports;
use crate::settings::Settings;
use crate::sys::{self, Reaped, Watch};

/// The signals the loop hears of through a file.
pub const SIGNALS: [i32; 2] = [libc::SIGCHLD, libc::SIGTERM];

/// Everything outside the machine.
struct Shell<'a> {
    plan: &'a Plan,
    settings: &'a Settings,
    link: Link,
    child: Option<i32>,
    probes: Probes,
    reports: Reports,
    done: bool,
}

/// Runs the executor to its end. [`SIGNALS`] must be blocked and arrive at `signals`.
pub fn run(plan: &Plan, settings: &Settings, signals: &File) {
    let begin = Instant::now();
    let mut shell = Shell {
        plan,
        settings,
        link: Link::new(settings.clone()),
        child: None,
        probes: Probes::default(),
        reports: Reports::new(!plan.wrapper.is_empty()),
        done: false,
    };
    let wrapped = shell.reports.are_expected();
    let (machine, first) = Executor::new(settings.clone(), wrapped, stamp);
    let mut machine = machine.with_secrets(plan.secrets.clone());
    let mut effects = vec![first];
    loop {
        // An effect may be followed by an event at once, and that by effects.
        while !effects.is_empty() {
            for effect in std::mem::take(&mut effects) {
                if let Some(event) = shell.perform(effect) {
                    machine.step(begin.elapsed(), event, &mut effects);
                }
            }
            if shell.done {
                return;
            }
        }
        let timeout = machine.deadline().map(|at| at.saturating_sub(begin.elapsed()));
        for event in shell.wait(signals, timeout) {
            machine.step(begin.elapsed(), event, &mut effects);
        }
    }
}

impl Shell<'_> {
    /// Does what the machine wants; what comes of it at once is an event.
    fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Connect(call) => self.link.subscribe(&call).err().map(|e| self.lost(&e)),
            Effect::Send(call) => self.link.send(&call).err().map(|e| self.lost(&e)),
            Effect::Spawn(program) => Some(self.spawn(&program)),
            Effect::Probe { check, probe } => {
                let outcome = self.probes.begin(check, *probe, self.plan)?;
                Some(Event::Probed { check, outcome })
            }
            Effect::Abandon(check) => {
                self.probes.abandon(check);
                None
            }
            Effect::Terminate => {
                self.signal(libc::SIGTERM);
                None
            }
            Effect::KillByWrapper => {
                self.signal(libc::SIGQUIT);
                None
            }
            Effect::Kill => {
                process::signal_children(libc::SIGKILL);
                None
            }
            Effect::Exit => {
                process::kill_all_below();
                self.done = true;
                None
            }
        }
    }

    fn spawn(&mut self, program: &Program) -> Event {
        let plan = self.plan;
        let spawned = self.reports.opened(|report| process::spawn_first(program, plan, report));
        match spawned {
            Ok(pid) => {
                self.child = Some(pid);
                Event::Spawned
            }
            Err(error) => Event::SpawnFailed(format!("Failed to execute {error}")),
        }
    }

    /// Signals the task's process group, whose number is that of its first process.
    fn signal(&self, signal: i32) {
        if let Some(pid) = self.child {
            drop(sys::send_signal(-pid, signal));
        }
    }

    /// Waits for something to happen, or for the timeout.
    fn wait(&mut self, signals: &File, timeout: Option<Duration>) -> Vec<Event> {
        let [events, answers] = self.link.descriptors().map(|fd| fd.map(Watch::Read));
        let [general, health] = self.probes.watches();
        let signalled = Some(Watch::Read(signals.as_raw_fd()));
        let files = [signalled, events, answers, general, health, self.reports.watch()];
        let ready =
            sys::wait_ready(files, timeout).unwrap_or([true, true, true, false, false, true]);
        let mut happened = Vec::new();
        if ready[1] {
            self.read_events(&mut happened);
        }
        if ready[2]
            && let Err(error) = self.link.read_answers()
        {
            happened.push(self.lost(&error));
        }
        if ready[5] {
            happened.extend(self.reports.read().into_iter().map(Event::Reported));
        }
        if ready[0] {
            if sys::read_signals(signals).contains(&libc::SIGTERM) {
                happened.push(Event::Shutdown);
            }
            self.reap(&mut happened);
        }
        for (check, ready) in [(Kind::General, ready[3]), (Kind::Health, ready[4])] {
            let outcome = if ready { self.probes.advance(check) } else { None };
            happened.extend(outcome.map(|outcome| Event::Probed { check, outcome }));
        }
        happened.push(Event::Tick);
        happened
    }

    fn read_events(&mut self, happened: &mut Vec<Event>) {
        match self.link.read_events() {
            Ok(events) => happened.extend(events.into_iter().filter_map(translate)),
            Err(error) => happened.push(self.lost(&error)),
        }
    }

    /// Collects the dead; once the task's first process is among them, so is all of the task.
    fn reap(&mut self, happened: &mut Vec<Event>) {
        while let Ok(Reaped::Ended { pid, status }) = sys::reap(false) {
            if self.child == Some(pid) {
                self.child = None;
                // What a wrapper said last comes before its end.
                happened.extend(self.reports.read().into_iter().map(Event::Reported));
                process::kill_all_below();
                self.probes.forget();
                happened.push(Event::Exited(status));
                return;
            }
            let ended = self.probes.ended(pid, status);
            happened.extend(ended.map(|(check, outcome)| Event::Probed { check, outcome }));
        }
    }

    /// Drops the link and chooses when to try again.
    fn lost(&mut self, error: &LinkError) -> Event {
        log(error);
        self.link.close();
        let chance = u64::from(u32::from_le_bytes(std::array::from_fn(|at| sys::chance()[at])));
        let longest = u64::try_from(self.settings.backoff_max.as_millis()).unwrap_or(u64::MAX);
        let wait = (longest.saturating_mul(chance)) >> 32;
        Event::Disconnected { wait: Duration::from_millis(wait) }
    }
}

/// What an event of the agent means to the machine, if anything.
fn translate(event: executor::Event) -> Option<Event> {
    match event::Type::try_from(event.r#type.unwrap_or_default()).ok()? {
        event::Type::Subscribed => {
            let framework = event.subscribed?.framework_info;
            let wanted = Some(capability::Type::TaskKillingState as i32);
            let killing_state = framework.capabilities.iter().any(|c| c.r#type == wanted);
            Some(Event::Subscribed { killing_state })
        }
        event::Type::Launch => Some(Event::Launch(Box::new(event.launch?.task))),
        event::Type::Kill => {
            let kill = event.kill?;
            let grace = launch::grace(kill.kill_policy.as_ref());
            Some(Event::Kill { task: kill.task_id, grace })
        }
        event::Type::Acknowledged => Some(Event::Acknowledged { uuid: event.acknowledged?.uuid }),
        event::Type::Shutdown => Some(Event::Shutdown),
        event::Type::Error => {
            log(&event.error?.message);
            Some(Event::Shutdown)
        }
        event::Type::LaunchGroup => {
            log(&"a command executor runs no task groups; LAUNCH_GROUP is ignored");
            None
        }
        event::Type::Message | event::Type::Heartbeat | event::Type::Unknown => None,
    }
}

/// A random UUID (RFC 9562, version 4) and the time.
fn stamp() -> Stamp {
    let mut uuid = sys::chance();
    uuid[6] = uuid[6] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Stamp { uuid, timestamp: since.as_secs_f64() }
}
