//! A medium that keeps a journal of what is asked of it, can be stopped anywhere, and knows what of
//! it a disk would still have after the power failed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use reeve_agent_runtime::checkpoint::medium::{FileSystem, Medium};

/// One thing that was asked for.
#[derive(Clone, Debug)]
enum Entry {
    MakeDirectory(PathBuf),
    Write(PathBuf, Vec<u8>),
    Append(PathBuf, Vec<u8>),
    Cut(PathBuf, u64),
    Flush(PathBuf),
    Rename(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
    Remove(PathBuf),
}

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The process is killed before it does something.
    Killed,
    /// It is killed while it writes: half of the bytes are there.
    Torn,
    /// The power fails: what was not flushed is gone, or zeros.
    Power,
}

/// The medium. A clone is another handle on the same.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    entries: Vec<Entry>,
    /// Before which entry it stops.
    stop: Option<(usize, Crash)>,
    stopped: bool,
}

impl Journal {
    pub fn new(stop: Option<(usize, Crash)>) -> Self {
        Self(Arc::new(Mutex::new(Inner { entries: Vec::new(), stop, stopped: false })))
    }

    pub fn len(&self) -> usize {
        self.0.lock().unwrap().entries.len()
    }

    /// As if nobody had ever asked for a flush.
    pub fn forget_flushes(&self) {
        let mut inner = self.0.lock().unwrap();
        inner.entries.retain(|entry| !matches!(entry, Entry::Flush(_)));
    }

    pub fn stopped(&self) -> bool {
        self.0.lock().unwrap().stopped
    }

    fn ask(&self, entry: Entry) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap();
        let dead = || io::Error::other("the agent is dead");
        if inner.stopped {
            return Err(dead());
        }
        if let Some((at, crash)) = inner.stop
            && at == inner.entries.len()
        {
            inner.stopped = true;
            if crash == Crash::Torn {
                drop(half(&entry));
            }
            return Err(dead());
        }
        carry_out(&entry)?;
        inner.entries.push(entry);
        Ok(())
    }

    /// What a disk has if the power fails now: `from` is where all this was asked for, and `to` an
    /// empty directory.
    pub fn survives(&self, from: &Path, to: &Path) {
        let entries = self.0.lock().unwrap().entries.clone();
        let flushed = |after: usize, path: &Path| {
            let later = entries.get(after + 1..).unwrap_or_default();
            later.iter().any(|entry| matches!(entry, Entry::Flush(what) if what == path))
        };
        let listed = |at: usize, path: &Path| flushed(at, path.parent().unwrap());
        let moved = |path: &Path| to.join(path.strip_prefix(from).unwrap());
        let zeros = |bytes: &[u8]| vec![0; bytes.len()];
        for (at, entry) in entries.iter().enumerate() {
            let kept = match entry {
                Entry::MakeDirectory(path) if listed(at, path) => Entry::MakeDirectory(moved(path)),
                // It is a draft: nobody looks for it before it is renamed.
                Entry::Write(path, bytes) => {
                    let bytes = if flushed(at, path) { bytes.clone() } else { zeros(bytes) };
                    Entry::Write(moved(path), bytes)
                }
                Entry::Append(path, bytes) if moved(path).exists() || listed(at, path) => {
                    let bytes = if flushed(at, path) { bytes.clone() } else { zeros(bytes) };
                    Entry::Append(moved(path), bytes)
                }
                Entry::Cut(path, length) => Entry::Cut(moved(path), *length),
                Entry::Rename(old, new) if listed(at, new) => Entry::Rename(moved(old), moved(new)),
                Entry::Link(path, target) => Entry::Link(moved(path), target.clone()),
                Entry::Remove(path) if listed(at, path) => Entry::Remove(moved(path)),
                _ => continue,
            };
            // What was to be in a directory that is not there is not there either.
            drop(carry_out(&kept));
        }
    }
}

fn carry_out(entry: &Entry) -> io::Result<()> {
    match entry {
        Entry::MakeDirectory(path) => FileSystem.make_directory(path),
        Entry::Write(path, bytes) => FileSystem.write(path, bytes),
        Entry::Append(path, bytes) => FileSystem.append(path, bytes),
        Entry::Cut(path, length) => FileSystem.cut(path, *length),
        // What matters of it is its place in the journal.
        Entry::Flush(path) => path.symlink_metadata().map(drop),
        Entry::Rename(from, to) => FileSystem.rename(from, to),
        Entry::Link(path, target) => FileSystem.link(path, target),
        Entry::Remove(path) => FileSystem.remove(path),
    }
}

fn half(entry: &Entry) -> io::Result<()> {
    match entry {
        Entry::Write(path, bytes) => FileSystem.write(path, &bytes[..bytes.len() / 2]),
        Entry::Append(path, bytes) => FileSystem.append(path, &bytes[..bytes.len() / 2]),
        _ => Ok(()),
    }
}

impl Medium for Journal {
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        self.ask(Entry::MakeDirectory(path.to_owned()))
    }
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.ask(Entry::Write(path.to_owned(), bytes.to_owned()))
    }
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.ask(Entry::Append(path.to_owned(), bytes.to_owned()))
    }
    fn cut(&self, path: &Path, length: u64) -> io::Result<()> {
        self.ask(Entry::Cut(path.to_owned(), length))
    }
    fn flush(&self, path: &Path) -> io::Result<()> {
        self.ask(Entry::Flush(path.to_owned()))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask(Entry::Rename(from.to_owned(), to.to_owned()))
    }
    fn link(&self, path: &Path, target: &Path) -> io::Result<()> {
        self.ask(Entry::Link(path.to_owned(), target.to_owned()))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.ask(Entry::Remove(path.to_owned()))
    }
}
