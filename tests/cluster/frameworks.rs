//! The frameworks that docs/frameworks.md shows: that they are shown as they are, and that they work,
//! also when the master is lost.

use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use reeve_tests::room::program;
use reeve_tests::{Agent, Cluster, Daemon, Master, Room, ZooKeeper, http, until};

const PAGE: &str = include_str!("../../docs/frameworks.md");
const RUST: &str = include_str!("../../crates/client/examples/framework.rs");
const PYTHON: &str = include_str!("../../docs/examples/framework.py");

/// More than an agent of these tests has room for at once.
const TASKS: usize = 5;
const ROOM_FOR_TWO: &str = "--resources=cpus:0.25;mem:1024;disk:1024;ports:[]";

fn in_rust() -> Command {
    Command::new(program("examples/framework"))
}

fn in_python() -> Command {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/framework.py");
    let mut command = Command::new("python3");
    command.arg(file);
    command
}

#[test]
fn the_page_shows_them_as_they_are() {
    for (language, text) in [("rust", RUST), ("python", PYTHON)] {
        let shown = format!("\n```{language}\n{text}```\n");
        assert!(PAGE.contains(&shown), "docs/frameworks.md does not show the file as it is");
    }
}

#[test]
fn the_one_in_rust_goes_on_when_the_master_comes_back() {
    outlives_its_master(&mut in_rust());
}

#[test]
fn the_one_in_python_goes_on_when_the_master_comes_back() {
    outlives_its_master(&mut in_python());
}

/// Tasks that end when a file is there.
fn waiting(room: &Room) -> String {
    format!("until [ -e {} ]; do sleep 0.1; done", room.join("go").display())
}

/// So many tasks run, says the master.
fn wait_running(master: &Master, count: usize) {
    master.until("the tasks to run", "/tasks", |answer| {
        let tasks = answer["tasks"].as_array()?;
        let running = tasks.iter().filter(|task| task["state"] == "TASK_RUNNING").count();
        (running == count).then_some(())
    });
}

/// It has subscribed for the second time.
fn wait_back(framework: &Daemon) {
    until("the framework to be back", || {
        framework.output().matches("subscribed as ").nth(1).map(drop)
    });
}

/// Lets the tasks end, and the framework with them. It must have run each task once.
fn finish(room: &Room, mut framework: Daemon) {
    std::fs::write(room.join("go"), "").unwrap();
    let well = framework.wait().success();
    let said = framework.output();
    assert!(well, "{said}");
    assert_eq!(said.lines().filter(|line| line.ends_with(": TASK_FINISHED")).count(), TASKS);
    assert_eq!(said.lines().filter(|line| line.starts_with("subscribed as ")).count(), 2);
    room.wait_empty();
}

fn outlives_its_master(command: &mut Command) {
    let mut cluster = Cluster::with(&[], &[ROOM_FOR_TWO]);
    command.arg(cluster.master.address.to_string());
    command.args([TASKS.to_string(), waiting(&cluster.room)]);
    let framework = Daemon::start(&cluster.room, "framework", command);
    wait_running(&cluster.master, 2);
    cluster.restart_master();
    cluster.master.wait_agents(1);
    wait_back(&framework);
    wait_running(&cluster.master, 2);
    finish(&cluster.room, framework);
    let ended = http::get_json(cluster.master.address, "/frameworks");
    assert_eq!(ended["completed_frameworks"][0]["name"], "example", "{ended:#}");
}

#[test]
fn the_one_in_rust_finds_the_next_leader() {
    let Some(mut ensemble) = Ensemble::start() else { return };
    let zk = ensemble.url.clone();
    ensemble.lose_the_leader(in_rust().arg(zk));
}

#[test]
fn the_one_in_python_is_sent_to_the_next_leader() {
    let Some(mut ensemble) = Ensemble::start() else { return };
    // The one that stands by is asked first, and says who leads.
    let masters = format!("{},{}", ensemble.masters[1].address, ensemble.masters[0].address);
    ensemble.lose_the_leader(in_python().arg(masters));
}

/// Two masters that contend, of which the first leads, and an agent.
struct Ensemble {
    masters: Vec<Master>,
    _agent: Agent,
    _zookeeper: ZooKeeper,
    url: String,
    room: Room,
}

impl Ensemble {
    fn start() -> Option<Self> {
        let room = Room::new();
        let zookeeper = ZooKeeper::start(&room, 1)?;
        let url = zookeeper.url("/mesos");
        let flags = [format!("--zk={url}"), "--zk_session_timeout=2secs".to_owned()];
        let flags = flags.each_ref().map(String::as_str);
        let leader = Master::named(&room, "first", None, &flags);
        until("the first master to lead", || {
            (http::get(leader.address, "/slaves").status() == 200).then_some(())
        });
        let standby = Master::named(&room, "second", None, &flags);
        until("the second master to know who leads", || {
            (http::get(standby.address, "/slaves").status() == 307).then_some(())
        });
        let agent = Agent::named(&room, "agent", None, &url, &[ROOM_FOR_TWO]);
        leader.wait_agents(1);
        Some(Self {
            masters: vec![leader, standby],
            _agent: agent,
            _zookeeper: zookeeper,
            url,
            room,
        })
    }

    fn lose_the_leader(&mut self, command: &mut Command) {
        let command = command.args([TASKS.to_string(), waiting(&self.room)]);
        let framework = Daemon::start(&self.room, "framework", command);
        wait_running(&self.masters[0], 2);
        self.masters[0].signal(Signal::SIGKILL);
        self.masters[1].wait_agents(1);
        wait_back(&framework);
        wait_running(&self.masters[1], 2);
        finish(&self.room, framework);
    }
}
