//! What the checks of a task do to it.

use reeve_wire::v1::check_info;
use reeve_wire::v1::health_check::{self, HttpCheckInfo, TcpCheckInfo};
use reeve_wire::v1::{CheckInfo, HealthCheck};

use super::*;

/// A health check by connecting, with the defaults of the wire.
fn tcp() -> HealthCheck {
    HealthCheck {
        r#type: Some(health_check::Type::Tcp as i32),
        tcp: Some(TcpCheckInfo { protocol: None, port: 80 }),
        ..HealthCheck::default()
    }
}

/// One that begins at once and counts every failure.
fn strict() -> HealthCheck {
    HealthCheck { delay_seconds: Some(0.0), grace_period_seconds: Some(0.0), ..tcp() }
}

fn general(command: &str) -> CheckInfo {
    let command = CommandInfo { value: Some(command.into()), ..CommandInfo::default() };
    CheckInfo {
        r#type: Some(check_info::Type::Command as i32),
        command: Some(check_info::Command { command }),
        ..CheckInfo::default()
    }
}

fn with_health(check: HealthCheck) -> TaskInfo {
    TaskInfo { health_check: Some(check), ..task() }
}

impl Rig {
    /// A rig that launched a task whose first probe, due at once, is under way.
    fn checked(killing_state: bool, task: TaskInfo) -> Self {
        let mut rig = Self::new(false, killing_state);
        rig.step(0, Event::Launch(Box::new(task)));
        assert!(matches!(rig.step(0, Event::Spawned).as_slice(), [Effect::Probe { .. }]));
        rig
    }

    fn healthy(&self) -> Vec<Option<bool>> {
        self.sent.iter().skip(2).map(|status| status.healthy).collect()
    }
}

fn probed(outcome: Outcome) -> Event {
    Event::Probed { check: Kind::Health, outcome }
}

fn failed() -> Event {
    probed(Outcome::Failed("No connection to 127.0.0.1:80: refused".into()))
}

#[test]
fn a_probe_waits_for_the_delay_and_then_for_the_interval() {
    let mut rig = Rig::running(false, false, with_health(tcp()));
    assert_eq!(rig.machine.deadline(), Some(AT(15_000)));
    let probe = Box::new(Probe::Tcp("127.0.0.1:80".parse().unwrap()));
    let begin = [Effect::Probe { check: Kind::Health, probe }];
    assert_eq!(rig.step(15_000, Event::Tick), begin);
    assert_eq!(rig.machine.deadline(), Some(AT(35_000)), "the timeout");
    assert_eq!(rig.step(16_000, probed(Outcome::Connected)), []);
    assert_eq!(rig.machine.deadline(), Some(AT(26_000)));
    assert_eq!(rig.step(26_000, Event::Tick), begin);
}

#[test]
fn health_is_told_when_it_comes_back_and_with_each_failure() {
    let mut rig = Rig::checked(false, with_health(strict()));
    assert_eq!(rig.sent[1].healthy, None, "nothing is known yet");
    let outcomes = [
        Outcome::Connected,
        Outcome::Connected,
        Outcome::Failed("no".into()),
        Outcome::Failed("no".into()),
        Outcome::Connected,
    ];
    for (at, outcome) in (0..).zip(outcomes) {
        rig.step(at * 10_000, probed(outcome));
        assert!(matches!(
            rig.step((at + 1) * 10_000, Event::Tick).as_slice(),
            [Effect::Probe { .. }]
        ));
    }
    assert_eq!(rig.healthy(), [Some(true), Some(false), Some(false), Some(true)]);
    for status in &rig.sent[2..] {
        assert_eq!(status.state, TaskState::TaskRunning as i32);
        assert_eq!(status.reason, Some(Reason::TaskHealthCheckStatusUpdated as i32));
    }
}

#[test]
fn failures_in_a_row_kill_the_task_and_it_fails() {
    let mut rig = Rig::checked(true, with_health(strict()));
    assert_eq!(rig.step(0, failed()), []);
    rig.step(10_000, Event::Tick);
    // The second one has no outcome in time.
    assert_eq!(rig.step(30_000, Event::Tick), [Effect::Abandon(Kind::Health)]);
    rig.step(40_000, Event::Tick);
    assert_eq!(rig.step(40_001, failed()), [Effect::Terminate]);
    assert_eq!(rig.last().0, TaskState::TaskKilling);
    assert_eq!(rig.machine.deadline(), Some(AT(43_001)), "the grace of the kill policy");
    // A framework that kills it as well changes nothing about why it ended.
    rig.step(40_002, kill(None));
    rig.step(40_100, Event::Exited(15));
    let (state, message) = rig.last();
    assert_eq!(state, TaskState::TaskKilled);
    assert!(message.contains("TCP health check failed: No connection"), "{message}");
    assert!(message.contains("3 failures"), "{message}");
    // Each failure, then TASK_KILLING, then the end.
    let told = [Some(false), Some(false), Some(false), None, Some(false)];
    assert_eq!(rig.healthy(), told);
}

#[test]
fn a_starting_task_is_given_its_grace_until_it_was_healthy_once() {
    let graceful =
        HealthCheck { grace_period_seconds: Some(60.0), consecutive_failures: Some(1), ..strict() };
    let mut rig = Rig::checked(false, with_health(graceful.clone()));
    assert_eq!(rig.step(10, failed()), []);
    assert_eq!(rig.healthy(), []);
    rig.step(10_010, Event::Tick);
    rig.step(10_020, probed(Outcome::Connected));
    rig.step(20_020, Event::Tick);
    assert_eq!(rig.step(20_030, failed()), [Effect::Terminate], "it had been healthy");

    let mut rig = Rig::checked(false, with_health(graceful));
    assert_eq!(rig.step(60_000, failed()), [Effect::Terminate], "the grace is over");
}

#[test]
fn statuses_of_success_and_redirection_are_healthy() {
    let http = |status| {
        let check = HealthCheck {
            r#type: Some(health_check::Type::Http as i32),
            http: Some(HttpCheckInfo { port: 80, ..HttpCheckInfo::default() }),
            ..strict()
        };
        let mut rig = Rig::checked(false, with_health(check));
        rig.step(1, probed(Outcome::Answered(status)));
        rig.healthy()[0].unwrap()
    };
    let healthy = [100, 199, 200, 204, 301, 399, 400, 404, 503].map(http);
    assert_eq!(healthy, [false, false, true, true, true, true, false, false, false]);
}

#[test]
fn checks_end_with_the_first_attempt_to_stop_the_task() {
    let mut rig = Rig::checked(false, with_health(strict()));
    let effects = rig.step(5, kill(None));
    assert_eq!(effects, [Effect::Abandon(Kind::Health), Effect::Terminate]);
    // What was on its way comes too late.
    assert_eq!(rig.step(6, failed()), []);
    assert_eq!(rig.healthy(), []);
    assert_eq!(rig.machine.deadline(), Some(AT(3_005)), "nothing else is due");
    rig.step(7, Event::Exited(15));
    assert_eq!((rig.last().0, rig.sent.last().unwrap().healthy), (TaskState::TaskKilled, None));
}

#[test]
fn a_general_check_is_told_as_it_is_and_never_kills() {
    let checked = TaskInfo { check: Some(general("true")), ..task() };
    let mut rig = Rig::running(false, false, checked);
    let code = |status: &TaskStatus| status.check_status.unwrap().command.unwrap().exit_code;
    assert_eq!(code(&rig.sent[1]), None, "there is a check, and no outcome");
    let outcomes = [0, 0, 3 << 8, 9].map(Outcome::Exited);
    for (at, outcome) in (0..).zip(outcomes) {
        rig.step(15_000 + at * 10_000, Event::Tick);
        rig.step(15_000 + at * 10_000, Event::Probed { check: Kind::General, outcome });
    }
    let updates = &rig.sent[2..];
    let codes: Vec<_> = updates.iter().map(code).collect();
    assert_eq!(codes, [Some(0), Some(3), None], "killed by a signal is no exit code");
    for status in updates {
        assert_eq!(status.state, TaskState::TaskRunning as i32);
        assert_eq!(status.reason, Some(Reason::TaskCheckStatusUpdated as i32));
    }
}

#[test]
fn later_updates_of_one_check_carry_what_the_other_says() {
    let now = CheckInfo { delay_seconds: Some(0.0), ..general("true") };
    let mut rig = Rig::new(false, false);
    rig.step(0, Event::Launch(Box::new(TaskInfo { check: Some(now), ..with_health(strict()) })));
    assert_eq!(rig.step(0, Event::Spawned).len(), 2, "both begin");
    rig.step(1, probed(Outcome::Connected));
    rig.step(2, Event::Probed { check: Kind::General, outcome: Outcome::Exited(0) });
    let last = rig.sent.last().unwrap();
    assert_eq!(last.healthy, Some(true));
    assert_eq!(last.check_status.unwrap().command.unwrap().exit_code, Some(0));
}

#[test]
fn a_check_that_makes_no_sense_fails_the_task_before_it_starts() {
    let http = |path: &str, scheme: &str| HealthCheck {
        r#type: Some(health_check::Type::Http as i32),
        http: Some(HttpCheckInfo {
            port: 80,
            path: Some(path.into()),
            scheme: Some(scheme.into()),
            ..HttpCheckInfo::default()
        }),
        ..HealthCheck::default()
    };
    let bad = [
        (HealthCheck { r#type: None, ..tcp() }, "no 'type'"),
        (HealthCheck { tcp: None, ..tcp() }, "no 'tcp'"),
        (HealthCheck { delay_seconds: Some(-1.0), ..tcp() }, "delay_seconds -1"),
        (HealthCheck { interval_seconds: Some(f64::NAN), ..tcp() }, "interval_seconds NaN"),
        (
            HealthCheck { tcp: Some(TcpCheckInfo { port: 65_536, protocol: None }), ..tcp() },
            "65536",
        ),
        (http("health", "http"), "the path 'health'"),
        (http("/ HTTP/1.1\r\nX: y", "http"), "the path"),
        (http("/", "ftp"), "the scheme 'ftp'"),
    ];
    for (check, why) in bad {
        let mut rig = Rig::new(false, false);
        assert_eq!(rig.step(0, Event::Launch(Box::new(with_health(check)))), []);
        let (state, message) = rig.last();
        assert_eq!(state, TaskState::TaskFailed);
        assert!(message.contains(why), "{message}");
        assert!(message.contains("health check of task 't'"), "{message}");
    }
}

#[test]
fn the_longest_durations_do_no_harm() {
    let for_ever = Some(1e19);
    let check = HealthCheck {
        delay_seconds: for_ever,
        interval_seconds: for_ever,
        timeout_seconds: for_ever,
        grace_period_seconds: for_ever,
        ..tcp()
    };
    let mut rig = Rig::running(false, false, with_health(check));
    assert_eq!(rig.step(1_000_000, Event::Tick), []);
}
