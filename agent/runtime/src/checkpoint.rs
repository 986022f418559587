//! Durable files: whole ones that are replaced, and logs of records that grow.
//!
//! The formats are those of Mesos (RC-1): plain text, or protobuf records each with a 4-byte
//! length before it in the host's byte order. What is written here carries a checksum on top where
//! Mesos reads past it ([`records`]). This module knows bytes only. What a function returns `Ok`
//! for survives a crash of the host.

pub mod medium;
pub mod reading;
pub mod records;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use medium::{FileSystem, Medium};

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file system failed.
    #[error("Failed to {what} '{path}'")]
    Io {
        /// What was being tried.
        what: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the kernel says.
        #[source]
        source: io::Error,
    },
    /// A record longer than the format can tell.
    #[error("A record of {length} bytes for '{path}' is longer than a record may be")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The record's length.
        length: usize,
    },
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CheckpointError {
    let path = path.to_owned();
    move |source| CheckpointError::Io { what, path, source }
}

/// Writes durable files. A tree of them has one writer.
#[derive(Debug)]
pub struct Store {
    medium: Box<dyn Medium>,
    /// Logs that end in what could not be written whole, and where that begins.
    uncut: BTreeMap<PathBuf, u64>,
}

impl Default for Store {
    fn default() -> Self {
        Self::on(Box::new(FileSystem))
    }
}

impl Store {
    /// A store on a medium of its own.
    pub fn on(medium: Box<dyn Medium>) -> Self {
        Self { medium, uncut: BTreeMap::new() }
    }

    /// Replaces the file at `path` (its directories are made as needed): whoever looks, also after
    /// a crash, sees the old bytes or the new ones.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
        let directory = parent(path);
        self.make_directories(directory)?;
        let draft = draft(path);
        let written = self
            .medium
            .write(&draft, bytes)
            .map_err(failed("write", &draft))
            .and_then(|()| self.flush(&draft))
            .and_then(|()| self.rename(&draft, path));
        if written.is_err() {
            drop(self.medium.remove(&draft));
        }
        written?;
        self.flush(directory)
    }

    /// Replaces the file at `path` by one record and its checksum.
    pub fn write_record(&self, path: &Path, record: &[u8]) -> Result<(), CheckpointError> {
        let whole = records::sealed(record).ok_or_else(|| too_long(path, record))?;
        self.write(path, &whole)
    }

    /// Replaces the file at `path` by these records.
    pub fn write_records(
        &self,
        path: &Path,
        all: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Result<(), CheckpointError> {
        let mut bytes = Vec::new();
        for record in all {
            let record = record.as_ref();
            bytes.extend(records::framed(record).ok_or_else(|| too_long(path, record))?);
        }
        self.write(path, &bytes)
    }

    /// Adds a record and its checksum to a log, which is made if there is none. If that fails the
    /// log is cut back to what it was, at the latest before the next record.
    pub fn append(&mut self, path: &Path, record: &[u8]) -> Result<(), CheckpointError> {
        let bytes = records::logged(record).ok_or_else(|| too_long(path, record))?;
        if let Some(end) = self.uncut.get(path) {
            self.medium.cut(path, *end).map_err(failed("cut back", path))?;
            self.uncut.remove(path);
        }
        let directory = parent(path);
        let end = match std::fs::metadata(path) {
            Ok(about) => Some(about.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed("look at", path)(error)),
        };
        if end.is_none() {
            self.make_directories(directory)?;
        }
        let mut written = self
            .medium
            .append(path, &bytes)
            .map_err(failed("append to", path))
            .and_then(|()| self.flush(path));
        if end.is_none() {
            written = written.and_then(|()| self.flush(directory));
        }
        let end = end.unwrap_or(0);
        if written.is_err() && self.medium.cut(path, end).is_err() {
            self.uncut.insert(path.to_owned(), end);
        }
        written
    }

    /// Makes a directory and its parents, so that they survive a crash too.
    pub fn make_directories(&self, path: &Path) -> Result<(), CheckpointError> {
        if path.as_os_str().is_empty() || path.is_dir() {
            return Ok(());
        }
        let parent = parent(path);
        self.make_directories(parent)?;
        match self.medium.make_directory(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            Err(error) => Err(failed("create directory", path)(error)),
            Ok(()) => self.flush(parent),
        }
    }

    /// Points the symbolic link at `path` to `target`, whether or not there was one.
    pub fn link(&self, path: &Path, target: &Path) -> Result<(), CheckpointError> {
        let directory = parent(path);
        self.make_directories(directory)?;
        let draft = draft(path);
        // Of an earlier writer that died just here.
        drop(self.medium.remove(&draft));
        self.medium.link(&draft, target).map_err(failed("link", &draft))?;
        self.rename(&draft, path)?;
        self.flush(directory)
    }

    /// Removes a file or a link, if it is there.
    pub fn remove(&self, path: &Path) -> Result<(), CheckpointError> {
        match self.medium.remove(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other.map_err(failed("remove", path))?,
        }
        self.flush(parent(path))
    }

    /// Moves whatever is at `path` to `to`, whose directories are made as needed.
    pub fn set_aside(&self, path: &Path, to: &Path) -> Result<(), CheckpointError> {
        self.make_directories(parent(to))?;
        self.rename(path, to)?;
        self.flush(parent(path))?;
        self.flush(parent(to))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), CheckpointError> {
        self.medium.rename(from, to).map_err(failed("replace", to))
    }

    fn flush(&self, path: &Path) -> Result<(), CheckpointError> {
        self.medium.flush(path).map_err(failed("flush", path))
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What a file is before it takes its place.
fn draft(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    parent(path).join(format!(".{name}.draft"))
}

fn too_long(path: &Path, record: &[u8]) -> CheckpointError {
    CheckpointError::TooLong { path: path.to_owned(), length: record.len() }
}

#[cfg(test)]
mod tests;
