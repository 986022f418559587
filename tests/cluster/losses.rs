//! `kill -9` of a task and of its executor: what the framework is told, and what is left.

use reeve_tests::scheduler::task;
use reeve_tests::{Cluster, Scheduler};
use serde_json::json;

#[test]
fn a_killed_task_has_failed() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("victim", "exec sleep 1000");
    cluster.room.task("sleep 1000").kill();
    let failed = scheduler.state("victim", "TASK_FAILED");
    assert_eq!(failed["message"], "Command terminated with signal Killed");
    assert_eq!(failed["source"], "SOURCE_EXECUTOR");
    cluster.room.wait_empty();
}

#[test]
fn a_killed_executor_takes_its_task_along() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("victim", "sleep 1000");
    cluster.room.task("sleep 1000");
    cluster.room.executor().kill();
    let failed = scheduler.state("victim", "TASK_FAILED");
    assert_eq!(failed["reason"], "REASON_EXECUTOR_TERMINATED");
    assert_eq!(failed["source"], "SOURCE_AGENT");
    cluster.room.wait_empty();
}

#[test]
fn a_tasks_children_end_with_it() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("parent", "sleep 1001 & sleep 1002 & wait");
    cluster.room.task("sleep 1001");
    cluster.room.task("sleep 1002");
    scheduler.kill("parent");
    scheduler.state("parent", "TASK_KILLED");
    cluster.room.wait_empty();
}

#[test]
fn a_task_that_ignores_sigterm_is_killed_after_its_grace() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let mut stubborn = task("stubborn", "trap '' TERM; while :; do sleep 0.1; done");
    stubborn["kill_policy"] = json!({"grace_period": {"nanoseconds": 300_000_000}});
    scheduler.launch(stubborn);
    scheduler.state("stubborn", "TASK_RUNNING");
    cluster.room.task("sleep 0.1");
    scheduler.kill("stubborn");
    let killed = scheduler.state("stubborn", "TASK_KILLED");
    assert_eq!(killed["message"], "Command terminated with signal Killed");
    cluster.room.wait_empty();
}

#[test]
fn a_task_may_say_goodbye_within_its_grace() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let command = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done";
    scheduler.run("polite", command);
    reeve_tests::until("the task to be ready", || {
        (cluster.agent.read_of("polite", "stdout") == "ready\n").then_some(())
    });
    scheduler.kill("polite");
    scheduler.state("polite", "TASK_KILLED");
    assert_eq!(cluster.agent.read_of("polite", "stdout"), "ready\nbye\n");
}

#[test]
fn a_task_that_takes_too_long_has_failed() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let mut slow = task("slow", "sleep 1000");
    slow["max_completion_time"] = json!({"nanoseconds": 500_000_000});
    scheduler.launch(slow);
    let failed = scheduler.state("slow", "TASK_FAILED");
    assert_eq!(failed["reason"], "REASON_MAX_COMPLETION_TIME_REACHED");
    cluster.room.wait_empty();
}
