//! Where records are kept.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use redb::Database;

use crate::zookeeper::Ensemble;
use crate::{Error, Salvage, file};

/// One change of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// The record has this value from now on.
    Put(String, Vec<u8>),
    /// The record is gone.
    Delete(String),
}

/// Records by key.
pub enum Store {
    /// In a file; survives the process and the machine.
    File(PathBuf, Box<Database>),
    /// In ZooKeeper; survives the loss of a minority of its servers.
    ZooKeeper(Box<Ensemble>),
    /// In memory; ends with the process.
    Memory(BTreeMap<String, Vec<u8>>),
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Store::File(path, _) => f.debug_tuple("File").field(path).finish(),
            Store::ZooKeeper(ensemble) => f.debug_tuple("ZooKeeper").field(ensemble).finish(),
            Store::Memory(records) => f.debug_tuple("Memory").field(&records.len()).finish(),
        }
    }
}

impl Store {
    /// An empty store in memory.
    pub fn memory() -> Store {
        Store::Memory(BTreeMap::new())
    }

    /// Opens the file, or makes it with its folder.
    ///
    /// # Errors
    ///
    /// If it is in use, damaged, of another format, or the file system refuses.
    pub fn open(path: &Path) -> Result<Store, Error> {
        Ok(Store::File(path.to_path_buf(), Box::new(file::open(path)?)))
    }

    /// What is whole of a damaged file, which stays as it is.
    ///
    /// # Errors
    ///
    /// If it is in use, or nothing can be read.
    pub fn salvage(path: &Path) -> Result<Salvage, Error> {
        file::salvage(path)
    }

    /// Puts a file with what is whole in the place of the damaged one. Gives the name which that has
    /// from now on.
    ///
    /// # Errors
    ///
    /// If the file system refuses; then the damaged file is still in its place.
    pub fn replace(path: &Path, salvage: &Salvage) -> Result<PathBuf, Error> {
        file::replace(path, salvage)
    }

    /// Every record, by key.
    ///
    /// # Errors
    ///
    /// If the file or a record in it is damaged, or ZooKeeper can't be read.
    pub fn load(&mut self) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        match self {
            Store::Memory(records) => Ok(records.clone()),
            Store::File(path, database) => file::load(path, database),
            Store::ZooKeeper(ensemble) => ensemble.load(),
        }
    }

    /// Carries out all the writes, in order, or none of them; durable when it returns.
    ///
    /// # Errors
    ///
    /// If the file system or ZooKeeper refuses.
    pub fn apply(&mut self, writes: impl IntoIterator<Item = Write>) -> Result<(), Error> {
        self.apply_group(vec![writes.into_iter().collect()])
    }

    /// Carries out several lists of writes, in order and as few transactions as possible; no list
    /// is half done. Durable when it returns.
    ///
    /// # Errors
    ///
    /// As for [`Store::apply`]. The first lists may have been carried out.
    pub fn apply_group(&mut self, lists: Vec<Vec<Write>>) -> Result<(), Error> {
        match self {
            Store::Memory(records) => {
                for write in lists.into_iter().flatten() {
                    match write {
                        Write::Put(key, value) => records.insert(key, value),
                        Write::Delete(key) => records.remove(&key),
                    };
                }
                Ok(())
            }
            Store::File(_, database) => file::apply(database, lists.into_iter().flatten()),
            Store::ZooKeeper(ensemble) => ensemble.apply(lists),
        }
    }
}
