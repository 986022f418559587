use super::*;

#[test]
fn a_tree_goes_and_what_its_links_point_to_stays() {
    let dir = tempfile::tempdir().unwrap();
    let outside = dir.path().join("outside");
    std::fs::write(&outside, "precious").unwrap();
    let sandbox = dir.path().join("sandbox");
    std::fs::create_dir_all(sandbox.join("a/b")).unwrap();
    std::fs::write(sandbox.join("a/b/file"), "x").unwrap();
    std::os::unix::fs::symlink(&outside, sandbox.join("link")).unwrap();
    std::os::unix::fs::symlink(dir.path(), sandbox.join("a/up")).unwrap();
    remove(&sandbox).unwrap();
    assert!(!sandbox.exists());
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "precious");
    remove(&sandbox).unwrap();
}

#[test]
fn what_is_mounted_is_walked_around() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = dir.path().join("sandbox");
    std::fs::create_dir_all(sandbox.join("deep/volume")).unwrap();
    std::fs::write(sandbox.join("deep/volume/data"), "precious").unwrap();
    std::fs::write(sandbox.join("deep/junk"), "x").unwrap();
    std::fs::create_dir(sandbox.join("other")).unwrap();
    // The walk is given the mount, so that this needs no root.
    remove_around(&sandbox, &[sandbox.join("deep/volume")]).unwrap();
    assert!(sandbox.join("deep/volume/data").exists());
    assert!(!sandbox.join("deep/junk").exists());
    assert!(!sandbox.join("other").exists());
}

#[test]
fn mount_points_are_unescaped() {
    assert_eq!(unescape("/a\\040b\\134c"), PathBuf::from("/a b\\c"));
    assert_eq!(unescape("/plain\\9"), PathBuf::from("/plain\\9"));
}
