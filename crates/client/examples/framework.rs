//! A small framework: runs a shell command so many times and ends when each has finished.
//!
//!     framework MASTER COUNT COMMAND
//!
//! MASTER is HOST:PORT, or zk://HOST:PORT,…/PATH for the one that leads.

#![allow(clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reeve_client::scheduler::{self, Codec, Connection, Events};
use reeve_client::v1::offer::{Operation, operation};
use reeve_client::v1::scheduler::{Event, call, event};
use reeve_client::v1::{self, TaskState};
use reeve_client::{Error, MasterAddress, Options};

/// Why the work does not go on.
#[derive(Debug)]
enum Trouble {
    /// There is no connection to a master that leads: it is tried again.
    Lost(String),
    /// It can't be done.
    Failed(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            // An event ERROR in answer to SUBSCRIBE: this framework is not wanted.
            Error::Refused { status: 200, text, .. } => Trouble::Failed(text),
            error => Trouble::Lost(error.to_string()),
        }
    }
}

/// What each task needs.
const CPUS: f64 = 0.1;
const MEM: f64 = 32.0;

/// How long what does not fit, or is not needed, is not to be offered again, in seconds.
const SOON: f64 = 5.0;
const MUCH_LATER: f64 = 3600.0;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [master, count, command] = &words[..] else {
        return Err("usage: framework MASTER COUNT COMMAND".to_owned());
    };
    let waiting = count.parse().map_err(|_| format!("{count} is no number of tasks"))?;
    let mut work = Work { command: command.clone(), waiting, ..Work::default() };
    let mut framework = v1::FrameworkInfo {
        user: std::env::var("USER").unwrap_or_else(|_| "root".to_owned()),
        name: "example".to_owned(),
        // Tasks outlive their agent's restart, and for a minute us.
        checkpoint: Some(true),
        failover_timeout: Some(60.0),
        ..Default::default()
    };
    loop {
        match go_on(&mut work, master, &mut framework).await {
            Ok(()) => return Ok(()),
            Err(Trouble::Failed(why)) => return Err(why),
            Err(Trouble::Lost(why)) => println!("no connection: {why}"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Subscribes at the master that leads, and works until all is done. The first time this makes the
/// framework's id, with which it comes back. The client follows redirections.
async fn go_on(
    work: &mut Work,
    master: &str,
    framework: &mut v1::FrameworkInfo,
) -> Result<(), Trouble> {
    let master = MasterAddress::find(master, Options::default()).await?;
    let subscribe =
        call::Subscribe { framework_info: framework.clone(), ..call::Subscribe::default() };
    let (connection, mut events, subscribed) =
        scheduler::subscribe(&master, None, Codec::Protobuf, subscribe).await?;
    println!("subscribed as {}", subscribed.framework_id.value);
    framework.id = Some(subscribed.framework_id);
    // Who hears nothing for several heartbeats has lost the master.
    let heartbeat = subscribed.heartbeat_interval_seconds.unwrap_or(15.0);
    let patience = Duration::from_secs_f64(5.0 * heartbeat);
    // Calls are taken as long as the stream of events is open.
    work.go_on(&connection, &mut events, patience).await?;
    Ok(connection.teardown().await?)
}

/// What is to be done, and how far it is.
#[derive(Default)]
struct Work {
    command: String,
    /// How many tasks are still to be launched.
    waiting: u32,
    /// How many were; their numbers are their ids.
    launched: u32,
    /// Those that have not ended, and where they are.
    running: BTreeMap<String, v1::AgentId>,
    /// Those of them that the master has not spoken of since we came back.
    unsure: BTreeSet<String>,
}

impl Work {
    /// Handles events until all is done.
    async fn go_on(
        &mut self,
        connection: &Connection,
        events: &mut Events,
        patience: Duration,
    ) -> Result<(), Trouble> {
        // While we were away tasks may have ended, and launches may have been lost on the way.
        self.unsure = self.running.keys().cloned().collect();
        self.reconcile(connection).await?;
        while self.waiting > 0 || !self.running.is_empty() {
            let event = tokio::time::timeout(patience, events.next()).await;
            let event = event.map_err(|_| Trouble::Lost("the master is silent".to_owned()))??;
            let ended = || Trouble::Lost("the master has closed the stream".to_owned());
            self.take(connection, event.ok_or_else(ended)?).await?;
        }
        Ok(())
    }

    async fn take(&mut self, connection: &Connection, event: Event) -> Result<(), Trouble> {
        match event.r#type() {
            event::Type::Offers => {
                for offer in event.offers.unwrap_or_default().offers {
                    self.offered(connection, offer).await?;
                }
            }
            event::Type::Update => {
                let Some(update) = event.update else { return Ok(()) };
                self.updated(connection, update.status).await?;
            }
            // A master that was elected just now answers for an agent when that has come back.
            event::Type::Heartbeat => self.reconcile(connection).await?,
            event::Type::Error => {
                return Err(Trouble::Failed(event.error.unwrap_or_default().message));
            }
            _ => {}
        }
        Ok(())
    }

    /// Launches as many tasks as fit. An offer may be only a part of what its agent has, so each is
    /// looked at: one that holds too little is declined.
    async fn offered(&mut self, connection: &Connection, offer: v1::Offer) -> Result<(), Trouble> {
        // Amounts have three decimal places.
        let fits = |name: &str, need: f64| -> u32 {
            let named = offer.resources.iter().filter(|resource| resource.name == name);
            let held: f64 = named.filter_map(|named| Some(named.scalar.as_ref()?.value)).sum();
            ((held * 1000.0).round() / (need * 1000.0)) as u32
        };
        let count = fits("cpus", CPUS).min(fits("mem", MEM)).min(self.waiting);
        let tasks: Vec<_> = (0..count).map(|_| self.next_task(&offer.agent_id)).collect();
        let refuse = if self.waiting > 0 { SOON } else { MUCH_LATER };
        if tasks.is_empty() {
            connection.decline(vec![offer.id], refuse).await?;
            return Ok(());
        }
        let launch = Operation {
            r#type: Some(operation::Type::Launch.into()),
            launch: Some(operation::Launch { task_infos: tasks }),
            ..Operation::default()
        };
        connection.accept(vec![offer.id], vec![launch], refuse).await?;
        Ok(())
    }

    fn next_task(&mut self, agent: &v1::AgentId) -> v1::TaskInfo {
        let id = format!("task-{}", self.launched);
        self.waiting -= 1;
        self.launched += 1;
        self.running.insert(id.clone(), agent.clone());
        let scalar = |name: &str, value: f64| v1::Resource {
            name: name.to_owned(),
            r#type: v1::value::Type::Scalar.into(),
            scalar: Some(v1::value::Scalar { value }),
            ..Default::default()
        };
        v1::TaskInfo {
            name: id.clone(),
            task_id: v1::TaskId { value: id },
            agent_id: agent.clone(),
            resources: vec![scalar("cpus", CPUS), scalar("mem", MEM)],
            command: Some(v1::CommandInfo {
                value: Some(self.command.clone()),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    /// Takes a status, and acknowledges it when that is done: until then it comes again.
    async fn updated(
        &mut self,
        connection: &Connection,
        status: v1::TaskStatus,
    ) -> Result<(), Trouble> {
        let id = &status.task_id.value;
        println!("{id}: {}", status.state().as_str_name());
        self.unsure.remove(id);
        let ended = match status.state() {
            TaskState::TaskStaging | TaskState::TaskStarting => false,
            TaskState::TaskRunning | TaskState::TaskKilling => false,
            _ => self.running.remove(id).is_some(),
        };
        if ended && status.state() != TaskState::TaskFinished {
            self.ended_badly(connection, &status).await?;
        }
        connection.acknowledge(&status).await?;
        Ok(())
    }

    /// What got lost is done again; what failed would fail again.
    async fn ended_badly(
        &mut self,
        connection: &Connection,
        status: &v1::TaskStatus,
    ) -> Result<(), Trouble> {
        if status.state() != TaskState::TaskLost {
            connection.teardown().await?;
            let why = format!("{}: {}", status.task_id.value, status.message());
            return Err(Trouble::Failed(why));
        }
        self.waiting += 1;
        // Ends our filters: what we did not need, we need now.
        connection.revive().await?;
        Ok(())
    }

    /// Asks for the statuses of tasks that we are not sure of.
    async fn reconcile(&self, connection: &Connection) -> Result<(), Trouble> {
        let asked = |id: &String| call::reconcile::Task {
            task_id: v1::TaskId { value: id.clone() },
            agent_id: self.running.get(id).cloned(),
        };
        let tasks: Vec<_> = self.unsure.iter().map(asked).collect();
        // To ask for none would be to ask for all.
        if !tasks.is_empty() {
            connection.reconcile(tasks).await?;
        }
        Ok(())
    }
}
