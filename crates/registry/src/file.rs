//! Records in a file of redb.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition, TableError};

use crate::{Error, Write};

/// The format of the file; goes up when old versions could not read it any more.
const FORMAT: u32 = 1;

const META: TableDefinition<&str, u32> = TableDefinition::new("meta");
const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("records");

/// Opens the file, or makes it with its folder.
pub(crate) fn open(path: &Path) -> Result<Database, Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|source| Error::Folder { path: folder.to_path_buf(), source })?;
    }
    let database = Database::create(path).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => Error::InUse { path: path.to_path_buf() },
        error => damaged(path, error),
    })?;
    check_format(path, &database)?;
    Ok(database)
}

/// Every record, by key.
pub(crate) fn load(path: &Path, database: &Database) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    read(database).map_err(|error| damaged(path, error))
}

/// Carries out all the writes, in order, or none of them.
pub(crate) fn apply(
    database: &Database,
    writes: impl IntoIterator<Item = Write>,
) -> Result<(), Error> {
    commit(database, writes).map_err(|error| Error::Write { why: error.to_string() })
}

fn damaged(path: &Path, error: impl fmt::Display) -> Error {
    Error::Damaged { path: path.to_path_buf(), why: error.to_string() }
}

/// Reads the format of a file, or marks a new one with ours.
fn check_format(path: &Path, database: &Database) -> Result<(), Error> {
    match format(database).map_err(|error| damaged(path, error))? {
        Some(found) if found > FORMAT => {
            Err(Error::Format { place: path.display().to_string(), found, known: FORMAT })
        }
        Some(_) => Ok(()),
        None => mark(database).map_err(|error| damaged(path, error)),
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

fn read(database: &Database) -> Result<BTreeMap<String, Vec<u8>>, redb::Error> {
    let mut records = BTreeMap::new();
    for record in database.begin_read()?.open_table(RECORDS)?.iter()? {
        let (key, value) = record?;
        records.insert(key.value().to_owned(), value.value().to_vec());
    }
    Ok(records)
}

fn commit(database: &Database, writes: impl IntoIterator<Item = Write>) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(RECORDS)?;
        for write in writes {
            match write {
                Write::Put(key, value) => {
                    table.insert(key.as_str(), value.as_slice())?;
                }
                Write::Delete(key) => {
                    table.remove(key.as_str())?;
                }
            }
        }
    }
    transaction.commit()?;
    Ok(())
}
