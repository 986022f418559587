//! Durable files: whole ones that are replaced, and streams of records that grow.
//!
//! The formats are those of Mesos (RC-1): plain text, or protobuf records each with a 4-byte
//! length before it in the host's byte order. This module knows bytes only. What a function
//! returns `Ok` for survives a crash of the host.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

/// The longest record taken; a longer one means that the file is not what it should be.
const MAX_RECORD: usize = 256 << 20;

/// A file could not be written or read.
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

/// Replaces the file at `path` (its directories are made as needed): whoever looks, also after a
/// crash, sees the old bytes or the new ones.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    // Two writers must not share a draft.
    static DRAFT: AtomicU64 = AtomicU64::new(0);
    let directory = path.parent().unwrap_or(Path::new("."));
    make_directories(directory)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let number = DRAFT.fetch_add(1, Ordering::Relaxed);
    let draft = directory.join(format!(".{name}.{}.{number}", std::process::id()));
    let written = write_draft(&draft, bytes)
        .and_then(|()| std::fs::rename(&draft, path).map_err(failed("replace", path)));
    if written.is_err() {
        drop(std::fs::remove_file(&draft));
    }
    written?;
    sync_directory(directory)
}

fn write_draft(draft: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    // Descriptions of tasks may hold secrets.
    let mut how = OpenOptions::new();
    let how = how.write(true).create(true).truncate(true).mode(0o600);
    let mut file = how.open(draft).map_err(failed("create", draft))?;
    file.write_all(bytes).map_err(failed("write", draft))?;
    file.sync_all().map_err(failed("flush", draft))
}

/// Replaces the file at `path` by one record.
pub fn write_record(path: &Path, record: &[u8]) -> Result<(), CheckpointError> {
    write(path, &framed(path, record)?)
}

/// Reads the file at `path`; `None` if there is none.
pub fn read(path: &Path) -> Result<Option<Bytes>, CheckpointError> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)) {
        Ok(_) => Ok(Some(bytes.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// Makes a directory and its parents, so that they survive a crash too.
pub fn make_directories(path: &Path) -> Result<(), CheckpointError> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().unwrap_or(Path::new("."));
    make_directories(parent)?;
    match std::fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed("create directory", path)(error)),
        Ok(()) => sync_directory(parent),
    }
}

/// Points the symbolic link at `path` to `target`, whether or not there was one.
pub fn link(path: &Path, target: &Path) -> Result<(), CheckpointError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    make_directories(directory)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = directory.join(format!(".{name}.{}.link", std::process::id()));
    drop(std::fs::remove_file(&draft));
    std::os::unix::fs::symlink(target, &draft).map_err(failed("link", &draft))?;
    std::fs::rename(&draft, path).map_err(failed("replace", path))?;
    sync_directory(directory)
}

fn sync_directory(path: &Path) -> Result<(), CheckpointError> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path).and_then(|directory| directory.sync_all()).map_err(failed("flush", path))
}

fn framed(path: &Path, record: &[u8]) -> Result<Vec<u8>, CheckpointError> {
    let too_long = || CheckpointError::TooLong { path: path.to_owned(), length: record.len() };
    if record.len() > MAX_RECORD {
        return Err(too_long());
    }
    let length = u32::try_from(record.len()).map_err(|_| too_long())?;
    Ok([&length.to_ne_bytes(), record].concat())
}

/// The records of a file, and what follows the last whole one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// The whole records, in order.
    pub records: Vec<Bytes>,
    /// Where the last whole record ends.
    pub whole: u64,
    /// Whether something follows that is no whole record: the writer died while writing it.
    pub torn: bool,
}

/// Cuts bytes into records.
pub fn parse_records(bytes: &Bytes) -> Records {
    let mut found = Records::default();
    let mut at = 0;
    while let Some(record) = record_at(bytes, at) {
        at += 4 + record.len();
        found.records.push(record);
    }
    found.whole = at as u64;
    found.torn = at < bytes.len();
    found
}

fn record_at(bytes: &Bytes, at: usize) -> Option<Bytes> {
    let length: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    let length = usize::try_from(u32::from_ne_bytes(length)).ok()?;
    let begin = at + 4;
    let end =
        begin.checked_add(length).filter(|&end| length <= MAX_RECORD && end <= bytes.len())?;
    Some(bytes.slice(begin..end))
}

/// A file of records that grows.
#[derive(Debug)]
pub struct RecordLog {
    path: PathBuf,
    file: File,
    /// The end of the last record known to be whole.
    end: u64,
}

impl RecordLog {
    /// Opens the file, which is made if there is none, and gives its records. A torn tail is cut
    /// off, and the result says so: what was never acknowledged as written is not there.
    pub fn open(path: &Path) -> Result<(Self, Records), CheckpointError> {
        let directory = path.parent().unwrap_or(Path::new("."));
        make_directories(directory)?;
        let existed = path.exists();
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(failed("open", path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed("read", path))?;
        let found = parse_records(&bytes.into());
        if found.torn {
            file.set_len(found.whole).map_err(failed("cut the torn tail of", path))?;
            file.sync_all().map_err(failed("flush", path))?;
        }
        if !existed {
            sync_directory(directory)?;
        }
        let end = found.whole;
        Ok((Self { path: path.to_owned(), file, end }, found))
    }

    /// Appends records and makes them durable, all with one flush. If that fails the file is cut
    /// back to what it was.
    pub fn append<'a>(
        &mut self,
        records: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), CheckpointError> {
        let mut bytes = Vec::new();
        for record in records {
            bytes.extend(framed(&self.path, record)?);
        }
        let written = self
            .file
            .write_all(&bytes)
            .and_then(|()| self.file.sync_data())
            .map_err(failed("append to", &self.path));
        match written {
            Ok(()) => self.end += bytes.len() as u64,
            Err(_) => drop(self.file.set_len(self.end)),
        }
        written
    }
}

#[cfg(test)]
mod tests;
