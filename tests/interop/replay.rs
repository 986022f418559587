//! Our daemons do what recorded ones did. Needs no Mesos.
//!
//! A test plays one side of an exchange with the recorded messages, and holds what our daemon says
//! against what the other side said then. Ids, addresses and times are those of this run.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use reeve_tests::scheduler::framework;
use reeve_tests::{Agent, Master, Room, Scheduler};
use reeve_wire::{Described, decode, encode, internal, json};
use serde_json::{Value, json};

use crate::libprocess::{Actor, Message};
use crate::recorded;

/// Knows these messages by their names.
macro_rules! messages {
    ($($kind:ident)*) => {
        /// A message as JSON.
        fn read(name: &str, body: &[u8]) -> Value {
            let body = Bytes::copy_from_slice(body);
            match name {
                $(internal::$kind::NAME => {
                    let message: internal::$kind = decode(&body).expect(name);
                    json::to_value(&message)
                })*
                other => panic!("{other} is new here"),
            }
        }

        /// A message from JSON.
        fn write(name: &str, value: &Value) -> Vec<u8> {
            match name {
                $(internal::$kind::NAME => {
                    let message: internal::$kind = json::from_value(value).expect(name);
                    encode(&message).to_vec()
                })*
                other => panic!("{other} is new here"),
            }
        }

        /// A message decoded and encoded again.
        fn again(name: &str, body: &[u8]) -> Vec<u8> {
            let body = Bytes::copy_from_slice(body);
            match name {
                $(internal::$kind::NAME => {
                    let message: internal::$kind = decode(&body).expect(name);
                    encode(&message).to_vec()
                })*
                other => panic!("{other} is new here"),
            }
        }
    };
}

messages! {
    AcknowledgeOperationStatusMessage ApplyOperationMessage DrainSlaveMessage
    ExecutorToFrameworkMessage ExitedExecutorMessage FrameworkToExecutorMessage KillTaskMessage
    RegisterSlaveMessage ReregisterSlaveMessage RunTaskGroupMessage RunTaskMessage
    ShutdownExecutorMessage ShutdownFrameworkMessage ShutdownMessage SlaveRegisteredMessage
    SlaveReregisteredMessage StatusUpdateAcknowledgementMessage StatusUpdateMessage
    UpdateFrameworkMessage UpdateOperationStatusMessage UpdateSlaveMessage
}

#[test]
fn nothing_is_lost_in_reading_and_writing() {
    let names = recorded::names();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        for message in recorded::read(&name) {
            let again = again(&message.name, &message.body);
            assert_eq!(again, message.body, "{} in {name}", message.name);
        }
    }
}

/// One side of exchanges.
struct Player {
    actor: Actor,
    daemon: SocketAddr,
    /// What ids and addresses of the recording are in this run.
    words: BTreeMap<String, String>,
    last: Option<Message>,
    /// What our daemon says otherwise, by its place in a message.
    differences: BTreeMap<String, String>,
}

/// What comes at any time.
const BEATS: [&str; 2] = [internal::PingSlaveMessage::NAME, internal::PongSlaveMessage::NAME];

/// What is another each time: the state of a task that goes on meanwhile is, too.
const VARYING: [&str; 4] = ["timestamp", "port", "executor_pid", "latest_state"];

impl Player {
    fn new(actor: Actor, daemon: SocketAddr) -> Self {
        Self { actor, daemon, words: BTreeMap::new(), last: None, differences: BTreeMap::new() }
    }

    /// Plays an exchange. Before the daemon must say something, `act` makes it do so, if it would
    /// not by itself.
    fn play(&mut self, name: &str, mut act: impl FnMut(&mut Self, &Message)) {
        for recorded in recorded::read(name) {
            if recorded.to == self.actor.id {
                act(self, &recorded);
                let said = self.next();
                assert_eq!(said.name, recorded.name, "{name}");
                let place = recorded.name.trim_start_matches("mesos.internal.");
                let then = read(&recorded.name, &recorded.body);
                let now = read(&said.name, &said.body);
                self.compare(place, "", &then, &now);
            } else {
                self.say(recorded);
            }
        }
    }

    /// The next message that is not the last one again.
    fn next(&mut self) -> Message {
        loop {
            let said = self.actor.next(&BEATS);
            if self.last.as_ref() != Some(&said) {
                self.last = Some(said.clone());
                return said;
            }
        }
    }

    /// Sends a recorded message with the words of this run.
    fn say(&mut self, recorded: Message) {
        let mut value = read(&recorded.name, &recorded.body);
        let as_recorded = value.clone();
        self.translate(&mut value);
        // Nobody pings here.
        if let Some(seconds) = value.pointer_mut("/connection/total_ping_timeout_seconds") {
            *seconds = json!(600.0);
        }
        // JSON is not as exact as bytes are.
        let body = if value == as_recorded { recorded.body } else { write(&recorded.name, &value) };
        let from = self.actor.pid();
        self.actor.send(self.daemon, &Message { from, to: recorded.to, name: recorded.name, body });
    }

    fn translate(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(word) = self.words.get(text.as_str()) {
                    text.clone_from(word);
                }
            }
            Value::Array(all) => all.iter_mut().for_each(|one| self.translate(one)),
            Value::Object(fields) => fields.values_mut().for_each(|one| self.translate(one)),
            _ => {}
        }
    }

    fn compare(&mut self, place: &str, key: &str, then: &Value, now: &Value) {
        match (then, now) {
            (Value::Object(a), Value::Object(b)) => {
                for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                    let place = &format!("{place}.{key}");
                    let (then, now) = (a.get(key), b.get(key));
                    self.compare(
                        place,
                        key,
                        then.unwrap_or(&Value::Null),
                        now.unwrap_or(&Value::Null),
                    );
                }
            }
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                for (then, now) in a.iter().zip(b) {
                    self.compare(place, key, then, now);
                }
            }
            (Value::String(a), Value::String(b)) if is_name(a) && is_name(b) => {
                let known = self.words.entry(a.clone()).or_insert_with(|| b.clone());
                if known != b {
                    let what = format!("{a} was {known} and is now {b}");
                    self.differences.insert(place.to_owned(), what);
                }
            }
            (Value::Number(_), Value::Number(_)) if VARYING.contains(&key) => {}
            (Value::String(_), Value::String(_)) if VARYING.contains(&key) => {}
            _ if then != now => {
                let what = format!("{then} then, {now} here");
                self.differences.insert(place.to_owned(), what);
            }
            _ => {}
        }
    }

    /// What our daemon said otherwise than the recorded one, and that it may.
    fn differs(&self, expected: &[&str]) {
        let places: Vec<&String> = self.differences.keys().collect();
        assert_eq!(places, expected, "{:#?}", self.differences);
    }
}

/// Whether a text is an id or an address that each run gives anew.
fn is_name(text: &str) -> bool {
    let uuid = |text: &str| {
        let dashes = |text: &[u8]| [8, 13, 18, 23].iter().all(|&at| text[at] == b'-');
        text.len() >= 36 && dashes(text.as_bytes())
    };
    let bytes = text.len() == 24 && text.ends_with("==");
    uuid(text) || bytes || text.contains("@127.") || text.starts_with("127.")
}

/// What a framework does so that the master says something to the agent.
fn command(scheduler: &mut Scheduler, words: &BTreeMap<String, String>, next: &Message) {
    let mut next_value = read(&next.name, &next.body);
    match next.name.as_str() {
        internal::RunTaskMessage::NAME => {
            let mut wanted = next_value["task"].take();
            for resource in wanted["resources"].as_array_mut().into_iter().flatten() {
                resource.as_object_mut().unwrap().remove("allocation_info");
            }
            wanted.as_object_mut().unwrap().remove("slave_id");
            if let Some(executor) = wanted.get_mut("executor") {
                executor["framework_id"] = json!({"value": scheduler.id});
                for resource in executor["resources"].as_array_mut().into_iter().flatten() {
                    resource.as_object_mut().unwrap().remove("allocation_info");
                }
            }
            scheduler.launch(wanted);
        }
        internal::StatusUpdateAcknowledgementMessage::NAME => {
            scheduler.status(next_value["task_id"]["value"].as_str().unwrap());
        }
        internal::KillTaskMessage::NAME => {
            scheduler.kill(next_value["task_id"]["value"].as_str().unwrap());
        }
        internal::FrameworkToExecutorMessage::NAME => {
            scheduler.accepted(json!({"type": "MESSAGE", "message": {
                "agent_id": {"value": words[next_value["slave_id"]["value"].as_str().unwrap()]},
                "executor_id": next_value["executor_id"], "data": next_value["data"],
            }}));
        }
        internal::ShutdownExecutorMessage::NAME => {
            let agent = words.iter().find(|(recorded, _)| recorded.ends_with("-S0"));
            scheduler.accepted(json!({"type": "SHUTDOWN", "shutdown": {
                "agent_id": {"value": agent.unwrap().1},
                "executor_id": next_value["executor_id"],
            }}));
        }
        _ => {}
    }
}

#[test]
fn our_master_treats_a_recorded_agent_as_a_real_one_does() {
    let room = Room::new();
    let flags = ["--agent_ping_timeout=1secs", "--max_agent_ping_timeouts=3"];
    let master = Master::start(&room, &flags);
    let mut player = Player::new(Actor::new(room.ip, "slave(1)"), master.address);
    player.play("register", |_, _| ());
    let mut scheduler = Scheduler::new(master.address);
    for name in ["run", "fail", "kill", "message", "executor-exited"] {
        player.play(name, |player, next| command(&mut scheduler, &player.words, next));
    }
    let failure = scheduler.event("FAILURE");
    assert_eq!(failure["failure"]["executor_id"]["value"], "own");
    player.play("lost-executor", |player, next| command(&mut scheduler, &player.words, next));
    // Older agents look for the id beside the framework. No pid and an empty one mean the same, as
    // do no role and the default one.
    player.differs(&[
        "RunTaskMessage.framework.role",
        "RunTaskMessage.framework_id",
        "RunTaskMessage.pid",
    ]);
}

#[test]
fn our_master_takes_back_a_recorded_agent_with_its_task() {
    let room = Room::new();
    let master =
        Master::start(&room, &["--agent_ping_timeout=1secs", "--max_agent_ping_timeouts=3"]);
    let mut player = Player::new(Actor::new(room.ip, "slave(1)"), master.address);
    player.play("master-returns", |_, _| ());
    let agent = &master.get("/slaves")["slaves"][0];
    assert_eq!(agent["active"], true);
    let recorded = read_of("master-returns", internal::ReregisterSlaveMessage::NAME);
    assert_eq!(agent["id"], recorded["slave"]["id"]["value"]);
    let mut info = framework();
    info["id"] = recorded["frameworks"][0]["id"].clone();
    info["roles"] = json!(["web"]);
    info["capabilities"] = recorded["frameworks"][0]["capabilities"].clone();
    let mut scheduler = Scheduler::subscribe(master.address, reeve_tests::Codec::Json, info);
    let status = scheduler.reconciled(&["survivor"], "survivor");
    assert_eq!(status["state"], "TASK_RUNNING");
    player.differs(&[]);
}

/// The first message of a name in an exchange.
fn read_of(exchange: &str, name: &str) -> Value {
    let messages = recorded::read(exchange);
    let found = messages.iter().find(|message| message.name == name).expect(name);
    read(&found.name, &found.body)
}

#[test]
fn our_agent_obeys_a_recorded_master_as_a_real_one_does() {
    let room = Room::new();
    let actor = Actor::new(room.ip, "master");
    let agent = Agent::start(&room, actor.address, &["--attributes=rack:r7;level:3;slots:[1-4]"]);
    let mut player = Player::new(actor, agent.address);
    let own = "exec \"$TEST_EXECUTOR\"".to_owned();
    player.words.insert(own, env!("CARGO_BIN_EXE_test-executor").to_owned());
    for name in ["register", "run", "fail", "kill", "message", "executor-exited"] {
        player.play(name, |_, _| ());
    }
    // The recorded executor dies before it says anything else; then the task is over.
    player.play("lost-executor", |_, next| {
        if read(&next.name, &next.body)["update"]["status"]["state"] == "TASK_FAILED" {
            room.executor().kill();
        }
    });
    player.differs(&[
        // Ours can do less.
        "RegisterSlaveMessage.agent_capabilities",
        // What is there of a container that has ended, and the time even if the executor gives none.
        "StatusUpdateMessage.update.status.container_status",
        // How the executor ended.
        "StatusUpdateMessage.update.status.message",
        "StatusUpdateMessage.update.status.timestamp",
        // Ours says that there is nothing more, the other one says nothing.
        "UpdateSlaveMessage.update_oversubscribed_resources",
    ]);
}
