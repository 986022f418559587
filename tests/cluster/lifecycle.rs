//! A task's life as a framework sees it that speaks plain HTTP, in both codecs.

use reeve_tests::scheduler::{amount, framework, scalar, task};
use reeve_tests::{Cluster, Codec, Scheduler};
use serde_json::{Value, json};

#[test]
fn a_task_lives_and_dies_over_json() {
    lives_and_dies(Codec::Json);
}

#[test]
fn a_task_lives_and_dies_over_protobuf() {
    lives_and_dies(Codec::Protobuf);
}

fn lives_and_dies(codec: Codec) {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::subscribe(cluster.master.address, codec, framework());
    scheduler.event("HEARTBEAT");

    let offer = scheduler.offer();
    assert_eq!(amount(&offer, "cpus"), 4.0);
    assert_eq!(offer["hostname"], "localhost");
    scheduler.launch_on(&offer, &[task("sleeper", "sleep 1000")]);
    // What the task does not use is offered again, less what it uses.
    assert_eq!(amount(&scheduler.offer(), "cpus"), 3.9);

    let starting = scheduler.status("sleeper");
    assert_eq!(starting["state"], "TASK_STARTING");
    let running = scheduler.status("sleeper");
    assert_eq!(running["state"], "TASK_RUNNING");
    assert_eq!(running["source"], "SOURCE_EXECUTOR");
    assert_eq!(running["executor_id"]["value"], "sleeper");
    assert_eq!(running["agent_id"], offer["agent_id"]);
    let network = &running["container_status"]["network_infos"][0]["ip_addresses"][0];
    assert_eq!(network["ip_address"], cluster.room.ip.to_string(), "{running:#}");
    cluster.room.task("sleep 1000");

    scheduler.kill("sleeper");
    let killed = scheduler.state("sleeper", "TASK_KILLED");
    assert_eq!(killed["message"], "Command terminated with signal Terminated");
    cluster.room.wait_empty();
    let completed = cluster.master.until("the task to be completed", "/tasks", |answer| {
        let task = answer["tasks"].as_array()?.iter().find(|task| task["id"] == "sleeper")?;
        (task["state"] == "TASK_KILLED").then(|| task.clone())
    });
    let states: Vec<&Value> =
        completed["statuses"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["TASK_STARTING", "TASK_RUNNING", "TASK_KILLED"]);
}

#[test]
fn what_tasks_used_is_offered_again() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let offer = scheduler.offer();
    let tasks: Vec<Value> = (0..4).map(|n| task(&format!("t{n}"), "true")).collect();
    scheduler.launch_on(&offer, &tasks);
    for n in 0..4 {
        let finished = scheduler.state(&format!("t{n}"), "TASK_FINISHED");
        assert_eq!(finished["message"], "Command exited with status 0");
    }
    loop {
        let offer = scheduler.offer();
        if amount(&offer, "cpus") == 4.0 {
            break;
        }
        scheduler.accepted(json!({"type": "DECLINE", "decline": {
            "offer_ids": [offer["id"]], "filters": {"refuse_seconds": 0.0},
        }}));
    }
}

#[test]
fn a_wrong_task_is_an_error_and_not_started() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let mut greedy = task("greedy", "true");
    greedy["resources"] = json!([scalar("cpus", 64.0)]);
    let offer = scheduler.offer();
    scheduler.launch_on(&offer, &[greedy]);
    let error = scheduler.state("greedy", "TASK_ERROR");
    assert_eq!(error["reason"], "REASON_TASK_INVALID");
    assert_eq!(error["source"], "SOURCE_MASTER");
    assert!(error["message"].as_str().unwrap().contains("cpus:64"), "{error}");
    assert!(error.get("uuid").is_none(), "{error}");
}
