//! Frameworks and masters that go and come back.

use reeve_tests::scheduler::framework;
use reeve_tests::{Cluster, Codec, Scheduler};
use serde_json::{Value, json};

fn with_id(mut info: Value, id: &str) -> Value {
    info["id"] = json!({"value": id});
    info
}

/// Subscribes with an id as soon as the master takes it.
fn resubscribe(cluster: &Cluster, id: &str) -> Scheduler {
    Scheduler::subscribe(cluster.master.address, Codec::Json, with_id(framework(), id))
}

#[test]
fn a_scheduler_that_returns_learns_what_its_tasks_do() {
    let cluster = Cluster::start();
    let mut old = Scheduler::new(cluster.master.address);
    old.run("sleeper", "sleep 1000");

    let mut new = resubscribe(&cluster, &old.id);
    assert_eq!(new.id, old.id);
    assert_ne!(new.stream, old.stream);
    let error = old.event("ERROR");
    assert_eq!(error["error"]["message"], "Framework failed over");
    old.wait_closed();
    assert_eq!(old.call(json!({"type": "REVIVE"})).status(), 400);

    for named in [&["sleeper"][..], &[]] {
        let status = new.reconciled(named, "sleeper");
        assert_eq!(status["state"], "TASK_RUNNING");
    }
    let stranger = new.reconciled(&["stranger"], "stranger");
    assert_eq!(stranger["state"], "TASK_UNKNOWN");
    new.kill("sleeper");
    new.state("sleeper", "TASK_KILLED");
}

#[test]
fn news_wait_for_a_scheduler_that_is_away() {
    let cluster = Cluster::start();
    let mut old = Scheduler::new(cluster.master.address);
    let flag = cluster.room.join("go");
    old.run("waits", &format!("until [ -e {} ]; do sleep 0.05; done", flag.display()));
    let id = old.id.clone();
    drop(old);
    cluster.master.until("the scheduler to be away", "/frameworks", |answer| {
        (answer["frameworks"][0]["connected"] == false).then_some(())
    });
    std::fs::write(flag, "").expect("a file in the room");
    cluster.room.wait_empty();
    resubscribe(&cluster, &id).state("waits", "TASK_FINISHED");
}

#[test]
fn a_framework_gone_too_long_is_ended() {
    let cluster = Cluster::start();
    let mut info = framework();
    info["failover_timeout"] = json!(0.5);
    let mut scheduler = Scheduler::subscribe(cluster.master.address, Codec::Json, info);
    scheduler.run("sleeper", "sleep 1000");
    let id = scheduler.id.clone();
    drop(scheduler);
    cluster.room.wait_empty();
    cluster.master.until("the framework to be completed", "/frameworks", |answer| {
        let completed = answer["completed_frameworks"].as_array()?;
        completed.iter().any(|framework| framework["id"] == *id).then_some(())
    });
    let mut late = resubscribe_expecting_error(&cluster, &id);
    let message = late.event("ERROR")["error"]["message"].to_string();
    assert!(message.contains("removed"), "{message}");
}

fn resubscribe_expecting_error(cluster: &Cluster, id: &str) -> Scheduler {
    Scheduler::open(cluster.master.address, Codec::Json, with_id(framework(), id))
        .unwrap_or_else(|answer| panic!("{} {}", answer.status(), answer.text()))
}

#[test]
fn teardown_ends_all_tasks() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("sleeper", "sleep 1000");
    scheduler.teardown();
    scheduler.wait_closed();
    cluster.room.wait_empty();
}

#[test]
fn a_killed_master_comes_back_to_a_running_cluster() {
    let mut cluster = Cluster::start();
    let mut old = Scheduler::new(cluster.master.address);
    let running = old.run("sleeper", "sleep 1000");
    let (id, agent) = (old.id.clone(), running["agent_id"]["value"].clone());
    cluster.restart_master();
    old.wait_closed();

    let mut new = resubscribe(&cluster, &id);
    assert_eq!(new.id, id);
    cluster.master.wait_agents(1);
    assert_eq!(cluster.master.get("/slaves")["slaves"][0]["id"], agent);
    let status = new.reconciled(&["sleeper"], "sleeper");
    assert_eq!(status["state"], "TASK_RUNNING");
    new.kill("sleeper");
    new.state("sleeper", "TASK_KILLED");
    new.run("another", "sleep 1000");
}
