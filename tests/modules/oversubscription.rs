//! Revocable resources: offered, used, and taken back.

use reeve_tests::scheduler::{Codec, framework, scalar, task};
use reeve_tests::{Agent, Master, Room, Scheduler, http, until};
use serde_json::{Value, json};

const ESTIMATOR: &str = "resource_estimator = \"fixed\"\n\
    oversubscribed_resources_interval = \"200ms\"\n\
    [modules.fixed]\nresources = \"cpus:2\"\n";

/// Any load is too much for it.
const CONTROLLER: &str = "qos_controller = \"load\"\n";
const THRESHOLD: &str = "[modules.load]\nload_threshold_5min = -1\n";

fn revocable(mut resource: Value) -> Value {
    resource["revocable"] = json!({});
    resource
}

/// A task on revocable CPU.
fn spare(id: &str) -> Value {
    let mut it = task(id, "sleep 1000");
    it["resources"] = json!([revocable(scalar("cpus", 1.0)), scalar("mem", 32.0)]);
    it
}

fn spare_cpus(offer: &Value) -> f64 {
    let all = offer["resources"].as_array().cloned().unwrap_or_default();
    let spare = all.iter().filter(|one| one["name"] == "cpus" && one["revocable"].is_object());
    spare.filter_map(|one| one["scalar"]["value"].as_f64()).sum()
}

/// A framework that takes revocable resources, and an offer of them.
fn scheduler(master: &Master) -> (Scheduler, Value) {
    let mut info = framework();
    info["capabilities"] = json!([{"type": "PARTITION_AWARE"}, {"type": "REVOCABLE_RESOURCES"}]);
    let mut scheduler = Scheduler::subscribe(master.address, Codec::Json, info);
    loop {
        let offer = scheduler.offer();
        // What is spare may be offered before or after the rest.
        let firm = offer["resources"].as_array().unwrap().iter().any(|one| one["name"] == "mem");
        if firm && spare_cpus(&offer) > 0.0 {
            return (scheduler, offer);
        }
        scheduler.accepted(json!({"type": "DECLINE", "decline": {
            "offer_ids": [offer["id"]], "filters": {"refuse_seconds": 0.0},
        }}));
    }
}

fn metric(agent: &Agent, name: &str) -> f64 {
    http::get_json(agent.address, "/metrics/snapshot")[name].as_f64().unwrap()
}

#[test]
fn revocable_resources_are_offered_used_and_taken_back() {
    let room = Room::new();
    let config = room.join("agent.toml");
    std::fs::write(&config, ESTIMATOR).unwrap();
    let master = Master::start(&room, &[]);
    let flag = format!("--config={}", config.display());
    let mut agent = Agent::start(&room, master.address, &[&flag]);
    let (mut scheduler, offer) = scheduler(&master);
    assert_eq!(spare_cpus(&offer), 2.0);
    scheduler.launch_on(&offer, &[spare("spare"), task("firm", "sleep 1000")]);
    scheduler.state("spare", "TASK_RUNNING");
    scheduler.state("firm", "TASK_RUNNING");
    assert_eq!(metric(&agent, "slave/cpus_revocable_total"), 2.0);
    assert_eq!(metric(&agent, "slave/cpus_revocable_used"), 1.0);
    let of_master = master.get("/metrics/snapshot");
    assert_eq!(of_master["master/cpus_revocable_total"], 2.0);

    // The same agent, with somebody who finds that the host is too busy.
    std::fs::write(&config, format!("{CONTROLLER}{ESTIMATOR}{THRESHOLD}")).unwrap();
    agent.restart(&room);
    let gone = scheduler.state("spare", "TASK_GONE");
    assert_eq!(gone["reason"], "REASON_CONTAINER_PREEMPTED");
    let message = gone["message"].as_str().unwrap();
    assert!(message.contains("Container preempted by QoS correction: the load"), "{message}");
    assert_eq!(metric(&agent, "slave/executors_preempted"), 1.0);
    let firm = scheduler.reconciled(&["firm"], "firm");
    assert_eq!(firm["state"], "TASK_RUNNING");
    let modules = agent.get("/modules");
    let names: Vec<&Value> =
        modules["modules"].as_array().unwrap().iter().map(|module| &module["name"]).collect();
    assert_eq!(names, ["posix", "fixed", "load"]);
}

#[test]
fn frameworks_that_do_not_ask_for_revocable_resources_are_offered_none() {
    let room = Room::new();
    let config = room.join("agent.toml");
    std::fs::write(&config, ESTIMATOR).unwrap();
    let master = Master::start(&room, &[]);
    let flag = format!("--config={}", config.display());
    let mut agent = Agent::start(&room, master.address, &[&flag]);
    until("the master to know what is spare", || {
        let total = &master.get("/metrics/snapshot")["master/cpus_revocable_total"];
        (*total == 2.0).then_some(())
    });
    let mut scheduler = Scheduler::new(master.address);
    assert_eq!(spare_cpus(&scheduler.offer()), 0.0);

    // Without an estimator there is nothing more to offer.
    std::fs::write(&config, "").unwrap();
    agent.restart(&room);
    until("the master to know that nothing is spare", || {
        let total = &master.get("/metrics/snapshot")["master/cpus_revocable_total"];
        (*total == 0.0).then_some(())
    });
}
