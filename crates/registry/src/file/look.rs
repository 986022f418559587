//! A look at a file that leaves it as it is: what the store writes stays in memory.
//!
//! The store mends what it opens, and may take a damaged file back to an older transaction. So a file
//! is opened in this way first, and in earnest once it is known to be whole.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::ops::{Bound, Range};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::backends::FileBackend;
use redb::{BackendError, Database, DatabaseError, StorageBackend};

/// What is kept of changes, in one piece.
const PAGE: usize = 4096;

/// How much of the file is kept in memory, in bytes; it is read from one end to the other.
const CACHE: usize = 16 << 20;

/// The file as it is, locked while somebody looks.
///
/// # Errors
///
/// As of [`Database::open`].
pub(super) fn at(path: &Path) -> Result<Database, DatabaseError> {
    let file = FileBackend::new(OpenOptions::new().read(true).write(true).open(path)?)?;
    let changes = Changes { len: file.len()?, below: file.len()?, pages: BTreeMap::new() };
    let look = Look { file, changes: Mutex::new(changes) };
    Database::builder().set_cache_size(CACHE).create_with_backend(look)
}

#[derive(Debug)]
struct Look {
    file: FileBackend,
    changes: Mutex<Changes>,
}

/// How the file would be now.
#[derive(Debug)]
struct Changes {
    /// How long.
    len: u64,
    /// Up to here the file itself counts where no page says otherwise.
    below: u64,
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
}

impl Look {
    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is in the file itself, with zeros behind its end.
    fn read_file(&self, below: u64, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = below.saturating_sub(offset).min(out.len() as u64) as usize;
        let (inside, beyond) = out.split_at_mut(there);
        beyond.fill(0);
        if inside.is_empty() { Ok(()) } else { self.file.read(offset, inside) }
    }
}

impl StorageBackend for Look {
    fn len(&self) -> io::Result<u64> {
        Ok(self.changes().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let changes = self.changes();
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > changes.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read_file(changes.below, offset, out)?;
        for (page, within, part) in parts(offset, out.len()) {
            if let Some(content) = changes.pages.get(&page) {
                out[part].copy_from_slice(&content[within]);
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut changes = self.changes();
        changes.len = len;
        changes.below = changes.below.min(len);
        // The store's pages are as large as ours, so none reaches over the end.
        changes.pages.split_off(&len.div_ceil(PAGE as u64));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut changes = self.changes();
        for (page, within, part) in parts(offset, data.len()) {
            if !changes.pages.contains_key(&page) {
                let mut content = Box::new([0; PAGE]);
                self.read_file(changes.below, page * PAGE as u64, content.as_mut_slice())?;
                changes.pages.insert(page, content);
            }
            if let Some(content) = changes.pages.get_mut(&page) {
                content[within].copy_from_slice(&data[part]);
            }
        }
        changes.len = changes.len.max(offset + data.len() as u64);
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }
}

/// Cuts a range of the file at pages: the page, what of it, and where that is in the range.
fn parts(offset: u64, len: usize) -> impl Iterator<Item = (u64, Range<usize>, Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let within = (at % PAGE as u64) as usize;
        let count = (PAGE - within).min(len - done);
        let part = (at / PAGE as u64, within..within + count, done..done + count);
        done += count;
        (count > 0).then_some(part)
    })
}
