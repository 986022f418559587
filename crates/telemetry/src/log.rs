//! Log lines: which are written, and in which shape. All go to standard error, so that the
//! standard output of a tool stays its answer. A service's standard error is the journal, which
//! gets fields instead of lines.

mod glog;
mod journal;

use std::fmt;
use std::io::IsTerminal;

use tracing::subscriber::set_global_default;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::{EnvFilter, Registry};

pub use glog::Glog;
use journal::Journal;

/// The environment variable that says what is logged when no flag does.
pub const ENVIRONMENT: &str = "REEVE_LOG";

/// The shape of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Time in UTC, level, module, message, fields; coloured on a terminal. Where standard error is
    /// the journal of systemd, an entry with these fields.
    #[default]
    Plain,
    /// As Mesos writes them: `I0705 21:09:46.693713  1771 sched.cpp:157] text`.
    Glog,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level or filter can't be read.
    #[error(
        "'{text}' is no log level: use error, warn, info, debug or trace, also per module as in 'info,reeve_master=debug'"
    )]
    Level {
        /// What was given.
        text: String,
        /// Where it goes wrong.
        source: tracing_subscriber::filter::ParseError,
    },
    /// It was set up before, in this process.
    #[error("logging is already set up")]
    Twice,
    /// What was set up is gone.
    #[error("nothing is logged any more")]
    Gone,
}

/// Says, while the process runs, what is logged.
pub struct Control(Box<dyn Fn(EnvFilter) -> Result<(), LogError> + Send + Sync>);

impl Control {
    /// Logs at this level, or by this filter, from now on.
    ///
    /// # Errors
    ///
    /// If the text is neither; then nothing changes.
    pub fn set(&self, level: &str) -> Result<(), LogError> {
        (self.0)(filter(level)?)
    }

    fn of<S: 'static>(handle: Handle<EnvFilter, S>) -> Self {
        Self(Box::new(move |filter| handle.reload(filter).map_err(|_| LogError::Gone)))
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Control")
    }
}

/// Sets logging up for the whole process: once, first thing in `main`. `level` is a flag's
/// value; without it `REEVE_LOG` counts, and without that `default`.
///
/// # Errors
///
/// If the level cannot be read, or logging is set up already.
pub fn start(level: Option<&str>, default: &str, format: Format) -> Result<Control, LogError> {
    let environment = std::env::var(ENVIRONMENT).ok();
    let text = level.or(environment.as_deref()).unwrap_or(default);
    let filter = filter(text)?;
    if format == Format::Plain
        && let Some(journal) = Journal::connect()
    {
        let (filter, handle) = reload::Layer::new(filter);
        let entries = Registry::default().with(filter).with(journal);
        return match set_global_default(entries) {
            Ok(()) => Ok(Control::of(handle)),
            Err(_) => Err(LogError::Twice),
        };
    }
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        Format::Plain => {
            let lines = lines.with_ansi(std::io::stderr().is_terminal()).with_filter_reloading();
            let control = Control::of(lines.reload_handle());
            set_global_default(lines.finish()).map(|()| control)
        }
        Format::Glog => {
            let lines = lines.with_ansi(false).event_format(Glog).with_filter_reloading();
            let control = Control::of(lines.reload_handle());
            set_global_default(lines.finish()).map(|()| control)
        }
    }
    .map_err(|_| LogError::Twice)
}

/// What a level or filter lets through. Mesos's names of levels (`--logging_level`) are known
/// beside ours.
pub fn filter(text: &str) -> Result<EnvFilter, LogError> {
    let text = text.trim();
    let known = match text.to_ascii_uppercase().as_str() {
        "WARNING" => "warn",
        _ => text,
    };
    EnvFilter::try_new(known).map_err(|source| LogError::Level { text: text.to_owned(), source })
}

#[cfg(test)]
mod tests;
