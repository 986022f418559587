//! The daemon: what is there from start to end, whoever leads. A leader's own parts are in `term`.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use reeve_config::{Rate, Settings};
use reeve_master_core::Options;
use reeve_module_host::{Hooks, Search};
use reeve_telemetry::Metrics;
use reeve_transport::files::Files;
use reeve_transport::{Actors, Server, ServerConfig};
use reeve_zookeeper::{Options as ZooKeeper, Tls, Url};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::access::{Access, LogKeeper};
use crate::app::{App, Shared};
use crate::clock::Clock;
use crate::counters::Counters;
use crate::identity::Identity;
use crate::modules::{self, Allocators};
use crate::office::Office;
use crate::owner::Input;
use crate::registry::Keeping;
use crate::term::Terms;
use crate::v0::metrics::register;
use crate::{Error, MasterSettings, allocation, authentication, routes, succession, v0, weights};

/// A master that runs.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    identity: Identity,
    office: Office,
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

    /// A way to tell from elsewhere whether it lives.
    pub fn pulse(&self) -> Pulse {
        Pulse(self.office.clone())
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

/// Tells whether a master lives.
#[derive(Clone, Debug)]
pub struct Pulse(Office);

impl Pulse {
    /// Waits until a leader's core has come round to answer; a standby has none.
    pub async fn beat(&self) {
        let Some(term) = self.0.term() else { return };
        let (reply, answered) = oneshot::channel();
        if term.core.send(Input::Ping(reply)).await.is_ok() {
            // A core that ends meanwhile is told of elsewhere.
            let _ = answered.await;
        }
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
    let server = Server::bind(ServerConfig::new(listen_addresses(&settings)))?;
    let addresses = server.addresses().to_vec();
    let identity = Identity::new(&settings, &addresses)?;

    let (options, metrics) = (core_options(&settings), Metrics::new());
    let counters = Arc::new(Counters::new(&metrics));
    let search = Search::new(settings.modules_dir.as_deref());
    let hooks = Hooks::load(&search, &settings.hooks, &settings.modules)?;
    let (office, actors) = (Office::default(), Actors::new());
    let counted = settings.publish_per_framework_metrics.then(|| Arc::clone(&counters));
    register(&metrics, office.clone(), identity.started, counted);
    let app = App::new(Shared {
        identity: identity.clone(),
        flags: settings.flags(),
        cluster: settings.cluster.clone(),
        log: settings.external_log_file.clone(),
        options: options.clone(),
        office: office.clone(),
        hooks: hooks.clone(),
        files: attached(&settings, LogKeeper(permissions.clone())),
        metrics: metrics.clone(),
        doors: Arc::new(doors),
        permissions: permissions.clone(),
        modules,
    });
    let rivals = zookeeper(&settings)?;
    let terms = Terms {
        rules: allocation::options(&settings)?,
        proof: authentication::Rules::new(&settings)?,
        allocators: Allocators::new(&settings),
        identity: identity.clone(),
        actors: actors.clone(),
        keeping: Keeping::new(&settings, rivals.as_ref())?,
        weights: weights::first(&settings)?,
        options,
        hooks,
        permissions,
        counters,
        metrics,
        clock: Clock::start(),
        past: 0,
    };
    let ended = match rivals {
        None => succession::alone(terms, office.clone(), stop.clone()).await?,
        Some((url, options)) => {
            // What would keep it from leading some day is told now.
            drop(terms.allocators.chosen()?);
            succession::contended(terms, office.clone(), url, options, stop.clone())
        }
    };
    if !companions.is_empty() {
        tokio::spawn(v0::metrics::show(app.clone(), companions, stop.clone()));
    }
    let served = tokio::spawn(server.serve(routes::router(&app), actors, stop.clone()));
    Ok(Running { addresses, identity, office, ended, served, stop })
}

fn listen_addresses(settings: &MasterSettings) -> Vec<SocketAddr> {
    settings.ip.iter().map(|ip| SocketAddr::new(*ip, settings.port)).collect()
}

/// Where rivals are found, and how.
fn zookeeper(settings: &MasterSettings) -> Result<Option<(Url, ZooKeeper)>, Error> {
    let Some(url) = settings.zk.clone() else { return Ok(None) };
    let (ca, cert) = (settings.zk_tls_ca_file.as_deref(), settings.zk_tls_cert_file.as_deref());
    let tls = Tls::from_settings(ca, cert, settings.zk_tls_key_file.as_deref());
    let shown = |file: &Path| file.display().to_string();
    let tls = tls.map_err(|why| Error::Setting {
        key: "zk_tls_cert_file",
        value: cert.map(shown).unwrap_or_default(),
        why: why.to_owned(),
    })?;
    Ok(Some((url, ZooKeeper { session_timeout: settings.zk_session_timeout, tls })))
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
        agent_removal_spacing: settings.agent_removal_rate_limit.map(Rate::spacing),
        recovery_agent_removal_limit: settings.recovery_agent_removal_limit.0,
        offer_timeout: settings.offer_timeout,
        allocation_interval: settings.allocation_interval,
        max_completed_frameworks: settings.max_completed_frameworks,
        max_completed_tasks_per_framework: settings.max_completed_tasks_per_framework,
        max_unreachable_tasks_per_framework: settings.max_unreachable_tasks_per_framework,
        registry_max_agent_age: settings.registry_max_agent_age,
        registry_max_agent_count: settings.registry_max_agent_count,
        ..Options::default()
    }
}
