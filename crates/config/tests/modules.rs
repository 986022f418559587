//! What an operator relies on when telling modules their parameters.

// The steps of a test fail by panicking, also where they are functions of their own.
#![allow(clippy::panic, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use reeve_config::{Given, Layers, Modules, Origin, Settings, Value, arguments, settings};

settings! {
    /// A daemon with modules.
    struct Host in "host" {
        /// The port.
        port: u16 = "5050",
        /// What modules are given.
        modules: Modules,
        /// Where modules are.
        modules_dir: Option<PathBuf>,
    }
}

const ONE_MODULE: &str = r#"{"libraries": [{
    "file": "/opt/libacme.so",
    "modules": [{"name": "acme", "parameters": [{"key": "k", "value": "json"}]}]
}]}"#;

/// A directory with `host.toml`, and other files.
struct Room(tempfile::TempDir);

impl Room {
    fn new(toml: &str) -> Self {
        let room = Self(tempfile::tempdir().unwrap());
        room.write("host.toml", toml);
        room
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The layers of its files and these flags.
    fn load(&self, files: &[&str], flags: &[&str]) -> Result<Modules, String> {
        let shown = |error: reeve_config::Error| {
            error.to_string().replace(&self.0.path().display().to_string(), "ROOM")
        };
        let command = arguments::<Host>(clap::Command::new("host"));
        let matches = command.try_get_matches_from(["host"].iter().chain(flags)).unwrap();
        let layers = files.iter().try_fold(Layers::new(), |layers, name| {
            layers.file::<Host>(&self.0.path().join(name)).map_err(shown)
        })?;
        let host: Host = layers.flags::<Host>(&matches).build().map_err(shown)?;
        Ok(host.modules)
    }
}

fn toml(text: &str) -> Result<Modules, String> {
    Room::new(text).load(&["host.toml"], &[])
}

fn one(modules: &Modules, module: &str, key: &str) -> String {
    match &modules.get(module).unwrap().parameters[key].given {
        Given::One(text) => text.clone(),
        Given::Many(texts) => panic!("a list: {texts:?}"),
    }
}

#[test]
fn a_table_names_a_module_its_library_and_its_parameters() {
    let text = "[modules.gpu-acme]\nlibrary = \"/opt/libacme.so\"\nshare = 0.5\nlevel = -3\n\
                strict = true\nmode = \"fast\"\ncards = [\"a,b\", 2]\n[modules.drf]\n";
    let modules = toml(text).unwrap();
    let acme = modules.get("gpu-acme").unwrap();
    assert_eq!(acme.library.as_deref(), Some(Path::new("/opt/libacme.so")));
    let texts = ["share", "level", "strict", "mode"].map(|key| one(&modules, "gpu-acme", key));
    assert_eq!(texts, ["0.5", "-3", "true", "fast"]);
    assert_eq!(acme.parameters["cards"].given, Given::Many(vec!["a,b".into(), "2".into()]));
    assert_eq!(modules.get("drf").unwrap().library, None);
    assert_eq!(modules.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["drf", "gpu-acme"]);
}

#[test]
fn each_value_knows_its_place() {
    let room = Room::new("port = 1\n[modules.drf]\n  offer = \"share\"\n");
    let modules = room.load(&["host.toml"], &[]).unwrap();
    let file = room.0.path().join("host.toml");
    let drf = modules.get("drf").unwrap();
    assert_eq!(drf.origin, Origin::File(file.clone(), 2, 10));
    assert_eq!(drf.parameters["offer"].origin, Origin::File(file, 3, 3));
}

#[test]
fn files_are_merged_key_by_key_and_flags_win() {
    let room = Room::new("[modules.acme]\nlibrary = \"/old.so\"\na = 1\nb = 1\nk = 1\n");
    room.write("later.toml", "[modules.acme]\nb = 2\n[modules.other]\n");
    let json = room.write("modules.json", ONE_MODULE);
    let files = ["host.toml", "later.toml"];
    let modules = room.load(&files, &[]).unwrap();
    assert_eq!(["a", "b", "k"].map(|key| one(&modules, "acme", key)), ["1", "2", "1"]);
    let acme = modules.get("acme").unwrap();
    assert_eq!(acme.library.as_deref(), Some(Path::new("/old.so")));
    assert_eq!(acme.origin, Origin::File(room.0.path().join("host.toml"), 2, 1));

    let path = json.display();
    for given in [ONE_MODULE.to_owned(), path.to_string(), format!("file://{path}")] {
        let modules = room.load(&files, &[&format!("--modules={given}")]).unwrap();
        assert_eq!(["a", "b", "k"].map(|key| one(&modules, "acme", key)), ["1", "2", "json"]);
        let acme = modules.get("acme").unwrap();
        assert_eq!(acme.library.as_deref(), Some(Path::new("/opt/libacme.so")));
        let place = &acme.parameters["k"].origin;
        match given.starts_with('{') {
            true => assert_eq!(*place, Origin::Flag),
            false => assert_eq!(*place, Origin::File(json.clone(), 3, 71)),
        }
    }
}

#[test]
fn manifests_of_the_directory_come_first_in_the_order_of_names() {
    let room = Room::new("[modules.acme]\nb = \"toml\"\n");
    let json = |value: &str| {
        let pair = |key: &str| format!(r#"{{"key": "{key}", "value": "{value}"}}"#);
        let pairs = ["a", "b", value].map(pair).join(",");
        format!(
            r#"{{"libraries": [{{"modules": [{{"name": "acme", "parameters": [{pairs}]}}]}}]}}"#
        )
    };
    room.write("2.json", &json("second"));
    room.write("1.json", &json("first"));
    room.write("3.json.dpkg-old", "not read");
    let flag = format!("--modules_dir={}", room.0.path().display());
    let modules = room.load(&["host.toml"], &[&flag]).unwrap();
    let texts = ["a", "b", "first", "second"].map(|key| one(&modules, "acme", key));
    assert_eq!(texts, ["second", "toml", "first", "second"]);
    let error = room.load(&[], &["--modules_dir=/no/such"]).unwrap_err();
    assert_eq!(error, "cannot read /no/such");
}

#[test]
fn a_wrong_table_is_refused_with_its_place() {
    for (text, message) in [
        ("modules = 5", "1:1: modules must be tables such as [modules.NAME], not a number"),
        ("[modules]\ndrf = true", "2:1: modules.drf must be a table, not true or false"),
        (
            "[modules.drf]\nlibrary = 5",
            "2:1: modules.drf.library must be the path of a file, not a number",
        ),
        (
            "[modules.drf]\nlibrary = \"\"",
            "2:1: modules.drf.library must be the path of a file, not an empty text",
        ),
        (
            "[modules.drf.offer]\nx = 1",
            "1:14: modules.drf.offer must be a text, a number, true or false, or a list of these, \
             not a table",
        ),
        (
            "[modules.drf]\nx = [[1]]",
            "2:1: modules.drf.x must be a text, a number, true or false, or a list of these, \
             not a list that holds other things",
        ),
    ] {
        assert_eq!(toml(text).unwrap_err(), format!("ROOM/host.toml:{message}"));
    }
}

#[test]
fn wrong_json_is_refused_with_its_place() {
    let module = |inner: &str| format!("{{\"libraries\": [{{\n{inner}}}]}}");
    for (text, message) in [
        ("{\"libs\": []}".to_owned(), "1:7: modules: unknown field `libs`, expected `libraries`"),
        (module("\"file\": 5"), "2:9: modules: a text is needed, not 5"),
        (
            module("\"file\": \"/a\", \"name\": \"a\""),
            "2:23: modules: a library has a file or a name, not both",
        ),
        (module("\"modules\": [{}]"), "2:14: modules: missing field `name`"),
        (
            module("\"modules\": [{\"name\": \"a\"},\n{\"name\": \"a\"}]"),
            "3:10: modules.a: is named twice",
        ),
        (
            module(
                "\"modules\": [{\"name\": \"a\", \"parameters\": [{\"key\": \"k\", \"value\": {}}]}]",
            ),
            "2:64: modules.a.k: must be a text, a number, true or false, or a list of these, not {}",
        ),
    ] {
        let room = Room::new("");
        let path = room.write("modules.json", &text);
        let error = room.load(&[], &[&format!("--modules={}", path.display())]).unwrap_err();
        assert_eq!(error, format!("ROOM/modules.json:{message}"));
    }
    let error = Room::new("").load(&[], &["--modules={\"libs\": 1}"]).unwrap_err();
    assert!(error.starts_with("command line: modules: unknown field `libs`"), "{error}");
    assert!(error.ends_with("at line 1 column 7"), "{error}");
    let error = Room::new("").load(&[], &["--modules=/no/such"]).unwrap_err();
    assert_eq!(error, "cannot read /no/such");
}

#[test]
fn mesos_names_and_repeated_keys_are_taken() {
    let text = r#"{"libraries": [{"name": "acme", "modules": [{"name": "org_acme", "parameters":
        [{"key": "k", "value": "1"}, {"key": "k", "value": 2}]}]}]}"#;
    let modules = Modules::given(text, &Origin::Flag).unwrap();
    let module = modules.get("org_acme").unwrap();
    assert_eq!(module.library.as_deref(), Some(Path::new("libacme.so")));
    assert_eq!(module.parameters["k"].given, Given::Many(vec!["1".into(), "2".into()]));
}

#[test]
fn what_flags_shows_of_modules_can_be_read_again() {
    let modules =
        toml("[modules.a]\nlibrary = \"/a.so\"\nx = [1]\ny = \"z\"\n[modules.b]\n").unwrap();
    let shown = modules.show().unwrap();
    let again = Modules::given(&shown, &Origin::Flag).unwrap();
    assert_eq!(again.show().unwrap(), shown);
    assert_eq!(again.get("a").unwrap().parameters["x"].given, Given::Many(vec!["1".into()]));
    assert!(again.get("b").is_some());
    assert!(Host::defaults().unwrap().modules.show().is_none());
}

proptest! {
    // Whatever is damaged in a file, it is read or refused.
    #[test]
    fn damaged_files_are_read_or_refused(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}\",:=a\n\u{e9}\u{0}]?"), 1..4),
    ) {
        let table = "[modules.acme]\nlibrary = \"/a\"\nk = [1, \"b\"]\n";
        let damaged = |text: &str| {
            let mut chars: Vec<String> = text.chars().map(String::from).collect();
            for (place, with) in &cuts {
                let place = place.index(chars.len());
                chars[place].clone_from(with);
            }
            chars.concat()
        };
        let _read_or_refused = toml(&damaged(table));
        let json = format!("{{{}", damaged(&ONE_MODULE[1..]));
        if let Ok(modules) = Modules::given(&json, &Origin::Flag) {
            prop_assert!(modules.iter().count() <= 1);
        }
    }
}
