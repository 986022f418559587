//! Tasks on our agent under a real master.

use reeve_tests::scheduler::{framework, scalar, task};
use reeve_tests::{Agent, Codec, Room, Scheduler, processes, until};
use serde_json::json;

use crate::real::RealMaster;

#[test]
fn tasks_run_as_on_an_agent_of_its_own() {
    let room = Room::new();
    let Some(master) = RealMaster::start(&room) else { return };
    let agent = Agent::start(&room, master.address, &["--attributes=rack:r7"]);
    master.agent();
    for codec in [Codec::Json, Codec::Protobuf] {
        let mut scheduler = Scheduler::subscribe(master.address, codec, framework());
        scheduler.launch(task("good", "echo hello world"));
        scheduler.state("good", "TASK_RUNNING");
        scheduler.state("good", "TASK_FINISHED");
        assert_eq!(agent.read_of("good", "stdout"), "hello world\n");

        scheduler.launch(task("bad", "exit 3"));
        let failed = scheduler.state("bad", "TASK_FAILED");
        assert_eq!(failed["message"], "Command exited with status 3");

        scheduler.run("long", "sleep 1000");
        room.task("sleep 1000");
        scheduler.kill("long");
        scheduler.state("long", "TASK_KILLED");
        room.wait_empty();

        scheduler.run("orphan", "sleep 1000");
        scheduler.teardown();
        room.wait_empty();
    }
    let attributes = master.until("attributes", |state| {
        Some(state["slaves"][0]["attributes"]["rack"].as_str()?.to_owned())
    });
    assert_eq!(attributes, "r7");
}

#[test]
fn an_agent_that_was_killed_returns_with_its_id_and_tasks() {
    let room = Room::new();
    let Some(master) = RealMaster::start(&room) else { return };
    let mut agent = Agent::start(&room, master.address, &[]);
    let id = master.agent();
    let mut scheduler = Scheduler::new(master.address);
    let go = room.join("go");
    let command = format!("until [ -e {} ]; do sleep 0.05; done; exit 7", go.display());
    scheduler.run("survivor", &command);

    agent.restart(&room);
    let returned = master.until("our agent to return", |state| {
        let slave = &state["slaves"][0];
        slave.get("reregistered_time")?;
        (slave["active"] == true).then(|| slave["id"].clone())
    });
    assert_eq!(returned, id);
    let status = scheduler.reconciled(&["survivor"], "survivor");
    assert_eq!(status["state"], "TASK_RUNNING");
    std::fs::write(go, "").expect("a file in the room");
    let failed = scheduler.state("survivor", "TASK_FAILED");
    assert_eq!(failed["message"], "Command exited with status 7");
    room.wait_empty();
}

#[test]
fn our_tool_runs_its_task_there() {
    let room = Room::new();
    let Some(master) = RealMaster::start(&room) else { return };
    let agent = Agent::start(&room, master.address, &[]);
    master.agent();
    for codec in ["protobuf", "json"] {
        let mut tool = room.tool("mesos-execute");
        tool.arg(format!("--master={}", master.address)).arg(format!("--content_type={codec}"));
        tool.arg(format!("--name={codec}")).arg("--command=echo hello world");
        let output = processes::run(&mut tool);
        let (out, log) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{out}\n{log}");
        assert!(out.contains("Received status update TASK_FINISHED"), "{out}");
        assert_eq!(agent.read_of(codec, "stdout"), "hello world\n");
    }
}

#[test]
fn what_is_reserved_on_it_stays_reserved() {
    let room = Room::new();
    let Some(master) = RealMaster::start(&room) else { return };
    let mut agent = Agent::start(&room, master.address, &[]);
    let id = master.agent();
    let mut memory = scalar("mem", 64.0);
    memory["reservations"] = json!([{"type": "DYNAMIC", "role": "web", "principal": "operator"}]);
    master.operate(&json!({"type": "RESERVE_RESOURCES", "reserve_resources": {
        "agent_id": {"value": id}, "resources": [memory],
    }}));
    let reserved = json!(64.0);
    until("the agent to know of it", || {
        (agent.get("/state")["reserved_resources"]["web"]["mem"] == reserved).then_some(())
    });
    let kept = agent.work_dir().join("meta/resources/resources.info");
    until("the agent to write it down", || kept.exists().then_some(()));
    // A master that knows nothing yet learns it from the agent.
    agent.kill();
    let Some(next) = RealMaster::named(&room, "next-master", &[]) else { return };
    agent.move_to(&room, &next.address.to_string());
    assert_eq!(next.agent(), id);
    next.until("what is reserved", |state| {
        (state["slaves"][0]["reserved_resources"]["web"]["mem"] == reserved).then_some(())
    });
}
