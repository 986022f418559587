//! The specification of a container: what the isolator leaves for the shim, and by which a
//! restarted agent knows the container again.
//!
//! Each is the file `ID/spec.json` in the runtime directory, readable by its owner alone, since a
//! task's parameters may hold secrets.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the shim is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spec {
    /// The engine's socket.
    pub(crate) socket: PathBuf,
    /// How long the engine may take to answer, in milliseconds.
    pub(crate) patience: u64,
    /// The container's name.
    pub(crate) name: String,
    /// The body of the request that creates it, save for the environment.
    pub(crate) body: Value,
    /// Whether the body says what runs; if not, the shim's arguments do.
    pub(crate) has_command: bool,
    /// Variables that the task itself sets. They are not in the shim's environment, which is that of
    /// a program of the agent's user.
    pub(crate) variables: Vec<(String, String)>,
}

impl Spec {
    /// Reads one.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let text = std::fs::read(path)?;
        serde_json::from_slice(&text).map_err(io::Error::other)
    }
}

/// The directory with all specifications.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    directory: PathBuf,
}

impl Shelf {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    fn room(&self, id: &str) -> PathBuf {
        self.directory.join(id)
    }

    /// Where a container's specification is.
    pub(crate) fn path(&self, id: &str) -> PathBuf {
        self.room(id).join("spec.json")
    }

    /// Takes the directory for this agent, until the file is dropped. None if another has it.
    pub(crate) fn lock(&self) -> io::Result<Option<File>> {
        private().recursive(true).create(&self.directory)?;
        let file = File::create(self.directory.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Writes a container's specification, or changes it.
    pub(crate) fn write(&self, id: &str, spec: &Spec) -> io::Result<()> {
        private().recursive(true).create(self.room(id))?;
        let path = self.path(id);
        let draft = path.with_extension("new");
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&serde_json::to_vec(spec)?)?;
        std::fs::rename(draft, path)
    }

    /// The ids of all containers with a specification.
    pub(crate) fn all(&self) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let rooms = entries.flatten().filter(|entry| entry.path().is_dir());
        Ok(rooms.filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }

    /// Removes a container's specification, if there is one.
    pub(crate) fn remove(&self, id: &str) -> io::Result<()> {
        match std::fs::remove_dir_all(self.room(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Makes directories for their owner alone.
fn private() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(test)]
mod tests;
