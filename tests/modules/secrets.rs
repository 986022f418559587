//! Variables that are secrets, and the resolver that knows them.

use reeve_tests::scheduler::task;
use reeve_tests::{Agent, Cluster, Master, Room, Scheduler, http};
use serde_json::{Value, json};

/// An agent whose secrets are files.
fn cluster(room: &Room) -> (Master, Agent) {
    let secrets = room.join("secrets");
    std::fs::create_dir_all(secrets.join("db")).unwrap();
    std::fs::write(secrets.join("db/password"), "correct horse\n").unwrap();
    let config = room.join("agent.toml");
    let text = format!(
        "secret_resolver = \"files\"\n[modules.files]\ndirectory = \"{}\"\n",
        secrets.display()
    );
    std::fs::write(&config, text).unwrap();
    let master = Master::start(room, &[]);
    let agent = Agent::start(room, master.address, &[&format!("--config={}", config.display())]);
    (master, agent)
}

/// A command that tells a secret, which it finds in its environment.
fn with_secret(id: &str, secret: Value) -> Value {
    let mut it = task(id, "echo \"$GREETING $SECRET\"");
    it["command"]["environment"] = json!({"variables": [
        {"name": "GREETING", "value": "it is"},
        {"name": "SECRET", "type": "SECRET", "secret": secret},
    ]});
    it
}

fn reference(name: &str, key: &str) -> Value {
    json!({"type": "REFERENCE", "reference": {"name": name, "key": key}})
}

/// Whether any file below a directory holds this text, but for the task's own output.
fn written(directory: &std::path::Path, text: &str) -> bool {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| match path.is_dir() {
        true => written(&path, text),
        false => {
            !path.ends_with("stdout")
                && String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).contains(text)
        }
    })
}

#[test]
fn a_secret_reaches_its_task_and_nothing_else() {
    let room = Room::new();
    let (master, agent) = cluster(&room);
    let mut scheduler = Scheduler::new(master.address);
    scheduler.launch(with_secret("it", reference("db", "password")));
    scheduler.state("it", "TASK_FINISHED");
    assert_eq!(agent.read_of("it", "stdout"), "it is correct horse\n");
    for (address, path) in [(master.address, "/state"), (agent.address, "/state")] {
        assert!(!http::get(address, path).text().contains("correct horse"));
    }
    for place in ["agent", "agent-run", "agent.log", "master.log"] {
        let place = room.join(place);
        assert!(!written(&place, "correct horse"), "{}", place.display());
        let log = std::fs::read_to_string(&place).unwrap_or_default();
        assert!(!log.contains("correct horse"), "{log}");
    }
}

#[test]
fn an_unknown_secret_fails_the_task_and_is_named() {
    let room = Room::new();
    let (master, _agent) = cluster(&room);
    let mut scheduler = Scheduler::new(master.address);
    scheduler.launch(with_secret("it", reference("db", "user")));
    let failed = scheduler.state("it", "TASK_FAILED");
    assert_eq!(failed["reason"], "REASON_CONTAINER_LAUNCH_FAILED");
    let message = failed["message"].as_str().unwrap();
    let wanted = "environment variable 'SECRET' is the secret 'db' with the key 'user': \
                  module 'files': there is no such secret";
    assert!(message.contains(wanted), "{message}");
}

#[test]
fn an_agent_without_a_resolver_takes_secrets_by_value_alone() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    // Base64 of "correct horse".
    let value = json!({"type": "VALUE", "value": {"data": "Y29ycmVjdCBob3JzZQ=="}});
    scheduler.launch(with_secret("given", value));
    scheduler.state("given", "TASK_FINISHED");
    assert_eq!(cluster.agent.read_of("given", "stdout"), "it is correct horse\n");
    scheduler.launch(with_secret("named", reference("db", "password")));
    let failed = scheduler.state("named", "TASK_FAILED");
    let message = failed["message"].as_str().unwrap();
    assert!(message.contains("this agent has no secret resolver"), "{message}");
}
