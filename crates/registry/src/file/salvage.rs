//! What is whole of a damaged file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use redb::{AccessGuard, Database, ReadableDatabase, ReadableTable, ReadableTableMetadata};

use super::{RECORDS, apply, damaged, guarded, look, open, seal};
use crate::{Error, Write};

/// What is left of the records of a damaged file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Salvage {
    /// Those that are as they were written.
    pub whole: BTreeMap<String, Vec<u8>>,
    /// The keys of those that are not.
    pub damaged: Vec<String>,
    /// How many more there were, which can't be found any more.
    pub lost: u64,
}

/// Reads what can be read, and leaves the file as it is.
///
/// # Errors
///
/// If nothing can be read.
pub(crate) fn salvage(path: &Path) -> Result<Salvage, Error> {
    guarded(|| collect(&look::at(path)?)).map_err(|error| damaged(path, error))
}

/// Puts a file with these records in the place of the damaged one, which gets another name. There is a
/// registry at each moment.
///
/// # Errors
///
/// If the file system refuses.
pub(crate) fn replace(path: &Path, salvage: &Salvage) -> Result<PathBuf, Error> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let named = |what| path.with_file_name(format!("registry-{what}-{seconds}.redb"));
    let (new, aside) = (named("whole"), named("damaged"));
    let records = salvage.whole.iter().map(|(key, value)| Write::Put(key.clone(), value.clone()));
    apply(&open(&new)?, records)?;
    std::fs::hard_link(path, &aside)
        .and_then(|()| std::fs::rename(&new, path))
        .map_err(|error| Error::Write { why: error.to_string() })?;
    Ok(aside)
}

fn collect(database: &Database) -> Result<Salvage, redb::Error> {
    let table = database.begin_read()?.open_table(RECORDS)?;
    let (mut found, mut salvage) = (0, Salvage::default());
    // A page that can't be read ends the walk, so one begins at either end.
    for backwards in [false, true] {
        let walk = || {
            let mut records = table.iter()?;
            while let Some(record) = if backwards { records.next_back() } else { records.next() } {
                let (key, sealed) = record?;
                found += u64::from(salvage.sort(&key, &sealed));
            }
            Ok(())
        };
        match guarded(walk) {
            Ok(()) => break,
            Err(error) => tracing::debug!("a part of the registry can't be read: {error}"),
        }
    }
    salvage.lost = table.len()?.saturating_sub(found);
    Ok(salvage)
}

impl Salvage {
    /// Puts a record where it belongs; `false` if it was there already.
    fn sort(&mut self, key: &AccessGuard<'_, &[u8]>, sealed: &AccessGuard<'_, &[u8]>) -> bool {
        let (key, sealed) = (key.value(), sealed.value());
        let name = String::from_utf8_lossy(key).into_owned();
        match seal::open(key, sealed) {
            Some(value) => self.whole.insert(name, value.to_vec()).is_none(),
            None if self.damaged.contains(&name) => false,
            None => {
                self.damaged.push(name);
                true
            }
        }
    }
}
