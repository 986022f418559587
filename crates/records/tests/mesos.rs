//! What an operator relies on who leaves Apache Mesos: everything that its master knew is there, and
//! what is not is named.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prost::Message;
use reeve_records::mesos::{self, Import, convert};
use reeve_records::{Kind, check, lacking};
use reeve_wire::internal::Registry;
use reeve_wire::internal::registry::{MinimumCapability, Quota, Slave, Slaves};
use reeve_wire::json::{self, Words};
use reeve_wire::{SlaveInfo, v1};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mesos-1.11").join(name)
}

fn from_json(name: &str) -> Registry {
    mesos::from_json(&std::fs::read(sample(name).join("registry.json")).unwrap()).unwrap()
}

fn counts(import: &Import) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for key in import.records.keys() {
        *counts.entry(Kind::of(key).unwrap().0.name()).or_default() += 1;
    }
    counts
}

#[test]
fn a_replicated_log_says_what_its_master_said() {
    for name in ["live", "reopened"] {
        let found = mesos::from_log(&sample(name)).unwrap();
        let (said, kept) = (from_json(name), found.registry);
        assert_eq!(
            json::to_value_in(Words::V0, &kept),
            json::to_value_in(Words::V0, &said),
            "{name}"
        );
        assert!(found.doubts.is_empty(), "{name}: {:?}", found.doubts);
    }
}

#[test]
fn everything_a_real_master_kept_becomes_records() {
    let import = convert(from_json("live"));
    let expected = [
        ("agents", 3),
        ("capabilities", 2),
        ("drain", 1),
        ("gone", 1),
        ("machines", 2),
        ("maintenance", 1),
        ("quota", 1),
        ("unreachable", 1),
        ("weights", 2),
    ];
    assert_eq!(counts(&import), BTreeMap::from(expected));
    assert_eq!(import.left_out.len(), 1, "{:?}", import.left_out);
    assert!(import.left_out[0].starts_with("who led last (master@127.0.0.1:16050)"));
    assert!(import.records.contains_key("weights/ops/web"));
    assert!(import.records.contains_key("machines/host-0.example|127.0.0.1"));
    assert_eq!(check(&import.records), []);
    assert!(lacking(&import.records).is_empty());
}

#[test]
fn the_encoded_message_is_read_too() {
    let registry = from_json("live");
    assert_eq!(mesos::from_bytes(&registry.encode_to_vec()).unwrap(), registry);
    assert!(mesos::from_bytes(b"{\"no\": \"registry\"}").is_err());
    assert!(mesos::from_json(b"{\"frameworks\": []}").is_err());
}

#[test]
fn what_breaks_a_rule_is_left_out_and_named() {
    let slave = |id: Option<&str>| {
        let id = id.map(|id| v1::AgentId { value: id.to_owned() });
        Slave {
            info: SlaveInfo { hostname: "h".to_owned(), id, ..SlaveInfo::default() },
            ..Slave::default()
        }
    };
    let mut bad = slave(Some("a"));
    bad.info.port = Some(-1);
    let import = convert(Registry {
        slaves: Some(Slaves { slaves: vec![slave(None), bad, slave(Some("b"))] }),
        minimum_capabilities: vec![MinimumCapability { capability: "FLYING".to_owned() }],
        ..Registry::default()
    });
    assert_eq!(counts(&import), BTreeMap::from([("agents", 1)]));
    let left_out = import.left_out.join("\n");
    for expected in ["an agent on h: it has no id", "agents/a: ", "capability FLYING"] {
        assert!(left_out.contains(expected), "{left_out}");
    }
}

#[test]
fn a_quota_of_old_masters_is_a_limit_too() {
    let scalar = |name: &str, value| v1::Resource {
        name: name.to_owned(),
        scalar: Some(v1::value::Scalar { value }),
        ..v1::Resource::default()
    };
    let info = v1::quota::QuotaInfo {
        role: Some("dev".to_owned()),
        guarantee: vec![scalar("cpus", 2.0), scalar("mem", 64.0)],
        ..v1::quota::QuotaInfo::default()
    };
    let import = convert(Registry { quotas: vec![Quota { info }], ..Registry::default() });
    let quota = Kind::Quota.to_json(&import.records["quota/dev"]).unwrap().unwrap();
    assert_eq!(quota["guarantees"]["cpus"]["value"], 2.0);
    assert_eq!(quota["limits"], quota["guarantees"]);
}

#[test]
fn a_damaged_log_is_an_error_and_never_a_panic() {
    let error = mesos::from_log(&sample("nowhere")).unwrap_err();
    assert!(error.to_string().contains("no work_dir of an Apache Mesos master"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let log = sample("reopened").join("replicated_log");
    let files: Vec<_> = log.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    for damaged in &files {
        for file in &files {
            std::fs::copy(file, folder.path().join(file.file_name().unwrap())).unwrap();
        }
        let copy = folder.path().join(damaged.file_name().unwrap());
        let mut content = std::fs::read(&copy).unwrap();
        for byte in &mut content {
            *byte ^= 0x55;
        }
        std::fs::write(&copy, content).unwrap();
        match mesos::from_log(folder.path()) {
            Ok(found) => {
                assert!(!found.doubts.is_empty(), "{damaged:?} was read as if it were whole")
            }
            Err(error) => {
                assert!(
                    error.to_string().contains("/registrar(1)/registry"),
                    "{damaged:?}: {error}"
                );
            }
        }
    }
}

#[test]
fn one_wrong_bit_in_what_was_written_last_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let log = sample("live").join("replicated_log");
    for file in log.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        let mut content = std::fs::read(&file).unwrap();
        if file.extension().is_some_and(|kind| kind == "log") {
            let at = content.len() - 40;
            content[at] ^= 1;
        }
        std::fs::write(folder.path().join(file.file_name().unwrap()), content).unwrap();
    }
    let error = mesos::from_log(folder.path()).unwrap_err();
    assert!(error.to_string().contains("000004.log: the checksum at byte"), "{error}");
}
