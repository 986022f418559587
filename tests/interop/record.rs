//! Records what a real master and a real agent say to each other, anew:
//! `cargo test -p reeve-tests --test interop -- --ignored record`.

use std::sync::PoisonError;

use reeve_tests::scheduler::{framework, scalar, task};
use reeve_tests::{Codec, Room, Scheduler, until};
use serde_json::{Value, json};

use crate::libprocess::{Heard, Message, Tap};
use crate::real::{RealAgent, RealMaster};
use crate::recorded;

/// A real master and a real agent with a wire before each.
struct Studio {
    heard: Heard,
    to_master: Tap,
    to_agent: Tap,
    master: RealMaster,
    agent: RealAgent,
    id: String,
    /// Dropped last, as it kills what the daemons leave behind.
    room: Room,
}

/// Names that come at any time.
const BEATS: [&str; 2] = ["mesos.internal.PingSlaveMessage", "mesos.internal.PongSlaveMessage"];

impl Studio {
    fn open() -> Option<Self> {
        let (room, heard) = (Room::new(), Heard::default());
        let (to_master, to_agent) = (Tap::new(room.ip, &heard), Tap::new(room.ip, &heard));
        let own = flags(
            &to_master,
            &[("MESOS_AGENT_PING_TIMEOUT", "1secs"), ("MESOS_MAX_AGENT_PING_TIMEOUTS", "3")],
        );
        let master = RealMaster::named(&room, "real-master", &borrowed(&own))?;
        to_master.lead_to(master.address);
        let own = flags(&to_agent, &[("MESOS_ATTRIBUTES", "rack:r7;level:3;slots:[1-4]")]);
        let agent = RealAgent::before(&room, to_master.address, &borrowed(&own), |address| {
            to_agent.lead_to(address);
        })?;
        let id = master.agent();
        Some(Self { heard, to_master, to_agent, master, agent, id, room })
    }

    /// Writes what was heard since the last time.
    fn cut(&self, name: &str, title: &str) {
        // What answers the last message may still be on its way.
        let mut count = usize::MAX;
        until("silence", || {
            std::thread::sleep(std::time::Duration::from_millis(700));
            let now = self.heard().len();
            (std::mem::replace(&mut count, now) == now).then_some(())
        });
        let messages =
            std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner));
        let beats = |message: &Message| BEATS.contains(&message.name.as_str());
        let mut messages: Vec<_> = messages.into_iter().filter(|one| !beats(one)).collect();
        // What is sent until somebody answers.
        messages.dedup();
        recorded::write(name, title, &messages);
    }

    fn heard(&self) -> Vec<Message> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().filter(|one| !BEATS.contains(&one.name.as_str())).cloned().collect()
    }

    fn until_heard(&self, name: &str) {
        until(name, || {
            self.heard().iter().any(|message| message.name.ends_with(name)).then_some(())
        });
    }
}

/// Flags of a daemon behind a wire.
fn flags(tap: &Tap, more: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
    tap.flags().into_iter().chain(more).collect()
}

fn borrowed<'a>(flags: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    flags.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn role(mut info: Value) -> Value {
    info["roles"] = json!(["web"]);
    info["capabilities"] = json!([
        {"type": "PARTITION_AWARE"}, {"type": "MULTI_ROLE"}, {"type": "RESERVATION_REFINEMENT"},
    ]);
    info["principal"] = json!("operator");
    info
}

fn own_executor(framework: &str) -> Value {
    // No path of this machine.
    let command = "exec \"$TEST_EXECUTOR\"";
    json!({
        "type": "CUSTOM", "executor_id": {"value": "own"}, "framework_id": {"value": framework},
        "command": {"value": command},
        "resources": [scalar("cpus", 0.1), scalar("mem", 32.0)],
    })
}

#[test]
#[ignore = "writes the files that other tests read"]
fn record() {
    let Some(mut studio) = Studio::open() else { return };
    studio.until_heard("UpdateSlaveMessage");
    studio.cut("register", "An agent joins for the first time.");
    let scheduler = tasks(&studio);
    executors(&studio, scheduler);
    reserve(&studio);
    let scheduler = failovers(&mut studio);
    studio.master.operate(&json!({"type": "DRAIN_AGENT", "drain_agent": {
        "agent_id": {"value": studio.id}, "max_grace_period": {"seconds": 1},
    }}));
    studio.room.wait_empty();
    studio.cut("drain", "An operator drains the agent, and its task ends.");
    drop(scheduler);
    studio.master.operate(&json!({"type": "MARK_AGENT_GONE", "mark_agent_gone": {
        "agent_id": {"value": studio.id},
    }}));
    studio.until_heard("ShutdownMessage");
    studio.cut("gone", "An operator says that the agent is gone for good.");
}

fn tasks(studio: &Studio) -> Scheduler {
    let mut scheduler = Scheduler::new(studio.master.address);
    scheduler.launch(task("good", "true"));
    scheduler.state("good", "TASK_FINISHED");
    studio.cut("run", "A command runs to its end; each update is acknowledged.");
    scheduler.launch(task("bad", "exit 3"));
    scheduler.state("bad", "TASK_FAILED");
    studio.cut("fail", "A command exits with status 3.");
    scheduler.run("long", "sleep 1000");
    scheduler.reconciled(&["long"], "long");
    scheduler.kill("long");
    scheduler.state("long", "TASK_KILLED");
    studio.cut("kill", "A command is killed, after its framework asked what it does.");
    scheduler.run("victim", "sleep 1000");
    studio.room.executor().kill();
    scheduler.state("victim", "TASK_FAILED");
    studio.room.clear();
    studio.cut("lost-executor", "The executor of a command is killed from outside.");
    scheduler
}

/// The next offer that is more than what a small task left.
fn whole(scheduler: &mut Scheduler) -> Value {
    loop {
        let offer = scheduler.offer();
        if offer["resources"].as_array().is_some_and(|all| all.len() > 2) {
            return offer;
        }
        let decline = json!({"offer_ids": [offer["id"]], "filters": {"refuse_seconds": 0.0}});
        scheduler.accepted(json!({"type": "DECLINE", "decline": decline}));
    }
}

fn executors(studio: &Studio, mut scheduler: Scheduler) {
    let mut own = task("own-task", "unused");
    own["command"].take();
    own.as_object_mut().unwrap().remove("command");
    own["executor"] = own_executor(&scheduler.id);
    own["data"] = json!("d2FpdA==");
    let offer = whole(&mut scheduler);
    scheduler.launch_on(&offer, &[own]);
    let running = scheduler.state("own-task", "TASK_RUNNING");
    let (agent, executor) = (running["agent_id"].clone(), json!({"value": "own"}));
    let to_executor = json!({"agent_id": agent, "executor_id": executor, "data": "cGluZw=="});
    scheduler.accepted(json!({"type": "MESSAGE", "message": to_executor}));
    scheduler.event("MESSAGE");
    studio.cut("message", "An executor of the framework runs a task and echoes a message.");
    let shutdown = json!({"agent_id": agent, "executor_id": executor});
    scheduler.accepted(json!({"type": "SHUTDOWN", "shutdown": shutdown}));
    scheduler.event("FAILURE");
    studio.cut("executor-exited", "The framework ends its executor.");

    let offer = whole(&mut scheduler);
    let member = |id: &str| {
        let mut task = task(id, "unused");
        task["agent_id"] = agent.clone();
        task
    };
    let mut executor = own_executor(&scheduler.id);
    executor.as_object_mut().unwrap().remove("command");
    executor["type"] = json!("DEFAULT");
    executor["resources"].as_array_mut().unwrap().push(scalar("disk", 32.0));
    executor["executor_id"] = json!({"value": "pod"});
    let group = json!({"type": "LAUNCH_GROUP", "launch_group": {
        "executor": executor, "task_group": {"tasks": [member("one"), member("two")]},
    }});
    scheduler.accepted(json!({"type": "ACCEPT", "accept": {
        "offer_ids": [offer["id"]], "operations": [group],
    }}));
    for id in ["one", "two"] {
        scheduler.state(id, "TASK_RUNNING");
    }
    studio.cut("group", "Two tasks of a group begin together.");
    scheduler.teardown();
    studio.room.wait_empty();
    studio.cut("teardown", "The framework ends while its group runs.");
}

fn reserve(studio: &Studio) {
    let reservation = json!([{"type": "DYNAMIC", "role": "web", "principal": "operator"}]);
    let mut memory = scalar("mem", 64.0);
    memory["reservations"] = reservation.clone();
    let mut disk = scalar("disk", 64.0);
    disk["reservations"] = reservation;
    let agent = json!({"value": studio.id});
    studio.master.operate(&json!({"type": "RESERVE_RESOURCES", "reserve_resources": {
        "agent_id": agent, "resources": [memory.clone(), disk.clone()],
    }}));
    studio.until_heard("UpdateOperationStatusMessage");
    disk["disk"] = json!({
        "persistence": {"id": "volume", "principal": "operator"},
        "volume": {"container_path": "data", "mode": "RW"},
    });
    studio.master.operate(&json!({"type": "CREATE_VOLUMES", "create_volumes": {
        "agent_id": agent, "volumes": [disk.clone()],
    }}));
    studio.cut("reserve", "An operator reserves memory and disk, and makes a volume.");
    studio.master.operate(&json!({"type": "DESTROY_VOLUMES", "destroy_volumes": {
        "agent_id": agent, "volumes": [disk],
    }}));
    studio.master.operate(&json!({"type": "UNRESERVE_RESOURCES", "unreserve_resources": {
        "agent_id": agent, "resources": [memory],
    }}));
    studio.cut("unreserve", "The volume and one reservation end.");
}

fn failovers(studio: &mut Studio) -> Scheduler {
    let mut scheduler = Scheduler::subscribe(studio.master.address, Codec::Json, role(framework()));
    scheduler.run("survivor", "sleep 1000");
    studio.cut("run-survivor", "A command begins that others find running.");
    studio.agent.kill();
    studio.agent.restart(&studio.room);
    studio.until_heard("SlaveReregisteredMessage");
    studio.master.agent();
    studio.cut("agent-returns", "The agent is killed and returns, a command still runs.");
    studio.master.restart(&studio.room);
    studio.until_heard("SlaveReregisteredMessage");
    studio.cut("master-returns", "The master is killed and returns; the agent joins again.");
    let mut info = role(framework());
    info["id"] = json!({"value": scheduler.id});
    let mut scheduler = Scheduler::subscribe(studio.master.address, Codec::Json, info);
    scheduler.reconciled(&["survivor"], "survivor");
    studio.cut("framework-returns", "The framework subscribes at the new master.");
    assert!(studio.to_master.address != studio.to_agent.address);
    scheduler
}
