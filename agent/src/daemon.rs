//! Starting an agent: settings into facts, sockets, what is left from before, and the loop.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use reeve_agent_core::event::{Kind, StreamId};
use reeve_agent_core::view::View;
use reeve_agent_core::{Agent, Options, Reconfiguration, Recover};
use reeve_agent_runtime::causes::in_one_line;
use reeve_agent_runtime::checkpoint::Store;
use reeve_agent_runtime::unit::Unit;
use reeve_agent_runtime::{Containerizer, Settings as ContainerSettings};
use reeve_config::Settings as _;
use reeve_model::{ExecutorId, FrameworkId, Pid};
use reeve_module_host::Hooks;
use reeve_transport::files::Files;
use reeve_transport::libprocess::PeersConfig;
use reeve_transport::{Actors, Inbound, Peers, Server, ServerConfig};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::access::Access;
use crate::authentication::{self, Prover};
use crate::checkpoint::damage::Damage;
use crate::checkpoint::layout::Layout;
use crate::checkpoint::write::Writer;
use crate::claim::Claim;
use crate::containers::Surroundings;
use crate::describe::{advertised, describe, listen};
use crate::disk::Disk;
use crate::http::{self, Shared};
use crate::master::{Appointed, Guide};
use crate::oversubscription::{Usage, correct, estimate};
use crate::settings::AgentSettings;
use crate::shell::{ACTOR, Called, Input, Shell, Then, wall};
use crate::wire::driver::{self, Asked, Driver};
use crate::wire::incoming;
use crate::wire::outgoing::Identity;
use crate::{hooks, modules, recovery};

/// The longest pause between two tries of an executor to reach a restarted agent.
const SUBSCRIPTION_BACKOFF: Duration = Duration::from_millis(500);

/// Where packages put programs that nobody runs by hand.
const INSTALLED: &str = "/usr/libexec/reeve";

/// Why an agent can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error("--{name}={value}: {why}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is wrong, and what would do.
        why: String,
    },
    /// A module cannot be used.
    #[error(transparent)]
    Module(#[from] reeve_module_host::Unusable),
    /// No socket.
    #[error(transparent)]
    Bind(#[from] reeve_transport::server::BindError),
    /// A checkpoint is damaged.
    #[error(
        "{first}{more}. To go on with the rest, set --no-strict; to begin anew, move the work \
         directory's meta away"
    )]
    Damaged {
        /// The first one found.
        first: Damage,
        /// How many there are beside.
        more: String,
    },
    /// Another agent is at work in a directory.
    #[error(
        "--{name}={path}: {holder} is at work there; stop it first, or give this one a directory \
         of its own"
    )]
    Taken {
        /// The setting.
        name: &'static str,
        /// The directory.
        path: PathBuf,
        /// The other agent, with its process if that is known.
        holder: String,
    },
    /// A directory can't be made or read.
    #[error("Failed to {what} '{path}'")]
    Directory {
        /// What was being tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What the kernel says.
        #[source]
        source: std::io::Error,
    },
}

/// A running agent.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    inputs: mpsc::Sender<Input>,
    tasks: tokio::task::JoinSet<()>,
    failure: Arc<OnceLock<String>>,
    /// Let go of when the agent has stopped.
    _claims: [Claim; 2],
}

/// Why a running agent can't go on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failed(String);

/// Ends an agent and all that it runs.
#[derive(Clone, Debug)]
pub struct Stopper {
    inputs: mpsc::Sender<Input>,
}

impl Stopper {
    /// Makes the agent leave the cluster for good: its tasks are killed, then it stops.
    pub async fn leave(&self) {
        drop(self.inputs.send(Input::Happened(Kind::Stops { unregister: true })).await);
    }
}

/// Tells whether an agent lives.
#[derive(Clone, Debug)]
pub struct Pulse {
    inputs: mpsc::Sender<Input>,
}

impl Pulse {
    /// Waits until the core has come round to answer.
    pub async fn beat(&self) {
        let (reply, answered) = oneshot::channel();
        if self.inputs.send(Input::Ping(reply)).await.is_ok() {
            // A core that ends meanwhile is told of elsewhere.
            let _ = answered.await;
        }
    }
}

impl Running {
    /// A way to tell from elsewhere whether it lives.
    pub fn pulse(&self) -> Pulse {
        Pulse { inputs: self.inputs.clone() }
    }

    /// A way to end it from elsewhere.
    pub fn stopper(&self) -> Stopper {
        Stopper { inputs: self.inputs.clone() }
    }

    /// Waits until the agent has stopped.
    ///
    /// # Errors
    ///
    /// If it did so because it could not go on.
    pub async fn wait(mut self) -> Result<(), Failed> {
        while self.tasks.join_next().await.is_some() {}
        self.failure.get().map_or(Ok(()), |why| Err(Failed(why.clone())))
    }
}

/// Starts an agent. It stops when `stop` is cancelled; what it runs goes on without it.
pub async fn start(
    settings: AgentSettings,
    stop: CancellationToken,
) -> Result<Running, StartError> {
    let since = Instant::now();
    let work_dir = directory("work_dir", &settings.work_dir)?;
    let runtime_dir = directory("runtime_dir", &settings.runtime_dir)?;
    let guide = Guide::new(&settings)?;
    let layout = Layout::new(&work_dir);
    // Before the socket: what holds up a claim for a moment holds up the port, too.
    let claims = [
        Claim::on("work_dir", &work_dir, layout.lock()).await?,
        Claim::on("runtime_dir", &runtime_dir, runtime_dir.join("lock")).await?,
    ];
    let server = Server::bind(ServerConfig::new(vec![listen(&settings)?]))?;
    let address = advertised(&settings, server.addresses()[0])?;
    let info = describe(&settings, &work_dir, address)?;
    let surroundings = Surroundings {
        layout: layout.clone(),
        endpoint: address,
        shutdown_grace: settings.executor_shutdown_grace_period,
        recovery_timeout: settings.recovery_timeout,
        // So that each has several tries in the time it is given, and the agent, which waits for
        // all of them, is not held up by a time that was meant for the slowest.
        subscription_backoff: (settings.executor_reregistration_timeout / 4)
            .min(SUBSCRIPTION_BACKOFF),
    };
    let access = Access::load(&settings)?;
    // Before modules, which may share the unit among containers.
    let unit = settings.containers_cgroup.as_deref().map(unit).transpose()?;
    let mut modules = modules::load(&settings)?;
    modules.facts.extend(access.facts);
    let containerizer = Containerizer::new(
        ContainerSettings {
            switch_user: settings.switch_user,
            unit,
            logger: modules.logger,
            ..ContainerSettings::new(executor(&settings)?, runtime_dir)
        },
        modules.chain,
    );
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let store = Store::default();
    let found = recovery::look_back(&layout, boot_id.trim(), &info, &store, settings.strict)?;
    let (inputs, queue) = mpsc::channel(64 * 1024);
    let writer = Writer::new(layout, store, boot_id.trim().to_owned(), found.id.clone());
    let disk = Disk::start(writer, inputs.clone()).map_err(|source| StartError::Directory {
        what: "start the thread that writes to",
        path: work_dir.clone(),
        source,
    })?;
    let (peers, exits) = Peers::new(PeersConfig::new(address), stop.clone());
    let actors = Actors::new();
    let credential = authentication::credential(&settings)?;
    let authentication = credential.is_some().then(|| authentication::times(&settings));
    let here = address.ip();
    let prover = Prover::start(credential, here, peers.clone(), actors.clone(), inputs.clone());
    let view = View::new(settings.max_completed_executors_per_framework as usize);
    let published = Arc::new(ArcSwap::from_pointee(view.clone()));
    let files = Files::kept_by(Arc::new(http::Sandboxes {
        permissions: access.permissions.clone(),
        view: Arc::clone(&published),
    }));
    let own = info.resources.clone();
    let streams = Arc::new(AtomicU64::new(0));
    let shared = Arc::new(Shared {
        view: Arc::clone(&published),
        info: info.clone(),
        address,
        flags: settings.flags(),
        containerizer: containerizer.clone(),
        modules: modules.facts,
        inputs: inputs.clone(),
        streams: Arc::clone(&streams),
        started: wall(),
        doors: access.doors,
        permissions: access.permissions,
    });
    let (inbound, messages) = mpsc::channel(64 * 1024);
    actors.register(ACTOR, inbound);
    let failure = Arc::default();
    let shell = Shell {
        agent: Agent::new(
            Options { authentication, ..options(&settings, address)? },
            info,
            rand_seed(),
        ),
        view,
        published: Arc::clone(&published),
        peers,
        prover,
        containerizer: containerizer.clone(),
        surroundings: surroundings.clone(),
        secrets: modules.secrets,
        hooks: modules.hooks.clone(),
        disk,
        files: files.clone(),
        inputs: inputs.clone(),
        stop: stop.clone(),
        failure: Arc::clone(&failure),
        since,
        identity: Identity {
            agent: None,
            pid: format!("{ACTOR}@{address}"),
            resource_version: *uuid::Uuid::new_v4().as_bytes(),
        },
        outlets: std::collections::BTreeMap::new(),
    };
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(server.serve(http::routes(&shared, &files), actors, stop.clone()));
    tasks.spawn(shell.run(queue));
    tasks.spawn(until_stopped(
        stop.clone(),
        receive(messages, guide.appointed(here), modules.hooks, streams, inputs.clone()),
    ));
    tasks.spawn(until_stopped(stop.clone(), broken_links(exits, inputs.clone())));
    tasks.spawn(until_stopped(
        stop.clone(),
        look_at_disk(work_dir, settings.disk_watch_interval, inputs.clone()),
    ));
    tasks.spawn(until_stopped(stop.clone(), enforce(containerizer.clone())));
    let usage = Usage { total: own, view: published, containerizer: containerizer.clone() };
    let every = settings.oversubscribed_resources_interval;
    let estimate = estimate(modules.estimator, every, usage.clone(), inputs.clone());
    tasks.spawn(until_stopped(stop.clone(), estimate));
    if let Some(controller) = modules.controller {
        let every = settings.qos_correction_interval_min;
        let correct = correct(controller, every, usage, inputs.clone());
        tasks.spawn(until_stopped(stop.clone(), correct));
    }
    if !modules.companions.is_empty() {
        let shown = http::show_metrics(Arc::clone(&shared), modules.companions);
        tasks.spawn(until_stopped(stop.clone(), shown));
    }
    recovery::recover(found, &surroundings, &containerizer, &inputs).await;
    tasks.spawn(guide.tell(inputs.clone(), stop));
    info!(%address, "the agent is up");
    Ok(Running { address, inputs, tasks, failure, _claims: claims })
}

async fn until_stopped(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

async fn receive(
    mut messages: mpsc::Receiver<Inbound>,
    mut appointed: Option<Appointed>,
    hooks: Hooks,
    streams: Arc<AtomicU64>,
    inputs: mpsc::Sender<Input>,
) {
    while let Some(message) = messages.recv().await {
        if let Some(called) = driver::parse(&message.from, &message.name, &message.body) {
            match called {
                Ok(called) => {
                    let id = StreamId(streams.fetch_add(1, Ordering::Relaxed));
                    // Drivers hear by messages what became of a call, or not at all.
                    let (answer, _) = oneshot::channel();
                    let input = Input::Called(of_driver(message.from, id, called), answer);
                    if inputs.send(input).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    warn!(name = %message.name, from = %message.from, %error, "a message is dropped");
                }
            }
            continue;
        }
        match incoming::parse(&message.name, &message.from, &message.body) {
            Ok(mut parsed) => {
                hooks::decorate(&hooks, &mut parsed).await;
                let from = match &mut appointed {
                    Some(appointed) => appointed.sender(&message),
                    None => message.from,
                };
                let happened = Input::Happened(Kind::FromMaster(from, parsed));
                if inputs.send(happened).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                warn!(name = %message.name, from = %message.from, %error, "a message is dropped");
            }
        }
    }
}

/// A call of an executor's driver.
fn of_driver(
    pid: Pid,
    id: StreamId,
    (framework, executor, asked): (FrameworkId, ExecutorId, Asked),
) -> Called {
    let by = Some(pid.clone());
    let then = match asked {
        Asked::Tell(kind) => Then::Tell(kind),
        Asked::Register { subscription, again } => {
            let (framework, executor) = (framework.clone(), executor.clone());
            let driver = Driver { pid, framework, executor, again, info: None };
            Then::Register(id, driver, subscription)
        }
    };
    Called { framework, executor, by, then, looked: false }
}

async fn broken_links(mut exits: mpsc::UnboundedReceiver<Pid>, inputs: mpsc::Sender<Input>) {
    while let Some(pid) = exits.recv().await {
        if inputs.send(Input::Happened(Kind::MasterLinkBroken(pid))).await.is_err() {
            return;
        }
    }
}

async fn look_at_disk(work_dir: PathBuf, every: Duration, inputs: mpsc::Sender<Input>) {
    loop {
        if let Ok(usage) = reeve_agent_runtime::sandbox::disk_usage(&work_dir) {
            // A share between 0 and 1, in thousandths.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let thousandths = (usage.clamp(0.0, 1.0) * 1000.0).round() as u32;
            if inputs.send(Input::Happened(Kind::DiskUsage(thousandths))).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(every).await;
    }
}

async fn enforce(containerizer: Containerizer) {
    loop {
        tokio::time::sleep(Duration::from_secs(15)).await;
        containerizer.enforce_all().await;
    }
}

fn rand_seed() -> u64 {
    let bytes = *uuid::Uuid::new_v4().as_bytes();
    bytes.iter().fold(0, |seed, byte| (seed << 4) ^ u64::from(*byte) ^ (seed >> 60))
}

pub(crate) fn wrong(name: &'static str, value: &str, why: impl ToString) -> StartError {
    StartError::Setting { name, value: value.to_owned(), why: why.to_string() }
}

fn directory(what: &'static str, path: &str) -> Result<PathBuf, StartError> {
    let made = std::fs::create_dir_all(path).and_then(|()| Path::new(path).canonicalize());
    made.map_err(|error| wrong(what, path, format!("can't be made: {error}")))
}

fn unit(path: &Path) -> Result<Unit, StartError> {
    let refused = |error| wrong("containers_cgroup", &path.to_string_lossy(), in_one_line(&error));
    Unit::new(path).map_err(refused)
}

/// `reeve-executor`: in `--launcher_dir`, else beside this program, else where packages put it.
fn executor(settings: &AgentSettings) -> Result<PathBuf, StartError> {
    let rooms = match &settings.launcher_dir {
        Some(room) => vec![PathBuf::from(room)],
        None => {
            let program = std::env::current_exe().ok();
            let beside = program.and_then(|program| program.parent().map(Path::to_owned));
            beside.into_iter().chain([PathBuf::from(INSTALLED)]).collect()
        }
    };
    let found = rooms.iter().map(|room| room.join("reeve-executor")).find(|file| file.is_file());
    found.ok_or_else(|| {
        let rooms: Vec<_> = rooms.iter().map(|room| room.to_string_lossy()).collect();
        let why = "reeve-executor is not there; set it to the directory that holds it";
        wrong("launcher_dir", &rooms.join(" or "), why)
    })
}

fn options(settings: &AgentSettings, address: SocketAddr) -> Result<Options, StartError> {
    let headroom: f64 = settings
        .gc_disk_headroom
        .parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| {
            wrong("gc_disk_headroom", &settings.gc_disk_headroom, "must be between 0.0 and 1.0")
        })?;
    // A share between 0 and 1, in thousandths.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let gc_disk_headroom = (headroom * 1000.0).round() as u32;
    Ok(Options {
        address: Some(address.ip()),
        registration_backoff: settings.registration_backoff_factor,
        executor_registration_timeout: settings.executor_registration_timeout,
        executor_reregistration_timeout: settings.executor_reregistration_timeout,
        executor_shutdown_grace: settings.executor_shutdown_grace_period,
        gc_delay: settings.gc_delay,
        gc_disk_headroom,
        reconfiguration: reconfiguration(&settings.reconfiguration_policy)?,
        recover: recover_mode(&settings.recover)?,
        ..Options::default()
    })
}

fn reconfiguration(text: &str) -> Result<Reconfiguration, StartError> {
    match text {
        "equal" => Ok(Reconfiguration::Equal),
        "additive" => Ok(Reconfiguration::Additive),
        "any" => Ok(Reconfiguration::Any),
        _ => Err(wrong("reconfiguration_policy", text, "must be equal, additive or any")),
    }
}

fn recover_mode(text: &str) -> Result<Recover, StartError> {
    match text {
        "reconnect" => Ok(Recover::Reconnect),
        "cleanup" => Ok(Recover::Cleanup),
        _ => Err(wrong("recover", text, "must be reconnect or cleanup")),
    }
}
