use super::*;

#[test]
fn endings_are_worded_as_mesos_words_them() {
    assert_eq!(describe(0), "Command exited with status 0");
    assert_eq!(describe(3 << 8), "Command exited with status 3");
    assert_eq!(describe(9), "Command terminated with signal Killed");
    assert_eq!(describe(15), "Command terminated with signal Terminated");
    assert_eq!(
        describe(11 | 0x80),
        "Command terminated with signal Segmentation fault (core dumped)"
    );
    assert!(succeeded(0) && !succeeded(1 << 8) && !succeeded(15));
}

#[test]
fn a_status_file_is_replaced_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("status");
    write_status(&path, 768).unwrap();
    write_status(&path, 9).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "9\n");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}
