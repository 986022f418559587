//! The checks of a task: when to probe, and what the outcomes mean. Pure, like the machine that
//! owns them; what a task asks for is read in [`wanted`], probes are made in [`crate::probe`].
//!
//! A task has at most one health check, whose failures count, and one general check, whose
//! outcome is told without being judged (Mesos docs: task health checking).
//!
//! ```text
//!  Pausing --due--> Probing --outcome, timeout--> Pausing
//! ```

use std::net::SocketAddr;
use std::time::Duration;

use reeve_wire::v1::check_info::Type;
use reeve_wire::v1::check_status_info::{Command, Http, Tcp};
use reeve_wire::v1::task_status::Reason;
use reeve_wire::v1::{CheckStatusInfo, TaskStatus};

use crate::process::{self, Program};

pub mod wanted;

pub use wanted::Wanted;

/// Which of a task's checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The one whose outcome is only told.
    General,
    /// The one that decides whether the task may live.
    Health,
}

/// How to look at the task once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Run a command beside the task.
    Command(Program),
    /// GET a path.
    Http {
        /// Where the task listens.
        address: SocketAddr,
        /// What to ask for.
        path: String,
    },
    /// The same over TLS, whoever the certificate names.
    Https {
        /// Where the task listens.
        address: SocketAddr,
        /// What to ask for.
        path: String,
    },
    /// Connect.
    Tcp(SocketAddr),
}

impl Probe {
    fn kind(&self) -> Type {
        match self {
            Self::Command(_) => Type::Command,
            Self::Http { .. } | Self::Https { .. } => Type::Http,
            Self::Tcp(_) => Type::Tcp,
        }
    }
}

/// What came of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The command ended with this wait status.
    Exited(i32),
    /// The task answered with this HTTP status.
    Answered(u16),
    /// The task accepted the connection.
    Connected,
    /// It could not be made, and why.
    Failed(String),
    /// There is none in time.
    TimedOut,
}

/// What an outcome changes for the task.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The framework is to hear of it, for this reason and in these words.
    pub tell: Option<(Reason, Option<String>)>,
    /// The task is to be killed, and why.
    pub kill: Option<String>,
}

/// What is to be done for a check.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    /// Begin with this.
    Begin(Kind, Probe),
    /// Give up what is under way.
    Abandon(Kind, Verdict),
}

/// What a check of either kind says about its probes.
#[derive(Clone, Debug)]
struct Terms {
    probe: Probe,
    delay: Duration,
    /// From the end of one probe to the begin of the next.
    interval: Duration,
    /// None if a probe may take for ever.
    timeout: Option<Duration>,
}

#[derive(Debug)]
enum Turn {
    Pausing { at: Duration },
    Probing { until: Option<Duration> },
}

/// A check under way.
#[derive(Debug)]
struct Check {
    terms: Terms,
    turn: Turn,
}

#[derive(Debug)]
struct General {
    check: Check,
    status: CheckStatusInfo,
}

#[derive(Debug)]
struct Health {
    check: Check,
    limit: u32,
    grace_until: Duration,
    /// In a row, up to now.
    failures: u32,
    /// What the framework heard last.
    healthy: Option<bool>,
}

/// The checks of a running task.
#[derive(Debug)]
pub struct Checks {
    general: Option<General>,
    health: Option<Health>,
}

impl Checks {
    /// The checks of a task that runs since `now`.
    pub fn start(wanted: Wanted, now: Duration) -> Self {
        let general = wanted.general.map(|terms| General {
            status: check_status(terms.probe.kind(), None),
            check: Check::start(terms, now),
        });
        let health = wanted.health.map(|(terms, tolerance)| Health {
            check: Check::start(terms, now),
            limit: tolerance.consecutive_failures,
            grace_until: now.saturating_add(tolerance.grace),
            failures: 0,
            healthy: None,
        });
        Self { general, health }
    }

    /// When something is due next.
    pub fn deadline(&self) -> Option<Duration> {
        self.all().filter_map(|(_, check)| check.deadline()).min()
    }

    /// The next thing that is due at `now`, if any.
    pub fn due(&mut self, now: Duration) -> Option<Due> {
        let (kind, _) = self.all().find(|(_, check)| check.deadline().is_some_and(|d| d <= now))?;
        let check = self.check_mut(kind)?;
        if let Turn::Probing { .. } = check.turn {
            return Some(Due::Abandon(kind, self.probed(now, kind, &Outcome::TimedOut)));
        }
        let until = check.terms.timeout.map(|timeout| now.saturating_add(timeout));
        check.turn = Turn::Probing { until };
        Some(Due::Begin(kind, check.terms.probe.clone()))
    }

    /// Takes in the outcome of a probe.
    pub fn probed(&mut self, now: Duration, kind: Kind, outcome: &Outcome) -> Verdict {
        let Some(check) = self.check_mut(kind) else { return Verdict::default() };
        if let Turn::Pausing { .. } = check.turn {
            return Verdict::default();
        }
        check.turn = Turn::Pausing { at: now.saturating_add(check.terms.interval) };
        match (kind, &mut self.general, &mut self.health) {
            (Kind::General, Some(general), _) => general.probed(outcome),
            (Kind::Health, _, Some(health)) => health.probed(now, outcome),
            _ => Verdict::default(),
        }
    }

    /// Which checks have a probe under way.
    pub fn under_way(&self) -> impl Iterator<Item = Kind> {
        self.all()
            .filter(|(_, check)| matches!(check.turn, Turn::Probing { .. }))
            .map(|(kind, _)| kind)
    }

    /// Writes what is known into the update of a running task.
    pub fn describe(&self, status: &mut TaskStatus) {
        status.check_status = self.general.as_ref().map(|general| general.status);
        status.healthy = self.health.as_ref().and_then(|health| health.healthy);
    }

    fn all(&self) -> impl Iterator<Item = (Kind, &Check)> {
        let general = self.general.iter().map(|general| (Kind::General, &general.check));
        general.chain(self.health.iter().map(|health| (Kind::Health, &health.check)))
    }

    fn check_mut(&mut self, kind: Kind) -> Option<&mut Check> {
        match kind {
            Kind::General => self.general.as_mut().map(|general| &mut general.check),
            Kind::Health => self.health.as_mut().map(|health| &mut health.check),
        }
    }
}

impl Check {
    fn start(terms: Terms, now: Duration) -> Self {
        let turn = Turn::Pausing { at: now.saturating_add(terms.delay) };
        Self { terms, turn }
    }

    fn deadline(&self) -> Option<Duration> {
        match self.turn {
            Turn::Pausing { at } => Some(at),
            Turn::Probing { until } => until,
        }
    }
}

impl General {
    fn probed(&mut self, outcome: &Outcome) -> Verdict {
        let status = check_status(self.check.terms.probe.kind(), Some(outcome));
        if std::mem::replace(&mut self.status, status) == status {
            return Verdict::default();
        }
        Verdict { tell: Some((Reason::TaskCheckStatusUpdated, None)), kill: None }
    }
}

impl Health {
    fn probed(&mut self, now: Duration, outcome: &Outcome) -> Verdict {
        let trouble = self.trouble(outcome);
        match &trouble {
            None => self.failures = 0,
            // A task that is still starting is given its time.
            Some(_) if self.healthy.is_none() && now < self.grace_until => {
                return Verdict::default();
            }
            Some(_) => self.failures = self.failures.saturating_add(1),
        }
        let healthy = Some(trouble.is_none());
        // Success is told when it is news, each failure as it comes (Mesos docs: health checks).
        let news = std::mem::replace(&mut self.healthy, healthy) != healthy || trouble.is_some();
        let reason = Reason::TaskHealthCheckStatusUpdated;
        let kill = trouble.as_ref().filter(|_| self.failures >= self.limit);
        let kill = kill.map(|trouble| {
            format!(
                "Killed after {} failures of its health check in a row: {trouble}",
                self.failures
            )
        });
        Verdict { tell: news.then_some((reason, trouble)), kill }
    }

    /// What an outcome has against the task's health.
    fn trouble(&self, outcome: &Outcome) -> Option<String> {
        let terms = &self.check.terms;
        let what = match outcome {
            Outcome::Connected | Outcome::Answered(200..400) => return None,
            Outcome::Exited(status) if process::succeeded(*status) => return None,
            Outcome::Exited(status) => process::describe("Command", *status),
            Outcome::Answered(status) => format!("Unexpected HTTP status {status}"),
            Outcome::Failed(why) => why.clone(),
            Outcome::TimedOut => {
                format!("No outcome within {:?}", terms.timeout.unwrap_or_default())
            }
        };
        Some(format!("{} health check failed: {what}", terms.probe.kind().as_str_name()))
    }
}

/// An outcome as the framework gets it; what is not known stays empty, so that it shows which
/// check there is.
fn check_status(kind: Type, outcome: Option<&Outcome>) -> CheckStatusInfo {
    let mut status = CheckStatusInfo { r#type: Some(kind as i32), ..CheckStatusInfo::default() };
    match (kind, outcome) {
        (Type::Command, Some(Outcome::Exited(wait))) => {
            status.command = Some(Command { exit_code: process::exit_code(*wait) });
        }
        (Type::Command, _) => status.command = Some(Command::default()),
        (Type::Http, Some(Outcome::Answered(code))) => {
            status.http = Some(Http { status_code: Some(u32::from(*code)) });
        }
        (Type::Http, _) => status.http = Some(Http::default()),
        (Type::Tcp, Some(Outcome::Connected)) => status.tcp = Some(Tcp { succeeded: Some(true) }),
        (Type::Tcp, Some(Outcome::Failed(_))) => status.tcp = Some(Tcp { succeeded: Some(false) }),
        (Type::Tcp, _) => status.tcp = Some(Tcp::default()),
        (Type::Unknown, _) => {}
    }
    status
}
