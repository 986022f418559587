//! Records in a file of redb.
//!
//! **Nothing damaged is believed.** The store seals its pages, and looks at the seals only when it is
//! told to: we do at each opening, of a copy in memory first ([`look`]), because the store would mend
//! the file as it sees fit. Each record has a seal of its own ([`seal`]) from before the store gets
//! it until it is read, so that a damaged file can still tell which records are whole ([`salvage`]).
//! ZooKeeper needs no such seals: its servers check their logs, snapshots and each other, and a znode
//! holds the record and nothing else, for whatever tool reads it.

mod look;
mod salvage;
mod seal;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};

use crate::{Error, Write};

pub use salvage::Salvage;
pub(crate) use salvage::{replace, salvage};

/// The format of the file; goes up when old versions could not read it any more.
const FORMAT: u32 = 2;

const META: TableDefinition<&str, u32> = TableDefinition::new("meta");

/// Keys are bytes, because the store panics at a damaged one that is no text.
const RECORDS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("records");

/// Opens the file, or makes it with its folder.
pub(crate) fn open(path: &Path) -> Result<Database, Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|source| Error::Folder { path: folder.to_path_buf(), source })?;
    }
    guarded(|| open_whole(path)).map_err(|error| damaged(path, error)).and_then(|database| {
        check_format(path, &database)?;
        Ok(database)
    })
}

/// Every record, by key.
pub(crate) fn load(path: &Path, database: &Database) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    match guarded(|| read(database)) {
        Ok(Ok(records)) => Ok(records),
        Ok(Err(key)) => Err(Error::Record { path: path.to_path_buf(), key }),
        Err(error) => Err(damaged(path, error)),
    }
}

/// Carries out all the writes, in order, or none of them.
pub(crate) fn apply(
    database: &Database,
    writes: impl IntoIterator<Item = Write>,
) -> Result<(), Error> {
    guarded(|| commit(database, writes)).map_err(|error| Error::Write { why: error.to_string() })
}

fn damaged(path: &Path, error: redb::Error) -> Error {
    let path = path.to_path_buf();
    match error {
        redb::Error::DatabaseAlreadyOpen => Error::InUse { path },
        error => Error::Damaged { path, why: error.to_string() },
    }
}

/// The store asserts what a damaged file does not keep.
fn guarded<T>(call: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, redb::Error> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(redb::Error::Corrupted(text.unwrap_or("it makes no sense").to_owned()))
    })
}

/// Opens a file that is whole.
fn open_whole(path: &Path) -> Result<Database, redb::Error> {
    let empty = std::fs::metadata(path).map_or(true, |file| file.len() == 0);
    let sound = empty || look::at(path)?.check_integrity()?;
    let mut database = Database::create(path)?;
    if !sound {
        // The records are, as the look has shown; what is not is which pages are free.
        tracing::warn!("the registry {} is mended: a wrong list of free pages", path.display());
        database.check_integrity()?;
    }
    Ok(database)
}

/// Reads the format of a file, or marks a new one with ours.
fn check_format(path: &Path, database: &Database) -> Result<(), Error> {
    match guarded(|| format(database)).map_err(|error| damaged(path, error))? {
        Some(found) if found > FORMAT => {
            Err(Error::Format { place: path.display().to_string(), found, known: FORMAT })
        }
        Some(FORMAT) => Ok(()),
        Some(found) => Err(Error::Old { path: path.to_path_buf(), found, known: FORMAT }),
        None => guarded(|| mark(database)).map_err(|error| damaged(path, error)),
    }
}

fn format(database: &Database) -> Result<Option<u32>, redb::Error> {
    match database.begin_read()?.open_table(META) {
        Ok(table) => Ok(table.get("format")?.map(|value| value.value())),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn mark(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(META)?.insert("format", FORMAT)?;
    transaction.open_table(RECORDS)?;
    transaction.commit()?;
    Ok(())
}

/// The records, or the key of one that is not what was written.
fn read(database: &Database) -> Result<Result<BTreeMap<String, Vec<u8>>, String>, redb::Error> {
    let mut records = BTreeMap::new();
    for record in database.begin_read()?.open_table(RECORDS)?.iter()? {
        let (key, sealed) = record?;
        let name = String::from_utf8_lossy(key.value()).into_owned();
        let Some(value) = seal::open(key.value(), sealed.value()) else { return Ok(Err(name)) };
        records.insert(name, value.to_vec());
    }
    Ok(Ok(records))
}

fn commit(database: &Database, writes: impl IntoIterator<Item = Write>) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(RECORDS)?;
        for write in writes {
            match write {
                Write::Put(key, value) => {
                    let mut place =
                        table.insert_reserve(key.as_bytes(), seal::sealed_len(&value))?;
                    seal::close(key.as_bytes(), &value, place.as_mut());
                }
                Write::Delete(key) => {
                    table.remove(key.as_bytes())?;
                }
            }
        }
    }
    transaction.commit()?;
    Ok(())
}
