//! The native scheduler driver under our master: what frameworks on libmesos do all day.

use reeve_tests::scheduler::task;
use reeve_tests::{Cluster, until};
use serde_json::{Value, json};

use crate::driver::{Driver, Settings};
use crate::real;

/// The framework as `/frameworks` shows it.
fn framework(cluster: &Cluster, id: &str) -> Option<Value> {
    let answer = cluster.master.get("/frameworks");
    answer["frameworks"].as_array()?.iter().find(|one| one["id"] == id).cloned()
}

/// How many of a framework's tasks have ended and are acknowledged.
fn completed(cluster: &Cluster, id: &str) -> usize {
    let of = |one: Value| one["completed_tasks"].as_array().map_or(0, Vec::len);
    framework(cluster, id).map_or(0, of)
}

fn cluster() -> Option<Cluster> {
    real::installed()?;
    Some(Cluster::start())
}

#[test]
fn it_launches_hears_and_acknowledges() {
    let Some(cluster) = cluster() else { return };
    let settings = Settings::new(cluster.master.address);
    let Some((mut driver, id)) = Driver::registered(&cluster.room, &settings) else { return };
    driver.launch(task("good", "echo hello"));
    driver.state("good", "TASK_RUNNING");
    driver.state("good", "TASK_FINISHED");
    assert_eq!(cluster.agent.read_of("good", "stdout"), "hello\n");
    driver.launch(task("bad", "exit 3"));
    let failed = driver.state("bad", "TASK_FAILED");
    assert_eq!(failed["message"], "Command exited with status 3");
    until("both ends to be acknowledged", || (completed(&cluster, &id) == 2).then_some(()));

    driver.launch(task("long", "sleep 1000"));
    driver.state("long", "TASK_RUNNING");
    driver.call(&json!(["stop", false]));
    driver.event("stop");
    cluster.room.wait_empty();
    until("the framework to be over", || framework(&cluster, &id).is_none().then_some(()));
}

#[test]
fn explicit_acknowledgements_release_the_next_update() {
    let Some(cluster) = cluster() else { return };
    let settings = Settings::new(cluster.master.address).explicit();
    let Some((mut driver, id)) = Driver::registered(&cluster.room, &settings) else { return };
    driver.launch(task("short", "true"));
    for state in ["TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"] {
        // The agent sends an update only when the one before it is acknowledged.
        let status = driver.event("update")["status"].clone();
        assert_eq!(status["state"], state);
        assert!(!driver.has("update"));
        driver.call(&json!(["acknowledgeStatusUpdate", status]));
    }
    until("the end to be acknowledged", || (completed(&cluster, &id) == 1).then_some(()));
}

#[test]
fn it_kills_and_reconciles() {
    let Some(cluster) = cluster() else { return };
    let settings = Settings::new(cluster.master.address);
    let Some((mut driver, _)) = Driver::registered(&cluster.room, &settings) else { return };
    let offer = driver.launch(task("long", "sleep 1000"));
    driver.state("long", "TASK_RUNNING");

    driver.call(&json!(["reconcileTasks", []]));
    let known = driver.state("long", "TASK_RUNNING");
    assert_eq!(known["reason"], "REASON_RECONCILIATION");
    let asked = json!({"task_id": {"value": "nobody"}, "state": "TASK_RUNNING"});
    driver.call(&json!(["reconcileTasks", [asked]]));
    driver.state("nobody", "TASK_UNKNOWN");
    let asked = json!({
        "task_id": {"value": "gone"}, "slave_id": offer["slave_id"], "state": "TASK_RUNNING",
    });
    driver.call(&json!(["reconcileTasks", [asked]]));
    driver.state("gone", "TASK_GONE");

    driver.call(&json!(["killTask", {"value": "long"}]));
    driver.state("long", "TASK_KILLED");
    cluster.room.wait_empty();
}

#[test]
fn it_declines_suppresses_and_revives() {
    let Some(cluster) = cluster() else { return };
    let settings = Settings::new(cluster.master.address);
    let Some((mut driver, id)) = Driver::registered(&cluster.room, &settings) else { return };
    let offers = || framework(&cluster, &id)?["offers"].as_array().map(Vec::len);
    let offer = driver.offer();
    until("the offer to be shown", || offers().filter(|count| *count == 1));
    driver.call(&json!(["declineOffer", offer["id"], {"refuse_seconds": 3600.0}]));
    until("the offer to be given back", || offers().filter(|count| *count == 0));
    driver.call(&json!(["reviveOffers"]));
    let offer = driver.offer();
    driver.call(&json!(["suppressOffers"]));
    driver.call(&json!(["declineOffer", offer["id"], {"refuse_seconds": 0.0}]));
    driver.call(&json!(["requestResources", []]));
    driver.call(&json!(["reconcileTasks", [{"task_id": {"value": "x"}, "state": "TASK_RUNNING"}]]));
    driver.state("x", "TASK_UNKNOWN");
    assert!(!driver.has("offer"), "it wanted none");
    driver.call(&json!(["reviveOffers", ["*"]]));
    driver.offer();
    assert_eq!(framework(&cluster, &id).expect("it is there")["active"], true);
}

#[test]
fn messages_reach_the_executor_and_come_back() {
    let Some(cluster) = cluster() else { return };
    let settings = Settings::new(cluster.master.address);
    let Some((mut driver, _)) = Driver::registered(&cluster.room, &settings) else { return };
    let program = env!("CARGO_BIN_EXE_test-executor");
    let mut own = task("own", "");
    own.as_object_mut().expect("an object").remove("command");
    own["executor"] = json!({
        "executor_id": {"value": "own"},
        "command": {"shell": false, "value": program, "arguments": [program]},
    });
    let offer = driver.launch(own);
    driver.state("own", "TASK_RUNNING");
    driver.call(&json!(["sendFrameworkMessage", {"value": "own"}, offer["slave_id"], "ping"]));
    let message = driver.event("message");
    assert_eq!(message["data"], "ping");
    assert_eq!(message["executor"], "own");

    cluster.room.task("test-executor").kill();
    driver.state("own", "TASK_FAILED");
    let lost = driver.event("executor-lost");
    assert_eq!(lost["executor"], "own");
}

#[test]
fn another_driver_takes_over_and_the_one_before_is_told() {
    let Some(cluster) = cluster() else { return };
    let settings = Settings::new(cluster.master.address);
    let Some((mut first, id)) = Driver::registered(&cluster.room, &settings) else { return };
    first.launch(task("long", "sleep 1000"));
    first.state("long", "TASK_RUNNING");

    // One that still lives is told to stop.
    let again = settings.clone().returning(&id);
    let (mut second, same) = Driver::registered(&cluster.room, &again).expect("as the first");
    assert_eq!(same, id);
    assert_eq!(first.event("error")["message"], "Framework failed over");
    second.call(&json!(["reconcileTasks", []]));
    second.state("long", "TASK_RUNNING");

    // One that stops for a successor leaves the tasks.
    second.call(&json!(["stop", true]));
    second.event("stop");
    second.crash();
    let gone = || framework(&cluster, &id).filter(|one| one["connected"] == false);
    until("the framework to be disconnected", gone);
    let (mut third, _) = Driver::registered(&cluster.room, &again).expect("as the first");
    third.call(&json!(["reconcileTasks", []]));
    third.state("long", "TASK_RUNNING");

    // One that crashes, too.
    third.crash();
    until("the framework to be disconnected", gone);
    let (mut fourth, _) = Driver::registered(&cluster.room, &again).expect("as the first");
    fourth.call(&json!(["killTask", {"value": "long"}]));
    fourth.state("long", "TASK_KILLED");
}

#[test]
fn an_aborted_driver_gets_no_offers_and_leaves_its_tasks() {
    let Some(cluster) = cluster() else { return };
    let settings = Settings::new(cluster.master.address);
    let Some((mut driver, id)) = Driver::registered(&cluster.room, &settings) else { return };
    driver.launch(task("long", "sleep 1000"));
    driver.state("long", "TASK_RUNNING");
    driver.offer();
    driver.call(&json!(["abort"]));
    driver.event("abort");
    let idle = until("the framework to be inactive", || {
        framework(&cluster, &id).filter(|one| one["active"] == false)
    });
    assert_eq!(idle["connected"], true);
    assert_eq!(idle["tasks"].as_array().map(Vec::len), Some(1));
    assert_eq!(idle["offers"].as_array().map(Vec::len), Some(0));
    cluster.room.task("sleep 1000");
    driver.crash();
    let again = settings.returning(&id);
    let (mut next, _) = Driver::registered(&cluster.room, &again).expect("as the first");
    next.call(&json!(["stop", false]));
    cluster.room.wait_empty();
}

#[test]
fn it_describes_itself_anew() {
    let Some(cluster) = cluster() else { return };
    let settings = Settings::new(cluster.master.address);
    let Some((mut driver, id)) = Driver::registered(&cluster.room, &settings) else { return };
    let mut info = settings.script["framework"].clone();
    info["id"] = json!({"value": id});
    info["name"] = json!("renamed");
    driver.call(&json!(["updateFramework", info, []]));
    until("the new name", || framework(&cluster, &id).filter(|one| one["name"] == "renamed"));
    info["user"] = json!("somebody-else");
    driver.call(&json!(["updateFramework", info, []]));
    let error = driver.event("error");
    assert!(error["message"].as_str().unwrap_or_default().contains("user"), "{error}");
}

/// What the master says of drivers that it can't reach.
fn unreached(cluster: &Cluster) -> Value {
    until("a driver that can't be reached", || {
        let answer = cluster.master.get("/frameworks");
        let first = answer["unreachable_drivers"].as_array()?.first()?.clone();
        (first["attempts"].as_f64() > Some(1.0)).then_some(first)
    })
}

#[test]
fn a_driver_that_cannot_be_dialled_back_is_explained() {
    let Some(cluster) = cluster() else { return };
    let mut settings = Settings::new(cluster.master.address);
    // As behind NAT: nobody is at the address that it gives.
    settings.advertise = Some("127.255.255.254".parse().expect("an address"));
    let Some(mut driver) = Driver::start(&cluster.room, &settings) else { return };
    let told = unreached(&cluster);
    assert_eq!(told["name"], "test");
    assert!(told["connects_from"].as_str().is_some_and(|ip| ip.starts_with("127.")), "{told}");
    let error = told["error"].as_str().expect("an error");
    assert!(error.starts_with("the connection to 127.255.255.254:"), "{error}");
    assert!(error.ends_with(" failed: connection refused"), "{error}");
    let advice = told["advice"].as_str().expect("advice");
    assert!(advice.contains("LIBPROCESS_ADVERTISE_IP"), "{advice}");
    assert_eq!(cluster.master.get("/state")["unreachable_drivers"][0]["pid"], told["pid"]);
    assert!(cluster.master.log().contains("it can't be dialled back: the connection to 127.255."));
    let mut tool = cluster.room.tool("reeve");
    tool.args(["framework", "list"]).arg(cluster.master.address.to_string());
    let output = reeve_tests::processes::run(&mut tool);
    let listed = String::from_utf8_lossy(&output.stdout);
    assert!(listed.starts_with("not subscribed: test, whose driver can't be dialled"), "{listed}");
    assert!(!driver.has("registered"));
    let frameworks = cluster.master.get("/frameworks");
    for list in ["frameworks", "completed_frameworks"] {
        assert_eq!(frameworks[list].as_array().map(Vec::len), Some(0), "no ghost in {list}");
    }
}
