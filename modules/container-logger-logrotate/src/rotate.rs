//! A file that takes a stream and begins anew when it is long enough.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How much is read at once; no file is longer than its limit and this.
const CHUNK: usize = 64 * 1024;

/// A file and the older ones beside it: `stdout`, `stdout.1`, `stdout.2`…
#[derive(Debug)]
pub struct Rotated {
    path: PathBuf,
    limit: u64,
    kept: u32,
    /// The newest file and how long it is; none if it could not be opened.
    open: Option<(File, u64)>,
}

impl Rotated {
    /// A file at `path` that becomes `limit` bytes long; `kept` older ones stay beside it. What is
    /// there already is continued.
    pub fn new(path: impl Into<PathBuf>, limit: u64, kept: u32) -> Self {
        Self { path: path.into(), limit, kept, open: None }
    }

    /// Writes all of `input`. What cannot be written is lost, and `tell` hears of it once for each
    /// row of failures: whoever writes to the other end must not wait because of us.
    ///
    /// # Errors
    ///
    /// If the input cannot be read.
    pub fn take(&mut self, mut input: impl Read, tell: impl Fn(&io::Error)) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK.min(usize::try_from(self.limit).unwrap_or(CHUNK))];
        let mut failing = false;
        loop {
            let read = match input.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let written = self.write(&chunk[..read]);
            if let Err(error) = &written
                && !failing
            {
                tell(error);
            }
            failing = written.is_err();
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (file, length) = match self.open.take() {
            Some((file, length)) if length == 0 || length + bytes.len() as u64 <= self.limit => {
                (file, length)
            }
            Some((_, _)) => {
                self.rotate()?;
                open(&self.path)?
            }
            None => open(&self.path)?,
        };
        let (file, length) = self.open.insert((file, length));
        file.write_all(bytes)?;
        *length += bytes.len() as u64;
        Ok(())
    }

    /// Makes every file one older. The oldest is overwritten.
    fn rotate(&self) -> io::Result<()> {
        if self.kept == 0 {
            return std::fs::remove_file(&self.path);
        }
        for age in (1..self.kept).rev() {
            rename(&self.older(age), &self.older(age + 1))?;
        }
        rename(&self.path, &self.older(1))
    }

    fn older(&self, age: u32) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(format!(".{age}"));
        name.into()
    }
}

/// Opens the file, which may be there, and tells how long it is. Not through a link: a task may
/// have put one there.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o644)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

/// Renames what may not be there.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
