//! `reeve local`: a whole cluster in one process, to try things out. State lives in one directory;
//! there is nothing else to set up.

use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use reeve_agent::AgentSettings;
use reeve_config::Layers;
use reeve_master::MasterSettings;
use reeve_telemetry::log;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long agents have to end what they run when the cluster stops.
const GRACE: Duration = Duration::from_secs(20);

/// The subcommand `local`.
pub fn command() -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name);
    Command::new("local")
        .about("Run a master and agents in one process: the shortest way to a cluster")
        .arg(
            flag("agents")
                .value_name("N")
                .value_parser(value_parser!(u16).range(1..=1000))
                .default_value("1")
                .help("How many agents to run"),
        )
        .arg(
            flag("ip")
                .value_name("ADDRESS")
                .value_parser(value_parser!(IpAddr))
                .action(ArgAction::Append)
                .default_value("127.0.0.1")
                .help("An address for the master to listen on; may be given more than once"),
        )
        .arg(
            flag("port")
                .value_parser(value_parser!(u16))
                .default_value("5050")
                .help("The master's port; agents take the ones after it"),
        )
        .arg(
            flag("resources")
                .value_name("RESOURCES")
                .help("What each agent has; what is not named is detected and divided"),
        )
        .arg(
            flag("work_dir")
                .value_name("DIR")
                .help("Where state and sandboxes live [default: reeve-local-UID below the temporary directory]"),
        )
        .arg(
            flag("launcher_dir")
                .value_name("DIR")
                .help("Where reeve-executor is [default: beside this program]"),
        )
        .arg(flag("log").value_name("LEVEL").default_value("warn").help("What is logged"))
}

/// Runs the cluster until it is interrupted.
pub async fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    log::start(flags.get_one::<String>("log").map(String::as_str), "warn", log::Format::Plain)?;
    let room = match flags.get_one::<String>("work_dir") {
        Some(named) => PathBuf::from(named),
        None => std::env::temp_dir().join(format!("reeve-local-{}", nix::unistd::geteuid())),
    };
    let stop = CancellationToken::new();
    let master = reeve_master::start(master_settings(flags, &room)?, stop.clone()).await?;
    let addresses = master.addresses().to_vec();
    let first = addresses.first().context("the master listens nowhere")?;
    let mut agents = Vec::new();
    let (mut left, one_left) = (Vec::new(), CancellationToken::new());
    let count = flags.get_one::<u16>("agents").copied().unwrap_or(1);
    for number in 1..=count {
        let settings = agent_settings(flags, &room, number, count, &first.to_string())?;
        // An agent that leaves stops itself alone, so that the others can end their tasks too.
        let own = stop.child_token();
        agents.push(reeve_agent::start(settings, own.clone()).await?);
        tokio::spawn(cancel_after(own.clone(), one_left.clone()));
        left.push(own);
    }
    greet(&addresses, usize::from(count), &room)?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
        () = one_left.cancelled() => {}
    }
    for agent in &agents {
        agent.stopper().leave().await;
    }
    let all_left = async {
        for agent in &left {
            agent.cancelled().await;
        }
    };
    // The grace is for an agent that can't leave.
    drop(tokio::time::timeout(GRACE, all_left).await);
    stop.cancel();
    for agent in agents {
        agent.wait().await?;
    }
    master.wait().await?;
    Ok(ExitCode::SUCCESS)
}

async fn cancel_after(first: CancellationToken, then: CancellationToken) {
    first.cancelled().await;
    then.cancel();
}

fn master_settings(flags: &ArgMatches, room: &Path) -> anyhow::Result<MasterSettings> {
    let ips: Vec<String> =
        flags.get_many::<IpAddr>("ip").into_iter().flatten().map(ToString::to_string).collect();
    let port = flags.get_one::<u16>("port").copied().unwrap_or(5050);
    let layers = Layers::new()
        .set("ip", ips.join(","))
        .set("port", port.to_string())
        .set("work_dir", text(&room.join("master")))
        .set("cluster", "local");
    Ok(layers.build()?)
}

fn agent_settings(
    flags: &ArgMatches,
    room: &Path,
    number: u16,
    count: u16,
    master: &str,
) -> anyhow::Result<AgentSettings> {
    let port = flags.get_one::<u16>("port").copied().unwrap_or(5050);
    let own = room.join(format!("agent-{number}"));
    let mut layers = Layers::new()
        .set("master", master)
        .set("ip", "127.0.0.1")
        .set("port", if port == 0 { "0".to_owned() } else { (port + number).to_string() })
        .set("hostname", "localhost")
        .set("work_dir", text(&own.join("work")))
        .set("runtime_dir", text(&own.join("run")))
        .set("registration_backoff_factor", "10ms")
        .set("resources", resources(flags, &own, number, count));
    if let Some(room) = flags.get_one::<String>("launcher_dir") {
        layers = layers.set("launcher_dir", room);
    }
    Ok(layers.build()?)
}

/// What one of several agents has: its share of the machine, and ports of its own.
fn resources(flags: &ArgMatches, own: &Path, number: u16, count: u16) -> String {
    if let Some(named) = flags.get_one::<String>("resources") {
        return named.clone();
    }
    if count == 1 {
        return String::new();
    }
    reeve_agent::divided(own, number, count)
}

fn greet(addresses: &[std::net::SocketAddr], agents: usize, room: &Path) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let Some(last) = addresses.last() else { return Ok(()) };
    writeln!(out, "Reeve is up: a master and {agents} agent(s); state in {}", room.display())?;
    for address in addresses {
        writeln!(out, "  http://{address}")?;
    }
    writeln!(out, "Try, in another terminal:")?;
    writeln!(
        out,
        "  {} --master=\"{last}\" --name=\"my-first-task\" \
         --command=\"echo hello world && sleep 10\" --resources=\"cpus:1;mem:128\"",
        tool("mesos-execute")
    )?;
    writeln!(out, "Ctrl-C stops it.")?;
    out.flush()?;
    Ok(())
}

/// How to call a tool: by its name if the shell finds it, else by its path.
fn tool(name: &str) -> String {
    let beside = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join(name)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|room| room.join(name).exists());
    match beside {
        Some(beside) if !found && beside.exists() => beside.display().to_string(),
        _ => name.to_owned(),
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
