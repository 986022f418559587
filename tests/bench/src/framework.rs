//! One framework over real sockets: it subscribes, launches tasks, acknowledges, and measures.
//!
//! It speaks the v1 scheduler API (SC-1 to SC-16) and nothing of ours, so that any Mesos master
//! serves it. What it decides is in [`launcher`], how its calls travel in [`calls`].

mod calls;
mod launcher;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use prost::Message;
use reeve_transport::client::{Call as HttpCall, HttpClient, Opened, Records};
use reeve_wire::v1;
use reeve_wire::v1::scheduler::{Call, Event, call};
use tokio_util::sync::CancellationToken;

pub use launcher::{Figures, Latency, parse_need};

use calls::Calls;
use launcher::Launcher;

/// Both a Mesos master and ours answer here.
const PATH: &str = "/master/api/v1/scheduler";

/// How long the master may take over the head of an answer.
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
    /// How many tasks to launch.
    pub tasks: u32,
    /// How calls and events are written.
    pub codec: Codec,
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
    let (mut records, stream_id) = subscribe(options).await?;
    let mut calls = connect(options, &stream_id).await?;
    let mut launcher = Launcher::new(options, start);
    let mut held = Some(held).filter(|_| options.hold);
    let mut out = Vec::new();
    while !launcher.is_done() {
        tokio::select! {
            biased;
            record = records.next() => {
                let record = record?.context("the master ended the event stream")?;
                let event = options.codec.decode(record)?;
                launcher.take(event, Instant::now(), &mut out)?;
            }
            refusal = calls.refused() => bail!("the master refused a call: {refusal}"),
            () = stop.cancelled() => break,
        }
        for call in out.drain(..) {
            calls.post(&options.codec.encode(&call));
        }
        if launcher.all_run()
            && let Some(tell) = held.take()
        {
            tell(&launcher.figures());
        }
    }
    let figures = launcher.figures();
    calls.post(&options.codec.encode(&launcher.teardown()));
    tokio::time::timeout(PATIENCE, calls.answered()).await.context("calls never answered")??;
    Ok(figures)
}

async fn subscribe(options: &FrameworkOptions) -> anyhow::Result<(Records, String)> {
    let multi_role = v1::framework_info::capability::Type::MultiRole;
    let framework_info = v1::FrameworkInfo {
        user: options.user.clone(),
        name: "reeve-load".to_owned(),
        roles: vec!["*".to_owned()],
        capabilities: vec![v1::framework_info::Capability { r#type: Some(multi_role.into()) }],
        ..v1::FrameworkInfo::default()
    };
    let subscribe = call::Subscribe { framework_info, ..call::Subscribe::default() };
    let call = Call {
        r#type: Some(call::Type::Subscribe.into()),
        subscribe: Some(subscribe),
        ..Call::default()
    };
    let media_type = options.codec.media_type();
    let url = format!("http://{}{PATH}", options.master);
    let request = HttpCall::post(url, media_type, options.codec.encode(&call))
        .with_header(ACCEPT, media_type);
    match HttpClient::new().open(&request, PATIENCE).await? {
        Opened::Stream { headers, records, .. } => {
            let id = headers.get("Mesos-Stream-Id").and_then(|id| id.to_str().ok());
            Ok((records, id.context("an answer without Mesos-Stream-Id")?.to_owned()))
        }
        Opened::Refused(reply) => bail!("SUBSCRIBE: {} {}", reply.status, reply.text()),
    }
}

async fn connect(options: &FrameworkOptions, stream_id: &str) -> anyhow::Result<Calls> {
    let (master, media_type) = (options.master, options.codec.media_type());
    let head = format!(
        "POST {PATH} HTTP/1.1\r\n{HOST}: {master}\r\nContent-Type: {media_type}\r\n\
         Accept: {media_type}\r\nMesos-Stream-Id: {stream_id}\r\nContent-Length: "
    );
    Calls::connect(master, head).await
}
