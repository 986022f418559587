//! Hooks that have a say in what is launched.

use std::collections::BTreeMap;

use reeve_tests::scheduler::task;
use reeve_tests::{Agent, Master, Room, Scheduler, until};
use serde_json::{Value, json};

/// A daemon's configuration with the decorator.
fn config(room: &Room, daemon: &str, label: &str) -> String {
    let path = room.join(&format!("{daemon}.toml"));
    let text = format!(
        "hooks = [\"decorator\"]\n[modules.decorator]\nlabels = [\"{label}\"]\n\
         environment = [\"SITE=Frankfurt\", \"MINE=theirs\"]\n"
    );
    std::fs::write(&path, text).unwrap();
    format!("--config={}", path.display())
}

fn labels(task: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = task["labels"].as_array().cloned().unwrap_or_default();
    all.iter().map(|label| (text(&label["key"]), text(&label["value"]))).collect()
}

fn of_agent(agent: &Agent) -> BTreeMap<String, String> {
    labels(&agent.get("/state")["frameworks"][0]["executors"][0]["tasks"][0])
}

fn pairs(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn hooks_decorate_tasks_and_executors_and_hear_of_ends() {
    let room = Room::new();
    let master = Master::start(&room, &[&config(&room, "master", "from=master")]);
    let flag = config(&room, "agent", "at=agent");
    let mut agent = Agent::start(&room, master.address, &[&flag]);
    let mut scheduler = Scheduler::new(master.address);
    let mut it = task("it", "echo $SITE $MINE; sleep 1000");
    it["labels"] = json!({"labels": [{"key": "own", "value": "x"}, {"key": "from", "value": "y"}]});
    it["command"]["environment"] = json!({"variables": [{"name": "MINE", "value": "mine"}]});
    scheduler.launch(it);
    scheduler.state("it", "TASK_RUNNING");
    until("the task's output", || {
        (agent.read_of("it", "stdout") == "Frankfurt mine\n").then_some(())
    });

    let seen = labels(&master.get("/tasks")["tasks"][0]);
    assert_eq!(seen, pairs(&[("own", "x"), ("from", "master")]));
    let all = pairs(&[("own", "x"), ("from", "master"), ("at", "agent")]);
    assert_eq!(of_agent(&agent), all);
    let modules = master.get("/modules");
    assert_eq!(modules["modules"][1]["name"], "decorator");
    assert_eq!(modules["modules"][1]["kind"], "hook");

    agent.restart(&room);
    master.wait_agents(1);
    until("the task to be known again", || {
        let tasks = agent.get("/state")["frameworks"][0]["executors"][0]["tasks"].clone();
        tasks[0].is_object().then_some(())
    });
    assert_eq!(of_agent(&agent), all);

    scheduler.kill("it");
    scheduler.state("it", "TASK_KILLED");
    let logged = |daemon: &str, text: &str| {
        until(&format!("'{text}' in the log"), || {
            let log = std::fs::read_to_string(room.join(&format!("{daemon}.log"))).unwrap();
            log.contains(text).then_some(())
        });
    };
    logged("agent", &format!("executor it of framework {} has ended", scheduler.id));
    agent.leave();
    logged("master", "is lost");
}

#[test]
fn a_hook_that_is_not_there_keeps_a_daemon_from_starting() {
    let room = Room::new();
    let mut words = room.tool("reeve");
    words.args(["master", "--registry=in_memory", "--port=0", "--hooks=nonesuch"]);
    let mut daemon = reeve_tests::Daemon::start(&room, "master", &mut words);
    assert!(!daemon.wait().success());
    let log = daemon.log();
    assert!(log.contains("hooks = \"nonesuch\"") && log.contains("libreeve_hook_"), "{log}");
}
