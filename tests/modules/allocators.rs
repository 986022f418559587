//! Allocators of third parties in a master.

use std::path::Path;

use reeve_tests::{Agent, Master, Room, until};
use serde_json::Value;

use crate::{built, said, task};

/// A master whose allocator is this file, with these parameters, and an agent of it.
fn cluster(room: &Room, name: &str, library: &Path, parameters: &str) -> (Master, Agent) {
    let config = room.join("master.toml");
    let library = library.display();
    let text = format!(
        "allocator = \"{name}\"\nallocator_timeout = \"500ms\"\n\
         [modules.{name}]\nlibrary = \"{library}\"\n{parameters}"
    );
    std::fs::write(&config, text).unwrap();
    let master = Master::start(room, &[&format!("--config={}", config.display())]);
    let agent = Agent::start(room, master.address, &[]);
    (master, agent)
}

fn at_work(master: &Master) -> String {
    let modules = master.get("/modules");
    modules["modules"][0]["name"].as_str().unwrap().to_owned()
}

fn metric(master: &Master, name: &str) -> f64 {
    master.get("/metrics/snapshot")[name].as_f64().unwrap()
}

fn runs_a_task(room: &Room, master: &Master, name: &str) {
    let output = task(room, master.address, name, "true");
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_third_partys_allocator_shares_a_cluster() {
    let room = Room::new();
    let (master, _agent) = cluster(&room, "bin-packing", &built::bin_packing(), "");
    runs_a_task(&room, &master, "first");
    runs_a_task(&room, &master, "second");
    assert_eq!(at_work(&master), "bin-packing");
    assert!(metric(&master, "allocator/mesos/unlawful_grants") == 0.0);
}

/// The allocator fails while a task runs; another takes over, and nobody notices.
fn is_replaced(how: &str, says: &str) {
    let room = Room::new();
    let parameters = format!("how = \"{how}\"\nafter = 30\n");
    let (master, agent) = cluster(&room, "bad", &built::bad_allocator(), &parameters);
    let mut words = room.tool("mesos-execute");
    words.arg(format!("--master={}", master.address)).args(["--name=long", "--command=sleep 1000"]);
    let _tool = reeve_tests::Daemon::start(&room, "long", &mut words);
    room.task("sleep 1000");
    // Whatever makes the allocator work: offers that come and go.
    until("the allocator to be replaced", || {
        runs_a_task(&room, &master, "prod");
        (at_work(&master) == "drf").then_some(())
    });
    runs_a_task(&room, &master, "afterwards");
    let tasks = master.get("/tasks?limit=100");
    let state = |name: &str| {
        let all = tasks["tasks"].as_array().unwrap();
        let found = all.iter().find(|task| task["id"] == name).unwrap();
        found["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state("long"), "TASK_RUNNING");
    assert_eq!(metric(&master, "allocator/mesos/replacements"), 1.0);
    let log = std::fs::read_to_string(room.join("master.log")).unwrap();
    assert!(log.contains("the allocator has failed") && log.contains(says), "{log}");
    let used = |value: &Value| value["used_resources"]["cpus"].as_f64();
    let slave = &master.get("/slaves")["slaves"][0];
    assert_eq!(used(slave), Some(1.0), "what the running task holds is known to the new one");
    drop(agent);
}

#[test]
fn one_that_panics_is_replaced() {
    is_replaced("panic", "and that is too much");
}

#[test]
fn one_that_hangs_is_replaced() {
    is_replaced("hang", "a call has taken");
}

#[test]
fn one_that_lies_does_no_harm_and_is_found_out() {
    let room = Room::new();
    let (master, _agent) = cluster(&room, "bad", &built::bad_allocator(), "how = \"lie\"\n");
    runs_a_task(&room, &master, "first");
    runs_a_task(&room, &master, "second");
    assert!(metric(&master, "allocator/mesos/unlawful_grants") > 0.0);
    let log = std::fs::read_to_string(room.join("master.log")).unwrap();
    assert!(log.contains("the allocator proposed what is not lawful"), "{log}");
}

#[test]
fn without_a_fallback_the_master_ends_and_says_why() {
    let room = Room::new();
    let library = built::bad_allocator();
    let config = format!(
        "allocator = \"bad\"\nallocator_fallback = \"none\"\n[modules.bad]\n\
         library = \"{}\"\nhow = \"panic\"\nafter = 0\n",
        library.display()
    );
    std::fs::write(room.join("master.toml"), config).unwrap();
    let mut words = room.tool("reeve");
    words.args(["master", "--registry=in_memory", "--port=0"]);
    words.arg(format!("--ip={}", room.ip));
    words.arg(format!("--config={}", room.join("master.toml").display()));
    let mut daemon = reeve_tests::Daemon::start(&room, "alone", &mut words);
    let address = daemon.addresses(1)[0];
    let _agent = Agent::start(&room, address, &[]);
    assert!(!daemon.wait().success());
    assert!(daemon.log().contains("allocator_fallback is 'none'"), "{}", daemon.log());
}
