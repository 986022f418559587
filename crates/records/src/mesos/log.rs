//! Mesos's replicated log on disk: a LevelDB with one entry per position of the log.
//!
//! Entries are `Record`s; those of type ACTION that were learned hold what a quorum agreed on. An
//! appended action holds an `Operation` of Mesos's state layer, and the newest snapshot of the
//! variable `registry` is the registry. A master appends the whole of it each time and truncates
//! what was before, so that the newest one is all that counts.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;

use bytes::Bytes;
use reeve_wire::internal::log::record::Type as RecordType;
use reeve_wire::internal::log::{Action, Record};
use reeve_wire::internal::state::Operation;
use reeve_wire::internal::state::operation::Type as OperationType;
use reeve_wire::{WireMessage, decode};
use rusty_leveldb::env::Env;
use rusty_leveldb::{DB, LdbIterator, MemEnv, Options};

use super::{Error, Found, from_bytes, journal};

/// The name of the variable that a master keeps its registry in.
const VARIABLE: &str = "registry";

/// Reads the log in this folder.
pub(super) fn read(folder: &Path) -> Result<Found, Error> {
    let broken = |why| Error::Log { path: folder.to_path_buf(), why };
    let files = files(folder)?;
    let mut torn = Vec::new();
    for (name, content) in files.iter().filter(|(name, _)| name.ends_with(".log")) {
        let whole = journal::check(content).map_err(|why| broken(format!("{name}: {why}")))?;
        if !whole {
            torn.push(format!("the end of {name} is torn: what was written last may be missing"));
        }
    }
    // The library is not made for every damage that a disk can do: a panic ends its thread only.
    let entries = std::thread::spawn(move || entries(&files)).join();
    let entries = entries.unwrap_or_else(|_| Err("its files are damaged".to_owned()));
    let mut found = registry(&entries.map_err(broken)?).map_err(broken)?;
    found.doubts.extend(torn);
    Ok(found)
}

/// The folder's files, so that nothing can be written to the folder.
fn files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let fails = |source| Error::Read { path: folder.to_path_buf(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fails)? {
        let path = entry.map_err(fails)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if !path.is_file() || name == "LOCK" || name.starts_with("LOG") {
            continue;
        }
        // What older versions called `.sst` newer ones call `.ldb`.
        let name = match name.strip_suffix(".sst") {
            Some(number) => format!("{number}.ldb"),
            None => name.to_owned(),
        };
        let content = std::fs::read(&path).map_err(|source| Error::Read { path, source })?;
        files.push((name, content));
    }
    Ok(files)
}

/// The values of all keys.
fn entries(files: &[(String, Vec<u8>)]) -> Result<Vec<Bytes>, String> {
    let (memory, room) = (MemEnv::new(), Path::new("log"));
    for (name, content) in files {
        let mut file = memory.open_writable_file(&room.join(name)).map_err(text)?;
        file.write_all(content).map_err(text)?;
    }
    let options = Options {
        env: Rc::new(Box::new(memory)),
        create_if_missing: false,
        paranoid_checks: true,
        ..Options::default()
    };
    let mut store = DB::open(room, options).map_err(text)?;
    let mut iterator = store.new_iter().map_err(text)?;
    let mut values = Vec::new();
    while let Some((_, value)) = iterator.next() {
        values.push(Bytes::from(value));
    }
    Ok(values)
}

/// The registry that these entries of the log come to.
fn registry(entries: &[Bytes]) -> Result<Found, String> {
    let mut actions = BTreeMap::new();
    for entry in entries {
        let record: Record = parse(entry)?;
        if let (RecordType::Action, Some(action)) = (record.r#type(), record.action) {
            actions.insert(action.position, action);
        }
    }
    let learned = |action: &&Action| action.learned == Some(true);
    let mut newest = None;
    for action in actions.values().filter(learned) {
        let Some(append) = &action.append else { continue };
        match parse::<Operation>(&append.bytes)? {
            operation if operation.r#type() == OperationType::Diff => {
                return Err("it holds differences, which no master writes".to_owned());
            }
            Operation { expunge: Some(expunge), .. } if expunge.name == VARIABLE => newest = None,
            Operation { snapshot: Some(snapshot), .. } if snapshot.entry.name == VARIABLE => {
                newest = Some((action.position, snapshot.entry.value));
            }
            _ => {}
        }
    }
    let (position, value) = newest.ok_or("no master has written a registry to it")?;
    let registry = from_bytes(&value).map_err(|error| error.to_string())?;
    Ok(Found { registry, doubts: doubts(&actions, position) })
}

/// Why a registry at this position may not be the newest.
fn doubts(actions: &BTreeMap<u64, Action>, position: u64) -> Vec<String> {
    let mut doubts = Vec::new();
    let mut expected = position;
    for (at, action) in actions.range(position..) {
        if *at != expected {
            doubts.push(format!("this replica lacks positions {expected} to {}", at - 1));
        }
        if action.learned != Some(true) {
            doubts.push(format!("this replica does not know what became of position {at}"));
        }
        expected = at + 1;
    }
    doubts
}

fn parse<T: WireMessage>(bytes: &Bytes) -> Result<T, String> {
    decode(bytes).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
