//! `kill -9` of the agent: tasks of frameworks that checkpoint go on, all others end.

use reeve_tests::scheduler::{framework, task};
use reeve_tests::{Cluster, Codec, Scheduler};
use serde_json::json;

#[test]
fn a_task_outlives_its_agent() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let go = cluster.room.join("go");
    let command = format!("until [ -e {} ]; do sleep 0.05; done; exit 7", go.display());
    let running = scheduler.run("survivor", &command);
    let agent = running["agent_id"]["value"].clone();
    let process = cluster.room.task("sleep 0.05; done");
    cluster.restart_agent();
    cluster.master.wait_agents(1);
    assert_eq!(cluster.agent.get("/state")["id"], agent);
    assert_eq!(cluster.room.task("sleep 0.05; done").pid, process.pid, "it was started again");
    // What runs a command stays the agent's own affair.
    let used = &cluster.master.get("/slaves")["slaves"][0]["used_resources"];
    assert_eq!((used["cpus"].as_f64(), used["mem"].as_f64()), (Some(0.1), Some(32.0)), "{used}");

    std::fs::write(go, "").expect("a file in the room");
    let failed = scheduler.state("survivor", "TASK_FAILED");
    assert_eq!(failed["message"], "Command exited with status 7");
    cluster.room.wait_empty();
}

#[test]
fn what_happened_without_the_agent_is_told_later() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let go = cluster.room.join("go");
    scheduler.run("quick", &format!("until [ -e {} ]; do sleep 0.05; done", go.display()));
    cluster.agent.kill();
    std::fs::write(go, "").expect("a file in the room");
    reeve_tests::until("the task to end", || {
        cluster.room.processes().iter().all(|one| one.is_executor()).then_some(())
    });
    cluster.restart_agent();
    scheduler.state("quick", "TASK_FINISHED");
    cluster.room.wait_empty();
}

#[test]
fn an_executor_that_died_meanwhile_is_missed() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("victim", "sleep 1000");
    cluster.agent.kill();
    cluster.room.executor().kill();
    cluster.restart_agent();
    let failed = scheduler.state("victim", "TASK_FAILED");
    assert_eq!(failed["reason"], "REASON_EXECUTOR_TERMINATED");
    cluster.room.wait_empty();
}

#[test]
fn a_task_that_is_not_checkpointed_ends_with_its_agent() {
    let mut cluster = Cluster::start();
    let mut info = framework();
    info["checkpoint"] = json!(false);
    let mut scheduler = Scheduler::subscribe(cluster.master.address, Codec::Json, info);
    scheduler.run("mortal", "sleep 1000");
    cluster.agent.kill();
    let lost = scheduler.status("mortal");
    assert_eq!(lost["state"], "TASK_GONE", "{lost}");
    assert_eq!(lost["reason"], "REASON_AGENT_DISCONNECTED", "{lost}");
    cluster.room.wait_empty();
    cluster.restart_agent();
    cluster.master.wait_agents(1);
    scheduler.launch(task("next", "true"));
    scheduler.state("next", "TASK_FINISHED");
}

#[test]
fn an_agent_that_leaves_ends_what_it_runs() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("sleeper", "sleep 1000");
    cluster.agent.leave();
    assert!(cluster.agent.wait().success());
    cluster.room.wait_empty();
    scheduler.event_where("FAILURE", |event| event["failure"].get("agent_id").is_some());
}

#[test]
fn an_agent_that_does_not_come_back_is_unreachable() {
    let flags = [
        "--agent_ping_timeout=1secs",
        "--max_agent_ping_timeouts=1",
        "--agent_reregister_timeout=1secs",
    ];
    let mut cluster = Cluster::with(&flags, &[]);
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("far", "sleep 1000");
    cluster.agent.kill();
    let unreachable = scheduler.state("far", "TASK_UNREACHABLE");
    assert_eq!(unreachable["source"], "SOURCE_MASTER");
    assert!(unreachable["unreachable_time"]["nanoseconds"].is_number(), "{unreachable}");
    cluster.restart_agent();
    scheduler.state("far", "TASK_RUNNING");
    scheduler.kill("far");
    scheduler.state("far", "TASK_KILLED");
}
