//! `mesos-execute`: one task as a framework of its own.
//!
//! Standard output has the lines of the tool that users know from Mesos 0.22 (`Framework registered
//! with …`, `task … submitted to slave …`, `Received status update …`); the log goes to standard
//! error in Mesos's shape. The exit status is 0 only if the task finished.

mod arguments;
mod fit;
mod report;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::{Command, CommandFactory, Parser};
use reeve_client::MasterAddress;
use reeve_client::operator::Operator;
use reeve_client::scheduler::{self, Codec, Connection, Events};
use reeve_model::{Format, Resources};
use reeve_telemetry::log;
use reeve_wire::v1;
use reeve_wire::v1::scheduler::{call, event};
use reeve_zookeeper::{Options, Tls};
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use arguments::{Arguments, Request};
use report::{finished, say, status};

/// How long to wait for a fitting offer before saying why there is none.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long an offer that does not fit is declined, so that others may have it.
const REFUSE_SECONDS: f64 = 5.0;

/// What the tool takes.
pub fn command() -> Command {
    Arguments::command()
}

/// Runs the tool with these words, the first of which is its name.
pub async fn run(words: &[String]) -> anyhow::Result<ExitCode> {
    arguments::refused(words)?;
    let arguments = Arguments::parse_from(words);
    let zookeeper = zookeeper(&arguments)?;
    let request = arguments.request(user(), host())?;
    log::start(None, "info", log::Format::Glog)?;
    info!("Version: {}", env!("CARGO_PKG_VERSION"));
    let master = MasterAddress::find(&request.master, zookeeper).await?;
    let codec = if request.json { Codec::Json } else { Codec::Protobuf };
    let subscription =
        call::Subscribe { framework_info: request.framework.clone(), ..Default::default() };
    let (connection, events, subscribed) =
        scheduler::subscribe(&master, request.credentials.clone(), codec, subscription).await?;
    info!("New master detected at master@{master}");
    if request.credentials.is_none() {
        info!("No credentials provided. Attempting to register without authentication");
    }
    let framework = subscribed.framework_id.value;
    info!("Framework registered with {framework}");
    say(format_args!("Framework registered with {framework}"))?;
    let task = Execution {
        operator: Operator::new(master, request.credentials.clone()),
        verbose: request.verbose,
        connection,
        request,
        launched: None,
        kill_at: None,
        short: Vec::new(),
        told: Vec::new(),
    };
    task.run(events).await
}

/// How ZooKeeper is reached that knows who leads.
fn zookeeper(arguments: &Arguments) -> anyhow::Result<Options> {
    let Arguments { zk_tls_ca_file, zk_tls_cert_file, zk_tls_key_file, .. } = arguments;
    let (ca, cert) = (zk_tls_ca_file.as_deref(), zk_tls_cert_file.as_deref());
    let tls = Tls::from_settings(ca, cert, zk_tls_key_file.as_deref());
    Ok(Options { tls: tls.map_err(|why| anyhow!("--{why}"))?, ..Options::default() })
}

/// A subscribed framework and how far its one task is.
struct Execution {
    connection: Connection,
    operator: Operator,
    request: Request,
    verbose: bool,
    /// The agent the task was given to.
    launched: Option<v1::AgentId>,
    kill_at: Option<Instant>,
    /// Why the offers so far did not fit.
    short: Vec<String>,
    /// What was said of that already.
    told: Vec<String>,
}

impl Execution {
    async fn run(mut self, mut events: Events) -> anyhow::Result<ExitCode> {
        let mut explain_at = Instant::now() + PATIENCE;
        loop {
            tokio::select! {
                event = events.next() => {
                    let event = event?.context("the master ended the event stream")?;
                    if let Some(code) = self.take(event).await? {
                        return Ok(code);
                    }
                }
                () = sleep_until(explain_at), if self.launched.is_none() => {
                    self.explain().await;
                    explain_at = Instant::now() + PATIENCE;
                }
                () = at(self.kill_at) => {
                    self.kill_at = None;
                    let (task, agent) = (self.request.task.task_id.clone(), self.launched.clone());
                    self.connection.kill(task, agent).await?;
                }
                interrupted = tokio::signal::ctrl_c() => {
                    interrupted?;
                    self.stop().await;
                    return Ok(ExitCode::from(130));
                }
            }
        }
    }

    async fn take(&mut self, event: v1::scheduler::Event) -> anyhow::Result<Option<ExitCode>> {
        match event.r#type() {
            event::Type::Offers => {
                let offers = event.offers.map(|offers| offers.offers).unwrap_or_default();
                self.offered(offers).await?;
            }
            event::Type::Update => {
                let update = event.update.context("an UPDATE without a status")?;
                return self.updated(update.status).await;
            }
            event::Type::Error => {
                let error = event.error.map(|error| error.message).unwrap_or_default();
                anyhow::bail!("the master says: {error}");
            }
            event::Type::Failure => {
                let agent = event.failure.and_then(|failure| failure.agent_id);
                if agent.is_some() && agent == self.launched {
                    warn!("the task's agent or executor is lost");
                }
            }
            _ => {}
        }
        Ok(None)
    }

    /// Launches the task on the first offer that has what it needs, and gives the others back.
    async fn offered(&mut self, offers: Vec<v1::Offer>) -> anyhow::Result<()> {
        for offer in offers {
            let offered = Resources::try_from(&offer.resources).context("an offer's resources")?;
            let fitting = match (&self.launched, fit::fit(&offered, &self.request.resources)) {
                (None, Ok(resources)) => Some(resources),
                (None, Err(why)) => {
                    self.short.push(format!("{} on {}", why, offer.hostname));
                    None
                }
                (Some(_), _) => None,
            };
            match fitting {
                Some(resources) => self.launch(offer, &resources).await?,
                None => self.connection.decline(vec![offer.id], REFUSE_SECONDS).await?,
            }
        }
        Ok(())
    }

    async fn launch(&mut self, offer: v1::Offer, resources: &Resources) -> anyhow::Result<()> {
        let task = v1::TaskInfo {
            agent_id: offer.agent_id.clone(),
            resources: resources.to_wire(Format::PostRefinement)?,
            ..self.request.task.clone()
        };
        let launch = v1::offer::Operation {
            r#type: Some(v1::offer::operation::Type::Launch.into()),
            launch: Some(v1::offer::operation::Launch { task_infos: vec![task] }),
            ..Default::default()
        };
        self.connection.accept(vec![offer.id], vec![launch], REFUSE_SECONDS).await?;
        let (task, agent) = (&self.request.task.task_id.value, &offer.agent_id.value);
        say(format_args!("task {task} submitted to slave {agent}"))?;
        self.launched = Some(offer.agent_id);
        self.connection.suppress().await?;
        Ok(())
    }

    async fn updated(&mut self, update: v1::TaskStatus) -> anyhow::Result<Option<ExitCode>> {
        status(&update, self.verbose)?;
        self.connection.acknowledge(&update).await?;
        if update.state() == v1::TaskState::TaskRunning && self.kill_at.is_none() {
            self.kill_at = self.request.kill_after.map(|after| Instant::now() + after);
        }
        let Some(well) = finished(update.state()) else { return Ok(None) };
        self.stop().await;
        Ok(Some(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
    }

    async fn stop(&self) {
        info!("Asked to stop the driver");
        let framework = &self.connection.framework().value;
        info!("Stopping framework '{framework}'");
        if let Err(error) = self.connection.teardown().await {
            warn!("the framework could not be ended: {error}");
        }
    }

    /// Says why the task does not run yet: what the offers lacked, else what the master says.
    async fn explain(&mut self) {
        let mut reasons = std::mem::take(&mut self.short);
        if reasons.is_empty() {
            let framework = self.connection.framework().value.clone();
            reasons = self.operator.explain(&framework).await.unwrap_or_default();
        }
        if reasons.is_empty() {
            reasons.push("the master has made no offer".to_owned());
        }
        reasons.sort();
        reasons.dedup();
        if reasons != self.told {
            for reason in &reasons {
                warn!("task {} waits: {reason}", self.request.task.task_id.value);
            }
            self.told = reasons;
        }
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

fn user() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    user.map_or_else(|| nix::unistd::geteuid().to_string(), |user| user.name)
}

fn host() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "localhost".to_owned())
}
