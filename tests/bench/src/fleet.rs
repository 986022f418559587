//! Simulated agents over real sockets: they register, run tasks that do nothing, and report.
//!
//! They speak the internal messages (LP-9, LP-10) and nothing of ours, so that any Mesos master
//! takes them. Each has its own pid, `slave(N)@ip:port`; many share one socket, as many actors of
//! one libprocess do. What lives here: sockets and clocks. What an agent answers is in
//! [`simulated`]. Updates are never sent twice: on loopback, what gets lost is a fault to show.

mod simulated;

use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use reeve_model::resources::Format;
use reeve_model::{Pid, Resources, Role};
use reeve_transport::libprocess::PeersConfig;
use reeve_transport::{Actors, Inbound, Peers, Router, Server, ServerConfig};
use reeve_wire::v1;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use simulated::{Outgoing, Simulated};

pub use simulated::{Burden, framework_id};

/// How many messages may wait to be handled.
const QUEUE: usize = 1 << 16;

/// How many messages are taken from the queue at once.
const BATCH: usize = 1024;

/// How many bytes may wait for the master: all agents register in one go.
const SEND_LIMIT: usize = 1 << 30;

/// How long an agent waits for its registration before it tries again.
const RETRY: Duration = Duration::from_secs(5);

/// How often it is looked whether there is a master again.
const LOOK: Duration = Duration::from_millis(2);

/// What a fleet is to be.
#[derive(Clone, Debug)]
pub struct FleetOptions {
    /// The master's address.
    pub master: SocketAddr,
    /// How many agents.
    pub count: u32,
    /// What each has, as text: `cpus:64;mem:65536`.
    pub resources: String,
    /// Where they listen.
    pub ip: IpAddr,
    /// The port of the first socket; 0 takes free ones.
    pub port: u16,
    /// How many sockets they share.
    pub sockets: u32,
    /// How long each task runs.
    pub task_time: Duration,
    /// Whether the agents say that they checkpoint.
    pub checkpoint: bool,
    /// What runs on each agent from the beginning. If set, the agents outlive their master: they
    /// return to whoever listens at its address next, and bring this along.
    pub burden: Option<Burden>,
}

/// How the registration went.
#[derive(Clone, Copy, Debug)]
pub struct Registered {
    /// From when the master was found until it had the first agent.
    pub first: Duration,
    /// From when the master was found until it had all agents.
    pub all: Duration,
}

/// What the fleet did in its life.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Tasks taken.
    pub tasks: u64,
    /// Status updates sent.
    pub updates: u64,
    /// How often an agent asked to be had back.
    pub attempts: u64,
}

/// Runs a fleet until `stop`; calls `registered` once all agents are, and again whenever they are
/// with another master.
///
/// # Errors
/// If it can't listen, if the master goes away, or if the master tells an agent to shut down.
pub async fn run(
    options: &FleetOptions,
    stop: CancellationToken,
    mut registered: impl FnMut(Registered),
) -> anyhow::Result<Totals> {
    let parsed = Resources::parse(&options.resources, &Role::any())?;
    let resources = parsed.to_wire(Format::PostRefinement)?;
    let sockets = options.sockets.clamp(1, options.count.max(1));
    let (told, mut hears) = mpsc::unbounded_channel();
    let (lost, mut lacks) = watch::channel(false);
    let (found, finds) = watch::channel(Instant::now());
    let mut shells = JoinSet::new();
    for socket in 0..sockets {
        let first = share(options.count, sockets, socket);
        let count = share(options.count, sockets, socket + 1) - first;
        let shell = Shell::bind(options, socket, first, count, &resources, &stop)?;
        let detector = Detector { lost: lost.clone(), finds: finds.clone() };
        shells.spawn(shell.run(told.clone(), detector, stop.clone()));
    }
    drop(told);
    let mut round = Round::default();
    let mut totals = Totals::default();
    loop {
        tokio::select! {
            Some((earliest, latest)) = hears.recv() => {
                if round.hears(earliest, latest) == sockets {
                    registered(round.since(*found.borrow()));
                    round = Round::default();
                }
            }
            Ok(()) = lacks.changed() => {
                if *lacks.borrow_and_update() {
                    found.send_replace(wait_for(options.master, &stop).await);
                    lost.send_replace(false);
                }
            }
            ended = shells.join_next() => {
                let Some(ended) = ended else { break };
                let part = ended.context("a socket's task")??;
                if !stop.is_cancelled() {
                    bail!("a socket's task ended before it should");
                }
                totals.tasks += part.tasks;
                totals.updates += part.updates;
                totals.attempts += part.attempts;
            }
        }
    }
    Ok(totals)
}

/// What the sockets have told since the master was found.
#[derive(Debug, Default)]
struct Round {
    times: Option<(Instant, Instant)>,
    sockets: u32,
}

impl Round {
    /// All agents of one more socket are registered; gives the number of such sockets.
    fn hears(&mut self, earliest: Instant, latest: Instant) -> u32 {
        let (first, last) = self.times.unwrap_or((earliest, latest));
        self.times = Some((first.min(earliest), last.max(latest)));
        self.sockets += 1;
        self.sockets
    }

    fn since(&self, found: Instant) -> Registered {
        let (first, last) = self.times.unwrap_or((found, found));
        Registered { first: first.duration_since(found), all: last.duration_since(found) }
    }
}

/// How the sockets learn of another master, as agents do from ZooKeeper: all at once.
#[derive(Clone, Debug)]
struct Detector {
    lost: watch::Sender<bool>,
    finds: watch::Receiver<Instant>,
}

/// Waits until somebody listens there.
async fn wait_for(master: SocketAddr, stop: &CancellationToken) -> Instant {
    while TcpStream::connect(master).await.is_err() && !stop.is_cancelled() {
        tokio::time::sleep(LOOK).await;
    }
    Instant::now()
}

/// Where the share of socket number `socket` of `sockets` begins.
fn share(count: u32, sockets: u32, socket: u32) -> u32 {
    let begin = u64::from(count) * u64::from(socket) / u64::from(sockets);
    u32::try_from(begin).unwrap_or(count)
}

/// One socket and the agents behind it.
#[derive(Debug)]
struct Shell {
    master: Pid,
    peers: Peers,
    exits: mpsc::UnboundedReceiver<Pid>,
    inbox: mpsc::Receiver<Inbound>,
    agents: Simulated,
    /// When the first and the last agent were registered.
    registered: Option<(Instant, Instant)>,
    /// Whether the agents go on when their master dies.
    outlives: bool,
}

impl Shell {
    fn bind(
        options: &FleetOptions,
        socket: u32,
        first: u32,
        count: u32,
        resources: &[v1::Resource],
        stop: &CancellationToken,
    ) -> anyhow::Result<Shell> {
        let port = match options.port {
            0 => 0,
            port => port.checked_add(u16::try_from(socket)?).context("no port left")?,
        };
        let server = Server::bind(ServerConfig::new(vec![SocketAddr::new(options.ip, port)]))?;
        let here = *server.addresses().first().context("no address")?;
        let mut config = PeersConfig::new(here);
        config.queue_limit = SEND_LIMIT;
        let (peers, exits) = Peers::new(config, stop.clone());
        let agents = Simulated::new(here, first, count, resources, options);
        let actors = Actors::new();
        let (queue, inbox) = mpsc::channel(QUEUE);
        for id in agents.ids() {
            actors.register(id, queue.clone());
        }
        tokio::spawn(server.serve(Router::new("slave"), actors, stop.clone()));
        let master = Pid::new("master", options.master);
        let outlives = options.burden.is_some();
        Ok(Shell { master, peers, exits, inbox, agents, registered: None, outlives })
    }

    async fn run(
        mut self,
        told: mpsc::UnboundedSender<(Instant, Instant)>,
        mut detector: Detector,
        stop: CancellationToken,
    ) -> anyhow::Result<Totals> {
        self.peers.link(&self.master);
        let mut retry = interval(RETRY);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        let mut out = Vec::new();
        loop {
            let due = self.agents.due();
            tokio::select! {
                taken = self.inbox.recv_many(&mut batch, BATCH) => {
                    if taken == 0 {
                        bail!("no message can come any more");
                    }
                    for message in batch.drain(..) {
                        self.agents.take(message, Instant::now(), &mut out)?;
                    }
                }
                () = wait(due) => self.agents.pass(Instant::now(), &mut out),
                _ = retry.tick(), if self.registered.is_none() => self.agents.register(&mut out),
                Some(gone) = self.exits.recv() => {
                    if !self.outlives {
                        bail!("the connection to {gone} broke");
                    }
                    detector.lost.send_replace(true);
                }
                Ok(()) = detector.finds.changed() => {
                    self.peers.link(&self.master);
                    self.registered = None;
                    self.agents.change_master(*detector.finds.borrow_and_update());
                }
                () = stop.cancelled() => return Ok(self.agents.totals()),
            }
            self.send(&mut out);
            if self.registered.is_none() {
                self.registered = self.agents.registered();
                if let Some(times) = self.registered {
                    // The parent only stops listening when it has failed.
                    let _ = told.send(times);
                }
            }
        }
    }

    fn send(&self, out: &mut Vec<Outgoing>) {
        for message in out.drain(..) {
            let to = message.to.as_ref().unwrap_or(&self.master);
            self.peers.send(self.agents.id(message.agent), to, message.name, &message.body);
        }
    }
}

/// Waits until then; forever if there is no then.
async fn wait(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due.into()).await,
        None => pending().await,
    }
}
