//! The cluster: who is on which node, and the loop that lets things happen to them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use reeve_agent_core::event::Kind as AgentKind;
use reeve_machine::sim::{Arrival, Network, Node, World};
use reeve_machine::{Chance, Tick, Wall};
use reeve_model::{
    AgentInfo, Attributes, Capabilities, FrameworkId, FrameworkInfo, Pid, Resources, Role, TaskId,
};

use crate::agent::AgentHost;
use crate::executor::ExecutorProcess;
use crate::faults::Fault;
use crate::master::{Judge, MasterHost};
use crate::parcel::{Parcel, ms, secs};
use crate::sabotage::Sabotage;
use crate::scheduler::Scheduler;
use crate::translate;
use crate::zookeeper::{Among, Client, Ensemble};

/// 2023-11-14, when the simulated cluster was built.
const EPOCH: i64 = 1_700_000_000;

/// How many lines of a story are remembered.
const STORY: usize = 20_000;

/// Who is on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// A master, by its number.
    Master(usize),
    /// An agent, by its number.
    Agent(usize),
    /// A scheduler, by its number.
    Scheduler(usize),
    /// An executor.
    Executor,
    /// A server of ZooKeeper, by its number.
    Keeper(usize),
}

/// How long each act of a run takes.
#[derive(Clone, Copy, Debug)]
pub struct Acts {
    /// Work and faults.
    pub faults: Duration,
    /// No more faults, no more work: everything must come to an end.
    pub peace: Duration,
    /// The frameworks are ended: nothing may be left.
    pub curtain: Duration,
}

impl Default for Acts {
    fn default() -> Self {
        // Peace lasts for the longest timeouts there are, one after the other: an agent has five
        // minutes to come back, and an update may wait two minutes for its next delivery. In the
        // last two what still runs is killed.
        Acts { faults: secs(12 * 60), peace: secs(10 * 60), curtain: secs(4 * 60) }
    }
}

/// What a run showed.
#[derive(Clone, Debug)]
pub struct Report {
    /// Things that happened.
    pub steps: u64,
    /// Virtual time.
    pub time: Duration,
    /// A fingerprint of the run.
    pub trace: u64,
    /// Faults by kind.
    pub faults: BTreeMap<Fault, u64>,
    /// Tasks that were asked for.
    pub tasks: usize,
    /// Tasks that were started.
    pub started: usize,
    /// Terms that masters led.
    pub terms: u64,
    /// Tasks that had to give way to others.
    pub preempted: u64,
}

/// One simulated cluster.
#[derive(Debug)]
pub struct Cluster {
    pub(crate) world: World<Parcel>,
    pub(crate) dice: Chance,
    pub(crate) who: Vec<Who>,
    pub(crate) masters: Vec<MasterHost>,
    /// What there is of ZooKeeper; a master without rivals needs none.
    pub(crate) ensemble: Option<Ensemble>,
    /// The processes that know ZooKeeper.
    pub(crate) clients: BTreeMap<Node, Client>,
    /// What is known of all terms together.
    pub(crate) judge: Judge,
    /// Terms of a master without rivals.
    pub(crate) terms: u64,
    /// Terms that began.
    pub(crate) led: u64,
    /// Tasks that had to give way to others.
    pub(crate) preempted: u64,
    /// How far the time of day is off, in nanoseconds.
    pub(crate) clocks: BTreeMap<Node, i64>,
    pub(crate) agents: Vec<AgentHost>,
    pub(crate) schedulers: Vec<Scheduler>,
    pub(crate) executors: BTreeMap<Node, ExecutorProcess>,
    pub(crate) faults: BTreeMap<Fault, u64>,
    /// How often each task was started: never more than once.
    pub(crate) starts: BTreeMap<(FrameworkId, TaskId), u32>,
    /// No more faults.
    pub(crate) peace: bool,
    /// Nothing is wanted any more.
    pub(crate) closing: bool,
    /// The frameworks are ended.
    pub(crate) over: bool,
    /// Tasks of which not all said the same.
    pub(crate) suspects: BTreeSet<(FrameworkId, TaskId)>,
    /// Frameworks that came in the place of another.
    pub(crate) generations: usize,
    /// An error put in on purpose.
    pub(crate) sabotage: Option<Sabotage>,
    /// The latest that happened, for who looks into a violation.
    story: Option<VecDeque<String>>,
    violation: Option<String>,
}

impl Cluster {
    /// A cluster whose size, work and misfortune follow from the seed.
    pub fn new(seed: u64) -> Self {
        let mut dice = Chance::new(seed);
        let mut world = World::new(dice.next_u64(), Network::default());
        let masters: Vec<MasterHost> =
            (0..1 + dice.below(3)).map(|_| MasterHost::new(world.add_node())).collect();
        let mut who: Vec<Who> = (0..masters.len()).map(Who::Master).collect();
        let ensemble = (masters.len() > 1).then(|| {
            who.extend((0..3).map(Who::Keeper));
            let servers = (0..3).map(|_| world.add_node()).collect();
            Ensemble::new(servers, dice.duration(secs(4)..secs(12)))
        });
        let agents = 1 + dice.below(5) as usize;
        let schedulers = 1 + dice.below(4) as usize;
        let mut cluster = Cluster {
            agents: Vec::new(),
            schedulers: Vec::new(),
            executors: BTreeMap::new(),
            faults: BTreeMap::new(),
            starts: BTreeMap::new(),
            peace: false,
            closing: false,
            over: false,
            suspects: BTreeSet::new(),
            generations: 0,
            sabotage: None,
            story: None,
            violation: None,
            clients: BTreeMap::new(),
            judge: Judge::default(),
            terms: 0,
            led: 0,
            preempted: 0,
            clocks: BTreeMap::new(),
            masters,
            ensemble,
            world,
            who,
            dice,
        };
        for number in 0..cluster.masters.len() {
            cluster.someones_clock(cluster.masters[number].node);
        }
        (0..agents).for_each(|number| cluster.add_agent(number));
        (0..schedulers).for_each(|number| cluster.add_scheduler(number));
        cluster
    }

    fn add_agent(&mut self, number: usize) {
        let node = self.world.add_node();
        self.someones_clock(node);
        self.who.push(Who::Agent(number));
        let cpus = 1 + self.dice.below(8);
        let text = format!("cpus:{cpus};mem:{};disk:10000;ports:[31000-32000]", cpus * 1024);
        let info = AgentInfo {
            id: None,
            hostname: format!("agent{number}"),
            port: 5051,
            resources: Resources::parse(&text, &Role::any()).unwrap_or_default(),
            attributes: Attributes::default(),
            domain: None,
            checkpoint: true,
        };
        let seed = self.dice.next_u64();
        let pid = self.pid_of(node);
        self.agents.push(AgentHost::new(node, pid, info, seed));
    }

    /// Clocks are a few per cent faster or slower than others.
    fn someones_clock(&mut self, node: Node) {
        let rate = 970 + self.dice.below(61);
        self.world.set_rate(node, u32::try_from(rate).unwrap_or(1000));
    }

    fn add_scheduler(&mut self, number: usize) {
        let node = self.world.add_node();
        self.who.push(Who::Scheduler(number));
        let mut capabilities = Capabilities::none();
        if self.dice.one_in(2) {
            capabilities = capabilities.with(Capabilities::PARTITION_AWARE);
        }
        let role = if self.dice.one_in(2) { Role::any() } else { Role::new("batch") };
        let info = FrameworkInfo {
            user: "root".to_owned(),
            name: format!("framework{number}"),
            id: None,
            failover_timeout: secs(60 + self.dice.below(600)),
            checkpoint: !self.dice.one_in(4),
            roles: vec![role],
            hostname: String::new(),
            principal: None,
            webui_url: String::new(),
            capabilities,
            offer_filters: BTreeMap::new(),
            rest: bytes::Bytes::new(),
        };
        self.schedulers.push(Scheduler::new(node, number, info));
    }

    /// Remembers what happens; a violation tells the last of it.
    #[must_use]
    pub fn telling(mut self) -> Self {
        self.story = Some(VecDeque::new());
        self
    }

    /// Notes what happens, if anybody wants to know.
    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        let now = self.world.now();
        if let Some(story) = &mut self.story {
            story.push_back(format!("{now} {}", line()));
            if story.len() > STORY {
                story.pop_front();
            }
        }
    }

    /// Runs it to the end.
    ///
    /// # Errors
    /// The first law that was broken, and when.
    pub fn run(mut self, acts: Acts) -> Result<Report, String> {
        self.raise(acts);
        let end = Tick::ZERO + acts.faults + acts.peace + acts.curtain;
        while let Some(arrival) = self.world.next(end) {
            self.arrives(arrival);
            if let Some(law) = self.violation.take() {
                return Err(self.account(&law));
            }
        }
        self.judge_end().map_err(|law| self.account(&law))?;
        Ok(Report {
            steps: self.world.steps(),
            time: end.since(Tick::ZERO),
            trace: self.world.trace(),
            tasks: self.schedulers.iter().map(|scheduler| scheduler.tasks.len()).sum(),
            started: self.starts.len(),
            terms: self.led,
            preempted: self.preempted,
            faults: self.faults,
        })
    }

    /// A violation, when it was, and what led to it if that was noted.
    fn account(&self, law: &str) -> String {
        let story: String = self.story.iter().flatten().map(|line| format!("\n{line}")).collect();
        format!("at {} (step {}): {law}{story}", self.world.now(), self.world.steps())
    }

    fn raise(&mut self, acts: Acts) {
        self.world.outside(acts.faults, Parcel::Peace);
        self.world.outside(acts.faults + acts.peace, Parcel::Curtain);
        self.world.outside(acts.faults + acts.peace - secs(150), Parcel::Compare(false));
        self.world.outside(acts.faults + acts.peace - secs(125), Parcel::Compare(true));
        self.world.outside(secs(5), Parcel::Mischief);
        if self.ensemble.is_some() {
            self.world.outside(secs(1), Parcel::Among(Among::Pings));
        }
        (0..self.masters.len()).for_each(|which| self.master_starts(which));
        for which in 0..self.agents.len() {
            self.agent_starts(which);
        }
        for which in 0..self.schedulers.len() {
            self.scheduler_starts(which);
        }
    }

    fn arrives(&mut self, arrival: Arrival<Parcel>) {
        match arrival {
            Arrival::Message { from, to, message } => self.delivered(from, to, message),
            Arrival::Local { node, message } => self.local(node, message),
            Arrival::Broken { node, peer } => self.broken(node, peer),
            Arrival::Outside(message) => self.outside(message),
        }
    }

    fn delivered(&mut self, from: Node, to: Node, parcel: Parcel) {
        self.awakes(to);
        match (self.who[to.0 as usize], parcel) {
            (_, Parcel::FromKeeper(message)) => self.client_hears(to, message),
            (Who::Keeper(at), Parcel::ToKeeper(message)) => self.keeper_hears(at, from, message),
            (Who::Master(master), Parcel::ToMaster(message, life)) => {
                if let Who::Agent(which) = self.who[from.0 as usize] {
                    self.agent_reports(master, which, message, life);
                }
            }
            (Who::Master(which), Parcel::Subscribe(attempt, info)) => {
                self.scheduler_subscribes(which, from, attempt, info);
            }
            (Who::Master(which), Parcel::Call(attempt, framework, call)) => {
                self.scheduler_calls(which, from, attempt, framework, call);
            }
            (Who::Master(which), Parcel::StreamEnds(attempt)) => {
                self.stream_ends(which, from, attempt);
            }
            (Who::Agent(which), Parcel::ToAgent(message)) => {
                let message = translate::to_agent(message, &self.pid_of(from));
                self.agent_hears_master(which, from, message);
            }
            (Who::Agent(which), parcel) => self.agent_hears_executor(which, from, parcel),
            (Who::Scheduler(which), Parcel::Event(attempt, event)) => {
                self.scheduler_hears(which, from, attempt, event);
            }
            (Who::Scheduler(which), Parcel::StreamEnds(attempt))
                if self.schedulers[which].is_current(attempt) =>
            {
                self.scheduler_alone(which);
            }
            (Who::Executor, Parcel::ToExecutor(attempt, event)) => {
                self.executor_hears(to, attempt, event);
            }
            (Who::Executor, Parcel::ExecutorStreamEnds(attempt))
                if self.executors.get(&to).is_some_and(|one| one.is_current(attempt)) =>
            {
                self.executor_alone(to);
            }
            _ => {}
        }
    }

    fn local(&mut self, node: Node, parcel: Parcel) {
        self.awakes(node);
        match (self.who[node.0 as usize], parcel) {
            (Who::Master(which), Parcel::InTerm(term, what)) => self.term_hears(which, term, what),
            (_, Parcel::ClientTicks(attempt)) => self.client_ticks(node, attempt),
            (_, Parcel::ClientRetries(attempt)) => self.client_retries(node, attempt),
            (_, Parcel::ElectorWakes(at)) => self.elector_woken(node, at),
            (Who::Agent(which), Parcel::AgentWrote(id, record, ok)) => {
                self.agent_wrote(which, id, *record, ok);
            }
            (Who::Agent(which), Parcel::AgentWakes(at)) => self.agent_woken(which, at),
            (Who::Agent(which), Parcel::AgentSees(kind)) => self.agent_step(which, kind),
            (Who::Agent(which), Parcel::Launches(container)) => {
                self.container_starts(which, &container);
            }
            (Who::Agent(which), Parcel::Destroys(container)) => {
                self.container_destroyed(which, &container);
            }
            (Who::Executor, Parcel::TaskStep(task)) => self.task_step(node, &task),
            (Who::Executor, Parcel::ExecutorTries(attempt)) => self.executor_tries(node, attempt),
            (Who::Executor, Parcel::ExecutorExits(status)) => self.executor_exits(node, status),
            (Who::Scheduler(which), Parcel::SchedulerActs) => self.scheduler_acts(which),
            (Who::Scheduler(which), Parcel::SchedulerTries(attempt)) => {
                self.scheduler_tries(which, attempt);
            }
            _ => {}
        }
    }

    fn broken(&mut self, node: Node, peer: Node) {
        self.awakes(node);
        match (self.who[node.0 as usize], self.who[peer.0 as usize]) {
            (Who::Keeper(at), _) => self.keeper_alone(at, peer),
            (_, Who::Keeper(_)) => self.client_alone(node, peer),
            (Who::Master(which), _) => self.master_alone(which, peer),
            (Who::Agent(which), _) => self.agent_alone(which, peer),
            (Who::Scheduler(which), _) => self.scheduler_left(which, peer),
            (Who::Executor, _) => self.executor_alone(node),
        }
    }

    /// Whatever happens to a master, it looks at its lease before.
    fn awakes(&mut self, node: Node) {
        if let Who::Master(which) = self.who[node.0 as usize] {
            self.master_checks_lease(which);
        }
    }

    fn outside(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::Mischief => self.mischief(),
            Parcel::Doubles(from, to) => self.doubles(from, to),
            Parcel::Heals(from, to) => self.world.heal(from, to),
            Parcel::DiskHeals(node) => self.disk_heals(node),
            Parcel::Operator(ask) => self.operator_asks(ask),
            Parcel::OperatorTidies => self.operator_tidies(),
            Parcel::Wiped(node) => self.wiped(node),
            Parcel::Restart(node) => self.restarts(node),
            Parcel::Among(what) => self.among(what),
            Parcel::Compare(again) => self.look_at_views(again),
            Parcel::Peace => self.peace_breaks_out(),
            Parcel::Curtain => self.curtain_falls(),
            _ => {}
        }
    }

    fn restarts(&mut self, node: Node) {
        if self.world.is_up(node) {
            return;
        }
        match self.who[node.0 as usize] {
            Who::Master(which) => self.master_starts(which),
            Who::Keeper(at) => self.keeper_starts(at),
            Who::Agent(which) => self.agent_starts(which),
            Who::Scheduler(which) => {
                self.world.restart(node);
                self.scheduler_starts(which);
            }
            Who::Executor => {}
        }
    }

    /// A new master leads: agents learn of it from their detector.
    pub(crate) fn announce_master(&mut self, node: Node) {
        let pid = self.pid_of(node);
        for which in 0..self.agents.len() {
            let wait = self.dice.duration(ms(1)..secs(2));
            let kind = AgentKind::MasterDetected(Some(pid.clone()));
            self.world.local(self.agents[which].node, wait, Parcel::AgentSees(kind));
        }
    }

    fn peace_breaks_out(&mut self) {
        self.peace = true;
        self.world.heal_all();
        self.keepers_heal();
        let machines: BTreeSet<Node> = self.agents.iter().map(|agent| agent.node).collect();
        let masters: Vec<Node> = self.masters.iter().map(|master| master.node).collect();
        for node in machines.into_iter().chain(masters) {
            self.disk_heals(node);
        }
        for number in 0..self.who.len() {
            let node = Node(u32::try_from(number).unwrap_or(u32::MAX));
            self.world.outside(secs(1), Parcel::Restart(node));
        }
        self.operator_tidies();
    }

    fn curtain_falls(&mut self) {
        if let Err(law) = self.judge_liveness() {
            return self.violated(law);
        }
        self.over = true;
        for which in 0..self.schedulers.len() {
            self.scheduler_tears_down(which);
        }
    }

    pub(crate) fn violated(&mut self, law: String) {
        self.violation.get_or_insert(law);
    }

    /// The time of day, as the node's clock has it.
    pub(crate) fn wall(&self, node: Node) -> Wall {
        let wall = Wall::from_seconds(EPOCH) + self.world.now().since(Tick::ZERO);
        Wall(wall.0.saturating_add(self.clocks.get(&node).copied().unwrap_or(0)))
    }

    /// Where a node listens: its number is its address.
    pub(crate) fn pid_of(&self, node: Node) -> Pid {
        let [_, _, high, low] = node.0.to_be_bytes();
        let (id, port) = match self.who.get(node.0 as usize) {
            Some(Who::Agent(_)) => ("slave(1)", 5051),
            Some(Who::Master(_)) => ("master", 5050),
            _ => ("process", 5052),
        };
        Pid::new(id, SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, high, low)), port))
    }

    pub(crate) fn node_of(&self, pid: &Pid) -> Option<Node> {
        let IpAddr::V4(address) = pid.address.ip() else { return None };
        let [_, _, high, low] = address.octets();
        let node = Node(u32::from_be_bytes([0, 0, high, low]));
        (self.who.len() > node.0 as usize).then_some(node)
    }
}
