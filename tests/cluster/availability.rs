//! A cluster whose masters contend for leadership through ZooKeeper, under a load of tasks, while
//! processes die, stop, and lose each other. Whatever fails: no task runs twice, none is lost, and
//! what a framework is told agrees with what the tasks did.

mod ledger;
mod load;

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use reeve_tests::{Agent, Master, Room, ZooKeeper, http, until};

use load::Load;

/// Tasks a second.
const RATE: u64 = 50;

/// What each agent has: more than the load ever needs.
const RESOURCES: &str = "--resources=cpus:100;mem:100000;disk:1000;ports:[]";

/// How long a master's session lives without a sign of life.
const SESSION: Duration = Duration::from_secs(2);

/// There is one such cluster at a time: its ten agents and three Java machines are enough for two
/// slow cores.
static ONE: Mutex<()> = Mutex::new(());

/// Three masters, three ZooKeeper servers, agents.
struct Ensemble {
    load: Load,
    masters: Vec<Master>,
    _agents: Vec<Agent>,
    zookeeper: ZooKeeper,
    room: Room,
    _one: MutexGuard<'static, ()>,
}

impl Ensemble {
    /// Starts one, and a load on it. None, and why is told, if this machine has no ZooKeeper.
    fn start() -> Option<Self> {
        // One that failed leaves nothing behind that matters here.
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let room = Room::new();
        let zookeeper = ZooKeeper::start(&room, 3)?;
        let url = zookeeper.url("/mesos");
        let (zk, session) =
            (format!("--zk={url}"), format!("--zk_session_timeout={}secs", SESSION.as_secs()));
        let masters: Vec<Master> = (0..3)
            .map(|number| Master::named(&room, &format!("master-{number}"), None, &[&zk, &session]))
            .collect();
        let agents = (0..10)
            .map(|number| {
                Agent::named(&room, &format!("agent-{number}"), None, &url, &[&session, RESOURCES])
            })
            .collect();
        let addresses: Vec<SocketAddr> = masters.iter().map(|master| master.address).collect();
        let load = Load::start(room.path(), addresses, 0);
        let new = Self { load, masters, _agents: agents, zookeeper, room, _one: one };
        new.masters[new.leader()].wait_agents(10);
        new.load.set_rate(RATE);
        Some(new)
    }

    /// The number of the master that leads; waits for one.
    fn leader(&self) -> usize {
        until("a master to lead", || {
            (0..self.masters.len()).find(|number| leads(self.masters[*number].address))
        })
    }

    /// Waits until so many more tasks have finished.
    fn wait_finished(&self, more: usize) {
        let goal = self.load.finished() + more;
        until(&format!("{goal} tasks to finish"), || (self.load.finished() >= goal).then_some(()));
    }

    /// How long after `since` a master other than this one took tasks.
    fn succeeded(&self, old: SocketAddr, since: Instant) -> Duration {
        until("another leader to take tasks", || self.load.taken_by_another(old, since)) - since
    }
}

/// Whether a master answers for the cluster.
fn leads(address: SocketAddr) -> bool {
    let patience = Duration::from_millis(500);
    let answer = http::try_send_within(patience, address, "GET", "/state-summary", &[], &[]);
    answer.is_ok_and(|answer| answer.status() == 200)
}

#[test]
fn a_killed_leader_is_replaced_and_nothing_is_lost() {
    let Some(mut cluster) = Ensemble::start() else { return };
    cluster.wait_finished(200);
    let old = cluster.leader();
    let address = cluster.masters[old].address;
    let killed = Instant::now();
    cluster.masters[old].kill();
    let took = cluster.succeeded(address, killed);
    eprintln!("tasks were taken {took:?} after the leader was killed");
    cluster.wait_finished(200);
    // It comes back as a standby.
    let room = &cluster.room;
    cluster.masters[old].restart(room);
    cluster.wait_finished(100);
    assert!(!leads(cluster.masters[old].address));
    let verdict = cluster.load.settle();
    eprintln!("{verdict:?}");
    assert!(verdict.finished >= 500);
}

#[test]
fn a_stopped_leader_changes_nothing_when_it_wakes() {
    let Some(mut cluster) = Ensemble::start() else { return };
    cluster.wait_finished(200);
    let old = cluster.leader();
    let address = cluster.masters[old].address;
    let stopped = Instant::now();
    cluster.masters[old].signal(Signal::SIGSTOP);
    let took = cluster.succeeded(address, stopped);
    eprintln!("tasks were taken {took:?} after the leader was stopped");
    cluster.wait_finished(100);
    cluster.masters[old].signal(Signal::SIGCONT);
    let new = cluster.masters[cluster.leader()].address;
    until("the old leader to send others to the new one", || {
        let answer = http::get(address, "/state");
        let place = format!("//{new}/state");
        assert_ne!(answer.status(), 200, "two masters answer for one cluster");
        (answer.head.header("Location") == place).then_some(())
    });
    assert!(cluster.masters[old].running(), "a deposed leader need not end");
    cluster.wait_finished(200);
    let verdict = cluster.load.settle();
    eprintln!("{verdict:?}");
}

#[test]
fn the_death_of_zookeepers_leader_is_hardly_seen() {
    let Some(mut cluster) = Ensemble::start() else { return };
    cluster.wait_finished(200);
    let number = cluster.zookeeper.leader();
    cluster.zookeeper.kill(number);
    cluster.wait_finished(400);
    cluster.zookeeper.restart(&cluster.room, number);
    cluster.wait_finished(100);
    let verdict = cluster.load.settle();
    eprintln!("{verdict:?}");
}

#[test]
fn without_zookeepers_majority_tasks_go_on_and_nobody_leads() {
    let Some(cluster) = Ensemble::start() else { return };
    cluster.wait_finished(200);
    let leader = cluster.zookeeper.leader();
    for number in [leader, (leader + 1) % 3] {
        cluster.zookeeper.pause(number);
    }
    until("no master to lead", || {
        let leading = cluster.masters.iter().any(|master| leads(master.address));
        (!leading).then_some(())
    });
    // What runs goes on to its end, and its news wait.
    cluster.room.wait_empty();
    for number in [leader, (leader + 1) % 3] {
        cluster.zookeeper.resume(number);
    }
    cluster.wait_finished(200);
    let verdict = cluster.load.settle();
    eprintln!("{verdict:?}");
}
