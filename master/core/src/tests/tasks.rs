//! A task's life: launched, updated, acknowledged, killed.

use std::sync::Arc;
use std::time::Duration;

use reeve_model::{
    Capabilities, ExecutorId, FrameworkInfo, InvalidTask, KillPolicy, Operation, Reason, TaskId,
    TaskState,
};

use super::Cluster;
use super::cluster::{Wish, executor, framework, parse, pid, task};
use crate::event::{Call, Kind};

fn kill(id: &str) -> Call {
    Call::Kill { task: TaskId::new(id), agent: None, policy: None }
}

#[test]
fn a_task_lives_from_offer_to_acknowledged_end() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4;mem:1024");
    let (id, stream, lines) = c.subscribe(framework());
    assert_eq!(
        lines,
        [
            "persist 1: describe m-0000",
            "#1 < subscribed m-0000",
            "#1 < heartbeat",
            "alloc: framework f0 active true"
        ]
    );
    let f = (id, stream);
    let offers = c.grant(0, 0, "cpus:4;mem:1024");
    assert_eq!(offers[0].as_str(), "m-O0");
    let wish = Wish { id: "t", agent: &a, resources: "cpus:1;mem:24", executor: None };
    let launch = Operation::Launch(vec![Ok(task(wish))]);
    assert_eq!(
        c.accept(&f, offers, vec![launch]),
        ["a1 < run t cpus:1; mem:24 +executor", "alloc: f0 gives a0 cpus:3; mem:1000 for 5s"]
    );
    assert_eq!(
        c.update("a1", &a, &f.0, "t", TaskState::Running, 1),
        ["#1 < update t TASK_RUNNING (1)"]
    );
    assert_eq!(c.ack(&f, &a, "t", 1), ["a1 < ack t 1"]);
    assert_eq!(
        c.update("a1", &a, &f.0, "t", TaskState::Finished, 2),
        ["#1 < update t TASK_FINISHED (2)", "alloc: f0 gives a0 cpus:1; mem:24"],
        "resources are free before the end is acknowledged"
    );
    assert_eq!(c.view().frameworks[&f.0].tasks.len(), 1);
    assert_eq!(c.ack(&f, &a, "t", 2), ["a1 < ack t 2"]);
    let view = c.view();
    assert_eq!(view.frameworks[&f.0].tasks.len(), 0);
    assert_eq!(view.frameworks[&f.0].completed.len(), 1);
    assert!(view.agents[&a].used.is_empty());
}

#[test]
fn an_update_that_comes_again_is_passed_on_again_and_frees_nothing_twice() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    c.update("a1", &a, &f.0, "t", TaskState::Finished, 1);
    assert_eq!(
        c.update("a1", &a, &f.0, "t", TaskState::Finished, 1),
        ["#1 < update t TASK_FINISHED (1)"]
    );
    c.ack(&f, &a, "t", 1);
    assert_eq!(c.ack(&f, &a, "t", 1), ["a1 < ack t 1"], "the agent may not have heard the first");
}

#[test]
fn what_is_late_or_from_a_stranger_changes_nothing() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    assert!(c.update("a2", &a, &f.0, "t", TaskState::Failed, 1).is_empty(), "an unknown pid");
    assert!(c.update("a1", &"m-S9".into(), &f.0, "t", TaskState::Failed, 1).is_empty());
    assert!(c.update("a1", &a, &"m-9999".into(), "t", TaskState::Failed, 1).is_empty());
    assert!(c.ack(&f, &a, "t", 1).is_empty(), "there was nothing to acknowledge");
    assert_eq!(c.view().frameworks[&f.0].tasks[&TaskId::new("t")].state, TaskState::Staging);
    c.update("a1", &a, &f.0, "t", TaskState::Finished, 2);
    c.update("a1", &a, &f.0, "t", TaskState::Running, 1);
    let state = c.view().frameworks[&f.0].tasks[&TaskId::new("t")].state;
    assert_eq!(state, TaskState::Finished, "nothing follows a terminal state");
    c.ack(&f, &a, "t", 1);
    assert_eq!(c.view().frameworks[&f.0].tasks.len(), 1, "RUNNING was acknowledged, not the end");
}

#[test]
fn an_end_that_nobody_need_acknowledge_ends_the_task_at_once() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    assert_eq!(
        c.update("a1", &a, &f.0, "t", TaskState::Failed, 0),
        ["#1 < update t TASK_FAILED", "alloc: f0 gives a0 cpus:1"]
    );
    assert!(c.view().frameworks[&f.0].tasks.is_empty());
}

#[test]
fn frameworks_that_know_no_partitions_hear_of_lost_tasks() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let capabilities = Capabilities::none();
    let (id, stream, _) = c.subscribe(FrameworkInfo { capabilities, ..framework() });
    let f = (id, stream);
    c.run(&f, 0, &a, "t");
    let lines = c.update("a1", &a, &f.0, "t", TaskState::Dropped, 1);
    assert_eq!(lines[0], "#1 < update t TASK_LOST (1)");
}

#[test]
fn a_kill_goes_to_the_agent_with_the_callers_policy() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    assert_eq!(c.call(&f, kill("t")), ["a1 < kill t"]);
    let policy = Some(KillPolicy { grace: Some(Duration::from_secs(9)) });
    let call = Call::Kill { task: TaskId::new("t"), agent: Some(a.clone()), policy };
    assert_eq!(c.call(&f, call), ["a1 < kill t in 9s"]);
}

#[test]
fn the_kill_of_an_unknown_task_is_answered_by_reconciliation() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    assert_eq!(c.call(&f, kill("t")), ["#1 < update t TASK_UNKNOWN REASON_RECONCILIATION"]);
    let call = Call::Kill { task: TaskId::new("t"), agent: Some(a), policy: None };
    assert_eq!(c.call(&f, call), ["#1 < update t TASK_GONE REASON_RECONCILIATION"]);
}

#[test]
fn invalid_tasks_are_refused_one_by_one_and_the_others_run() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    let other = "m-S7".into();
    let offers = c.grant(0, 0, "cpus:4");
    let wish = |id, agent, resources| Ok(task(Wish { id, agent, resources, executor: None }));
    let message = "no".to_owned();
    let tasks = vec![
        Err(InvalidTask {
            id: TaskId::new("bad"),
            agent: a.clone(),
            message,
            reason: Reason::TaskInvalid,
        }),
        wish("good", &a, "cpus:1"),
        wish("good", &a, "cpus:1"),
        wish("elsewhere", &other, "cpus:1"),
        wish("big", &a, "cpus:3.5"),
    ];
    assert_eq!(
        c.accept(&f, offers, vec![Operation::Launch(tasks)]),
        [
            "#1 < update bad TASK_ERROR REASON_TASK_INVALID",
            "a1 < run good cpus:1 +executor",
            "#1 < update good TASK_ERROR REASON_TASK_INVALID",
            "#1 < update elsewhere TASK_ERROR REASON_TASK_INVALID",
            "#1 < update big TASK_ERROR REASON_TASK_INVALID",
            "alloc: f0 gives a0 cpus:3 for 5s",
        ]
    );
    assert_eq!(c.view().tallies.tasks.get(TaskState::Error), 4);
}

#[test]
fn what_a_framework_may_not_do_is_refused_alone_but_for_groups() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    let offers = c.grant(0, 0, "cpus:4");
    let wish = |id| Ok(task(Wish { id, agent: &a, resources: "cpus:1", executor: None }));
    let forbidden = || {
        Err(InvalidTask {
            id: TaskId::new("no"),
            agent: a.clone(),
            message: "not as root".to_owned(),
            reason: Reason::TaskUnauthorized,
        })
    };
    let group = Operation::LaunchGroup {
        executor: Ok(Arc::new(executor("e", "cpus:0.5"))),
        tasks: vec![wish("t1"), forbidden()],
    };
    let reserve =
        Operation::Reserve { id: None, source: parse("cpus:0"), resources: parse("cpus:1") };
    let why = "not for this role".to_owned();
    let reserve = Operation::Forbidden { operation: Box::new(reserve), why };
    let launch = Operation::Launch(vec![forbidden(), wish("t2")]);
    assert_eq!(
        c.accept(&f, offers, vec![group, reserve, launch]),
        [
            "#1 < update t1 TASK_ERROR REASON_TASK_GROUP_UNAUTHORIZED",
            "#1 < update no TASK_ERROR REASON_TASK_GROUP_UNAUTHORIZED",
            "#1 < update no TASK_ERROR REASON_TASK_UNAUTHORIZED",
            "a1 < run t2 cpus:1 +executor",
            "alloc: f0 gives a0 cpus:3 for 5s",
        ]
    );
    let forbidden = c.call(&f, Call::Forbidden("not these roles".to_owned()));
    assert_eq!(forbidden, ["answer 7: Refused(Forbidden(\"not these roles\"))"]);
}

#[test]
fn an_executor_is_started_once_and_its_resources_last_until_it_ends() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    let wish = |id| Wish { id, agent: &a, resources: "cpus:1", executor: Some(("e", "cpus:0.5")) };
    assert_eq!(c.launch(&f, 0, wish("t1")), ["a1 < run t1 cpus:1 +executor"]);
    assert_eq!(
        c.launch(&f, 0, wish("t2")),
        ["a1 < run t2 cpus:1", "alloc: f0 gives a0 cpus:0.5 for 5s"]
    );
    assert_eq!(c.view().frameworks[&f.0].used.scalar("cpus").to_f64(), 2.5);
    let other = Wish { executor: Some(("e", "cpus:0.1")), ..wish("t3") };
    let lines = c.launch(&f, 0, other);
    assert_eq!(lines[0], "#1 < update t3 TASK_ERROR REASON_TASK_INVALID", "another executor `e`");
    let exits = Kind::ExecutorExited(a.clone(), f.0.clone(), ExecutorId::new("e"), 256);
    assert_eq!(
        c.step(exits.clone()),
        ["alloc: f0 gives a0 cpus:0.5", "#1 < exited e on m-S0: 256"]
    );
    assert!(c.step(exits).is_empty(), "an executor ends once");
}

#[test]
fn a_group_is_launched_whole_or_not_at_all() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    let group = |second| Operation::LaunchGroup {
        executor: Ok(Arc::new(executor("e", "cpus:0.5"))),
        tasks: ["cpus:1", second]
            .iter()
            .zip(["t1", "t2"])
            .map(|(resources, id)| Ok(task(Wish { id, agent: &a, resources, executor: None })))
            .collect(),
    };
    let offers = c.grant(0, 0, "cpus:4");
    assert_eq!(
        c.accept(&f, offers, vec![group("cpus:3")]),
        [
            "#1 < update t1 TASK_ERROR REASON_TASK_GROUP_INVALID",
            "#1 < update t2 TASK_ERROR REASON_TASK_GROUP_INVALID",
            "alloc: f0 gives a0 cpus:4 for 5s",
        ]
    );
    let offers = c.grant(0, 0, "cpus:4");
    assert_eq!(
        c.accept(&f, offers, vec![group("cpus:2")]),
        ["a1 < run group t1+t2 in e +executor", "alloc: f0 gives a0 cpus:0.5 for 5s"]
    );
}

#[test]
fn messages_pass_between_scheduler_and_executor() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    let (agent, executor) = (a.clone(), ExecutorId::new("e"));
    let data = bytes::Bytes::from_static(b"hi");
    let call = Call::Message { agent, executor: executor.clone(), data: data.clone() };
    assert_eq!(c.call(&f, call), ["a1 < message e b\"hi\""]);
    let back = Kind::ExecutorMessage(a.clone(), f.0.clone(), executor.clone(), data);
    assert_eq!(c.step(back), ["#1 < message from e b\"hi\""]);
    assert_eq!(c.call(&f, Call::Shutdown(executor, a)), ["a1 < shutdown executor e"]);
}

#[test]
fn a_kill_that_an_agent_missed_is_told_when_it_is_back() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    c.step(Kind::LinkBroken(pid("a1")));
    assert!(c.call(&f, kill("t")).is_empty());
    let mut back = super::cluster::reregistration(&a, "cpus:4");
    back.tasks.push(super::cluster::known("t", &f.0, TaskState::Running, "cpus:1"));
    let lines = c.step(Kind::AgentReregisters(pid("a1"), Box::new(back)));
    assert_eq!(lines.last().unwrap(), "a1 < kill t");
    assert_eq!(parse("cpus:1").scalar("cpus"), c.view().agents[&a].used.scalar("cpus"));
}
