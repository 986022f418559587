//! The records that a registry of Apache Mesos comes to.
//!
//! A master of Mesos keeps one message, `Registry`. It is found as JSON (its endpoint
//! `/registrar(1)/registry`), as the message itself, or in the replicated log of its `work_dir`.

mod convert;
mod journal;
mod log;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use prost::Message;
use reeve_wire::decode;
use reeve_wire::internal::Registry;
use reeve_wire::json::{self, Words};

pub use convert::{Import, convert};

/// A registry of Mesos that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refuses.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no replicated log in the folder.
    #[error(
        "{} is not a replicated log, and no work_dir of an Apache Mesos master: neither CURRENT \
         nor replicated_log/CURRENT is in it",
        path.display()
    )]
    NoLog {
        /// The folder.
        path: PathBuf,
    },
    /// The replicated log can't be read.
    #[error(
        "the replicated log {} cannot be read: {why}; take another master's, or the JSON that a \
         running leader gives at /registrar(1)/registry",
        path.display()
    )]
    Log {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The text or message is no registry.
    #[error("it is no registry of Apache Mesos: {0}")]
    Foreign(String),
}

/// A registry as it was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The registry.
    pub registry: Registry,
    /// What is to be known about where it was found: reasons why it may not be the newest.
    pub doubts: Vec<String>,
}

/// Reads the JSON of `/registrar(1)/registry`.
///
/// # Errors
///
/// If it is something else.
pub fn from_json(text: &[u8]) -> Result<Registry, Error> {
    let registry: Registry =
        json::from_slice_in(Words::V0, text).map_err(|error| Error::Foreign(error.to_string()))?;
    known(registry, text.len() <= "{}\n".len())
}

/// Reads the encoded message.
///
/// # Errors
///
/// If it is something else.
pub fn from_bytes(bytes: &[u8]) -> Result<Registry, Error> {
    let registry: Registry = decode(&Bytes::copy_from_slice(bytes))
        .map_err(|error| Error::Foreign(error.to_string()))?;
    known(registry, bytes.is_empty())
}

/// Reads the replicated log of a master: of its `work_dir`, or the folder itself. The files are
/// not changed; the master should not run.
///
/// # Errors
///
/// If there is no log, or it can't be read.
pub fn from_log(folder: &Path) -> Result<Found, Error> {
    let inner = folder.join("replicated_log");
    let log = [folder, &inner].into_iter().find(|folder| folder.join("CURRENT").is_file());
    let log = log.ok_or_else(|| Error::NoLog { path: folder.to_path_buf() })?;
    log::read(log)
}

/// Any text or bytes can be a message none of whose fields we know.
fn known(registry: Registry, empty: bool) -> Result<Registry, Error> {
    if registry.encoded_len() == 0 && !empty {
        return Err(Error::Foreign("nothing in it is of a registry".to_owned()));
    }
    Ok(registry)
}
