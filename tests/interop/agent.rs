//! A real agent under our master.

use nix::sys::signal::Signal;
use reeve_tests::scheduler::{framework, scalar, task};
use reeve_tests::{Codec, Master, Room, Scheduler, until};
use serde_json::{Value, json};

use crate::real::RealAgent;

/// A master that soon misses an agent, and is soon missed by one: a real agent that was told its
/// master by address looks for it again once no more pings come.
const SHORT: [&str; 3] = [
    "--agent_ping_timeout=1secs",
    "--max_agent_ping_timeouts=2",
    "--agent_reregister_timeout=2secs",
];

/// The one agent in the master's `/slaves`.
fn agent(master: &Master) -> Value {
    master.get("/slaves")["slaves"][0].clone()
}

/// Waits until the one agent is there or is not.
fn wait_active(master: &Master, active: bool) {
    master.until(&format!("an agent that is active: {active}"), "/slaves", |answer| {
        (answer["slaves"][0]["active"] == active).then_some(())
    });
}

/// A task for an executor of its framework, whose data tells it what to do.
fn own_task(scheduler: &Scheduler, id: &str, data: &str) -> Value {
    let program = env!("CARGO_BIN_EXE_test-executor");
    let amount = [scalar("cpus", 0.1), scalar("mem", 32.0)];
    json!({
        "name": id, "task_id": {"value": id}, "data": data, "resources": amount,
        "executor": {
            "type": "CUSTOM", "executor_id": {"value": "own"},
            "framework_id": {"value": scheduler.id}, "resources": amount,
            "command": {"shell": false, "value": program, "arguments": [program]},
        },
    })
}

#[test]
fn it_joins_with_all_it_has() {
    let room = Room::new();
    let master = Master::start(&room, &[]);
    let flags = [("MESOS_ATTRIBUTES", "rack:r7;level:3;slots:[1-4]")];
    let Some(real) = RealAgent::start(&room, master.address, &flags) else { return };
    master.wait_agents(1);
    let shown = agent(&master);
    assert_eq!(shown["version"], "1.11.0");
    assert_eq!(shown["pid"], format!("slave(1)@{}", real.address));
    assert_eq!(shown["attributes"], json!({"rack": "r7", "level": 3.0, "slots": "[1-4]"}));
    let state = until("the agent to know its id", || {
        let state = real.state();
        (state["id"] == shown["id"]).then_some(state)
    });
    for key in ["attributes", "hostname", "capabilities", "resources"] {
        assert_eq!(shown[key], state[key], "{key}");
    }
    let full = "unreserved_resources_full";
    assert_eq!(shown[full].as_array().map(Vec::len), state[full].as_array().map(Vec::len));
}

#[test]
fn tasks_run_on_it() {
    let room = Room::new();
    let master = Master::start(&room, &[]);
    let Some(real) = RealAgent::start(&room, master.address, &[]) else { return };
    for codec in [Codec::Json, Codec::Protobuf] {
        let mut scheduler = Scheduler::subscribe(master.address, codec, framework());
        scheduler.launch(task("good", "true"));
        scheduler.state("good", "TASK_RUNNING");
        let finished = scheduler.state("good", "TASK_FINISHED");
        assert_eq!(finished["source"], "SOURCE_EXECUTOR");

        scheduler.launch(task("bad", "exit 3"));
        let failed = scheduler.state("bad", "TASK_FAILED");
        assert_eq!(failed["message"], "Command exited with status 3");

        scheduler.run("long", "sleep 1000");
        let answer = scheduler.reconciled(&["long"], "long");
        assert_eq!(answer["state"], "TASK_RUNNING");
        let used = agent(&master)["used_resources"].clone();
        assert_eq!(
            (used["cpus"].as_f64(), used["mem"].as_f64()),
            (Some(0.1), Some(32.0)),
            "{used}"
        );
        scheduler.kill("long");
        scheduler.state("long", "TASK_KILLED");
        room.wait_empty();

        scheduler.run("victim", "sleep 1000");
        room.executor().kill();
        let failed = scheduler.state("victim", "TASK_FAILED");
        assert_eq!(failed["reason"], "REASON_EXECUTOR_TERMINATED");
        // Without cgroups that agent finds nothing of what the executor left behind.
        room.clear();

        scheduler.run("orphan", "sleep 1000");
        scheduler.teardown();
        room.wait_empty();
    }
    let frameworks = until("both frameworks to be gone from the agent", || {
        let state = real.state();
        (state["frameworks"] == json!([])).then(|| state["completed_frameworks"].clone())
    });
    assert_eq!(frameworks.as_array().map(Vec::len), Some(2));
}

#[test]
fn frameworks_bring_their_own_executors() {
    let room = Room::new();
    let master = Master::start(&room, &[]);
    let Some(_real) = RealAgent::start(&room, master.address, &[]) else { return };
    let mut scheduler = Scheduler::new(master.address);
    let (finish, wait) = ("ZmluaXNo", "d2FpdA==");
    let tasks = [own_task(&scheduler, "good", finish), own_task(&scheduler, "long", wait)];
    let offer = scheduler.offer();
    scheduler.launch_on(&offer, &tasks);
    scheduler.state("good", "TASK_FINISHED");
    scheduler.state("long", "TASK_RUNNING");
    scheduler.accepted(json!({"type": "MESSAGE", "message": {
        "agent_id": offer["agent_id"], "executor_id": {"value": "own"}, "data": "cGluZw==",
    }}));
    assert_eq!(scheduler.event("MESSAGE")["message"]["data"], "cGluZw==");
    scheduler.accepted(json!({"type": "SHUTDOWN", "shutdown": {
        "agent_id": offer["agent_id"], "executor_id": {"value": "own"},
    }}));
    let failure = scheduler.event("FAILURE");
    assert_eq!(failure["failure"]["executor_id"]["value"], "own");
    room.wait_empty();
}

#[test]
fn what_is_reserved_on_it_stays_reserved() {
    let room = Room::new();
    let mut master = Master::start(&room, &SHORT[..2]);
    let Some(real) = RealAgent::start(&room, master.address, &[]) else { return };
    let mut info = framework();
    info["roles"] = json!(["web"]);
    info["principal"] = json!("operator");
    for capability in ["MULTI_ROLE", "RESERVATION_REFINEMENT"] {
        info["capabilities"].as_array_mut().unwrap().push(json!({"type": capability}));
    }
    let mut scheduler = Scheduler::subscribe(master.address, Codec::Json, info);
    let mut memory = scalar("mem", 64.0);
    memory["reservations"] = json!([{"type": "DYNAMIC", "role": "web", "principal": "operator"}]);
    memory["allocation_info"] = json!({"role": "web"});
    let offer = scheduler.offer();
    let reserve = json!({"type": "RESERVE", "reserve": {"resources": [memory]}});
    scheduler.accepted(json!({"type": "ACCEPT", "accept": {
        "offer_ids": [offer["id"]], "operations": [reserve],
    }}));
    let reserved = json!(64.0);
    until("the agent to know of it", || {
        (real.state()["reserved_resources"]["web"]["mem"] == reserved).then_some(())
    });
    master.restart(&room);
    master.wait_agents(1);
    assert_eq!(agent(&master)["reserved_resources"]["web"]["mem"], reserved);
}

#[test]
fn a_group_of_tasks_starts_together() {
    let room = Room::new();
    let master = Master::start(&room, &[]);
    let Some(_real) = RealAgent::start(&room, master.address, &[]) else { return };
    let mut scheduler = Scheduler::new(master.address);
    let offer = scheduler.offer();
    let member = |id: &str| {
        let mut task = task(id, "unused");
        task["agent_id"] = offer["agent_id"].clone();
        task
    };
    let group = json!({"type": "LAUNCH_GROUP", "launch_group": {
        "executor": {
            "type": "DEFAULT", "executor_id": {"value": "pod"},
            "framework_id": {"value": scheduler.id},
            "resources": [scalar("cpus", 0.1), scalar("mem", 32.0), scalar("disk", 32.0)],
        },
        "task_group": {"tasks": [member("one"), member("two")]},
    }});
    scheduler.accepted(json!({"type": "ACCEPT", "accept": {
        "offer_ids": [offer["id"]], "operations": [group],
    }}));
    for id in ["one", "two"] {
        scheduler.state(id, "TASK_RUNNING");
    }
    scheduler.kill("one");
    scheduler.state("one", "TASK_KILLED");
    scheduler.teardown();
    room.wait_empty();
}

#[test]
fn killed_it_is_missed_and_returns_with_its_id_and_tasks() {
    let room = Room::new();
    let master = Master::start(&room, &SHORT);
    let Some(mut real) = RealAgent::start(&room, master.address, &[]) else { return };
    let mut scheduler = Scheduler::new(master.address);
    let running = scheduler.run("survivor", "sleep 1000");
    let id = running["agent_id"]["value"].clone();
    let process = room.task("sleep 1000");

    // Gone for a moment.
    real.kill();
    wait_active(&master, false);
    real.restart(&room);
    wait_active(&master, true);
    assert_eq!(agent(&master)["id"], id);
    assert_eq!(scheduler.reconciled(&["survivor"], "survivor")["state"], "TASK_RUNNING");

    // Gone for too long.
    real.kill();
    let unreachable = scheduler.state("survivor", "TASK_UNREACHABLE");
    assert_eq!(unreachable["agent_id"]["value"], id);
    master.until("no agent", "/slaves", |all| (all["slaves"] == json!([])).then_some(()));
    real.restart(&room);
    scheduler.state("survivor", "TASK_RUNNING");
    wait_active(&master, true);
    assert_eq!(agent(&master)["id"], id);
    assert_eq!(room.task("sleep 1000").pid, process.pid);
    scheduler.kill("survivor");
    scheduler.state("survivor", "TASK_KILLED");
}

#[test]
fn stopped_it_is_missed_for_want_of_pongs() {
    let room = Room::new();
    let master = Master::start(&room, &SHORT);
    let Some(real) = RealAgent::start(&room, master.address, &[]) else { return };
    let mut scheduler = Scheduler::new(master.address);
    // Longer than an agent is waited for that answers no ping.
    scheduler.run("long", "sleep 4");
    scheduler.state("long", "TASK_FINISHED");
    let running = scheduler.run("sleeper", "sleep 1000");
    real.signal(Signal::SIGSTOP);
    scheduler.state("sleeper", "TASK_UNREACHABLE");
    real.signal(Signal::SIGCONT);
    let returned = scheduler.state("sleeper", "TASK_RUNNING");
    assert_eq!(returned["agent_id"], running["agent_id"]);
    scheduler.kill("sleeper");
    scheduler.state("sleeper", "TASK_KILLED");
}

#[test]
fn it_returns_to_a_master_that_died() {
    let room = Room::new();
    let mut master = Master::start(&room, &SHORT[..2]);
    let Some(real) = RealAgent::start(&room, master.address, &[]) else { return };
    let mut scheduler = Scheduler::new(master.address);
    let running = scheduler.run("survivor", "sleep 1000");
    master.restart(&room);
    let mut info = framework();
    info["id"] = json!({"value": scheduler.id});
    let mut scheduler = Scheduler::subscribe(master.address, Codec::Json, info);
    master.wait_agents(1);
    assert_eq!(agent(&master)["id"], running["agent_id"]["value"]);
    assert_eq!(agent(&master)["pid"], format!("slave(1)@{}", real.address));
    let status = scheduler.reconciled(&["survivor"], "survivor");
    assert_eq!(status["state"], "TASK_RUNNING");
    scheduler.kill("survivor");
    scheduler.state("survivor", "TASK_KILLED");
    room.wait_empty();
}

#[test]
fn a_framework_that_ended_meanwhile_ends_there_too() {
    let room = Room::new();
    let master = Master::start(&room, &[]);
    let Some(mut real) = RealAgent::start(&room, master.address, &[]) else { return };
    let mut scheduler = Scheduler::new(master.address);
    scheduler.run("orphan", "sleep 1000");
    real.kill();
    wait_active(&master, false);
    scheduler.teardown();
    real.restart(&room);
    wait_active(&master, true);
    room.wait_empty();
}
