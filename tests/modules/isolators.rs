//! Isolators of third parties in an agent.

use std::path::Path;

use reeve_tests::{Agent, Master, Room};

use crate::{built, said, task};

fn cluster(room: &Room, name: &str, library: &Path, parameters: &str) -> (Master, Agent) {
    let config = room.join("agent.toml");
    let library = library.display();
    let text = format!(
        "isolation = \"posix,{name}\"\n[modules.{name}]\nlibrary = \"{library}\"\n{parameters}"
    );
    std::fs::write(&config, text).unwrap();
    let master = Master::start(room, &[]);
    let agent = Agent::start(room, master.address, &[&format!("--config={}", config.display())]);
    (master, agent)
}

#[test]
fn the_template_sets_a_variable_and_a_limit() {
    let room = Room::new();
    let parameters = "name = \"Frankfurt\"\nopen_files = 77\n";
    let (master, agent) = cluster(&room, "site", &built::template(), parameters);
    let output = task(&room, master.address, "where", "echo $SITE; ulimit -n");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(agent.read_of("where", "stdout"), "Frankfurt\n77\n");
    let modules = agent.get("/modules");
    let names: Vec<&str> = modules["modules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|module| module["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["posix", "site"]);
    assert_eq!(modules["modules"][1]["parameters"][1]["value"], 77);
}

#[test]
fn a_panic_fails_the_container_that_the_call_was_for() {
    let room = Room::new();
    let (master, agent) = cluster(&room, "bad", &built::bad_isolator(), "how = \"panic\"\n");
    let output = task(&room, master.address, "unlucky-one", "true");
    assert!(!output.status.success());
    let said = said(&output);
    assert!(said.contains("TASK_FAILED for task unlucky-one"), "{said}");
    assert!(said.contains("isolator 'bad': it panicked: unlucky-one is unlucky"), "{said}");
    let output = task(&room, master.address, "lucky", "true");
    assert!(output.status.success());
    drop(agent);
}

#[test]
fn a_module_of_an_older_generation_works_on() {
    let room = Room::new();
    let (master, agent) =
        cluster(&room, "veteran", &built::veteran(), "greeting = \"still here\"\n");
    let output = task(&room, master.address, "old", "echo $VETERAN");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(agent.read_of("old", "stdout"), "still here\n");
    let modules = agent.get("/modules");
    let generations: Vec<i64> = modules["modules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|module| module["generation"].as_i64().unwrap())
        .collect();
    assert_eq!(generations, [2, 1]);
}
