//! SIGHUP: a daemon reads its settings again, takes up what it can, and says what needs a restart.

use clap::ArgMatches;
use reeve_config::{Change, Settings, changes};
use reeve_telemetry::log::{self, Control};
use tokio::signal::unix::{SignalKind, signal};

/// A daemon's settings while it runs.
struct Reload<S> {
    flags: ArgMatches,
    /// With which it started.
    started: S,
    /// As they were last read; of them, those that can be reloaded are in force.
    last: S,
    level: fn(&S) -> &str,
    /// None if nothing is logged.
    control: Option<Control>,
}

/// From now on, reads the settings again at SIGHUP. `level` says which of them is what is logged.
pub fn at_hangup<S: Settings + Clone + Send + Sync + 'static>(
    flags: &ArgMatches,
    started: &S,
    level: fn(&S) -> &str,
    control: Option<Control>,
) -> anyhow::Result<()> {
    let mut hangups = signal(SignalKind::hangup())?;
    let (started, last) = (started.clone(), started.clone());
    let mut reload = Reload { flags: flags.clone(), started, last, level, control };
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            let read = reeve_config::load::<S>(&reload.flags).map_err(anyhow::Error::new);
            if let Err(error) = read.and_then(|read| reload.take(read)) {
                tracing::error!("SIGHUP: the settings stay as they are: {error:#}");
            }
        }
    });
    Ok(())
}

impl<S: Settings> Reload<S> {
    /// Takes up what can be, or nothing.
    fn take(&mut self, read: S) -> anyhow::Result<()> {
        let taken: Vec<Change> =
            changes(&self.last, &read).into_iter().filter(|change| change.reload).collect();
        let later: Vec<Change> =
            changes(&self.started, &read).into_iter().filter(|change| !change.reload).collect();
        let level = (self.level)(&read);
        match &self.control {
            Some(control) => control.set(level)?,
            None => drop(log::filter(level)?),
        }
        self.last = read;
        // Warnings, so that they are seen at most levels: someone waits for them.
        for change in &taken {
            tracing::warn!("SIGHUP: {} was {}, is {}", change.name, was(change), is(change));
        }
        for change in &later {
            let (was, is) = (was(change), is(change));
            tracing::warn!("SIGHUP: {} is {was} until a restart, then {is}", change.name);
        }
        if taken.is_empty() && later.is_empty() {
            tracing::warn!("SIGHUP: the settings are as before");
        }
        Ok(())
    }
}

fn was(change: &Change) -> &str {
    change.old.as_deref().unwrap_or("not set")
}

fn is(change: &Change) -> &str {
    change.new.as_deref().unwrap_or("not set")
}
