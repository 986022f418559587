//! A cluster whose masters contend for leadership through ZooKeeper, under a load of tasks, while
//! processes die, stop, and lose each other. Whatever fails: no task runs twice, none is lost, and
//! what a framework is told agrees with what the tasks did.

mod ledger;
mod load;

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use reeve_tests::{Agent, Host, Master, Network, Room, ZooKeeper, http, until};

use ledger::Verdict;
use load::Load;

/// Tasks a second.
const RATE: u64 = 50;

/// How many agents there are.
const AGENTS: usize = 10;

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
    /// Where they all are, if their wires can be cut.
    network: Option<Wires>,
    _one: MutexGuard<'static, ()>,
}

/// Hosts of their own, and the wires between them.
struct Wires {
    network: Network,
    servers: Vec<Host>,
    masters: Vec<Host>,
    agents: Vec<Host>,
}

impl Wires {
    fn new() -> Option<Self> {
        let mut network = Network::new()?;
        let mut hosts = |count: usize| (0..count).map(|_| network.host()).collect();
        let (servers, masters, agents) = (hosts(3), hosts(3), hosts(AGENTS));
        Some(Self { network, servers, masters, agents })
    }
}

impl Ensemble {
    /// Starts one, and a load on it. None, and why is told, if this machine has no ZooKeeper.
    fn start() -> Option<Self> {
        // One that failed leaves nothing behind that matters here.
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let room = Room::new();
        let zookeeper = ZooKeeper::start(&room, 3)?;
        Some(Self::started(room, zookeeper, None, one))
    }

    /// The same, with a host for each process and wires between them that can be cut. None, and
    /// why is told, if this machine can't have them.
    fn on_wires() -> Option<Self> {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (room, wires) = (Room::new(), Wires::new()?);
        let zookeeper = ZooKeeper::start_on(&room, &wires.servers)?;
        Some(Self::started(room, zookeeper, Some(wires), one))
    }

    fn started(
        room: Room,
        zookeeper: ZooKeeper,
        network: Option<Wires>,
        one: MutexGuard<'static, ()>,
    ) -> Self {
        let url = zookeeper.url("/mesos");
        let (zk, session) =
            (format!("--zk={url}"), format!("--zk_session_timeout={}secs", SESSION.as_secs()));
        let wires = network.as_ref();
        let masters: Vec<Master> = (0..3)
            .map(|number| {
                let host = wires.map(|wires| &wires.masters[number]);
                Master::named(&room, &format!("master-{number}"), host, &[&zk, &session])
            })
            .collect();
        let agents = (0..AGENTS)
            .map(|number| {
                let host = wires.map(|wires| &wires.agents[number]);
                Agent::named(&room, &format!("agent-{number}"), host, &url, &[&session, RESOURCES])
            })
            .collect();
        let addresses: Vec<SocketAddr> = masters.iter().map(|master| master.address).collect();
        let load = Load::start(room.path(), addresses, 0);
        let new = Self { load, masters, _agents: agents, zookeeper, room, network, _one: one };
        new.masters[new.leader()].wait_agents(AGENTS);
        new.load.set_rate(RATE);
        new
    }

    fn wires(&self) -> &Wires {
        self.network.as_ref().expect("it was started on wires")
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

    /// Ends the load, once everything agrees, and says what there was.
    fn settle(&self) -> Verdict {
        let verdict = self.load.settle();
        eprintln!("{verdict:?}");
        verdict
    }

    /// Joins the wires again, and ends like `settle` when tasks have run over them.
    fn heal(&self) {
        self.wires().network.heal();
        self.wait_finished(200);
        self.settle();
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
    assert!(cluster.settle().finished >= 500);
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
    cluster.settle();
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
    cluster.settle();
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
    cluster.settle();
}

#[test]
fn a_leader_cut_off_from_zookeeper_steps_down_before_another_leads() {
    let Some(cluster) = Ensemble::on_wires() else { return };
    cluster.wait_finished(100);
    let old = cluster.leader();
    let address = cluster.masters[old].address;
    let wires = cluster.wires();
    let cut = Instant::now();
    // Agents and the framework still reach it.
    for server in &wires.servers {
        wires.network.part(&wires.masters[old], server);
    }
    until("another leader to take tasks", || {
        let asked = Instant::now();
        let leaders = cluster.masters.iter().filter(|master| leads(master.address)).count();
        // An old one that answered first and a new one that answered last need not have met.
        let at_once = asked.elapsed() < SESSION / 6;
        assert!(leaders < 2 || !at_once, "two masters answer for one cluster");
        cluster.load.taken_by_another(address, cut)
    });
    cluster.wait_finished(200);
    cluster.heal();
}

#[test]
fn a_leader_cut_off_from_everybody_is_replaced() {
    let Some(cluster) = Ensemble::on_wires() else { return };
    cluster.wait_finished(100);
    let old = cluster.leader();
    let wires = cluster.wires();
    let cut = Instant::now();
    wires.network.isolate(&wires.masters[old]);
    let took = cluster.succeeded(cluster.masters[old].address, cut);
    eprintln!("tasks were taken {took:?} after the leader was cut off");
    cluster.wait_finished(200);
    cluster.heal();
}

#[test]
fn agents_that_hear_their_leader_only_one_way_lose_nothing() {
    let Some(cluster) = Ensemble::on_wires() else { return };
    cluster.wait_finished(100);
    let leader = cluster.leader();
    let wires = cluster.wires();
    for agent in &wires.agents[..3] {
        wires.network.cut(agent, &wires.masters[leader]);
    }
    for agent in &wires.agents[3..5] {
        wires.network.cut(&wires.masters[leader], agent);
    }
    cluster.wait_finished(200);
    cluster.heal();
}
