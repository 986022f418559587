//! An agent's life: joined, out of reach, back with what runs on it.

use std::sync::Arc;
use std::time::Duration;

use reeve_machine::Wall;
use reeve_model::{AgentId, FrameworkInfo, Resources, TaskState};

use super::Cluster;
use super::cluster::{
    framework, known, parse, pid, registers, registers_in_life, registration, reregistration,
    returns,
};
use crate::Options;
use crate::event::{AgentUpdate, Kind, Recovered, Registration, WriteId};

/// Lets pings go unanswered until the agent is given up.
fn silence(c: &mut Cluster) -> Vec<String> {
    let lines = c.pass(Duration::from_secs(90));
    lines.into_iter().filter(|line| !line.contains("ping") && !line.contains("heart")).collect()
}

#[test]
fn an_agent_is_admitted_when_that_is_durable() {
    let mut c = Cluster::new();
    c.commits = false;
    let asks = || registers("a1", registration(None, "cpus:4"));
    assert_eq!(c.step(asks()), ["persist 0: admit m-S0"]);
    assert!(c.step(asks()).is_empty(), "it asks again while that is written");
    assert!(c.view().agents.is_empty());
    assert_eq!(
        c.step(Kind::Committed(WriteId(0))),
        ["link a1", "alloc: agent a0 cpus:4 used []", "a1 < registered m-S0, 75s"]
    );
    assert_eq!(c.step(asks()), ["a1 < registered m-S0, 75s"], "our answer got lost");
}

#[test]
fn an_agent_that_lost_its_disk_is_a_new_one_though_the_old_one_was_not_missed_yet() {
    let mut c = Cluster::new();
    c.step(registers_in_life("a1", 1));
    assert_eq!(
        c.step(registers_in_life("a1", 1)),
        ["a1 < registered m-S0, 75s"],
        "our answer got lost"
    );
    let lines = c.step(registers_in_life("a1", 2));
    assert!(lines.iter().any(|line| line.starts_with("persist") && line.contains("remove m-S0")));
    assert!(lines.contains(&"a1 < registered m-S1, 75s".to_owned()), "{lines:#?}");
    assert_eq!(c.view().agents.len(), 1);
}

#[test]
fn agents_that_are_too_old_are_ignored() {
    let mut c = Cluster::new();
    for version in ["0.28.2", "", "one"] {
        let version = version.to_owned();
        let old = Registration { version, ..registration(None, "cpus:4") };
        assert!(c.step(registers("a1", old)).is_empty());
    }
}

#[test]
fn checkpointed_reservations_are_part_of_what_an_agent_has() {
    let mut c = Cluster::new();
    let level = reeve_model::Reservation::dynamic("eng".into(), None);
    let checkpointed: Resources = parse("cpus:1")
        .iter()
        .map(|one| reeve_model::Resource {
            reservations: one.reservations.push(level.clone()),
            ..one.clone()
        })
        .collect();
    let asks = Registration { checkpointed: checkpointed.clone(), ..registration(None, "cpus:4") };
    c.step(registers("a1", asks));
    let view = c.view();
    let total = &view.agents.values().next().unwrap().record.total;
    assert_eq!(*total, parse("cpus:3") + checkpointed);
}

#[test]
fn a_new_agent_at_the_address_of_a_lost_one_replaces_it() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    c.step(Kind::LinkBroken(pid("a1")));
    let lines = c.step(registers("a1", registration(None, "cpus:8")));
    assert_eq!(
        lines,
        [
            "persist 2: remove m-S0",
            "persist 3: admit m-S1",
            "#1 < update t TASK_GONE REASON_AGENT_REMOVED",
            "alloc: f0 gives a0 cpus:1",
            "alloc: a0 removed",
            "#1 < lost m-S0",
            "link a1",
            "alloc: agent a1 cpus:8 used []",
            "a1 < registered m-S1, 75s",
        ]
    );
}

#[test]
fn an_agent_that_answers_no_ping_is_unreachable_after_75_seconds() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    c.grant(0, 0, "cpus:3");
    c.pass(Duration::from_secs(60));
    c.step(Kind::AgentPonged(pid("a1")));
    let lines = c.pass(Duration::from_secs(89));
    assert!(!lines.iter().any(|line| line.contains("persist")), "a late pong counts: {lines:?}");
    let lines = c.pass(Duration::from_secs(1));
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.contains("heart")).collect();
    assert_eq!(
        lines,
        [
            "alloc: a0 active false",
            "alloc: f0 gives a0 cpus:3",
            "#1 < rescind m-O1",
            "persist 2: unreachable m-S0",
            "#1 < update t TASK_UNREACHABLE REASON_AGENT_REMOVED",
            "alloc: f0 gives a0 cpus:1",
            "unlink a1",
            "alloc: a0 removed",
            "#1 < lost m-S0",
        ]
    );
    let view = c.view();
    assert_eq!(view.frameworks[&f.0].unreachable.len(), 1);
    assert!(view.unreachable.contains_key(&a));
}

#[test]
fn nobody_hears_that_an_agent_is_unreachable_before_that_is_durable() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    c.commits = false;
    let lines = silence(&mut c);
    assert_eq!(lines, ["alloc: a0 active false", "persist 2: unreachable m-S0"]);
    assert!(c.update("a1", &a, &f.0, "t", TaskState::Running, 1).is_empty());
    assert!(c.step(returns("a1", reregistration(&a, "cpus:4"))).is_empty(), "it asks again");
    let lines = c.step(Kind::Committed(WriteId(2)));
    assert_eq!(lines[0], "#1 < update t TASK_UNREACHABLE REASON_AGENT_REMOVED");
}

#[test]
fn an_unreachable_agent_comes_back_with_its_tasks() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    silence(&mut c);
    let mut back = reregistration(&a, "cpus:4");
    back.tasks.push(known("t", &f.0, TaskState::Running, "cpus:1"));
    assert_eq!(
        c.step(returns("a1", back)),
        [
            "persist 3: reachable m-S0",
            "link a1",
            "#1 < update t TASK_RUNNING REASON_AGENT_REREGISTERED",
            "alloc: agent a1 cpus:4 used [f0 cpus:1]",
            "a1 < reregistered m-S0 []",
            "a1 < update framework test",
        ]
    );
    let view = c.view();
    assert_eq!(view.frameworks[&f.0].unreachable.len(), 0);
    assert_eq!(view.frameworks[&f.0].tasks.len(), 1);
    assert!(view.unreachable.is_empty());
}

#[test]
fn what_an_unreachable_agent_does_not_bring_back_is_gone() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    silence(&mut c);
    let lines = c.step(returns("a1", reregistration(&a, "cpus:4")));
    assert!(lines.contains(&"#1 < update t TASK_GONE REASON_AGENT_REREGISTERED".to_owned()));
    assert!(c.view().frameworks[&f.0].unreachable.is_empty());
}

#[test]
fn a_disconnected_agent_comes_back_and_both_sides_compare() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "kept");
    c.run(&f, 0, &a, "unknown-to-agent");
    assert_eq!(c.step(Kind::LinkBroken(pid("a1"))), ["alloc: a0 active false"]);
    assert!(c.pass(Duration::from_secs(15)).contains(&"a1 < ping false".to_owned()));
    let mut back = reregistration(&a, "cpus:4");
    back.tasks.push(known("kept", &f.0, TaskState::Running, "cpus:1"));
    back.tasks.push(known("unknown-to-master", &f.0, TaskState::Running, "cpus:2"));
    assert_eq!(
        c.step(returns("a1", back)),
        [
            "link a1",
            "alloc: a0 active true",
            "#1 < update unknown-to-master TASK_RUNNING REASON_AGENT_REREGISTERED",
            "alloc: f0 uses a0 cpus:2",
            "a1 < reregistered m-S0 [unknown-to-agent TASK_STAGING]",
            "a1 < update framework test",
        ]
    );
}

#[test]
fn tasks_without_checkpointing_do_not_outlive_the_connection() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let (id, stream, _) = c.subscribe(FrameworkInfo { checkpoint: false, ..framework() });
    c.run(&(id, stream), 0, &a, "t");
    assert_eq!(
        c.step(Kind::LinkBroken(pid("a1"))),
        [
            "alloc: a0 active false",
            "#1 < update t TASK_GONE REASON_AGENT_DISCONNECTED",
            "alloc: f0 gives a0 cpus:1",
        ]
    );
}

#[test]
fn a_task_that_was_written_off_and_starts_late_is_counted_when_its_agent_says_so() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let (id, stream, _) = c.subscribe(FrameworkInfo { checkpoint: false, ..framework() });
    let f = (id, stream);
    c.run(&f, 0, &a, "t");
    c.step(Kind::LinkBroken(pid("a1")));
    c.step(returns("a1", reregistration(&a, "cpus:4")));
    assert_eq!(
        c.update("a1", &a, &f.0, "t", TaskState::Starting, 1),
        ["#1 < update t TASK_STARTING (1)", "a1 < ping false"],
        "the launch was still under way, and the agent is asked for all it has"
    );
    let mut back = reregistration(&a, "cpus:4");
    back.tasks.push(known("t", &f.0, TaskState::Starting, "cpus:1"));
    let lines = c.step(returns("a1", back));
    assert!(lines.contains(&"alloc: f0 uses a0 cpus:1".to_owned()), "{lines:?}");
    assert_eq!(
        c.update("a1", &a, &f.0, "t", TaskState::Running, 2),
        ["#1 < update t TASK_RUNNING (2)"]
    );
    c.update("a1", &a, &f.0, "t", TaskState::Finished, 3);
    c.ack(&f, &a, "t", 3);
    assert_eq!(
        c.update("a1", &a, &f.0, "t", TaskState::Finished, 3),
        ["#1 < update t TASK_FINISHED (3)"],
        "nobody need ask about what is over"
    );
}

#[test]
fn an_agent_that_leaves_is_removed_with_its_tasks() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    assert!(c.step(Kind::AgentUnregisters(pid("a2"), a.clone())).is_empty(), "a stranger");
    let lines = c.step(Kind::AgentUnregisters(pid("a1"), a));
    assert!(lines.contains(&"#1 < update t TASK_GONE REASON_AGENT_REMOVED".to_owned()));
    assert!(lines.contains(&"#1 < lost m-S0".to_owned()));
    assert!(c.view().unreachable.is_empty());
}

fn recovered() -> Recovered {
    Recovered {
        agents: vec![registration(Some(&AgentId::new("old-S1")), "cpus:4").info],
        gone: vec![(AgentId::new("old-S3"), Wall::from_seconds(5))],
        ..Recovered::default()
    }
}

#[test]
fn after_a_failover_agents_bring_back_what_the_master_forgot() {
    let mut c = Cluster::with(Options::default(), recovered());
    assert_eq!(c.view().awaited.len(), 1);
    let id = AgentId::new("old-S1");
    let mut back = reregistration(&id, "cpus:4");
    let info = FrameworkInfo { id: Some("old-0000".into()), ..framework() };
    back.frameworks.push(Arc::new(info.clone()));
    back.tasks.push(known("t", &"old-0000".into(), TaskState::Running, "cpus:1"));
    assert_eq!(
        c.step(returns("a1", back)),
        [
            "link a1",
            "alloc: framework f0 active false",
            "alloc: agent a0 cpus:4 used [f0 cpus:1]",
            "a1 < reregistered old-S1 []",
        ],
        "nothing need be written for an agent as it was"
    );
    assert!(c.view().frameworks["old-0000"].record.recovered);
    let (_, _, lines) = c.subscribe(info);
    assert!(lines.contains(&"#1 < subscribed old-0000 again".to_owned()));
    assert!(lines.contains(&"alloc: f0 active true".to_owned()));
}

#[test]
fn agents_that_do_not_come_back_after_a_failover_are_unreachable() {
    let mut c = Cluster::with(Options::default(), recovered());
    c.framework();
    let lines = c.pass(Duration::from_secs(600));
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.contains("heart")).collect();
    assert_eq!(lines, ["persist 1: unreachable old-S1", "#1 < lost old-S1"]);
}

#[test]
fn a_gone_agent_is_sent_away() {
    let mut c = Cluster::with(Options::default(), recovered());
    let back = reregistration(&AgentId::new("old-S3"), "cpus:4");
    assert_eq!(c.step(returns("a1", back)), ["a1 < shutdown: Agent has been marked gone"]);
}

#[test]
fn what_runs_of_a_completed_framework_is_shut_down() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    c.step(Kind::LinkBroken(pid("a1")));
    c.call(&f, crate::event::Call::Teardown);
    let mut back = reregistration(&a, "cpus:4");
    back.frameworks.push(Arc::new(FrameworkInfo { id: Some(f.0.clone()), ..framework() }));
    back.tasks.push(known("t", &f.0, TaskState::Running, "cpus:1"));
    let lines = c.step(returns("a1", back));
    assert!(lines.contains(&"a1 < shutdown framework m-0000".to_owned()), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("uses")), "{lines:?}");
}

#[test]
fn a_status_of_a_completed_framework_is_answered_by_its_end() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    c.step(Kind::LinkBroken(pid("a1")));
    c.step(returns("a1", reregistration(&a, "cpus:4")));
    c.call(&f, crate::event::Call::Teardown);
    assert_eq!(
        c.update("a1", &a, &f.0, "t", TaskState::Finished, 1),
        ["a1 < shutdown framework m-0000"]
    );
}

#[test]
fn an_agent_that_changed_is_written_anew_before_it_counts() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    c.framework();
    c.grant(0, 0, "cpus:4");
    c.step(Kind::LinkBroken(pid("a1")));
    let lines = c.step(returns("a1", reregistration(&a, "cpus:8")));
    assert_eq!(lines[0], "persist 2: admit m-S0");
    assert!(lines.contains(&"alloc: a0 is cpus:8".to_owned()), "{lines:?}");
}

#[test]
fn oversubscribed_resources_come_and_go() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    c.framework();
    let revocable: Resources = parse("cpus:2")
        .iter()
        .map(|one| reeve_model::Resource { revocable: true, ..one.clone() })
        .collect();
    let says = |what: &Resources| {
        let oversubscribed = Some(what.clone());
        let update = AgentUpdate { oversubscribed, resource_version: None };
        Kind::AgentUpdates(pid("a1"), a.clone(), Box::new(update))
    };
    assert_eq!(c.step(says(&revocable)).len(), 1);
    assert!(c.step(says(&revocable)).is_empty(), "nothing changed");
    let granted = crate::allocation::Granted {
        framework: crate::allocation::FrameworkIx(0),
        agent: crate::allocation::AgentIx(0),
        role: "*".into(),
        resources: revocable.allocated_to(&"*".into()),
    };
    c.step(Kind::Granted(vec![granted]));
    let lines = c.step(says(&Resources::new()));
    assert_eq!(lines[1], "#1 < rescind m-O0");
    assert_eq!(lines[2], "alloc: a0 is cpus:4");
}

#[test]
fn unreachable_agents_are_forgotten_after_two_weeks() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    silence(&mut c);
    assert!(c.view().unreachable.contains_key(&a));
    let lines = c.pass(Duration::from_secs(15 * 24 * 3600));
    assert_eq!(lines, ["persist 2: remove m-S0"]);
    assert!(c.view().unreachable.is_empty());
}

#[test]
fn a_registry_that_fails_ends_the_leadership() {
    let mut c = Cluster::new();
    let lines = c.step(Kind::CommitFailed(WriteId(0), "disk full".to_owned()));
    assert!(lines[0].starts_with("step down: the registry"), "{lines:?}");
}
