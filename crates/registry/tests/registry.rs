//! What a master relies on: what was committed is there after a restart, and nothing else.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::mpsc::channel;

use proptest::prelude::*;
use reeve_registry::{Error, Registry, Store, Write};

fn put(key: &str, value: &[u8]) -> Write {
    Write::Put(key.to_owned(), value.to_vec())
}

#[test]
fn records_survive_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/registry.redb");
    let mut store = Store::open(&path).unwrap();
    store.apply([put("agents/a", b"1"), put("agents/b", b"2")]).unwrap();
    store.apply([Write::Delete("agents/a".to_owned()), put("agents/b", b"3")]).unwrap();
    drop(store);
    let records = Store::open(&path).unwrap().load().unwrap();
    assert_eq!(records, BTreeMap::from([("agents/b".to_owned(), b"3".to_vec())]));
}

#[test]
fn every_submission_is_answered_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.redb");
    let (done, groups) = channel();
    let store = Store::open(&path).unwrap();
    let registry = Registry::start(store, move |group| done.send(group).unwrap()).unwrap();
    for id in 0..500 {
        registry.submit(id, vec![put(&format!("agents/{id:03}"), b"x")]);
    }
    drop(registry);
    let groups: Vec<_> = groups.into_iter().collect();
    let ids: Vec<u64> = groups.iter().flat_map(|group| group.ids.clone()).collect();
    assert_eq!(ids, (0..500).collect::<Vec<_>>());
    assert!(groups.iter().all(|group| group.result.is_ok()));
    assert!(groups.len() < 500, "writes that wait go together");
    assert_eq!(Store::open(&path).unwrap().load().unwrap().len(), 500);
}

#[test]
fn a_file_in_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.redb");
    let _held = Store::open(&path).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    assert!(error.to_string().contains("is another master running"), "{error}");
}

#[test]
fn a_damaged_file_is_an_error_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.redb");
    std::fs::write(&path, b"this is not a registry, it is a text that is long enough").unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");

    std::fs::remove_file(&path).unwrap();
    let mut store = Store::open(&path).unwrap();
    store.apply((0..100).map(|id| put(&format!("agents/{id}"), &[7; 300]))).unwrap();
    drop(store);
    let whole = std::fs::read(&path).unwrap();
    for cut in [1, 64, 512, 4096, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let outcome = Store::open(&path).and_then(|mut store| store.load());
        assert!(matches!(outcome, Err(Error::Damaged { .. })), "cut at {cut}: {outcome:?}");
    }
}

#[test]
fn another_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.redb");
    drop(Store::open(&path).unwrap());
    let reformat = |number| {
        let database = redb::Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        let meta = redb::TableDefinition::<&str, u32>::new("meta");
        transaction.open_table(meta).unwrap().insert("format", number).unwrap();
        transaction.commit().unwrap();
    };
    reformat(99);
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, Error::Format { found: 99, known: 2, .. }), "{error}");
    // Before records were sealed.
    reformat(1);
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, Error::Old { found: 1, known: 2, .. }), "{error}");
}

fn writes() -> impl Strategy<Value = Vec<Vec<Write>>> {
    let key = || (0u8..6).prop_map(|key| format!("k/{key}"));
    let write = prop_oneof![
        (key(), proptest::collection::vec(any::<u8>(), 0..9)).prop_map(|(k, v)| Write::Put(k, v)),
        key().prop_map(Write::Delete),
    ];
    proptest::collection::vec(proptest::collection::vec(write, 0..5), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn file_and_memory_agree(batches in writes()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registry.redb");
        let (mut file, mut memory) = (Store::open(&path).unwrap(), Store::memory());
        for batch in batches {
            file.apply(batch.clone()).unwrap();
            memory.apply(batch).unwrap();
        }
        drop(file);
        prop_assert_eq!(Store::open(&path).unwrap().load().unwrap(), memory.load().unwrap());
    }
}
