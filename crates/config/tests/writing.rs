//! What is written can be read again, and says where values come from.

#![allow(clippy::unwrap_used)]

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;
use reeve_config::{Layers, Modules, Settings, changes, settings, writing};

settings! {
    /// A small daemon.
    struct Small in "small" {
        /// The port.
        port: u16 = "5050",
        /// Addresses to listen on.
        ip: Vec<IpAddr> = "0.0.0.0",
        /// Names that do not count.
        excluded: Vec<String>,
        /// Between pings.
        agent_ping_timeout: Duration = "15secs",
        /// Look names up.
        hostname_lookup: bool = "true",
        /// A name.
        cluster: Option<String>,
        /// How much is logged.
        logging_level: String = "INFO" => reload,
        /// What modules are given.
        modules: Modules,
        /// Where modules are.
        modules_dir: Option<PathBuf>,
    }
}

/// The layers of one file with this text, and the file.
fn read(text: &str) -> (Layers, PathBuf, tempfile::TempDir) {
    let room = tempfile::tempdir().unwrap();
    let path = room.path().join("small.toml");
    std::fs::write(&path, text).unwrap();
    (Layers::new().file::<Small>(&path).unwrap(), path, room)
}

fn flags(text: &str) -> Vec<(&'static str, String)> {
    read(text).0.build::<Small>().unwrap().flags()
}

#[test]
fn what_is_given_is_shown_with_its_source() {
    let (layers, path, _room) =
        read("ip = [\"127.0.0.1\", \"::1\"]\n[modules.acme]\nlibrary = \"/a.so\"\nx = [1]\n");
    let variables = [("MESOS_PORT".to_owned(), "1".to_owned())];
    let shown = writing::show::<Small>(&layers.environment::<Small>(variables), false).unwrap();
    let shown = shown.replace(&path.display().to_string(), "FILE");
    assert_eq!(
        shown,
        "port = 1                                 # environment variable MESOS_PORT\n\
         ip = [\"127.0.0.1\", \"::1\"]                # FILE:1:1\n\
         \n\
         [modules.acme]                           # FILE:3:1\n\
         library = \"/a.so\"                        # FILE:3:1\n\
         x = [\"1\"]                                # FILE:4:1\n"
    );
}

#[test]
fn what_is_in_force_is_shown_as_toml() {
    let text = "port = 1\ncluster = \"a \\\"b\\\"\"\n[modules.\"x y\"]\nk = \"v\\n\"\n";
    let (layers, ..) = read(text);
    let shown = writing::show::<Small>(&layers, true).unwrap();
    assert_eq!(flags(&shown), flags(text));
    assert!(shown.contains("agent_ping_timeout = \"15secs\"            # default\n"), "{shown}");
    assert!(shown.contains("#modules_dir =                           # not set\n"), "{shown}");
}

#[test]
fn the_template_changes_nothing_and_shows_the_defaults() {
    let template = writing::template::<Small>();
    let defaults = Small::defaults().unwrap().flags();
    assert_eq!(flags(&template), defaults);
    let shown = |line: &str| {
        let line = line.strip_prefix('#').filter(|line| !line.starts_with([' ', '[']))?;
        let (_, value) = line.split_once(" = ")?;
        (!value.contains("module.so") && !value.contains("\"value\"")).then(|| line.to_owned())
    };
    let lines: Vec<String> = template.lines().filter_map(shown).collect();
    assert_eq!(lines.len(), 6, "{template}");
    assert_eq!(flags(&lines.join("\n")), defaults);
    let head =
        "# How much is logged. Takes a text; reloaded at SIGHUP.\n#logging_level = \"INFO\"\n";
    assert!(template.contains(head), "{template}");
}

#[test]
fn what_a_second_reading_changes_is_known() {
    let (old, new) = ("port = 1\ncluster = \"a\"", "port = 1\nip = []\nlogging_level = \"ERROR\"");
    let (old, new) = (read(old).0.build::<Small>().unwrap(), read(new).0.build().unwrap());
    let changes: Vec<_> = changes(&old, &new)
        .into_iter()
        .map(|change| (change.name, change.old, change.new, change.reload))
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        changes,
        [
            ("ip", text("0.0.0.0"), None, false),
            ("cluster", text("a"), None, false),
            ("logging_level", text("INFO"), text("ERROR"), true),
        ]
    );
}

#[test]
fn every_mistake_is_told() {
    let room = tempfile::tempdir().unwrap();
    let path = room.path().join("small.toml");
    std::fs::write(&path, "port = 70000\nprot = 1\nip = 5\nagent_ping_timeout = \"1\"\n").unwrap();
    let mut layers = Layers::new();
    let mut errors = layers.try_file::<Small>(&path);
    errors.extend(layers.problems::<Small>());
    let texts: Vec<String> = errors
        .iter()
        .map(|error| error.to_string().replace(&path.display().to_string(), "FILE"))
        .map(|text| text.chars().take(12).collect())
        .collect();
    assert_eq!(texts, ["FILE:2:1: un", "FILE:3:1: ip", "FILE:1:1: po", "FILE:4:1: ag"]);
}

proptest! {
    #[test]
    fn any_text_can_be_written_and_read(name in "\\PC*", texts in prop::collection::vec(any::<String>(), 0..4)) {
        let spec = Small::SPECS.iter().find(|spec| spec.name == "cluster").unwrap();
        let cluster = texts.concat();
        let mut text = writing::setting(spec, &cluster);
        let pairs = serde_json::json!([{"key": cluster, "value": texts}]);
        let json = serde_json::json!({"libraries": [{"modules": [{"name": name, "parameters": pairs}]}]});
        let modules = Modules::given(&json.to_string(), &reeve_config::Origin::Flag).unwrap();
        for (name, module) in modules.iter() {
            for (line, _) in writing::module(name, module).into_iter().filter(|(line, _)| !line.starts_with("library =")) {
                text.push('\n');
                text.push_str(&line);
            }
        }
        let (layers, ..) = read(&text);
        let small = layers.build::<Small>().unwrap();
        if !cluster.starts_with("file://") {
            prop_assert_eq!(small.cluster.as_deref(), Some(cluster.as_str()));
        }
        prop_assert_eq!(reeve_config::Value::show(&small.modules), reeve_config::Value::show(&modules));
    }
}
