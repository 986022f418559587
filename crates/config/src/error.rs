//! What can be wrong with settings, in words for whoever has to repair them.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// An environment variable, by its name.
    Environment(String),
    /// A file, with line and column (both from 1) of the key.
    File(PathBuf, usize, usize),
    /// The program itself, before anything was read.
    Program,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag => f.write_str("command line"),
            Origin::Environment(name) => write!(f, "environment variable {name}"),
            Origin::File(path, line, column) => write!(f, "{}:{line}:{column}", path.display()),
            Origin::Program => f.write_str("built-in value"),
        }
    }
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not TOML.
    #[error("{origin}: not valid TOML: {message}")]
    Syntax {
        /// Where.
        origin: Origin,
        /// What the parser met.
        message: String,
    },
    /// A key nobody knows.
    #[error("{origin}: unknown setting {key:?}{}", proposal(*nearest))]
    Unknown {
        /// Where.
        origin: Origin,
        /// The key.
        key: String,
        /// The known key most like it.
        nearest: Option<&'static str>,
    },
    /// A value of another type than the setting has.
    #[error("{origin}: {key} must be {wanted}, not {found}")]
    WrongType {
        /// Where.
        origin: Origin,
        /// The setting, or the module's parameter: `modules.drf.offer`.
        key: String,
        /// What it takes.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A value that has the right type and no sense.
    #[error("{origin}: {key} = {value:?}: {why} (expected {wanted})")]
    BadValue {
        /// Where.
        origin: Origin,
        /// The setting.
        key: &'static str,
        /// The text.
        value: String,
        /// What is wrong with it.
        why: String,
        /// What it takes.
        wanted: &'static str,
    },
    /// What is given to modules has no sense.
    #[error("{origin}: {key}: {why}")]
    Modules {
        /// Where.
        origin: Origin,
        /// The module, and its parameter if it is one that is wrong: `modules.drf.offer`.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// A setting without a default that nobody gave.
    #[error(
        "{key} is not set: give --{key}=…, the environment variable REEVE_{}, or {key} = … \
         in the configuration file",
        key.to_uppercase()
    )]
    Missing {
        /// The setting.
        key: &'static str,
    },
}

fn proposal(nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("; did you mean {nearest:?}?"),
        None => "; --help lists all settings".to_owned(),
    }
}
