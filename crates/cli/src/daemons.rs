//! `reeve master` and `reeve agent`.

use std::process::ExitCode;

use clap::{ArgMatches, Command};
use reeve_telemetry::log;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The subcommand `master`.
pub fn master_command() -> Command {
    let command = Command::new("master").about("Run a master: offers resources to frameworks");
    reeve_config::arguments::<reeve_master::MasterSettings>(command)
}

/// The subcommand `agent`.
pub fn agent_command() -> Command {
    let command = Command::new("agent").about("Run an agent: runs tasks on this machine");
    reeve_config::arguments::<reeve_agent::AgentSettings>(command)
}

/// Runs a master until it is told to stop.
pub async fn master(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let settings: reeve_master::MasterSettings = reeve_config::load(flags)?;
    log::start(Some(&settings.logging_level), "info", log::Format::Plain)?;
    let stop = CancellationToken::new();
    let running = reeve_master::start(settings, stop.clone()).await?;
    stop_on_signal(stop)?;
    running.wait().await?;
    Ok(ExitCode::SUCCESS)
}

/// Runs an agent until it is told to stop. SIGUSR1 makes it leave the cluster for good first.
pub async fn agent(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let settings: reeve_agent::AgentSettings = reeve_config::load(flags)?;
    log::start(Some(&settings.logging_level), "info", log::Format::Plain)?;
    let stop = CancellationToken::new();
    let running = reeve_agent::start(settings, stop.clone()).await?;
    let leave = running.stopper();
    let mut leaving = signal(SignalKind::user_defined1())?;
    tokio::spawn(async move {
        if leaving.recv().await.is_some() {
            leave.leave().await;
        }
    });
    stop_on_signal(stop)?;
    running.wait().await;
    Ok(ExitCode::SUCCESS)
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
        stop.cancel();
    });
    Ok(())
}
