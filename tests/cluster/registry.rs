//! `reeve registry`: what operators do with the registry of a master that is stopped.

use std::path::{Path, PathBuf};
use std::process::Output;

use reeve_tests::{Cluster, Master, Room, processes};
use serde_json::Value;

/// Runs `reeve registry VERB` on the work_dir of the room's master.
fn registry(room: &Room, verb: &str, words: &[&str]) -> Output {
    let mut command = room.tool("reeve");
    let folder = format!("--work_dir={}", room.join("master").display());
    processes::run(command.args(["registry", verb, &folder]).args(words))
}

/// The same; it must succeed. Gives what it says.
fn done(room: &Room, verb: &str, words: &[&str]) -> String {
    let output = registry(room, verb, words);
    assert!(output.status.success(), "{verb} {words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The same; it must fail. Gives why.
fn refused(room: &Room, verb: &str, words: &[&str]) -> String {
    let output = registry(room, verb, words);
    assert!(!output.status.success(), "{verb} {words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What a master of Apache Mesos 1.11 kept.
fn mesos() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/records/tests/mesos-1.11/live")
}

#[test]
fn a_registry_is_taken_out_and_brought_back() {
    let mut cluster = Cluster::start();
    let room = &cluster.room;
    let agent = cluster.master.get("/slaves")["slaves"][0]["id"].as_str().unwrap().to_owned();
    let why = refused(room, "show", &[]);
    assert!(why.contains("is in use by another process; is another master running"), "{why}");

    cluster.master.kill();
    let shown = json(&done(room, "show", &["--json"]));
    assert_eq!(shown["records"]["agents"], 1);
    assert_eq!(json(&done(room, "show", &[&format!("agents/{agent}")]))["id"]["value"], agent);
    assert!(refused(room, "show", &["agents/nobody"]).contains("has no record agents/nobody"));
    assert!(done(room, "fsck", &[]).contains("0 to look at"));

    let copy = room.join("copy.json").display().to_string();
    done(room, "export", &[&copy]);
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), done(room, "export", &[]));
    let why = refused(room, "import", &[&copy]);
    assert!(why.contains("--force replaces them all"), "{why}");
    std::fs::remove_file(room.join("master/registry.redb")).unwrap();
    assert!(done(room, "import", &[&copy]).contains("agents"));
    cluster.restart_master();
    cluster.master.wait_agents(1);
    assert_eq!(cluster.master.get("/slaves")["slaves"][0]["id"], agent.as_str());
}

#[test]
fn a_master_goes_on_where_one_of_mesos_stopped() {
    let room = Room::new();
    let log = mesos().display().to_string();
    let told = done(&room, "import", &[&log]);
    assert!(told.contains("not imported: who led last (master@127.0.0.1:16050)"), "{told}");
    let from_log = done(&room, "export", &[]);
    let endpoint = mesos().join("registry.json").display().to_string();
    done(&room, "import", &["--force", &endpoint]);
    let (log, endpoint) = (json(&from_log), json(&done(&room, "export", &[])));
    assert_eq!(log["records"]["gone"], endpoint["records"]["gone"]);
    assert_eq!(log["records"]["quota"], endpoint["records"]["quota"]);

    let master = Master::start(&room, &[]);
    master.until("the agents of Mesos's master", "/slaves", |answer| {
        (answer["recovered_slaves"].as_array()?.len() == 3).then_some(())
    });
}

#[test]
fn what_is_wrong_is_moved_aside() {
    let room = Room::new();
    let bad = room.join("bad.json").display().to_string();
    let text = r#"{"format": 1, "records": {"unreachable": {"a": {"nanoseconds": 1}},
        "gone": {"a": {"nanoseconds": 2}}}, "bytes": {"agents/torn": "/w=="}}"#;
    std::fs::write(&bad, text).unwrap();
    let told = done(&room, "import", &[&bad]);
    assert!(told.contains("check this: unreachable/a: contradicts gone/a"), "{told}");
    let found = refused(&room, "fsck", &[]);
    assert!(found.contains("agents/torn: "), "{found}");
    let told = done(&room, "fsck", &["--repair"]);
    assert!(told.contains("2 records were moved to "), "{told}");
    assert!(done(&room, "fsck", &[]).contains("1 records, 0 to look at"));
    let aside = room.join("master").read_dir().unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        path.extension().is_some_and(|kind| kind == "json").then_some(path)
    });
    let aside = json(&std::fs::read_to_string(aside.unwrap()).unwrap());
    assert_eq!(aside["records"]["unreachable"]["a"]["nanoseconds"], 1);
    assert_eq!(aside["bytes"]["agents/torn"], "/w==");
}

#[test]
fn a_damaged_file_is_refused_and_what_is_whole_of_it_kept() {
    let room = Room::new();
    let copy = room.join("copy.json").display().to_string();
    let text = r#"{"format": 1, "records": {"gone": {"agent-that-went": {"nanoseconds": 2},
        "one-more": {"nanoseconds": 3}}}}"#;
    std::fs::write(&copy, text).unwrap();
    done(&room, "import", &[&copy]);
    done(&room, "export", &[&copy]);
    let file = room.join("master/registry.redb");
    damage(&file, b"gone/agent-that-went");

    let why = refused(&room, "export", &[]);
    let named = format!("the registry {} is damaged", file.display());
    assert!(why.contains(&named) && why.contains("'reeve registry fsck' tells"), "{why}");
    let flags = [format!("--work_dir={}", room.join("master").display())];
    let output = processes::run(
        room.tool("reeve").arg("master").args(flags).args(["--ip=127.0.0.1", "--port=0"]),
    );
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && why.contains(&named), "{output:?}");

    let told = refused(&room, "fsck", &[]);
    assert!(told.contains("Gone/agent-that-went: damaged"), "{told}");
    assert!(told.contains("1 records are whole, 1 are not"), "{told}");
    let told = done(&room, "fsck", &["--repair"]);
    assert!(told.contains("1 records were kept; the damaged file is "), "{told}");
    assert!(done(&room, "fsck", &[]).contains("1 records, 0 to look at"));
    done(&room, "import", &["--force", &copy]);
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), done(&room, "export", &[]));
}

/// Flips a bit in the first byte of this text, wherever it is in the file.
fn damage(file: &Path, text: &[u8]) {
    let mut bytes = std::fs::read(file).unwrap();
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(text)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at] ^= 0x20;
    }
    std::fs::write(file, bytes).unwrap();
}
