//! What can go wrong, and how often it did.

use std::time::Duration;

use reeve_machine::sim::Node;

use crate::cluster::{Cluster, Who};
use crate::parcel::{Parcel, ms, secs};

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Messages take seconds.
    Delay,
    /// A connection is reset: what is under way is lost, both ends know.
    Reset,
    /// A connection dies, and neither end is told.
    HalfOpen,
    /// A second connection opens beside the first, and overtakes it.
    Doubled,
    /// Each message between a master and an agent comes twice. The second is right behind the first:
    /// nothing that speaks libprocess sends again what it sent long ago.
    Repeated,
    /// Nothing gets through between two nodes.
    Partition,
    /// Nothing gets through in one direction.
    OneWay,
    /// A master dies and comes back.
    MasterCrash,
    /// An agent dies and comes back; its executors live on.
    AgentCrash,
    /// An executor is killed.
    ExecutorCrash,
    /// An executor does not come back to its restarted agent, and does not end either.
    ExecutorHangs,
    /// A task fails at the worst moment.
    TaskBreaks,
    /// A scheduler dies and comes back under its id.
    SchedulerCrash,
    /// A scheduler opens a second stream.
    SubscribesTwice,
    /// A node does nothing for a while.
    Pause,
    /// A disk takes seconds for a write.
    SlowDisk,
    /// A disk refuses to write.
    DiskFull,
    /// The process died while it wrote; some of it is durable.
    TornWrites,
    /// A container cannot be made.
    LaunchFails,
    /// A container cannot be changed.
    ContainerUpdateFails,
    /// A machine boots.
    Reboot,
    /// A machine comes back without its disk.
    Wiped,
    /// An agent leaves the cluster for good, and another comes in its place.
    AgentLeaves,
    /// An operator says that an agent is gone.
    AgentGone,
    /// An operator takes an agent out of use or empties it, and brings it back later.
    AgentUpkeep,
    /// An operator takes a machine down, and brings it back later.
    MachineDown,
    /// An operator sets quota or weights.
    RolesChange,
    /// The allocator panics, and another takes over.
    AllocatorFails,
    /// The time of day jumps.
    ClockJump,
    /// A leader is cut off from everybody, from everybody but a server of ZooKeeper, or from
    /// ZooKeeper alone.
    LeaderCut,
    /// A leader does nothing for longer than its session lasts.
    LeaderPause,
    /// A server of ZooKeeper dies and comes back.
    KeeperCrash,
    /// A server of ZooKeeper loses the others, and does not know it.
    KeeperCut,
    /// ZooKeeper's servers elect another leader; nothing is answered meanwhile.
    KeeperElection,
    /// ZooKeeper has no majority.
    KeeperMajorityLost,
    /// A session expires.
    SessionExpires,
    /// A client goes on at another server.
    ServerSwitch,
    /// A watch's event is lost with its connection.
    WatchLost,
    /// A server answers from the past.
    StaleRead,
    /// A leader leads no more, in place.
    SteppedDown,
    /// The registry refuses the write of a leader of earlier times.
    FencedOff,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Fault; 41] = [
        Fault::Delay,
        Fault::Reset,
        Fault::HalfOpen,
        Fault::Doubled,
        Fault::Repeated,
        Fault::Partition,
        Fault::OneWay,
        Fault::MasterCrash,
        Fault::AgentCrash,
        Fault::ExecutorCrash,
        Fault::ExecutorHangs,
        Fault::TaskBreaks,
        Fault::SchedulerCrash,
        Fault::SubscribesTwice,
        Fault::Pause,
        Fault::SlowDisk,
        Fault::DiskFull,
        Fault::TornWrites,
        Fault::LaunchFails,
        Fault::ContainerUpdateFails,
        Fault::Reboot,
        Fault::Wiped,
        Fault::AgentLeaves,
        Fault::AgentGone,
        Fault::AgentUpkeep,
        Fault::MachineDown,
        Fault::RolesChange,
        Fault::AllocatorFails,
        Fault::ClockJump,
        Fault::LeaderCut,
        Fault::LeaderPause,
        Fault::KeeperCrash,
        Fault::KeeperCut,
        Fault::KeeperElection,
        Fault::KeeperMajorityLost,
        Fault::SessionExpires,
        Fault::ServerSwitch,
        Fault::WatchLost,
        Fault::StaleRead,
        Fault::SteppedDown,
        Fault::FencedOff,
    ];

    /// How often it is chosen, among the others; the rest come about by themselves.
    fn weight(self) -> u64 {
        match self {
            Fault::TornWrites
            | Fault::LaunchFails
            | Fault::ContainerUpdateFails
            | Fault::ExecutorHangs
            | Fault::SessionExpires
            | Fault::ServerSwitch
            | Fault::WatchLost
            | Fault::StaleRead
            | Fault::SteppedDown
            | Fault::FencedOff => 0,
            Fault::KeeperMajorityLost
            | Fault::Wiped
            | Fault::Reboot
            | Fault::AgentLeaves
            | Fault::AgentGone
            | Fault::MachineDown
            | Fault::DiskFull => 1,
            Fault::MasterCrash | Fault::RolesChange | Fault::SlowDisk | Fault::AllocatorFails => 2,
            Fault::AgentCrash | Fault::ExecutorCrash | Fault::Reset => 5,
            _ => 3,
        }
    }
}

impl Cluster {
    /// Counts a fault.
    pub(crate) fn fault(&mut self, fault: Fault) {
        self.tell(|| format!("fault: {fault:?}"));
        *self.faults.entry(fault).or_insert(0) += 1;
    }

    /// Something goes wrong, and something else will.
    pub(crate) fn mischief(&mut self) {
        if self.peace {
            return;
        }
        let next = self.dice.duration(secs(5)..secs(90));
        self.world.outside(next, Parcel::Mischief);
        let all: u64 = Fault::ALL.iter().map(|fault| fault.weight()).sum();
        let mut draw = self.dice.below(all);
        for fault in Fault::ALL {
            if draw < fault.weight() {
                if self.strikes(fault) {
                    self.fault(fault);
                }
                return;
            }
            draw -= fault.weight();
        }
    }

    /// Lets the fault happen, if there is what it happens to.
    fn strikes(&mut self, fault: Fault) -> bool {
        match fault {
            Fault::Delay
            | Fault::Reset
            | Fault::HalfOpen
            | Fault::Doubled
            | Fault::Repeated
            | Fault::Partition
            | Fault::OneWay => self.network_fault(fault),
            Fault::MasterCrash => {
                let which = self.some_master();
                return self.master_crashes(which);
            }
            Fault::LeaderCut | Fault::LeaderPause => return self.leader_fault(fault),
            Fault::KeeperCrash
            | Fault::KeeperCut
            | Fault::KeeperElection
            | Fault::KeeperMajorityLost => return self.keeper_fault(fault),
            Fault::ClockJump => self.clock_jumps(),
            Fault::AgentCrash | Fault::Reboot | Fault::Wiped | Fault::AgentLeaves => {
                return self.agent_fault(fault);
            }
            Fault::AgentGone | Fault::AgentUpkeep | Fault::MachineDown | Fault::RolesChange => {
                return self.operator_acts(fault);
            }
            Fault::AllocatorFails => return self.allocator_fails(),
            Fault::ExecutorCrash | Fault::TaskBreaks => return self.executor_fault(fault),
            Fault::SchedulerCrash | Fault::SubscribesTwice => self.scheduler_fault(fault),
            Fault::Pause => {
                let node = self.some_node();
                let span = self.dice.duration(ms(100)..secs(100));
                self.world.pause(node, span);
            }
            Fault::SlowDisk | Fault::DiskFull => self.disk_fault(fault),
            Fault::TornWrites
            | Fault::LaunchFails
            | Fault::ContainerUpdateFails
            | Fault::ExecutorHangs
            | Fault::SessionExpires
            | Fault::ServerSwitch
            | Fault::WatchLost
            | Fault::StaleRead
            | Fault::SteppedDown
            | Fault::FencedOff => return false,
        }
        true
    }

    fn network_fault(&mut self, fault: Fault) {
        let (from, to) = match fault {
            Fault::Repeated => self.some_agent_link(),
            _ => self.some_link(),
        };
        let span = self.dice.duration(secs(1)..secs(150));
        match fault {
            Fault::Delay => {
                let by = self.dice.duration(ms(50)..secs(8));
                self.world.slow(from, to, by);
            }
            Fault::Reset => {
                self.world.cut(from, to, true);
                self.world.cut(to, from, true);
                return;
            }
            Fault::HalfOpen => return self.world.cut(from, to, false),
            Fault::Doubled => {
                // There must be something to overtake.
                let by = self.dice.duration(ms(50)..secs(2));
                self.world.slow(from, to, by);
                let soon = self.dice.duration(ms(50)..secs(2));
                self.world.outside(soon, Parcel::Doubles(from, to));
                return;
            }
            Fault::Repeated => self.world.repeat(from, to),
            Fault::OneWay => self.world.block(from, to),
            _ => {
                self.world.block(from, to);
                self.world.block(to, from);
            }
        }
        self.world.outside(span, Parcel::Heals(from, to));
        self.world.outside(span, Parcel::Heals(to, from));
    }

    /// One of the links that can fail: between masters and agents, masters and schedulers, and any
    /// of them and ZooKeeper; executors are on the machine of their agent, where only resets happen.
    fn some_link(&mut self) -> (Node, Node) {
        let peer = self.some_peer();
        let which = self.some_master();
        let master = self.masters[which].node;
        let (mut one, mut other) = (master, peer);
        if self.ensemble.is_some() && self.dice.one_in(3) {
            let at = self.dice.below(3) as usize;
            one = if self.dice.one_in(2) { master } else { peer };
            // Where it is now, most of the time.
            let used = self.clients.get(&one).map(|client| client.server());
            let at = used.filter(|_| !self.dice.one_in(4)).unwrap_or(at);
            other = self.ensemble.as_ref().map_or(peer, |ensemble| ensemble.servers[at].node);
        }
        if self.dice.one_in(2) { (one, other) } else { (other, one) }
    }

    /// A link between a master and an agent.
    fn some_agent_link(&mut self) -> (Node, Node) {
        let (which, agent) = (self.some_master(), self.some_agent());
        let (one, other) = (self.masters[which].node, self.agents[agent].node);
        if self.dice.one_in(2) { (one, other) } else { (other, one) }
    }

    /// An agent or a scheduler.
    fn some_peer(&mut self) -> Node {
        let agents = self.agents.len();
        let which = self.dice.below((agents + self.schedulers.len()) as u64) as usize;
        match which.checked_sub(agents) {
            None => self.agents[which].node,
            Some(which) => self.schedulers[which].node,
        }
    }

    /// A master; the one that leads, most of the time.
    fn some_master(&mut self) -> usize {
        let any = self.dice.below(self.masters.len() as u64) as usize;
        self.leading().filter(|_| !self.dice.one_in(4)).unwrap_or(any)
    }

    fn some_node(&mut self) -> Node {
        let (one, other) = (self.some_peer(), self.some_master());
        if self.dice.one_in(2) { one } else { self.masters[other].node }
    }

    /// The leader sleeps, or is alone: with the server of ZooKeeper beside it, or without any.
    fn leader_fault(&mut self, fault: Fault) -> bool {
        let Some(which) = self.leading() else { return false };
        if self.ensemble.is_none() {
            return false;
        }
        let node = self.masters[which].node;
        let span = self.dice.duration(secs(8)..secs(60));
        if fault == Fault::LeaderPause {
            self.world.pause(node, span);
            return true;
        }
        if self.dice.one_in(3) {
            self.leader_writes_blindly(node, span);
            return true;
        }
        let beside = self.clients.get(&node).map(|client| client.server());
        let beside = beside.filter(|_| self.dice.one_in(2));
        let all: Vec<Node> = self.everybody_else(node, beside);
        for other in all {
            self.world.block(node, other);
            self.world.block(other, node);
            self.world.outside(span, Parcel::Heals(node, other));
            self.world.outside(span, Parcel::Heals(other, node));
        }
        if let Some(at) = beside {
            self.keeper_cut(at, span);
        }
        true
    }

    /// The leader is cut off from ZooKeeper alone, with something to write on its way there.
    fn leader_writes_blindly(&mut self, node: Node, span: Duration) {
        let servers = self.ensemble.iter().flat_map(|ensemble| &ensemble.servers);
        for server in servers.map(|server| server.node).collect::<Vec<_>>() {
            self.world.block(node, server);
            self.world.outside(span, Parcel::Heals(node, server));
        }
        let which = self.some_agent();
        if self.world.is_up(self.agents[which].node) {
            // It comes back as a new one.
            self.machine_reboots(which);
            self.agents[which].disk = Default::default();
            self.world.outside(ms(100), Parcel::Restart(self.agents[which].node));
        }
    }

    fn everybody_else(&self, node: Node, beside: Option<usize>) -> Vec<Node> {
        let masters = self.masters.iter().map(|master| master.node);
        let agents = self.agents.iter().map(|agent| agent.node);
        let schedulers = self.schedulers.iter().map(|scheduler| scheduler.node);
        let servers = self.ensemble.iter().flat_map(|ensemble| &ensemble.servers);
        let servers = servers.map(|server| server.node).enumerate();
        let servers = servers.filter(|(at, _)| Some(*at) != beside).map(|(_, node)| node);
        let all = masters.chain(agents).chain(schedulers).chain(servers);
        all.filter(|other| *other != node).collect()
    }

    fn clock_jumps(&mut self) {
        let node = self.some_node();
        let by = self.dice.duration(secs(1)..secs(3 * 24 * 3600));
        let by = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
        let by = if self.dice.one_in(2) { by } else { -by };
        *self.clocks.entry(node).or_insert(0) += by;
    }

    pub(crate) fn some_agent(&mut self) -> usize {
        self.dice.below(self.agents.len() as u64) as usize
    }

    fn agent_fault(&mut self, fault: Fault) -> bool {
        let which = self.some_agent();
        let node = self.agents[which].node;
        if !self.world.is_up(node) {
            return false;
        }
        let wait = self.dice.duration(ms(200)..secs(120));
        match fault {
            Fault::Reboot => self.machine_reboots(which),
            Fault::Wiped => {
                self.machine_reboots(which);
                self.agents[which].disk = Default::default();
            }
            Fault::AgentLeaves => {
                let kind = reeve_agent_core::event::Kind::Stops { unregister: true };
                self.agent_step(which, kind);
                return true;
            }
            _ => self.agent_crashes(which),
        }
        self.world.outside(wait, Parcel::Restart(node));
        true
    }

    /// A machine is installed anew.
    pub(crate) fn wiped(&mut self, node: Node) {
        if let Who::Agent(which) = self.who[node.0 as usize] {
            self.machine_reboots(which);
            self.agents[which].disk = Default::default();
            self.world.outside(secs(1), Parcel::Restart(node));
        }
    }

    /// Now and then an agent dies while it hands out tasks, before their first status.
    pub(crate) fn agent_may_die(&mut self, which: usize) {
        let node = self.agents[which].node;
        if self.peace || !self.world.is_up(node) || !self.dice.one_in(200) {
            return;
        }
        let wait = self.dice.duration(ms(1)..secs(3));
        self.fault(Fault::AgentCrash);
        self.agent_crashes(which);
        self.world.outside(wait, Parcel::Restart(node));
    }

    fn executor_fault(&mut self, fault: Fault) -> bool {
        let count = self.executors.len() as u64;
        let nth = self.dice.below(count) as usize;
        let Some(node) = self.executors.keys().nth(nth).copied() else { return false };
        if fault == Fault::TaskBreaks {
            return self.task_breaks(node);
        }
        if self.dice.one_in(2) {
            self.executor_exits(node, 9);
        } else {
            let agent = self.agents[self.executors[&node].agent].node;
            self.world.watch(node, agent);
            self.world.cut(agent, node, true);
            self.world.cut(node, agent, false);
        }
        true
    }

    fn scheduler_fault(&mut self, fault: Fault) {
        let which = self.dice.below(self.schedulers.len() as u64) as usize;
        if fault == Fault::SubscribesTwice {
            return self.scheduler_subscribes_again(which);
        }
        let node = self.schedulers[which].node;
        // Now and then longer than any failover timeout.
        let longest = if self.dice.one_in(6) { secs(900) } else { secs(60) };
        let wait = self.dice.duration(secs(1)..longest);
        self.world.crash(node);
        self.clients.remove(&node);
        self.world.outside(wait, Parcel::Restart(node));
    }

    fn disk_fault(&mut self, fault: Fault) {
        let node = self.some_node();
        let span = self.dice.duration(secs(1)..secs(60));
        let slow = self.dice.duration(ms(10)..secs(5));
        let full = fault == Fault::DiskFull;
        match self.who[node.0 as usize] {
            Who::Agent(which) if full => self.agents[which].disk_full = true,
            Who::Agent(which) => self.agents[which].disk_slow = slow,
            Who::Master(which) if full => self.masters[which].disk(Duration::ZERO, true),
            Who::Master(which) => self.masters[which].disk(slow, false),
            _ => {}
        }
        self.world.outside(span, Parcel::DiskHeals(node));
    }

    pub(crate) fn disk_heals(&mut self, node: Node) {
        match self.who[node.0 as usize] {
            Who::Agent(which) => {
                self.agents[which].disk_full = false;
                self.agents[which].disk_slow = Duration::ZERO;
            }
            Who::Master(which) => self.masters[which].disk(Duration::ZERO, false),
            _ => {}
        }
    }

    /// A second connection takes over from a slow one, whose messages are still on their way.
    pub(crate) fn doubles(&mut self, from: Node, to: Node) {
        if let Who::Agent(which) = self.who[to.0 as usize] {
            for parcel in self.world.under_way(from, to) {
                if let Parcel::ToAgent(message) = parcel {
                    self.agents[which].late.note(message);
                }
            }
        }
        self.world.double(from, to);
        self.world.heal(from, to);
    }
}
