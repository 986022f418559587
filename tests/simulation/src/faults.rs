//! What can go wrong, and how often it did.

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
    /// Nothing gets through between two nodes.
    Partition,
    /// Nothing gets through in one direction.
    OneWay,
    /// The master dies and comes back.
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
    /// The allocator panics, and another takes over.
    AllocatorFails,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Fault; 23] = [
        Fault::Delay,
        Fault::Reset,
        Fault::HalfOpen,
        Fault::Doubled,
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
        Fault::AllocatorFails,
    ];

    /// How often it is chosen, among the others; the rest come about by themselves.
    fn weight(self) -> u64 {
        match self {
            Fault::TornWrites
            | Fault::LaunchFails
            | Fault::ContainerUpdateFails
            | Fault::ExecutorHangs => 0,
            Fault::Wiped | Fault::Reboot | Fault::AgentLeaves | Fault::DiskFull => 1,
            Fault::MasterCrash | Fault::SlowDisk | Fault::AllocatorFails => 2,
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
            | Fault::Partition
            | Fault::OneWay => self.network_fault(fault),
            Fault::MasterCrash => self.master_crashes(),
            Fault::AgentCrash | Fault::Reboot | Fault::Wiped | Fault::AgentLeaves => {
                return self.agent_fault(fault);
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
            | Fault::ExecutorHangs => return false,
        }
        true
    }

    fn network_fault(&mut self, fault: Fault) {
        let (from, to) = self.some_link();
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
                self.world.outside(soon, Parcel::Heals(from, to));
                return;
            }
            Fault::OneWay => self.world.block(from, to),
            _ => {
                self.world.block(from, to);
                self.world.block(to, from);
            }
        }
        self.world.outside(span, Parcel::Heals(from, to));
        self.world.outside(span, Parcel::Heals(to, from));
    }

    /// One of the links that can fail: between master and agents, and master and schedulers;
    /// executors are on the machine of their agent, where only resets happen.
    fn some_link(&mut self) -> (Node, Node) {
        let agents = self.agents.len();
        let which = self.dice.below((agents + self.schedulers.len()) as u64) as usize;
        let peer = match which.checked_sub(agents) {
            None => self.agents[which].node,
            Some(which) => self.schedulers[which].node,
        };
        if self.dice.one_in(2) { (self.master.node, peer) } else { (peer, self.master.node) }
    }

    fn some_node(&mut self) -> Node {
        let (peer, other) = self.some_link();
        if self.dice.one_in(3) || peer != self.master.node { peer } else { other }
    }

    fn some_agent(&mut self) -> usize {
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
            Who::Master if full => self.master.disk_full = true,
            _ => self.master.disk_slow = slow,
        }
        self.world.outside(span, Parcel::DiskHeals(node));
        self.world.outside(span, Parcel::DiskHeals(self.master.node));
    }

    pub(crate) fn disk_heals(&mut self, node: Node) {
        match self.who[node.0 as usize] {
            Who::Agent(which) => {
                self.agents[which].disk_full = false;
                self.agents[which].disk_slow = std::time::Duration::ZERO;
            }
            _ => {
                self.master.disk_full = false;
                self.master.disk_slow = std::time::Duration::ZERO;
            }
        }
    }

    pub(crate) fn heals(&mut self, from: Node, to: Node) {
        self.world.double(from, to);
        if let Who::Agent(which) = self.who[to.0 as usize] {
            self.agents[which].overtaken = true;
        }
        self.world.heal(from, to);
    }
}
