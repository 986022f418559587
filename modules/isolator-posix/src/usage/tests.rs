use super::*;
use crate::tests::count;

#[test]
fn the_tree_of_this_process_uses_something() {
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let usage = of_tree(std::process::id());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(count(&usage, "processes") >= 2);
    assert!(count(&usage, "threads") >= 2);
    assert!(count(&usage, "mem_rss_bytes") > 100_000);
    assert!(usage.get("cpus_user_time_secs").is_some());
}

#[test]
fn a_process_that_is_gone_uses_nothing() {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let pid = child.id();
    child.wait().unwrap();
    assert_eq!(count(&of_tree(pid), "processes"), 0);
}

#[test]
fn disk_is_counted_once_and_within_the_sandbox() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = dir.path().join("sandbox");
    std::fs::create_dir_all(sandbox.join("a/b")).unwrap();
    std::fs::write(dir.path().join("outside"), vec![1; 1 << 20]).unwrap();
    std::os::unix::fs::symlink(dir.path(), sandbox.join("a/up")).unwrap();
    let empty = of_disk(&sandbox).unwrap();
    assert!(empty < 1 << 20);
    std::fs::write(sandbox.join("a/b/file"), vec![1; 1 << 20]).unwrap();
    std::fs::hard_link(sandbox.join("a/b/file"), sandbox.join("again")).unwrap();
    let full = of_disk(&sandbox).unwrap();
    assert!((1 << 20..2 << 20).contains(&(full - empty)), "{empty} {full}");
    assert_eq!(of_disk(&dir.path().join("absent")), None);
}
