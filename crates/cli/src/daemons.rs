//! `reeve master` and `reeve agent`.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{ArgMatches, Command};
use reeve_telemetry::log;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{agents, reload, service};

/// The subcommand `master`.
pub fn master_command() -> Command {
    let command = Command::new("master").about("Run a master: offers resources to frameworks");
    reeve_config::arguments::<reeve_master::MasterSettings>(command)
}

/// The subcommand `agent`.
pub fn agent_command() -> Command {
    let command = Command::new("agent")
        .about("Run an agent, which runs tasks on this machine; or look at agents and drain them");
    reeve_config::arguments::<reeve_agent::AgentSettings>(command)
        .args_conflicts_with_subcommands(true)
        .subcommands(agents::verbs())
}

/// Runs a master until it is told to stop.
pub async fn master(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let settings: reeve_master::MasterSettings = reeve_config::load(flags)?;
    let control = start_log(&settings.logging_level, settings.quiet)?;
    let stop = CancellationToken::new();
    reload::at_hangup(flags, &settings, |settings| &settings.logging_level, control)?;
    let running = reeve_master::start(settings, stop.clone()).await?;
    stop_on_signal(stop)?;
    announce("master", running.addresses())?;
    let pulse = running.pulse();
    service::ready("master", move || {
        let pulse = pulse.clone();
        async move { pulse.beat().await }
    });
    running.wait().await?;
    Ok(ExitCode::SUCCESS)
}

/// Runs an agent until it is told to stop. SIGUSR1 makes it leave the cluster for good first.
pub async fn agent(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let settings: reeve_agent::AgentSettings = reeve_config::load(flags)?;
    let control = start_log(&settings.logging_level, settings.quiet)?;
    let stop = CancellationToken::new();
    reload::at_hangup(flags, &settings, |settings| &settings.logging_level, control)?;
    let running = reeve_agent::start(settings, stop.clone()).await?;
    let leave = running.stopper();
    let mut leaving = signal(SignalKind::user_defined1())?;
    tokio::spawn(async move {
        if leaving.recv().await.is_some() {
            leave.leave().await;
        }
    });
    stop_on_signal(stop)?;
    announce("agent", &[running.address])?;
    let pulse = running.pulse();
    service::ready("agent", move || {
        let pulse = pulse.clone();
        async move { pulse.beat().await }
    });
    running.wait().await?;
    Ok(ExitCode::SUCCESS)
}

/// Sets a daemon's log up; one that is to be quiet has none, and none to control.
fn start_log(level: &str, quiet: bool) -> Result<Option<log::Control>, log::LogError> {
    if quiet {
        // A wrong level is refused all the same.
        return log::filter(level).map(|_| None);
    }
    log::start(Some(level), "info", log::Format::Plain).map(Some)
}

/// Says on standard output where a daemon listens, which `--port=0` leaves to the kernel.
fn announce(what: &str, addresses: &[SocketAddr]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for address in addresses {
        writeln!(out, "reeve {what} on http://{address}")?;
    }
    out.flush()
}

/// Cancels `stop` at SIGINT or SIGTERM.
pub fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        service::stopping();
        stop.cancel();
    });
    Ok(())
}
