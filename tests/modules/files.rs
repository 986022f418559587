//! Files that are not the module that they should be.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use reeve_tests::Room;

use crate::{built, run, said};

/// What `reeve master` says when this file is to be its allocator.
fn refused(room: &Room, name: &str, file: &Path) -> String {
    let config = room.join("bad.toml");
    let text =
        format!("allocator = \"{name}\"\n[modules.{name}]\nlibrary = \"{}\"\n", file.display());
    std::fs::write(&config, text).unwrap();
    let config = format!("--config={}", config.display());
    let output = run(
        room,
        "reeve",
        &["master", "--registry=in_memory", "--port=0", "--ip=127.0.0.1", &config],
    );
    assert!(!output.status.success(), "{}", said(&output));
    said(&output)
}

/// A copy of a good module, changed.
fn changed(room: &Room, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = std::fs::read(built::bundled("libreeve_allocator_drf.so")).unwrap();
    change(&mut bytes);
    let file = room.join(name);
    std::fs::write(&file, bytes).unwrap();
    file
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let found: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, window)| *window == from)
        .map(|(at, _)| at)
        .collect();
    assert!(!found.is_empty());
    for at in found {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
}

#[test]
fn a_missing_one_is_told_with_the_places_and_the_way_out() {
    let room = Room::new();
    let modules = format!("--modules_dir={}", room.path().display());
    let words = ["master", "--registry=in_memory", "--port=0", "--ip=127.0.0.1", &modules];
    let said = said(&run(&room, "reeve", &words));
    assert!(said.contains("no file libreeve_allocator_drf.so in"), "{said}");
    assert!(said.contains(&room.path().display().to_string()), "{said}");
    assert!(said.contains("modules_dir"), "{said}");
    let work = format!("--work_dir={}", room.join("work").display());
    let runtime = format!("--runtime_dir={}", room.join("run").display());
    let agent = ["agent", "--master=127.0.0.1:1", "--port=0", "--ip=127.0.0.1"];
    let said =
        super::said(&run(&room, "reeve", &[&agent[..], &[&work, &runtime, &modules]].concat()));
    assert!(said.contains("there is no isolator 'posix'"), "{said}");
    assert!(said.contains("no file libreeve_isolator_posix.so in"), "{said}");
}

#[test]
fn what_is_no_module_is_refused_with_the_reason() {
    let room = Room::new();
    let script = room.join("script.so");
    std::fs::write(&script, "#!/bin/sh\n").unwrap();
    assert!(refused(&room, "drf", &script).contains("no ELF file"));
    let program = room.join("program.so");
    std::fs::copy("/bin/true", &program).unwrap();
    assert!(refused(&room, "drf", &program).contains("it is no Reeve module"));
    assert!(refused(&room, "drf", &room.join("nowhere.so")).contains("No such file"));
    assert!(refused(&room, "drf", room.path()).contains("it is no file"));
    let posix = built::bundled("libreeve_isolator_posix.so");
    assert!(refused(&room, "posix", &posix).contains("is of the kind isolator, not allocator"));
    let drf = built::bundled("libreeve_allocator_drf.so");
    assert!(refused(&room, "other", &drf).contains("is called 'drf'"));
}

#[test]
fn a_truncated_one_is_refused_wherever_it_was_cut() {
    let room = Room::new();
    let whole = std::fs::metadata(built::bundled("libreeve_allocator_drf.so")).unwrap().len();
    for part in 1..8 {
        let length = usize::try_from(whole * part / 8).unwrap();
        let file = changed(&room, "cut.so", |bytes| bytes.truncate(length));
        let said = refused(&room, "drf", &file);
        assert!(said.contains("cannot be loaded"), "{length}: {said}");
    }
}

#[test]
fn another_generation_is_refused_with_both_numbers() {
    let room = Room::new();
    for (theirs, advice) in [("9", "update this program"), ("0", "build the module anew")] {
        let file = changed(&room, "later.so", |bytes| {
            let to = format!("\0generation={theirs}\0");
            replace(bytes, b"\0generation=2\0", to.as_bytes());
        });
        let said = refused(&room, "drf", &file);
        assert!(said.contains(&format!("speaks generation {theirs}")), "{said}");
        assert!(said.contains("this program 2, 1") && said.contains(advice), "{said}");
    }
}

#[test]
fn what_others_may_write_is_not_loaded() {
    let room = Room::new();
    let file = changed(&room, "open.so", |_| ());
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    let said = refused(&room, "drf", &file);
    assert!(said.contains("is not loaded") && said.contains("chmod go-w"), "{said}");
}

#[test]
fn a_wrong_parameter_is_refused_where_it_stands() {
    let room = Room::new();
    let config = room.join("agent.toml");
    std::fs::write(&config, "[modules.posix]\nenforce_disc = true\n").unwrap();
    let config = format!("--config={}", config.display());
    let work = format!("--work_dir={}", room.join("work").display());
    let runtime = format!("--runtime_dir={}", room.join("run").display());
    let words = ["agent", "--port=0", "--ip=127.0.0.1", &config, &work, &runtime];
    let said = said(&run(&room, "reeve", &words));
    assert!(said.contains("agent.toml:2:1"), "{said}");
    assert!(said.contains("no parameter 'enforce_disc'; did you mean 'enforce_disk'?"), "{said}");
}
