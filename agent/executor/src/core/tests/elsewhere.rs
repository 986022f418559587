//! Tasks that a wrapper runs elsewhere.

use super::*;
use reeve_wire::v1::check_info::{self, Http};
use reeve_wire::v1::{CheckInfo, CommandInfo};

/// A rig whose wrapper was started at time 0.
fn wrapped(checkpoint: bool, task: TaskInfo) -> Rig {
    let mut rig = Rig::of(settings(checkpoint), true, false);
    let effects = rig.step(0, Event::Launch(Box::new(task)));
    assert!(matches!(effects.as_slice(), [Effect::Spawn(_)]), "{effects:?}");
    assert_eq!(rig.step(0, Event::Spawned), []);
    assert_eq!(rig.states(), [TaskState::TaskStarting]);
    rig
}

fn runs() -> Event {
    Event::Reported(Report::Running("172.17.0.2".parse().ok()))
}

#[test]
fn it_runs_once_its_wrapper_says_so_and_has_its_own_address() {
    let http = Http { port: 80, ..Http::default() };
    let check = CheckInfo {
        r#type: Some(check_info::Type::Http.into()),
        http: Some(http),
        ..CheckInfo::default()
    };
    // A command that names nothing is the wrapper's to know.
    let command = CommandInfo { shell: Some(false), ..CommandInfo::default() };
    let task = TaskInfo { check: Some(check), command: Some(command), ..task() };
    let mut rig = wrapped(true, task);
    let effects = rig.step(5, runs());
    assert_eq!(rig.last().0, TaskState::TaskRunning);
    let place = rig.sent.last().unwrap().container_status.clone().unwrap();
    let address = place.network_infos[0].ip_addresses[0].ip_address.as_deref();
    assert_eq!(address, Some("172.17.0.2"));
    let begun = effects.into_iter().chain(rig.step(60_000, Event::Tick));
    let probes: Vec<Effect> =
        begun.filter(|effect| matches!(effect, Effect::Probe { .. })).collect();
    let address = "172.17.0.2:80".parse().unwrap();
    let probe = Box::new(Probe::Http { address, path: "/".into() });
    assert!(probes.contains(&Effect::Probe { check: Kind::General, probe }), "{probes:?}");
    rig.step(60_001, Event::Exited(3 << 8));
    assert_eq!(rig.last(), (TaskState::TaskFailed, "Container exited with status 3"));
    assert_eq!(rig.sent.last().unwrap().container_status, None);
}

#[test]
fn it_is_killed_by_its_wrapper_before_that_is_killed() {
    let mut rig = wrapped(true, task());
    rig.step(0, runs());
    assert_eq!(rig.step(10, kill(Some(100))), [Effect::Terminate]);
    assert_eq!(rig.step(109, Event::Tick), []);
    assert_eq!(rig.step(110, Event::Tick), [Effect::KillByWrapper]);
    assert_eq!(rig.step(200, kill(Some(0))), []);
    assert_eq!(rig.step(10_109, Event::Tick), []);
    assert_eq!(rig.step(10_110, Event::Tick), [Effect::Kill]);
    rig.step(10_111, Event::Exited(9));
    assert_eq!(rig.last().0, TaskState::TaskKilled);
}

#[test]
fn its_wrapper_says_why_it_failed() {
    let failed = |report: Report| {
        let mut rig = wrapped(true, task());
        rig.step(1, Event::Reported(report));
        rig.step(2, Event::Exited(137 << 8));
        let status = rig.sent.last().unwrap();
        assert_eq!(rig.last().0, TaskState::TaskFailed);
        (Reason::try_from(status.reason.unwrap()).unwrap(), rig.last().1.to_owned())
    };
    let limit = Report::Limit { resource: "mem".into(), message: "too much".into() };
    assert_eq!(failed(limit), (Reason::ContainerLimitationMemory, "too much".to_owned()));
    let none = Report::Failed("no image".into());
    assert_eq!(failed(none), (Reason::ContainerLaunchFailed, "no image".to_owned()));

    // That it was killed is no news to who killed it.
    let mut rig = wrapped(true, task());
    rig.step(1, kill(None));
    rig.step(2, Event::Reported(Report::Failed("stopped".into())));
    rig.step(3, Event::Exited(143 << 8));
    assert_eq!(rig.last(), (TaskState::TaskKilled, "Container exited with status 143"));
}

#[test]
fn it_does_not_outlive_an_agent_that_nobody_waits_for() {
    let mut rig = wrapped(false, task());
    rig.step(1, runs());
    let effects = rig.step(2, Event::Disconnected { wait: AT(1) });
    assert_eq!(effects, [Effect::Terminate, Effect::KillByWrapper]);
    assert_eq!(rig.step(3, Event::Exited(137 << 8)), [Effect::Exit]);
}
