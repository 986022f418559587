//! A real master and ours in one ensemble: whoever leads, all find it.

use std::net::SocketAddr;

use reeve_tests::scheduler::task;
use reeve_tests::{Agent, Master, Room, ZooKeeper, http, until};
use serde_json::{Value, json};

use crate::driver::{Driver, Settings};
use crate::real::RealMaster;

const SESSION: &str = "--zk_session_timeout=2secs";

/// Waits until this master sends readers to that one.
fn follows(standby: SocketAddr, leader: SocketAddr) {
    until(&format!("{standby} to follow {leader}"), || {
        let answer = http::try_send(standby, "GET", "/master/redirect", &[], &[]).ok()?;
        let location = answer.head.header("Location").to_owned();
        location.ends_with(&format!(":{}", leader.port())).then_some(())
    });
}

/// Waits until the agent has registered with this master, and says by which id.
fn agent_of(leader: SocketAddr) -> String {
    until(&format!("the agent at {leader}"), || {
        let state = http::try_json(leader, "/master/state")?;
        let agent: &Value = state["slaves"].as_array()?.iter().find(|one| one["active"] == true)?;
        agent["id"].as_str().map(str::to_owned)
    })
}

#[test]
fn they_lead_in_turn_and_no_task_notices() {
    let room = Room::new();
    let Some(zookeeper) = ZooKeeper::start(&room, 1) else { return };
    let url = zookeeper.url("/mesos");
    let Some(mut real) = RealMaster::contending(&room, url.clone()) else { return };
    // Agent, framework and masters know each other by ZooKeeper alone.
    let _agent = Agent::named(&room, "agent", None, &url, &[SESSION]);
    let id = agent_of(real.address);
    let mut ours = Master::start(&room, &[&format!("--zk={url}"), SESSION]);
    follows(ours.address, real.address);
    let mut settings = Settings::new(real.address);
    settings.script["master"] = url.into();
    let Some((mut driver, _)) = Driver::registered(&room, &settings) else { return };
    driver.launch(task("survivor", "sleep 1000"));
    driver.state("survivor", "TASK_RUNNING");
    let process = room.task("sleep 1000").pid;

    real.kill();
    assert_eq!(agent_of(ours.address), id);
    assert_eq!(driver.event("registered")["master"]["port"], ours.address.port());
    driver.launch(task("second", "sleep 2000"));
    driver.state("second", "TASK_RUNNING");

    real.restart(&room);
    follows(real.address, ours.address);
    ours.kill();
    assert_eq!(agent_of(real.address), id);
    assert_eq!(driver.event("registered")["master"]["port"], real.address.port());
    assert_eq!(room.task("sleep 1000").pid, process);
    for name in ["survivor", "second"] {
        driver.call(&json!(["killTask", {"value": name}]));
        driver.state(name, "TASK_KILLED");
    }
    room.wait_empty();
}
