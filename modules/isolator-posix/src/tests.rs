use super::*;
use reeve_module_sdk::isolator::{Scalar, Value};

fn container(sandbox: &std::path::Path) -> Container {
    let sandbox = sandbox.to_str().unwrap().into();
    Container { id: "c".into(), sandbox, ..Container::default() }
}

fn disk(megabytes: i64) -> Grants {
    let requests = vec![Scalar { name: "disk".into(), thousandths: megabytes * 1000 }].into();
    Grants { requests, ..Grants::default() }
}

pub(crate) fn count(usage: &Usage, name: &str) -> u64 {
    match usage.get(name) {
        Some(Value::Count(count)) => count,
        other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn a_container_is_known_from_prepare_to_cleanup() {
    let dir = tempfile::tempdir().unwrap();
    let posix = Posix::new(false);
    assert!(posix.usage("c").is_err());
    assert_eq!(posix.prepare(&container(dir.path())), Ok(Fragment::default()));
    posix.isolate("c", std::process::id()).unwrap();
    let usage = posix.usage("c").unwrap();
    assert!(count(&usage, "processes") >= 1 && count(&usage, "disk_used_bytes") > 0);
    assert_eq!(posix.check("c"), Ok(None));
    posix.update("c", &Grants::default()).unwrap();
    posix.cleanup("c").unwrap();
    posix.cleanup("c").unwrap();
    assert!(posix.usage("c").is_err());
}

#[test]
fn a_survivor_is_known_again() {
    let posix = Posix::new(false);
    let survivor = Survivor { id: "c".into(), pid: std::process::id(), sandbox: "/tmp".into() };
    posix.recover(&[survivor]).unwrap();
    assert!(count(&posix.usage("c").unwrap(), "mem_rss_bytes") > 0);
}

#[test]
fn too_much_disk_is_a_broken_limit_only_where_that_is_enforced() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("large"), vec![1; 3 << 20]).unwrap();
    for enforced in [false, true] {
        let posix = Posix::new(enforced);
        posix.prepare(&Container { grants: disk(2), ..container(dir.path()) }).unwrap();
        let broken = posix.check("c").unwrap();
        assert_eq!(broken.is_some(), enforced);
        assert!(broken.is_none_or(|it| it.resource == "disk" && it.message.contains("2097152")));
        posix.update("c", &disk(5)).unwrap();
        assert_eq!(posix.check("c"), Ok(None));
    }
}
