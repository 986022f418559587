//! Reconciliation by the rules of mesos.md §5.5.

use std::time::Duration;

use reeve_machine::Wall;
use reeve_model::{AgentId, Capabilities, FrameworkInfo, TaskId, TaskState};

use super::Cluster;
use super::cluster::{Session, framework, known, pid, registration, reregistration};
use crate::Options;
use crate::event::{Call, Kind, Recovered};

fn ask(c: &mut Cluster, by: &Session, task: &str, agent: Option<&str>) -> Vec<String> {
    let agent = agent.map(AgentId::new);
    let lines = c.call(by, Call::Reconcile(vec![(TaskId::new(task), agent)]));
    lines.iter().map(|line| line.replace(" REASON_RECONCILIATION", "")).collect()
}

fn recovered() -> Recovered {
    let id = AgentId::new("old-S1");
    Recovered {
        master: "m".into(),
        agents: vec![registration(Some(&id), "cpus:4").info],
        unreachable: vec![(AgentId::new("old-S2"), Wall::from_seconds(1_699_999_999))],
        gone: vec![(AgentId::new("old-S3"), Wall::from_seconds(5))],
        ..Recovered::default()
    }
}

#[test]
fn each_task_is_answered_by_the_first_rule_that_fits() {
    let mut c = Cluster::with(Options::default(), recovered());
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    assert_eq!(ask(&mut c, &f, "t", None), ["#1 < update t TASK_STAGING"]);
    assert!(ask(&mut c, &f, "x", Some("old-S1")).is_empty(), "it may still come back");
    assert!(ask(&mut c, &f, "x", None).is_empty(), "an agent may still come back with it");
    assert_eq!(ask(&mut c, &f, "x", Some(a.as_str())), ["#1 < update x TASK_GONE"]);
    assert_eq!(ask(&mut c, &f, "x", Some("old-S2")), ["#1 < update x TASK_UNREACHABLE"]);
    assert_eq!(ask(&mut c, &f, "x", Some("old-S3")), ["#1 < update x TASK_GONE_BY_OPERATOR"]);
    assert_eq!(ask(&mut c, &f, "x", Some("old-S9")), ["#1 < update x TASK_UNKNOWN"]);
    c.pass(Duration::from_secs(600));
    assert_eq!(ask(&mut c, &f, "x", None), ["#1 < update x TASK_UNKNOWN"]);
    assert_eq!(ask(&mut c, &f, "x", Some("old-S1")), ["#1 < update x TASK_UNREACHABLE"]);
}

#[test]
fn the_state_that_is_being_delivered_counts_not_the_newest() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    c.update("a1", &a, &f.0, "t", TaskState::Finished, 2);
    c.update("a1", &a, &f.0, "t", TaskState::Running, 1);
    assert_eq!(ask(&mut c, &f, "t", None), ["#1 < update t TASK_RUNNING"]);
}

#[test]
fn frameworks_that_know_no_partitions_are_told_lost() {
    let mut c = Cluster::with(Options::default(), recovered());
    let capabilities = Capabilities::none();
    let (id, stream, _) = c.subscribe(FrameworkInfo { capabilities, ..framework() });
    let f = (id, stream);
    for agent in ["old-S2", "old-S3", "old-S9"] {
        assert_eq!(ask(&mut c, &f, "x", Some(agent)), ["#1 < update x TASK_LOST"]);
    }
}

#[test]
fn no_names_mean_all_tasks_also_the_unreachable() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let b = c.agent("b1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t1");
    c.run(&f, 1, &b, "t2");
    c.update("b1", &b, &f.0, "t2", TaskState::Running, 1);
    for _ in 0..6 {
        c.pass(Duration::from_secs(15));
        c.step(Kind::AgentPonged(pid("b1")));
    }
    assert_eq!(
        c.call(&f, Call::Reconcile(Vec::new())),
        [
            "#1 < update t2 TASK_RUNNING REASON_RECONCILIATION",
            "#1 < update t1 TASK_UNREACHABLE REASON_RECONCILIATION",
        ]
    );
}

#[test]
fn operations_are_answered_by_where_their_agent_is() {
    let mut c = Cluster::with(Options::default(), recovered());
    let f = c.framework();
    for (agent, state) in [
        ("old-S1", "Recovering"),
        ("old-S2", "Unreachable"),
        ("old-S3", "GoneByOperator"),
        ("old-S9", "Unknown"),
    ] {
        let ask = vec![(reeve_model::OperationId::new("op"), Some(AgentId::new(agent)))];
        let lines = c.call(&f, Call::ReconcileOperations(ask));
        assert_eq!(lines, [format!("#1 < operation Some(op) {state}: -")]);
    }
}

/// A task on an agent that answers no ping any more.
fn lost(capabilities: Capabilities) -> (Cluster, Session, AgentId, Vec<String>) {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let (id, stream, _) = c.subscribe(FrameworkInfo { capabilities, ..framework() });
    let f = (id, stream);
    c.run(&f, 0, &a, "t");
    let lines = c.pass(Duration::from_secs(90));
    let told = lines.into_iter().filter(|line| line.contains(" t ")).collect();
    (c, f, a, told)
}

fn back_with_it(c: &mut Cluster, f: &Session, a: &AgentId) -> Vec<String> {
    let mut back = reregistration(a, "cpus:4");
    back.tasks.push(known("t", &f.0, TaskState::Running, "cpus:1"));
    let lines = c.step(Kind::AgentReregisters(pid("a1"), Box::new(back)));
    lines.into_iter().filter(|line| line.contains(" t ")).collect()
}

#[test]
fn a_partition_as_it_looks_to_who_knows_of_partitions() {
    let (mut c, f, a, told) = lost(Capabilities::PARTITION_AWARE);
    assert_eq!(told, ["#1 < update t TASK_UNREACHABLE REASON_AGENT_REMOVED"]);
    assert_eq!(ask(&mut c, &f, "t", None), ["#1 < update t TASK_UNREACHABLE"]);
    assert_eq!(ask(&mut c, &f, "t", Some(a.as_str())), ["#1 < update t TASK_UNREACHABLE"]);
    let update = c.update("a1", &a, &f.0, "t", TaskState::Finished, 1);
    assert!(update.is_empty(), "an agent out of reach says it again when it is back");
    assert_eq!(
        back_with_it(&mut c, &f, &a),
        ["#1 < update t TASK_RUNNING REASON_AGENT_REREGISTERED"]
    );
    assert_eq!(ask(&mut c, &f, "t", None), ["#1 < update t TASK_RUNNING"]);
}

#[test]
fn a_partition_as_it_looks_to_who_does_not() {
    let (mut c, f, a, told) = lost(Capabilities::none());
    assert_eq!(told, ["#1 < update t TASK_LOST REASON_AGENT_REMOVED"]);
    assert_eq!(ask(&mut c, &f, "t", Some(a.as_str())), ["#1 < update t TASK_LOST"]);
    assert_eq!(
        back_with_it(&mut c, &f, &a),
        ["#1 < update t TASK_RUNNING REASON_AGENT_REREGISTERED"],
        "what was lost may run, as in Mesos"
    );
}

#[test]
fn a_disconnected_agent_still_has_its_tasks() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    c.update("a1", &a, &f.0, "t", TaskState::Running, 1);
    c.step(Kind::LinkBroken(pid("a1")));
    assert_eq!(ask(&mut c, &f, "t", None), ["#1 < update t TASK_RUNNING"]);
    assert_eq!(ask(&mut c, &f, "x", Some(a.as_str())), ["#1 < update x TASK_GONE"]);
}

#[test]
fn what_an_awaited_agent_says_before_it_is_back_does_not_count() {
    let mut c = Cluster::with(Options::default(), recovered());
    let f = c.framework();
    let id = AgentId::new("old-S1");
    let update = c.update("a1", &id, &f.0, "t", TaskState::Running, 1);
    assert!(update.is_empty(), "{update:?}");
    let mut back = reregistration(&id, "cpus:4");
    back.tasks.push(known("t", &f.0, TaskState::Running, "cpus:1"));
    back.frameworks.push(FrameworkInfo { id: Some(f.0.clone()), ..framework() }.into());
    c.step(Kind::AgentReregisters(pid("a1"), Box::new(back)));
    assert_eq!(
        c.update("a1", &id, &f.0, "t", TaskState::Running, 1),
        ["#1 < update t TASK_RUNNING (1)"]
    );
    assert_eq!(ask(&mut c, &f, "t", None), ["#1 < update t TASK_RUNNING"]);
}

#[test]
fn tasks_without_checkpoints_that_an_earlier_leader_gave_up_are_told_to_run() {
    let mut c = Cluster::with(Options::default(), recovered());
    let (id, stream, _) = c.subscribe(FrameworkInfo { checkpoint: false, ..framework() });
    let f = (id, stream);
    assert_eq!(
        back_with_it(&mut c, &f, &AgentId::new("old-S1")),
        ["#1 < update t TASK_RUNNING REASON_AGENT_REREGISTERED"]
    );
}

#[test]
fn an_agent_that_is_being_written_off_is_answered_for_as_it_was() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    c.commits = false;
    c.pass(Duration::from_secs(90));
    assert_eq!(ask(&mut c, &f, "t", None), ["#1 < update t TASK_STAGING"]);
    c.step(Kind::Committed(crate::event::WriteId(2)));
    assert_eq!(ask(&mut c, &f, "t", None), ["#1 < update t TASK_UNREACHABLE"]);
}
