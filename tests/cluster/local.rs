//! `reeve local`: a cluster in one process.

use std::net::SocketAddr;

use nix::sys::signal::Signal;
use reeve_tests::scheduler::{framework, task};
use reeve_tests::{Codec, Daemon, Room, Scheduler, http, until};

/// `reeve local` in a room, listening on these addresses.
pub fn start(room: &Room, ips: &[&str], flags: &[&str]) -> (Daemon, Vec<SocketAddr>) {
    let mut command = room.tool("reeve");
    command.arg("local").args(ips.iter().map(|ip| format!("--ip={ip}"))).args(flags);
    command.arg("--port=0").arg(format!("--work_dir={}", room.join("local").display()));
    let mut daemon = Daemon::start(room, "local", &mut command);
    let addresses = daemon.addresses(ips.len());
    (daemon, addresses)
}

/// Waits for so many active agents and gives the address of each.
pub fn agents(master: SocketAddr, count: usize) -> Vec<SocketAddr> {
    until(&format!("{count} agents"), || {
        let slaves = http::try_json(master, "/slaves")?["slaves"].as_array()?.clone();
        let active = slaves.iter().filter(|agent| agent["active"] == true);
        let pids = active.filter_map(|agent| agent["pid"].as_str()?.split_once('@'));
        let found: Vec<_> = pids.filter_map(|(_, address)| address.parse().ok()).collect();
        (found.len() == count).then_some(found)
    })
}

#[test]
fn it_greets_with_its_addresses_and_a_command_to_try() {
    let room = Room::new();
    let (daemon, addresses) = start(&room, &["127.0.0.1", "127.0.1.1"], &[]);
    until("the greeting", || daemon.output().contains("Ctrl-C").then_some(()));
    let greeting = daemon.output();
    assert!(
        greeting.contains(&format!("mesos-execute --master=\"{}\"", addresses[1])),
        "{greeting}"
    );
    for address in &addresses {
        assert_eq!(http::get(*address, "/health").status(), 200);
    }
    assert_eq!(addresses[0].port(), addresses[1].port(), "one free port for all addresses");
}

#[test]
fn three_agents_share_the_machine() {
    let room = Room::new();
    let (_daemon, addresses) = start(&room, &["127.0.0.1"], &["--agents=3"]);
    let agents = agents(addresses[0], 3);
    for agent in &agents {
        assert_eq!(http::get(*agent, "/health").status(), 200);
    }
    let slaves = http::get_json(addresses[0], "/slaves")["slaves"].as_array().unwrap().clone();
    let mut ports: Vec<_> = slaves
        .iter()
        .map(|agent| agent["resources"]["ports"].as_str().unwrap().to_owned())
        .collect();
    ports.dedup();
    assert_eq!(ports.len(), 3, "two agents offer the same ports: {ports:?}");
}

#[test]
fn ctrl_c_leaves_no_process() {
    let room = Room::new();
    let (mut daemon, addresses) = start(&room, &["127.0.0.1"], &["--agents=2"]);
    agents(addresses[0], 2);
    let mut scheduler = Scheduler::subscribe(addresses[0], Codec::Json, framework());
    scheduler.launch(task("sleeper", "sleep 1000"));
    scheduler.state("sleeper", "TASK_RUNNING");
    room.task("sleep 1000");
    daemon.signal(Signal::SIGINT);
    assert!(daemon.wait().success(), "{}", daemon.log());
    room.wait_empty();
}
