use super::*;

fn container(sandbox: PathBuf) -> Container {
    Container { id: "c".to_owned(), sandbox, ..Container::default() }
}

#[test]
fn a_container_is_known_from_prepare_to_cleanup() {
    let dir = tempfile::tempdir().unwrap();
    let posix = Posix::new();
    assert!(posix.usage("c").is_err());
    assert_eq!(posix.prepare(&container(dir.path().into())), Ok(Fragment::default()));
    posix.isolate("c", std::process::id()).unwrap();
    let usage = posix.usage("c").unwrap();
    assert!(usage.processes.unwrap() >= 1 && usage.disk_used_bytes.is_some());
    assert_eq!(posix.check("c"), Ok(None));
    posix.update("c", &BTreeMap::new(), &BTreeMap::new()).unwrap();
    posix.cleanup("c").unwrap();
    posix.cleanup("c").unwrap();
    assert!(posix.usage("c").is_err());
}

#[test]
fn a_survivor_is_known_again() {
    let posix = Posix::new();
    let survivor =
        Survivor { id: "c".to_owned(), pid: std::process::id(), sandbox: PathBuf::from("/tmp") };
    posix.recover(&[survivor]).unwrap();
    assert!(posix.usage("c").unwrap().mem_rss_bytes.unwrap() > 0);
}
