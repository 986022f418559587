//! CRAM-MD5 (LP-11) between ours and theirs: the native driver proves itself to our master, our
//! agent to a real one, and our agent to our master.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use reeve_tests::{Agent, Master, Room, until};
use serde_json::{Value, json};

use crate::driver::{Driver, Settings};
use crate::real::{self, RealMaster};

/// A file in the room that only its owner may read.
fn file(room: &Room, name: &str, content: &Value) -> PathBuf {
    let path = room.join(name);
    std::fs::write(&path, content.to_string()).expect("a file in the room");
    let owner = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&path, owner).expect("a mode can be set");
    path
}

/// What masters know.
fn credentials(room: &Room) -> PathBuf {
    let known = json!({"credentials": [
        {"principal": "alice", "secret": "of a framework"},
        {"principal": "node", "secret": "of agents"},
    ]});
    file(room, "credentials.json", &known)
}

/// What an agent is given.
fn credential(room: &Room, secret: &str) -> String {
    let known = json!({"principal": "node", "secret": secret});
    format!("--credential={}", file(room, &format!("{secret}.json"), &known).display())
}

/// Our master, which takes only agents and frameworks that prove who they are.
fn strict(room: &Room) -> Master {
    let file = format!("--credentials={}", credentials(room).display());
    Master::start(room, &["--authenticate_agents", "--authenticate_frameworks", &file])
}

#[test]
fn the_native_driver_proves_itself_to_our_master() {
    if real::installed().is_none() {
        return;
    }
    let room = Room::new();
    let master = strict(&room);
    let mut settings = Settings::new(master.address);
    let mut start = |credential: Value| {
        settings.script["credential"] = credential;
        Driver::start(&room, &settings).expect("a real Mesos is here")
    };

    let known = json!({"principal": "alice", "secret": "of a framework"});
    let mut driver = start(known);
    let id = driver.event("registered")["framework"].clone();
    let principal = master.until("the framework", "/frameworks", |answer| {
        let all = answer["frameworks"].as_array()?;
        Some(all.iter().find(|one| one["id"] == id)?["principal"].clone())
    });
    assert_eq!(principal, "alice");
    driver.call(&json!(["stop", false]));
    driver.event("stop");

    let mut driver = start(json!({"principal": "alice", "secret": "guessed"}));
    assert_eq!(driver.event("error")["message"], "Master refused authentication");
    assert!(master.log().contains("the secret of the principal 'alice' is another"));

    let mut driver = start(Value::Null);
    let error = driver.event("error");
    let error = error["message"].as_str().expect("a message");
    assert!(error.ends_with(" is not authenticated"), "{error}");
}

#[test]
fn a_framework_cannot_claim_another_principal_than_its_driver_s() {
    if real::installed().is_none() {
        return;
    }
    let room = Room::new();
    let master = strict(&room);
    let mut settings = Settings::new(master.address);
    settings.script["credential"] = json!({"principal": "alice", "secret": "of a framework"});
    settings.script["framework"]["principal"] = json!("bob");
    let mut driver = Driver::start(&room, &settings).expect("a real Mesos is here");
    assert_eq!(
        driver.event("error")["message"],
        "Framework principal 'bob' does not match authenticated principal 'alice'"
    );
}

#[test]
fn our_agent_proves_itself_to_our_master() {
    let room = Room::new();
    let mut master = strict(&room);
    let unproven = Agent::start(&room, master.address, &[]);
    until("the agent without a credential to be refused", || {
        master.log().contains("it has not proven who it is").then_some(())
    });
    drop(unproven);
    let mut wrong = Agent::start(&room, master.address, &[&credential(&room, "guessed")]);
    wrong.wait();
    let mut agent = Agent::start(&room, master.address, &[&credential(&room, "of agents")]);
    master.wait_agents(1);
    // What was proven ends with the connection, and with the master.
    agent.restart(&room);
    master.wait_agents(1);
    master.restart(&room);
    master.wait_agents(1);
}

#[test]
fn only_agents_of_the_named_principal_may_register() {
    let room = Room::new();
    let rules = json!({"register_agents": [
        {"principals": {"values": ["node"]}, "agents": {"type": "ANY"}},
        {"principals": {"type": "ANY"}, "agents": {"type": "NONE"}},
    ]});
    let flags = [
        "--authenticate_agents".to_owned(),
        format!("--credentials={}", credentials(&room).display()),
        format!("--acls={}", file(&room, "acls.json", &rules).display()),
    ];
    let master = Master::start(&room, &flags.each_ref().map(String::as_str));
    let alice = json!({"principal": "alice", "secret": "of a framework"});
    let alice = format!("--credential={}", file(&room, "alice.json", &alice).display());
    let stranger = Agent::start(&room, master.address, &[&alice]);
    until("the agent of another principal to be refused", || {
        master
            .log()
            .contains("its principal may not register agents (register_agents)")
            .then_some(())
    });
    assert_eq!(master.get("/slaves")["slaves"], json!([]));
    drop(stranger);
    let mut agent = Agent::start(&room, master.address, &[&credential(&room, "of agents")]);
    master.wait_agents(1);
    // Who comes back is asked as well.
    agent.restart(&room);
    master.wait_agents(1);
    assert!(!master.log().contains("has not proven"), "both have");
}

#[test]
fn our_agent_proves_itself_to_a_real_master() {
    let room = Room::new();
    let known = credentials(&room);
    let known = known.display().to_string();
    let flags = [("MESOS_AUTHENTICATE_AGENTS", "true"), ("MESOS_CREDENTIALS", &known)];
    let Some(master) = RealMaster::named(&room, "real-master", &flags) else { return };
    let mut wrong = Agent::start(&room, master.address, &[&credential(&room, "guessed")]);
    wrong.wait();
    let _agent = Agent::start(&room, master.address, &[&credential(&room, "of agents")]);
    master.agent();
}
