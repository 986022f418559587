use std::fs;
use std::path::{Path, PathBuf};

use reeve_config::{Layers, Settings, Spec};

use super::*;

fn installed(daemon: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../etc").join(format!("{daemon}.toml"))
}

/// A file in a directory of its own.
fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let room = tempfile::tempdir().unwrap();
    let path = room.path().join("some.toml");
    fs::write(&path, text).unwrap();
    (room, path)
}

/// The settings of a file, as `/flags` shows them.
fn flags<S: Settings>(path: &Path) -> Vec<(&'static str, String)> {
    Layers::new().file::<S>(path).unwrap().build::<S>().unwrap().flags()
}

/// The lines of an installed file that a setting is commented out in.
fn settings_in(text: &str, specs: &[Spec]) -> Vec<String> {
    let setting = |line: &&str| {
        let key = line.strip_prefix('#').and_then(|line| line.split_once(" ="));
        key.is_some_and(|(key, _)| specs.iter().any(|spec| spec.name == key))
    };
    text.lines().filter(setting).map(|line| line[1..].to_owned()).collect()
}

#[test]
fn the_installed_files_are_those_of_this_program() {
    for daemon in &DAEMONS {
        let path = installed(daemon.name);
        let text = fs::read_to_string(&path).unwrap();
        let name = daemon.name;
        assert!(
            text == (daemon.template)(),
            "etc/{name}.toml is out of date: reeve config show {name} --template > etc/{name}.toml"
        );
    }
}

#[test]
fn the_installed_files_change_nothing_and_show_the_defaults() {
    fn holds<S: Settings>() {
        let path = installed(S::DAEMON);
        let defaults = S::defaults().unwrap().flags();
        assert_eq!(flags::<S>(&path), defaults);
        let lines = settings_in(&fs::read_to_string(path).unwrap(), S::SPECS);
        // All but the tables of modules, which come as an example.
        assert_eq!(lines.len(), S::SPECS.len() - 1);
        let given: Vec<String> = lines.into_iter().filter(|line| !line.ends_with('=')).collect();
        let (_room, path) = file(&given.join("\n"));
        assert_eq!(flags::<S>(&path), defaults);
    }
    holds::<MasterSettings>();
    holds::<AgentSettings>();
}

#[test]
fn the_level_of_the_log_is_checked_too() {
    let (_room, path) = file("logging_level = \"reeve=loud\"\n");
    let complaint = loudness(&DAEMONS[0], std::slice::from_ref(&path)).unwrap();
    assert!(complaint.starts_with(&format!("{}:1:1: logging_level: ", path.display())));
    assert!((DAEMONS[0].check)(&[path]).is_empty());
}
