//! `reeve-load`: load for a master, ours or Apache Mesos's.
//!
//! `reeve-load agents` is a cluster without machines, `reeve-load framework` gives it tasks. Both
//! print one JSON object a line.

#![forbid(unsafe_code)]
// Printing is what it is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use reeve_bench::fleet::{self, Burden, FleetOptions, Registered};
use reeve_bench::framework::{self, Codec, Figures, FrameworkOptions, Latency, parse_need};
use reeve_bench::process;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Load for a master, ours or Apache Mesos's.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// Simulated agents: they register, run tasks that do nothing, and report.
    Agents(AgentArguments),
    /// One framework that launches tasks, waits for them, and measures.
    Framework(FrameworkArguments),
}

#[derive(Debug, Args)]
struct AgentArguments {
    /// The master, HOST:PORT.
    #[arg(long)]
    master: String,
    /// How many agents.
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// What each agent has.
    #[arg(long, default_value = "cpus:64;mem:65536")]
    resources: String,
    /// Where they listen.
    #[arg(long, default_value = "127.0.0.1")]
    ip: IpAddr,
    /// The first port; 0 takes free ones.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How many sockets the agents share; each has its own pid in any case.
    #[arg(long, default_value_t = 1)]
    sockets: u32,
    /// How long each task runs, in seconds.
    #[arg(long, default_value_t = 0.0)]
    task_time: f64,
    /// Say that the agents checkpoint.
    #[arg(long)]
    checkpoint: bool,
    /// Outlive the master, and return to the next one that listens there with so many tasks an
    /// agent.
    #[arg(long)]
    burden: Option<u32>,
    /// How many frameworks those tasks belong to.
    #[arg(long, default_value_t = 5)]
    frameworks: u32,
    /// How many labels each of those tasks has.
    #[arg(long, default_value_t = 10)]
    labels: u32,
    /// The master's process: its CPU seconds are reported.
    #[arg(long)]
    pid: Option<u32>,
}

#[derive(Debug, Args)]
struct FrameworkArguments {
    /// The master, HOST:PORT.
    #[arg(long)]
    master: String,
    /// Its id, if it comes back.
    #[arg(long)]
    id: Option<String>,
    /// Launch nothing: wait for an offer of each of so many agents.
    #[arg(long)]
    watch: Option<usize>,
    /// How many tasks.
    #[arg(long, default_value_t = 1)]
    tasks: u32,
    /// How calls and events are written.
    #[arg(long, value_enum, default_value = "protobuf")]
    codec: Codec,
    /// How many connections the calls share.
    #[arg(long, default_value_t = 4)]
    connections: u32,
    /// One task at a time.
    #[arg(long)]
    serial: bool,
    /// The most tasks launched on one offer; as many as fit if not given.
    #[arg(long)]
    per_offer: Option<u32>,
    /// What each task takes.
    #[arg(long, default_value = "cpus:0.01;mem:1")]
    task_resources: String,
    /// Each task's shell command.
    #[arg(long, default_value = "true")]
    command: String,
    /// As whom the tasks run.
    #[arg(long, env = "USER", default_value = "root")]
    user: String,
    /// Once all tasks run, keep them running until SIGTERM.
    #[arg(long)]
    hold: bool,
    /// Have agents keep a record of the tasks, so that these outlive their agent.
    #[arg(long)]
    checkpoint: bool,
    /// Give up after so many seconds.
    #[arg(long, default_value_t = 600)]
    timeout: u64,
    /// The master's process: its CPU seconds are reported.
    #[arg(long)]
    pid: Option<u32>,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reeve-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    // One thread: what the generator spares is the master's.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = stop_on_signal()?;
        match arguments.mode {
            Mode::Agents(arguments) => agents(arguments, stop).await,
            Mode::Framework(arguments) => framework(arguments, stop).await,
        }
    })
}

async fn agents(arguments: AgentArguments, stop: CancellationToken) -> anyhow::Result<()> {
    let meter = Meter::start(arguments.pid)?;
    let options = FleetOptions {
        master: resolve(&arguments.master)?,
        count: arguments.count,
        resources: arguments.resources,
        ip: arguments.ip,
        port: arguments.port,
        sockets: arguments.sockets,
        task_time: Duration::try_from_secs_f64(arguments.task_time)?,
        checkpoint: arguments.checkpoint,
        burden: arguments.burden.map(|tasks| Burden {
            tasks,
            frameworks: arguments.frameworks,
            labels: arguments.labels,
        }),
    };
    let registered = |registered: Registered| {
        let report = json!({
            "agents": options.count,
            "first_registered_s": registered.first.as_secs_f64(),
            "registered_s": registered.all.as_secs_f64(),
        });
        println!("{}", meter.report(report));
    };
    let totals = fleet::run(&options, stop, registered).await?;
    let fleet::Totals { tasks, updates, attempts } = totals;
    let totals = json!({ "tasks": tasks, "updates": updates, "attempts": attempts });
    println!("{}", meter.report(totals));
    Ok(())
}

async fn framework(arguments: FrameworkArguments, stop: CancellationToken) -> anyhow::Result<()> {
    let meter = Meter::start(arguments.pid)?;
    let options = FrameworkOptions {
        master: resolve(&arguments.master)?,
        id: arguments.id,
        tasks: arguments.tasks,
        codec: arguments.codec,
        connections: arguments.connections,
        at_once: if arguments.serial { 1 } else { u32::MAX },
        per_offer: arguments.per_offer.unwrap_or(u32::MAX),
        need: parse_need(&arguments.task_resources).context("--task-resources")?,
        command: arguments.command,
        user: arguments.user,
        hold: arguments.hold,
        checkpoint: arguments.checkpoint,
    };
    let limit = Duration::from_secs(arguments.timeout);
    if let Some(agents) = arguments.watch {
        let offered = tokio::time::timeout(limit, framework::watch(&options, agents)).await;
        let offered = offered.context("not all agents were offered in time")??;
        let report = json!({
            "first_offer_s": offered.first.as_secs_f64(),
            "all_offered_s": offered.all.as_secs_f64(),
        });
        println!("{}", meter.report(report));
        return Ok(());
    }
    let held = |figures: &Figures| println!("{}", meter.report(show(&options, figures)));
    let run = framework::run(&options, stop, held);
    let figures = tokio::time::timeout(limit, run)
        .await
        .with_context(|| format!("the tasks had not ended after {} s", limit.as_secs()))??;
    if !options.hold {
        println!("{}", meter.report(show(&options, &figures)));
    }
    if figures.failed > 0 {
        bail!("{} of {} tasks did not finish", figures.failed, options.tasks);
    }
    Ok(())
}

fn show(options: &FrameworkOptions, figures: &Figures) -> Value {
    let per_second = |count: u32, time: Duration| f64::from(count) / time.as_secs_f64().max(1e-9);
    json!({
        "tasks": options.tasks,
        "running": figures.running,
        "finished": figures.finished,
        "failed": figures.failed,
        "first_offer_s": figures.first_offer.as_secs_f64(),
        "all_running_s": figures.all_running.as_secs_f64(),
        "all_ended_s": figures.all_ended.as_secs_f64(),
        "all_settled_s": figures.all_settled.as_secs_f64(),
        "launches_per_s": per_second(figures.running, figures.all_running),
        "life_cycles_per_s": per_second(figures.finished, figures.all_settled),
        "accept_to_running_ms": show_latency(figures.to_running),
        "accept_to_ended_ms": show_latency(figures.to_ended),
        "free_to_offer_ms": show_latency(figures.to_offer),
    })
}

fn show_latency(latency: Latency) -> Value {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    json!({
        "p50": milliseconds(latency.p50),
        "p99": milliseconds(latency.p99),
        "count": latency.count,
    })
}

/// What this process and the master cost since the start.
#[derive(Debug)]
struct Meter {
    start: Instant,
    master: Option<(u32, Duration)>,
}

impl Meter {
    fn start(master: Option<u32>) -> anyhow::Result<Meter> {
        let master = master.map(|pid| Ok::<_, anyhow::Error>((pid, process::cpu(pid)?)));
        Ok(Meter { start: Instant::now(), master: master.transpose()? })
    }

    /// Adds the cost to a report.
    fn report(&self, mut report: Value) -> Value {
        report["wall_s"] = json!(self.start.elapsed().as_secs_f64());
        let own = process::cpu(std::process::id()).unwrap_or_default();
        report["generator_cpu_s"] = json!(own.as_secs_f64());
        if let Some((pid, before)) = self.master {
            // A master that died meanwhile has no figure.
            let used = process::cpu(pid).ok().map(|now| now.saturating_sub(before).as_secs_f64());
            report["master_cpu_s"] = json!(used);
            report["master_rss_mb"] = json!(process::rss(pid).ok().map(|bytes| bytes >> 20));
        }
        report
    }
}

fn resolve(master: &str) -> anyhow::Result<SocketAddr> {
    let mut found = master.to_socket_addrs().with_context(|| format!("--master {master}"))?;
    found.find(SocketAddr::is_ipv4).with_context(|| format!("{master} has no IPv4 address"))
}

/// Cancelled at SIGINT or SIGTERM.
fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let cancelled = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
        cancelled.cancel();
    });
    Ok(stop)
}
