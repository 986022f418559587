//! One framework over real sockets: it subscribes, launches tasks, acknowledges, and measures.
//!
//! It speaks the v1 scheduler API (SC-1 to SC-16) and nothing of ours, so that any Mesos master
//! serves it. What it decides is in [`launcher`], how its calls travel in [`calls`], and how events
//! come in [`events`].

mod calls;
mod events;
mod launcher;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bytes::Bytes;
use prost::Message;
use reeve_wire::v1;
use reeve_wire::v1::scheduler::{Call, Event, call};
use tokio_util::sync::CancellationToken;

pub use launcher::{Figures, Latency, parse_need};

use calls::Calls;
use events::Events;
use launcher::Launcher;

/// Both a Mesos master and ours answer here.
const PATH: &str = "/master/api/v1/scheduler";

/// How long the master may take over an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Codec {
    /// `application/json`.
    Json,
    /// `application/x-protobuf`.
    Protobuf,
}

impl Codec {
    fn media_type(self) -> &'static str {
        match self {
            Codec::Json => "application/json",
            Codec::Protobuf => "application/x-protobuf",
        }
    }

    fn encode(self, call: &Call) -> Bytes {
        match self {
            Codec::Json => reeve_wire::json::to_vec(call).into(),
            Codec::Protobuf => reeve_wire::encode(call),
        }
    }

    fn decode(self, record: Bytes) -> anyhow::Result<Event> {
        Ok(match self {
            Codec::Json => reeve_wire::json::from_slice(&record)?,
            Codec::Protobuf => Event::decode(record)?,
        })
    }
}

/// What the framework is to do.
#[derive(Clone, Debug)]
pub struct FrameworkOptions {
    /// The master's address.
    pub master: SocketAddr,
    /// Its id, if it has one and comes back.
    pub id: Option<String>,
    /// How many tasks to launch.
    pub tasks: u32,
    /// How calls and events are written.
    pub codec: Codec,
    /// How many connections the calls share.
    pub connections: u32,
    /// The most tasks that may be under way at once.
    pub at_once: u32,
    /// The most tasks launched on one offer.
    pub per_offer: u32,
    /// What each task takes: names and amounts.
    pub need: Vec<(String, f64)>,
    /// The shell command of each task.
    pub command: String,
    /// As whom the tasks run.
    pub user: String,
    /// Keep the tasks running once all are, until told to stop.
    pub hold: bool,
    /// Have agents keep a record of the tasks, so that these outlive their agent.
    pub checkpoint: bool,
}

/// Subscribes, launches all tasks, and waits until they have ended (or, with `hold`, until all
/// run, tells of it, and waits for `stop`). Then the framework is torn down.
///
/// # Errors
/// If the master refuses something, or the stream ends.
pub async fn run(
    options: &FrameworkOptions,
    stop: CancellationToken,
    held: impl FnOnce(&Figures),
) -> anyhow::Result<Figures> {
    let start = Instant::now();
    let (mut events, stream_id) = subscribe(options).await?;
    let mut calls = connect(options, &stream_id).await?;
    let mut launcher = Launcher::new(options, start);
    let mut held = Some(held).filter(|_| options.hold);
    let mut out = Vec::new();
    loop {
        // The answer's head may have brought events along: take what is there before waiting.
        while let Some(record) = events.next()? {
            launcher.take(options.codec.decode(record)?, Instant::now(), &mut out)?;
            for call in out.drain(..) {
                calls.post(&options.codec.encode(&call));
            }
        }
        if launcher.all_run()
            && let Some(tell) = held.take()
        {
            tell(&launcher.figures());
        }
        if launcher.is_done() {
            break;
        }
        tokio::select! {
            more = events.read() => {
                if !more? {
                    bail!("the master closed the event stream");
                }
            }
            refusal = calls.refused() => bail!("the master refused a call: {refusal}"),
            () = stop.cancelled() => break,
        }
    }
    settle(&mut calls).await?;
    launcher.settled(Instant::now());
    calls.post(&options.codec.encode(&launcher.teardown()));
    settle(&mut calls).await?;
    Ok(launcher.figures())
}

/// When a framework that only watches was offered something.
#[derive(Clone, Copy, Debug)]
pub struct Offered {
    /// From its subscription to the first offer.
    pub first: Duration,
    /// From its subscription until it had an offer of every agent.
    pub all: Duration,
}

/// Subscribes, and takes offers without an answer until there was one of each of so many agents.
///
/// # Errors
/// If the master refuses the subscription, or the stream ends.
pub async fn watch(options: &FrameworkOptions, agents: usize) -> anyhow::Result<Offered> {
    let start = Instant::now();
    let (mut events, _) = subscribe(options).await?;
    let mut seen = HashSet::with_capacity(agents);
    let mut first = None;
    while seen.len() < agents {
        while let Some(record) = events.next()? {
            let event = options.codec.decode(record)?;
            if let Some(error) = event.error {
                bail!("the master says: {}", error.message);
            }
            for offer in event.offers.into_iter().flat_map(|offers| offers.offers) {
                first.get_or_insert_with(|| start.elapsed());
                seen.insert(offer.agent_id.value);
            }
        }
        if seen.len() < agents && !events.read().await? {
            bail!("the master closed the event stream");
        }
    }
    Ok(Offered { first: first.unwrap_or_default(), all: start.elapsed() })
}

/// Waits until the master has taken all calls.
async fn settle(calls: &mut Calls) -> anyhow::Result<()> {
    tokio::time::timeout(PATIENCE, calls.answered()).await.context("calls were never answered")?
}

async fn subscribe(options: &FrameworkOptions) -> anyhow::Result<(Events, String)> {
    let multi_role = v1::framework_info::capability::Type::MultiRole;
    let id = options.id.clone().map(|value| v1::FrameworkId { value });
    let framework_info = v1::FrameworkInfo {
        user: options.user.clone(),
        name: "reeve-load".to_owned(),
        roles: vec!["*".to_owned()],
        capabilities: vec![v1::framework_info::Capability { r#type: Some(multi_role.into()) }],
        id: id.clone(),
        checkpoint: Some(options.checkpoint),
        ..v1::FrameworkInfo::default()
    };
    let subscribe = call::Subscribe { framework_info, ..call::Subscribe::default() };
    let call = Call {
        framework_id: id,
        r#type: Some(call::Type::Subscribe.into()),
        subscribe: Some(subscribe),
        ..Call::default()
    };
    let body = options.codec.encode(&call);
    let head = format!("{}Content-Length: {}\r\n\r\n", head(options), body.len());
    let request = [head.as_bytes(), &body].concat();
    let opened = tokio::time::timeout(PATIENCE, Events::open(options.master, &request)).await;
    opened.context("SUBSCRIBE was never answered")?
}

async fn connect(options: &FrameworkOptions, stream_id: &str) -> anyhow::Result<Calls> {
    let head = format!("{}Mesos-Stream-Id: {stream_id}\r\nContent-Length: ", head(options));
    Calls::connect(options.master, options.connections, head).await
}

/// The head of a request, without what differs.
fn head(options: &FrameworkOptions) -> String {
    let (master, media_type) = (options.master, options.codec.media_type());
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: {master}\r\nContent-Type: {media_type}\r\n\
         Accept: {media_type}\r\n"
    )
}
