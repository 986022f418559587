//! Executors that frameworks bring themselves, over the v1 executor API and on messages of libprocess.

use reeve_tests::scheduler::scalar;
use reeve_tests::{Cluster, Scheduler};
use serde_json::{Value, json};

/// A task for the executor of this test, whose data tells it what to do.
pub(crate) fn task(scheduler: &Scheduler, id: &str, data: &str) -> Value {
    task_of(scheduler, id, data, &[])
}

/// The same for one that is given these words.
fn task_of(scheduler: &Scheduler, id: &str, data: &str, words: &[&str]) -> Value {
    let program = env!("CARGO_BIN_EXE_test-executor");
    let arguments = [&[program], words].concat();
    json!({
        "name": id, "task_id": {"value": id}, "data": data,
        "resources": [scalar("cpus", 0.1), scalar("mem", 32.0)],
        "executor": {
            "type": "CUSTOM", "executor_id": {"value": "own"},
            "framework_id": {"value": scheduler.id},
            "command": {"shell": false, "value": program, "arguments": arguments},
            "resources": [scalar("cpus", 0.1), scalar("mem", 32.0)],
        },
    })
}

/// Base64 of the words that the executor understands.
const FINISH: &str = "ZmluaXNo";
const FAIL: &str = "ZmFpbA==";
pub(crate) const WAIT: &str = "d2FpdA==";

#[test]
fn an_own_executor_runs_many_tasks() {
    runs_many_tasks(&[]);
}

#[test]
fn an_own_executor_on_the_driver_runs_many_tasks() {
    runs_many_tasks(&["driver"]);
}

fn runs_many_tasks(words: &[&str]) {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let task = |scheduler: &Scheduler, id, data| task_of(scheduler, id, data, words);
    let tasks = [
        task(&scheduler, "good", FINISH),
        task(&scheduler, "bad", FAIL),
        task(&scheduler, "long", WAIT),
    ];
    let offer = scheduler.offer();
    scheduler.launch_on(&offer, &tasks);
    scheduler.state("good", "TASK_FINISHED");
    scheduler.state("bad", "TASK_FAILED");
    let running = scheduler.state("long", "TASK_RUNNING");
    assert_eq!(running["executor_id"]["value"], "own");

    scheduler.accepted(json!({"type": "MESSAGE", "message": {
        "agent_id": offer["agent_id"], "executor_id": {"value": "own"}, "data": "cGluZw==",
    }}));
    assert_eq!(scheduler.event("MESSAGE")["message"]["data"], "cGluZw==");

    scheduler.launch(task(&scheduler, "later", FINISH));
    scheduler.state("later", "TASK_FINISHED");
    scheduler.kill("long");
    scheduler.state("long", "TASK_KILLED");

    scheduler.accepted(json!({"type": "SHUTDOWN", "shutdown": {
        "agent_id": offer["agent_id"], "executor_id": {"value": "own"},
    }}));
    let failure = scheduler.event("FAILURE");
    assert_eq!(failure["failure"]["executor_id"]["value"], "own");
    cluster.room.wait_empty();
}

#[test]
fn a_killed_own_executor_takes_its_tasks_along() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let tasks = [task(&scheduler, "one", WAIT), task(&scheduler, "two", WAIT)];
    let offer = scheduler.offer();
    scheduler.launch_on(&offer, &tasks);
    scheduler.state("one", "TASK_RUNNING");
    scheduler.state("two", "TASK_RUNNING");
    cluster.room.task("test-executor").kill();
    for id in ["one", "two"] {
        let failed = scheduler.state(id, "TASK_FAILED");
        assert_eq!(failed["reason"], "REASON_EXECUTOR_TERMINATED");
    }
    let failure = scheduler.event("FAILURE");
    assert_eq!(failure["failure"]["executor_id"]["value"], "own");
    cluster.room.wait_empty();
}

#[test]
fn a_group_for_the_default_executor_fails_and_says_what_to_do() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let offer = scheduler.offer();
    let pod: Vec<Value> = ["one", "two"]
        .iter()
        .map(|id| {
            let mut task = reeve_tests::scheduler::task(id, "sleep 1000");
            task["agent_id"] = offer["agent_id"].clone();
            task
        })
        .collect();
    let executor = json!({
        "type": "DEFAULT", "executor_id": {"value": "pod"},
        "framework_id": {"value": scheduler.id},
        "resources": [scalar("cpus", 0.1), scalar("mem", 32.0), scalar("disk", 32.0)],
    });
    scheduler.accepted(json!({"type": "ACCEPT", "accept": {
        "offer_ids": [offer["id"]],
        "operations": [{"type": "LAUNCH_GROUP", "launch_group": {
            "executor": executor, "task_group": {"tasks": pod},
        }}],
    }}));
    for id in ["one", "two"] {
        let failed = scheduler.state(id, "TASK_FAILED");
        assert_eq!(failed["reason"], "REASON_CONTAINER_LAUNCH_FAILED");
        let message = failed["message"].as_str().unwrap();
        assert!(message.contains("no default executor"), "{message}");
        assert!(message.contains("CUSTOM"), "{message}");
    }
    scheduler.run("after", "sleep 1000");
}

#[test]
fn an_executor_on_the_driver_outlives_its_agent_and_is_asked_to_come_back() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let offer = scheduler.offer();
    let long = task_of(&scheduler, "long", WAIT, &["driver"]);
    scheduler.launch_on(&offer, &[long]);
    scheduler.state("long", "TASK_RUNNING");
    let before = cluster.room.task("test-executor").pid;

    cluster.restart_agent();
    cluster.master.wait_agents(1);
    let status = scheduler.reconciled(&["long"], "long");
    assert_eq!(status["state"], "TASK_RUNNING");
    assert_eq!(cluster.room.task("test-executor").pid, before);
    scheduler.launch(task_of(&scheduler, "later", FINISH, &["driver"]));
    scheduler.state("later", "TASK_FINISHED");
    scheduler.kill("long");
    scheduler.state("long", "TASK_KILLED");
    cluster.room.task("test-executor").kill();
    assert_eq!(scheduler.event("FAILURE")["failure"]["executor_id"]["value"], "own");
    cluster.room.wait_empty();
}
