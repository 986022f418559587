//! What a master relies on: a damaged file gives the very records that were written, or an error.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use reeve_registry::{Error, Store, Write};
use tempfile::TempDir;

type Records = BTreeMap<String, Vec<u8>>;

fn records() -> Records {
    (0..20u8).map(|id| (format!("agents/{id}"), vec![id; 20])).collect()
}

/// A small registry that was written in a few transactions, and closed.
fn written(path: &Path) -> Vec<u8> {
    let mut store = Store::open(path).unwrap();
    store.apply([Write::Put("agents/0".to_owned(), b"older".to_vec())]).unwrap();
    store.apply([Write::Put("agents/gone".to_owned(), b"older".to_vec())]).unwrap();
    drop(store);
    let mut store = Store::open(path).unwrap();
    let all = records().into_iter().map(|(key, value)| Write::Put(key, value));
    store.apply(all.chain([Write::Delete("agents/gone".to_owned())])).unwrap();
    drop(store);
    std::fs::read(path).unwrap()
}

/// What a master makes of it.
fn read(path: &Path) -> Result<Records, Error> {
    Store::open(path).and_then(|mut store| store.load())
}

/// Either what was written, or an error that names the file.
fn believed(path: &Path) -> Result<bool, String> {
    match read(path) {
        Ok(found) if found == records() => Ok(true),
        Ok(found) => Err(format!("other records: {:?}", found.keys())),
        Err(error @ (Error::Damaged { .. } | Error::Record { .. })) => {
            let text = error.to_string();
            let named = text.contains(&path.display().to_string()) && text.contains("fsck");
            if named { Ok(false) } else { Err(text) }
        }
        Err(error) => Err(format!("another error: {error}")),
    }
}

/// In memory where there is such a folder: the store syncs, hundreds of times.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// What is worth flipping: the header, a part of the bytes that say something (`FLIPS` of them), and a
/// few of the others.
fn telling(whole: &[u8]) -> Vec<usize> {
    let said: Vec<usize> = (320..whole.len()).filter(|at| whole[*at] != 0).collect();
    let all: usize = std::env::var("FLIPS").map_or(700, |count| count.parse().unwrap());
    let step = said.len().div_ceil(all).max(1);
    let silent = (320..whole.len()).step_by(65_537);
    (0..320).chain(said.into_iter().step_by(step)).chain(silent).collect()
}

#[test]
fn no_flipped_bit_is_believed() {
    let folder = folder();
    let path = folder.path().join("registry.redb");
    let whole = written(&path);
    let (mut refused, mut wrong) = (0, Vec::new());
    let places = telling(&whole);
    for at in &places {
        let mut bytes = whole.clone();
        bytes[*at] ^= 1 << (at % 8);
        std::fs::write(&path, &bytes).unwrap();
        match believed(&path) {
            Ok(believed) => refused += usize::from(!believed),
            Err(why) => wrong.push(format!("byte {at}: {why}")),
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(9)]);
    // The rest hit pages that are free.
    assert!(refused > places.len() / 10, "{refused} of {}", places.len());
}

#[test]
fn what_is_whole_is_told_and_the_file_stays_as_it_is() {
    let folder = folder();
    let path = folder.path().join("registry.redb");
    let mut whole = written(&path);
    for at in 0..whole.len() - 20 {
        // The record, wherever a copy of its page may be.
        if whole[at..at + 20] == [7; 20] {
            whole[at + 9] = 0;
        }
    }
    std::fs::write(&path, &whole).unwrap();
    let error = read(&path).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), whole, "looking mends nothing");

    let salvage = Store::salvage(&path).unwrap();
    let mut left = records();
    left.remove("agents/7");
    assert_eq!(salvage.whole, left);
    assert_eq!(salvage.damaged, ["agents/7"]);
    assert_eq!(salvage.lost, 0);
    assert_eq!(std::fs::read(&path).unwrap(), whole);

    let aside = Store::replace(&path, &salvage).unwrap();
    assert_eq!(read(&path).unwrap(), left);
    assert_eq!(std::fs::read(&aside).unwrap(), whole);

    let held = Store::open(&folder.path().join("other.redb")).unwrap();
    let error = Store::salvage(&folder.path().join("other.redb")).unwrap_err();
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    drop(held);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_damage_is_believed(
        runs in proptest::collection::vec((any::<prop::sample::Index>(), 1usize..2000, any::<u8>()), 1..4),
        swapped in any::<bool>(),
    ) {
        let folder = folder();
        let path = folder.path().join("registry.redb");
        let mut bytes = written(&path);
        for (start, length, byte) in runs {
            // Most of what says something stands in the beginning.
            let start = start.index(64 * 1024);
            let end = (start + length).min(bytes.len());
            if swapped {
                let to = (start + 4096).min(bytes.len() - length);
                bytes.copy_within(start..end, to);
            } else {
                bytes[start..end].fill(byte);
            }
        }
        std::fs::write(&path, &bytes).unwrap();
        let outcome = believed(&path);
        prop_assert!(outcome.is_ok(), "{outcome:?}");
        // It may find nothing, but what it finds was written.
        if let Ok(salvage) = Store::salvage(&path) {
            let all = records();
            prop_assert!(salvage.whole.iter().all(|(key, value)| {
                all.get(key) == Some(value) || *value == b"older"
            }), "{:?}", salvage.whole);
        }
    }
}
