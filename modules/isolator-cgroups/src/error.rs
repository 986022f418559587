//! What can go wrong with cgroups.

use std::io;
use std::path::PathBuf;

use reeve_module_sdk::Failed;

/// A control group could not be found, made, changed or removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file cannot be read.
    #[error("cannot read '{path}': {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// A value is not taken.
    #[error("cannot write '{value}' to '{path}': {source}{}", hint(source))]
    Write {
        /// The file.
        path: PathBuf,
        /// The value.
        value: String,
        /// What the kernel says.
        source: io::Error,
    },
    /// A cgroup cannot be made.
    #[error("cannot make the cgroup '{path}': {source}{}", hint(source))]
    Make {
        /// The cgroup.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// A cgroup cannot be locked against another agent.
    #[error(
        "the cgroup '{path}' is in use by another process, or cannot be locked ({source}); two \
         agents on one host need two values of the parameter 'root'"
    )]
    Lock {
        /// The cgroup.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// Processes stay, or the kernel keeps a cgroup.
    #[error("the cgroup '{path}' cannot be removed{}: {source}", held(.processes))]
    Remove {
        /// The cgroup.
        path: PathBuf,
        /// Who is still in it.
        processes: Vec<u32>,
        /// What the kernel says.
        source: io::Error,
    },
    /// The host lacks what was asked for.
    #[error("{0}")]
    Host(String),
    /// A parameter's value has no sense.
    #[error("parameter '{name}': {why}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// What is wrong, and what would be right.
        why: String,
    },
}

fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; the agent must run as root, or under systemd with Delegate=yes"
        }
        _ => "",
    }
}

fn held(processes: &[u32]) -> String {
    if processes.is_empty() {
        return String::new();
    }
    let numbers: Vec<String> = processes.iter().take(10).map(u32::to_string).collect();
    format!(", the kernel holds its processes {}", numbers.join(", "))
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::new(error.to_string())
    }
}
