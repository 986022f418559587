//! Masters and agents replaced under a running cluster: a real Mesos by Reeve and back.

use std::net::SocketAddr;

use reeve_tests::scheduler::framework;
use reeve_tests::{Agent, Codec, Master, Room, Scheduler};
use serde_json::json;

use crate::real::{RealAgent, RealMaster};

fn returned(id: &str) -> serde_json::Value {
    let mut info = framework();
    info["id"] = json!({"value": id});
    info
}

/// An agent that is started again with another master.
trait Moves {
    fn move_to(&mut self, room: &Room, master: SocketAddr);
}

impl Moves for Agent {
    fn move_to(&mut self, room: &Room, master: SocketAddr) {
        Agent::move_to(self, room, &master.to_string());
    }
}

impl Moves for RealAgent {
    fn move_to(&mut self, room: &Room, master: SocketAddr) {
        RealAgent::move_to(self, room, master);
    }
}

#[test]
fn our_agent_moves_to_reeve_and_back_and_no_task_notices() {
    let room = Room::new();
    let Some(real) = RealMaster::start(&room) else { return };
    let agent = Agent::start(&room, real.address, &[]);
    to_reeve_and_back(&room, real, agent);
}

#[test]
fn a_real_agent_moves_to_reeve_and_back_and_no_task_notices() {
    let room = Room::new();
    let Some(real) = RealMaster::start(&room) else { return };
    let Some(agent) = RealAgent::start(&room, real.address, &[]) else { return };
    to_reeve_and_back(&room, real, agent);
}

#[test]
fn a_whole_cluster_becomes_reeve_and_no_task_notices() {
    let room = Room::new();
    let Some(real) = RealMaster::start(&room) else { return };
    let Some(agent) = RealAgent::start(&room, real.address, &[]) else { return };
    let id = real.agent();
    let mut scheduler = Scheduler::new(real.address);
    let go = room.join("go");
    let command = format!("until [ -e {} ]; do sleep 0.05; done; exit 7", go.display());
    scheduler.run("survivor", &command);
    scheduler.run("second", "sleep 1000");
    let process = room.task("until [ -e");
    let (address, work_dir) = (agent.address, agent.work_dir());
    scheduler.hang_up();
    drop((real, agent));

    let master = Master::start(&room, &[]);
    let agent = Agent::instead(&room, master.address, address, &work_dir);
    master.wait_agents(1);
    assert_eq!(master.get("/slaves")["slaves"][0]["id"], *id);
    let mut ours = Scheduler::subscribe(master.address, Codec::Json, returned(&scheduler.id));
    for task in ["survivor", "second"] {
        assert_eq!(ours.reconciled(&[task], task)["state"], "TASK_RUNNING", "{task}");
    }
    assert_eq!(room.task("until [ -e").pid, process.pid);
    std::fs::write(go, "").expect("a file in the room");
    let failed = ours.state("survivor", "TASK_FAILED");
    assert_eq!(failed["message"], "Command exited with status 7");
    ours.kill("second");
    ours.state("second", "TASK_KILLED");
    ours.run("third", "sleep 1000");
    assert_eq!(agent.get("/state")["id"], *id);
    ours.teardown();
    room.wait_empty();
}

fn to_reeve_and_back(room: &Room, real: RealMaster, mut agent: impl Moves) {
    let id = real.agent();
    let mut scheduler = Scheduler::new(real.address);
    let go = room.join("go");
    let command = format!("until [ -e {} ]; do sleep 0.05; done; exit 7", go.display());
    scheduler.run("survivor", &command);
    let process = room.task("until [ -e");

    // To Reeve: the agent, then the framework.
    let reeve = Master::start(room, &[]);
    agent.move_to(room, reeve.address);
    reeve.wait_agents(1);
    assert_eq!(reeve.get("/slaves")["slaves"][0]["id"], *id);
    let mut ours = Scheduler::subscribe(reeve.address, Codec::Json, returned(&scheduler.id));
    assert_eq!(ours.id, scheduler.id);
    let status = ours.reconciled(&["survivor"], "survivor");
    assert_eq!(status["state"], "TASK_RUNNING");
    ours.run("second", "sleep 1000");

    // And back, with a task that began under Reeve. It is another real master, as after a
    // failover: one that still waits for the agent does not learn of tasks that began elsewhere.
    drop((scheduler, real));
    let Some(real) = RealMaster::named(room, "next-master", &[]) else { return };
    agent.move_to(room, real.address);
    assert_eq!(real.agent(), id);
    let mut again = Scheduler::subscribe(real.address, Codec::Json, returned(&ours.id));
    for task in ["survivor", "second"] {
        assert_eq!(again.reconciled(&[task], task)["state"], "TASK_RUNNING", "{task}");
    }
    assert_eq!(room.task("until [ -e").pid, process.pid);
    again.kill("second");
    again.state("second", "TASK_KILLED");
    std::fs::write(go, "").expect("a file in the room");
    let failed = again.state("survivor", "TASK_FAILED");
    assert_eq!(failed["message"], "Command exited with status 7");
    room.wait_empty();
}
