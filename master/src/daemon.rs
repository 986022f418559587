//! The daemon: its parts, started in order and joined to each other.
//!
//! ```text
//!  sockets ──► inbox ──►┌───────┐──► peers, streams, answers
//!  requests ───────────►│ owner │──► registry ──► committed ─┐
//!  allocation ─ grants ►│ (core)│──► allocation              │
//!        ▲              └───────┘──► readers ──► snapshots   │
//!        └────────────────────────────────────◄──────────────┘
//! ```

use std::net::SocketAddr;
use std::sync::Arc;

use reeve_config::Settings;
use reeve_master_core::event::{Kind, Recovered};
use reeve_master_core::{Master, Options};
use reeve_model::Pid;
use reeve_module_host::{Hooks, Search};
use reeve_registry::{Registry, Store};
use reeve_telemetry::Metrics;
use reeve_transport::files::Files;
use reeve_transport::libprocess::PeersConfig;
use reeve_transport::{Actors, Inbound, Peers, Server, ServerConfig};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::access::{Access, LogKeeper};
use crate::allocation::{self, Allocation};
use crate::app::{App, Shared};
use crate::approvals::Approvals;
use crate::clock::Clock;
use crate::counters::Counters;
use crate::identity::{ACTOR, Identity};
use crate::messages::{self, OBSERVER, Outbound, Parsed};
use crate::modules::{self, Allocators};
use crate::owner::{Hands, Input, Owner, QUEUE};
use crate::readers::Readers;
use crate::schedulers::Streams;
use crate::v0::metrics::register;
use crate::{Error, MasterSettings, hooks, persist, routes, v0};

/// How many messages may wait to be read; the connections that bring more wait.
const INBOX: usize = 8192;

/// A master that runs.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    identity: Identity,
    ended: oneshot::Receiver<Option<String>>,
    served: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
}

impl Running {
    /// Where it listens, with the ports that were free if 0 was asked for.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Waits until it ends.
    ///
    /// # Errors
    ///
    /// If it ended because it could not go on.
    pub async fn wait(self) -> Result<(), Error> {
        let lost = |_| Some("the thread of its core ended in a panic".to_owned());
        let why = self.ended.await.unwrap_or_else(lost);
        self.stop.cancel();
        if self.served.await.is_err() {
            tracing::error!("the server ended in a panic");
        }
        why.map_or(Ok(()), |why| Err(Error::SteppedDown(why)))
    }
}

/// Runs a master until `stop` is cancelled. Must be called within a tokio runtime of several
/// threads.
///
/// # Errors
///
/// If it cannot start, or cannot go on.
pub async fn run(settings: MasterSettings, stop: CancellationToken) -> Result<(), Error> {
    start(settings, stop).await?.wait().await
}

/// Starts a master; it ends when `stop` is cancelled.
///
/// # Errors
///
/// If it cannot start.
pub async fn start(settings: MasterSettings, stop: CancellationToken) -> Result<Running, Error> {
    let stop = stop.child_token();
    let Access { doors, permissions, facts: mut modules } = Access::load(&settings)?;
    let (companions, more) = modules::companions(&settings)?;
    modules.extend(more);
    let clock = Clock::start();
    let server = Server::bind(ServerConfig::new(listen_addresses(&settings)))?;
    let addresses = server.addresses().to_vec();
    let identity = Identity::new(&settings, &addresses)?;
    let (store, recovered) = open_registry(&settings, &identity).await?;

    let (options, metrics) = (core_options(&settings), Metrics::new());
    let (core, inputs) = mpsc::channel(QUEUE);
    let rules = allocation::options(&settings)?;
    let allocators = Allocators::new(&settings);
    let allocation = Allocation::start(rules, allocators, clock, core.clone(), &metrics)?;
    let search = Search::new(settings.modules_dir.as_deref());
    let hooks = Hooks::load(&search, &settings.hooks, &settings.modules)?;
    let (readers, changes) = Readers::start(&options);
    let (streams, counters) = (Streams::new(), Arc::new(Counters::new(&metrics)));
    let counted = settings.publish_per_framework_metrics.then(|| Arc::clone(&counters));
    register(&metrics, readers.clone(), core.clone(), identity.started, counted);
    let (peers, exits) = Peers::new(PeersConfig::new(identity.pid.address), stop.clone());
    let hands = Hands {
        outbound: Outbound::new(peers, identity.info.to_wire()),
        registry: start_registry(store, core.clone())?,
        allocation: allocation.clone(),
        changes,
        hooks: hooks.clone(),
        streams: streams.clone(),
        counters: Arc::clone(&counters),
    };
    if core.send(Input::Fact(Kind::Recovered(recovered))).await.is_err() {
        tracing::error!("the core has no queue");
    }
    let remembered = options.max_completed_frameworks;
    let approvals = Approvals::new(permissions.clone(), core.clone());
    let owner = Owner::new(Master::new(options.clone()), clock, hands, approvals, remembered);
    let ended = start_owner(owner, inputs, stop.clone())?;

    let actors = Actors::new();
    let reading = Reading { readers: readers.clone(), hooks: hooks.clone(), counters };
    listen_to_peers(&actors, exits, core.clone(), reading);
    let log_keeper = LogKeeper(permissions.clone());
    let app = App::new(Shared {
        identity: identity.clone(),
        flags: settings.flags(),
        cluster: settings.cluster.clone(),
        log: settings.external_log_file.clone(),
        options,
        core,
        readers,
        streams,
        allocation,
        hooks,
        files: attached(&settings, log_keeper),
        metrics,
        doors: Arc::new(doors),
        permissions,
        modules,
    });
    if !companions.is_empty() {
        tokio::spawn(v0::metrics::show(app.clone(), companions, stop.clone()));
    }
    let served = tokio::spawn(server.serve(routes::router(&app), actors, stop.clone()));
    tracing::info!(pid = %identity.pid, id = %identity.id, "the master leads");
    Ok(Running { addresses, identity, ended, served, stop })
}

fn listen_addresses(settings: &MasterSettings) -> Vec<SocketAddr> {
    settings.ip.iter().map(|ip| SocketAddr::new(*ip, settings.port)).collect()
}

/// The files that people may look at: the log, if something keeps it in a file.
fn attached(settings: &MasterSettings, keeper: LogKeeper) -> Files {
    let files = Files::kept_by(Arc::new(keeper));
    if let Some(log) = &settings.external_log_file {
        files.attach("/master/log", log);
    }
    files
}

fn core_options(settings: &MasterSettings) -> Options {
    Options {
        agent_ping_timeout: settings.agent_ping_timeout,
        max_agent_ping_timeouts: settings.max_agent_ping_timeouts,
        agent_reregister_timeout: settings.agent_reregister_timeout,
        offer_timeout: settings.offer_timeout,
        max_completed_frameworks: settings.max_completed_frameworks,
        max_completed_tasks_per_framework: settings.max_completed_tasks_per_framework,
        max_unreachable_tasks_per_framework: settings.max_unreachable_tasks_per_framework,
        registry_max_agent_age: settings.registry_max_agent_age,
        registry_max_agent_count: settings.registry_max_agent_count,
        ..Options::default()
    }
}

/// Opens the registry, reads it, and writes down who leads.
async fn open_registry(
    settings: &MasterSettings,
    identity: &Identity,
) -> Result<(Store, Recovered), Error> {
    let path = match (settings.registry.as_str(), &settings.work_dir) {
        ("in_memory", _) => None,
        ("durable" | "replicated_log", Some(dir)) => Some(dir.join("registry.redb")),
        ("durable" | "replicated_log", None) => return Err(Error::NoWorkDir),
        (other, _) => {
            return Err(Error::Setting {
                key: "registry",
                value: other.to_owned(),
                why: "must be durable, replicated_log or in_memory".to_owned(),
            });
        }
    };
    let (id, leader) = (identity.id.clone(), persist::leader(&identity.info));
    let open = move || {
        let mut store = path.as_deref().map_or_else(|| Ok(Store::memory()), Store::open)?;
        let recovered = persist::recovered(id, store.load()?)?;
        store.apply([leader])?;
        Ok((store, recovered))
    };
    tokio::task::spawn_blocking(open)
        .await
        .unwrap_or_else(|panic| Err(Error::SteppedDown(panic.to_string())))
}

fn start_registry(store: Store, core: mpsc::Sender<Input>) -> Result<Registry, Error> {
    Registry::start(store, move |group| {
        if core.blocking_send(Input::Written(group)).is_err() {
            tracing::debug!("a write was done after the core had ended");
        }
    })
    .map_err(|source| Error::Thread { name: "registry", source })
}

/// Starts the thread of the core; what it gives says why it ended.
fn start_owner(
    owner: Owner,
    inputs: mpsc::Receiver<Input>,
    stop: CancellationToken,
) -> Result<oneshot::Receiver<Option<String>>, Error> {
    let failed = |source| Error::Thread { name: "core", source };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
    let (end, ended) = oneshot::channel();
    let work = move || {
        let why = runtime.block_on(owner.run(inputs, stop));
        // Whoever started the master may not wait for its end.
        let _ = end.send(why);
    };
    std::thread::Builder::new().name("core".to_owned()).spawn(work).map_err(failed)?;
    Ok(ended)
}

/// Turns messages and broken links into facts.
fn listen_to_peers(
    actors: &Actors,
    mut exits: mpsc::UnboundedReceiver<Pid>,
    core: mpsc::Sender<Input>,
    reading: Reading,
) {
    let (inbox, messages) = mpsc::channel(INBOX);
    actors.register(ACTOR, inbox.clone());
    actors.register(OBSERVER, inbox);
    tokio::spawn(reading.read(messages, core.clone()));
    tokio::spawn(async move {
        while let Some(pid) = exits.recv().await {
            if core.send(Input::Fact(Kind::LinkBroken(pid))).await.is_err() {
                return;
            }
        }
    });
}

/// What is needed to read messages.
struct Reading {
    readers: Readers,
    hooks: Hooks,
    counters: Arc<Counters>,
}

impl Reading {
    async fn read(self, mut messages: mpsc::Receiver<Inbound>, core: mpsc::Sender<Input>) {
        while let Some(message) = messages.recv().await {
            let input = match messages::parse(&message) {
                Ok(Parsed::Event(kind)) => Input::Fact(self.decorated(kind).await),
                Ok(Parsed::Subscribes(subscription)) => Input::DriverSubscribes(subscription),
                Err(why) => {
                    self.counters.dropped();
                    tracing::warn!(from = %message.from, "dropped a message: {why}");
                    continue;
                }
            };
            if core.send(input).await.is_err() {
                return;
            }
        }
    }

    /// A driver's launch, with what the hooks make of its tasks.
    async fn decorated(&self, mut kind: Kind) -> Kind {
        if let Kind::Calls(framework, _, call) = &mut kind {
            let snapshot = self.readers.snapshot();
            let info = snapshot.frameworks.get(framework).map(|known| &*known.record.info);
            hooks::decorate(&self.hooks, info, call).await;
        }
        kind
    }
}
