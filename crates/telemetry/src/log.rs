//! Log lines: which are written, and in which shape. All go to standard error, so that the
//! standard output of a tool stays its answer.

mod glog;

use std::io::IsTerminal;

use tracing::subscriber::set_global_default;
use tracing_subscriber::EnvFilter;

pub use glog::Glog;

/// The environment variable that says what is logged when no flag does.
pub const ENVIRONMENT: &str = "REEVE_LOG";

/// The shape of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Time in UTC, level, module, message, fields; coloured on a terminal.
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
}

/// Sets logging up for the whole process: once, first thing in `main`. `level` is a flag's
/// value; without it `REEVE_LOG` counts, and without that `default`.
pub fn start(level: Option<&str>, default: &str, format: Format) -> Result<(), LogError> {
    let environment = std::env::var(ENVIRONMENT).ok();
    let text = level.or(environment.as_deref()).unwrap_or(default);
    let filter = filter(text)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        Format::Plain => {
            set_global_default(lines.with_ansi(std::io::stderr().is_terminal()).finish())
        }
        Format::Glog => set_global_default(lines.with_ansi(false).event_format(Glog).finish()),
    };
    started.map_err(|_| LogError::Twice)
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
