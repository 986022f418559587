use std::os::unix::fs::PermissionsExt;

use super::*;

fn spec() -> Spec {
    Spec {
        socket: "/s".into(),
        patience: 5,
        name: "reeve-c".to_owned(),
        body: serde_json::json!({ "Image": "i" }),
        has_command: true,
        variables: vec![("A".to_owned(), "1".to_owned())],
    }
}

#[test]
fn what_is_written_is_read_and_nobody_else_reads_it() {
    let directory = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(directory.path().join("docker"));
    assert_eq!(shelf.all().unwrap(), Vec::<String>::new());
    shelf.write("c", &spec()).unwrap();
    shelf.write("c", &spec()).unwrap();
    assert_eq!(Spec::read(&shelf.path("c")).unwrap(), spec());
    assert_eq!(shelf.all().unwrap(), ["c"]);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&shelf.path("c")), mode(shelf.directory())), (0o600, 0o700));
    shelf.remove("c").unwrap();
    shelf.remove("c").unwrap();
    assert_eq!(shelf.all().unwrap(), Vec::<String>::new());
}

#[test]
fn one_agent_at_a_time_has_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(directory.path().join("docker"));
    let held = shelf.lock().unwrap();
    assert!(held.is_some());
    assert!(shelf.lock().unwrap().is_none());
    drop(held);
    assert!(shelf.lock().unwrap().is_some());
}
