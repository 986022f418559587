//! Machines that are to be down, are down, and come up again (MN-1, MN-2).

use std::time::Duration;

use reeve_model::{Machine, MachineId, MachineMode, Unavailability, Window};

use super::Cluster;
use super::cluster::{pid, registration, reregistration};
use crate::Options;
use crate::effect::{Effect, ToScheduler};
use crate::event::{Ask, Kind, MaintenanceChange, Recovered, RequestId, WriteId};

/// The machine of every agent here.
pub(super) fn machine() -> MachineId {
    named("host", "127.0.0.1")
}

fn named(hostname: &str, ip: &str) -> MachineId {
    MachineId { hostname: hostname.to_owned(), ip: ip.to_owned() }
}

pub(super) fn window(machines: &[MachineId]) -> Window {
    let unavailability = Unavailability { start: 1_000, duration: Some(60) };
    Window { machines: machines.to_vec(), unavailability }
}

fn asks(c: &mut Cluster, change: MaintenanceChange) -> Vec<String> {
    c.step(Kind::Asks(RequestId(3), Ask::Maintenance(change)))
}

pub(super) fn schedule(c: &mut Cluster, machines: &[MachineId]) -> Vec<String> {
    let windows = if machines.is_empty() { Vec::new() } else { vec![window(machines)] };
    asks(c, MaintenanceChange::Schedule(windows))
}

pub(super) fn start(c: &mut Cluster, machines: &[MachineId]) -> Vec<String> {
    asks(c, MaintenanceChange::Start(machines.to_vec()))
}

fn stop(c: &mut Cluster, machines: &[MachineId]) -> Vec<String> {
    asks(c, MaintenanceChange::Stop(machines.to_vec()))
}

fn told(lines: Vec<String>) -> String {
    lines.last().cloned().unwrap_or_default()
}

fn modes(c: &Cluster) -> Vec<(String, MachineMode)> {
    c.view().machines.values().map(|one| (one.id.to_string(), one.mode)).collect()
}

/// When the offers of the last step say that their machine is to be down.
fn offered(c: &Cluster) -> Vec<Option<Unavailability>> {
    let offers = c.effects.iter().filter_map(|effect| match effect {
        Effect::ToScheduler(_, ToScheduler::Offers(offers)) => Some(offers),
        _ => None,
    });
    offers.flatten().map(|offer| offer.unavailability).collect()
}

#[test]
fn a_scheduled_machine_is_offered_with_the_time_at_which_it_is_to_be_down() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    c.framework();
    c.grant(0, 0, "cpus:4");
    assert_eq!(offered(&c), [None]);
    c.commits = false;
    assert_eq!(
        schedule(&mut c, &[machine()]),
        ["persist 2: maintain 1 windows: host (127.0.0.1) Draining"]
    );
    assert!(c.view().machines.is_empty(), "not before it is durable");
    assert_eq!(
        c.step(Kind::Committed(WriteId(2))),
        ["alloc: f0 gives a0 cpus:4", "#1 < rescind m-O0", "answer 3: Done"]
    );
    c.commits = true;
    c.grant(0, 0, "cpus:4");
    assert_eq!(offered(&c), [Some(window(&[]).unavailability)]);
    // Nothing changes for it, so nothing is said of it.
    let lines = schedule(&mut c, &[machine(), named("other", "")]);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(
        schedule(&mut c, &[])[0],
        "persist 4: maintain 0 windows: host (127.0.0.1) up, other up"
    );
    assert!(c.view().schedule.is_empty());
}

#[test]
fn agents_of_a_machine_that_is_down_are_shut_down_and_sent_away() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    schedule(&mut c, &[named("HOST", "127.0.0.1")]);
    assert_eq!(
        start(&mut c, &[machine()]),
        [
            "persist 3: maintain 1 windows: HOST (127.0.0.1) Down",
            "a1 < shutdown: Operator initiated 'Machine DOWN'",
            "alloc: a0 active false",
            "#1 < rescind inverse m-O1",
            "persist 4: remove m-S0",
            "answer 3: Done",
            "#1 < update t TASK_GONE REASON_AGENT_REMOVED",
            "alloc: f0 gives a0 cpus:1",
            "unlink a1",
            "alloc: a0 removed",
            "#1 < lost m-S0",
        ]
    );
    let away = ["a1 < shutdown: Machine is `DOWN`"];
    assert_eq!(c.step(Kind::AgentRegisters(pid("a1"), registered())), away);
    let back = Box::new(reregistration(&a, "cpus:4"));
    assert_eq!(c.step(Kind::AgentReregisters(pid("a1"), back)), away);
    assert_eq!(c.view().tallies.departures.taken_down, 1);

    assert_eq!(
        stop(&mut c, &[machine()]),
        ["persist 5: maintain 0 windows: HOST (127.0.0.1) up", "answer 3: Done"]
    );
    c.agent("a1", "cpus:4");
    assert_eq!(c.view().agents.len(), 1);
}

fn registered() -> Box<crate::event::Registration> {
    Box::new(registration(None, "cpus:4"))
}

#[test]
fn an_agent_that_joins_while_its_machine_goes_down_does_not_stay() {
    let mut c = Cluster::new();
    schedule(&mut c, &[machine()]);
    c.commits = false;
    c.step(Kind::AgentRegisters(pid("a1"), registered()));
    start(&mut c, &[machine()]);
    c.step(Kind::Committed(WriteId(2)));
    assert_eq!(modes(&c)[0].1, MachineMode::Down);
    let lines = c.step(Kind::Committed(WriteId(1)));
    assert_eq!(told(lines), "persist 3: remove m-S0");
    c.step(Kind::Committed(WriteId(3)));
    assert!(c.view().agents.is_empty());
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let mut c = Cluster::new();
    let (one, two) = (machine(), named("two", "10.0.0.2"));
    for (lines, words) in [
        (schedule(&mut c, &[one.clone(), one.clone()]), "more than once in the schedule"),
        (start(&mut c, &[]), "List of machines is empty"),
        (start(&mut c, std::slice::from_ref(&one)), "is not part of a maintenance schedule"),
    ] {
        assert!(told(lines).contains(words), "{words}");
    }
    schedule(&mut c, &[one.clone(), two.clone()]);
    for (lines, words) in [
        (stop(&mut c, std::slice::from_ref(&one)), "not in DOWN mode"),
        (start(&mut c, &[one.clone(), one.clone()]), "more than once in the list"),
        (start(&mut c, std::slice::from_ref(&one)), "Done"),
        (start(&mut c, std::slice::from_ref(&one)), "not in DRAINING mode"),
        (schedule(&mut c, std::slice::from_ref(&two)), "is down and cannot be removed"),
        (stop(&mut c, std::slice::from_ref(&one)), "Done"),
    ] {
        let line = told(lines);
        assert!(line.contains(words), "{line}: {words}");
    }
    assert_eq!(modes(&c), [("two (10.0.0.2)".to_owned(), MachineMode::Draining)]);
    let many: Vec<_> = (0..9_000).map(|number| named(&format!("h{number}"), "")).collect();
    assert!(told(schedule(&mut c, &many)).contains("too large"));
}

#[test]
fn changes_follow_each_other() {
    let mut c = Cluster::new();
    c.commits = false;
    schedule(&mut c, &[machine()]);
    assert!(start(&mut c, &[machine()]).is_empty(), "it waits");
    assert!(start(&mut c, &[machine()]).is_empty());
    let lines = c.step(Kind::Committed(WriteId(0)));
    assert_eq!(lines, ["answer 3: Done", "persist 1: maintain 1 windows: host (127.0.0.1) Down"]);
    let lines = c.step(Kind::Committed(WriteId(1)));
    assert_eq!(lines[0], "answer 3: Done");
    assert!(lines[1].contains("not in DRAINING mode"), "{lines:?}");
}

#[test]
fn the_next_leader_keeps_the_schedule_and_who_is_down() {
    let unavailability = Some(window(&[]).unavailability);
    let mode = MachineMode::Down;
    let recovered = Recovered {
        schedule: vec![window(&[machine()])],
        machines: vec![Machine { id: machine(), mode, unavailability }],
        ..Recovered::default()
    };
    let mut c = Cluster::with(Options::default(), recovered);
    assert_eq!(c.view().schedule.len(), 1);
    let lines = c.step(Kind::AgentRegisters(pid("a1"), registered()));
    assert_eq!(lines, ["a1 < shutdown: Machine is `DOWN`"]);
    assert!(told(stop(&mut c, &[machine()])).contains("Done"));
    assert!(c.pass(Duration::from_secs(1)).is_empty());
}

#[test]
fn an_agent_in_the_schedule_is_not_drained_besides() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    schedule(&mut c, &[machine()]);
    let ask = Ask::Drain(a, reeve_model::DrainConfig::default());
    let line = told(c.step(Kind::Asks(RequestId(3), ask)));
    assert!(line.contains("is part of a maintenance schedule under Machine host"), "{line}");
}
