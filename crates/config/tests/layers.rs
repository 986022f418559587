//! What an operator relies on: layers, names, and messages that say where.

#![allow(clippy::unwrap_used)]

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use reeve_config::{Layers, Settings, arguments, config_files, settings};

settings! {
    /// A small daemon.
    struct Small in "small" {
        /// The port.
        port: u16 = "5050",
        /// Addresses to listen on.
        ip: Vec<IpAddr>,
        /// Between pings.
        agent_ping_timeout: Duration = "15secs",
        /// Look names up.
        hostname_lookup: bool = "true",
        /// A name.
        cluster: Option<String>,
    }
}

fn flags(args: &[&str]) -> Layers {
    let command = arguments::<Small>(clap::Command::new("small"));
    let matches = command.try_get_matches_from(std::iter::once(&"small").chain(args)).unwrap();
    Layers::new().flags::<Small>(&matches)
}

fn file(text: &str) -> Result<Small, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.toml");
    std::fs::write(&path, text).unwrap();
    let layers = Layers::new().file::<Small>(&path).map_err(|error| error.to_string());
    let shown = |text: String| text.replace(&path.display().to_string(), "FILE");
    layers.and_then(|l| l.build().map_err(|error| error.to_string())).map_err(shown)
}

#[test]
fn flags_take_mesos_names_dashes_old_names_and_negation() {
    let small: Small =
        flags(&["--agent_ping_timeout=1mins", "--no-hostname_lookup"]).build().unwrap();
    assert_eq!(small.agent_ping_timeout, Duration::from_secs(60));
    assert!(!small.hostname_lookup);
    let small: Small = flags(&["--agent-ping-timeout", "2mins"]).build().unwrap();
    assert_eq!(small.agent_ping_timeout, Duration::from_secs(120));
    let small: Small = flags(&["--slave_ping_timeout=3mins", "--hostname-lookup"]).build().unwrap();
    assert_eq!(small.agent_ping_timeout, Duration::from_secs(180));
    assert!(small.hostname_lookup);
}

#[test]
fn a_list_comes_by_comma_and_by_repetition() {
    let small: Small = flags(&["--ip=127.0.0.1", "--ip", "127.0.1.1,::1"]).build().unwrap();
    assert_eq!(small.ip.len(), 3);
}

#[test]
fn flags_win_over_environment_over_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.toml");
    std::fs::write(&path, "port = 1\ncluster = \"file\"\nip = [\"127.0.0.1\"]\n").unwrap();
    let variables = [("MESOS_PORT", "2"), ("REEVE_PORT", "3"), ("MESOS_CLUSTER", "env")];
    let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let layers = Layers::new().file::<Small>(&path).unwrap().environment::<Small>(variables);
    let small: Small = layers.build().unwrap();
    assert_eq!((small.port, small.cluster.as_deref(), small.ip.len()), (3, Some("env"), 1));

    let command = arguments::<Small>(clap::Command::new("small"));
    let matches = command.try_get_matches_from(["small", "--port=4"]).unwrap();
    let small: Small = layers.flags::<Small>(&matches).build().unwrap();
    assert_eq!(small.port, 4);
}

#[test]
fn foreign_variables_are_left_alone() {
    let variables = [("MESOS_SLAVE_ID".to_owned(), "x".to_owned())];
    assert!(Layers::new().environment::<Small>(variables).build::<Small>().is_ok());
}

#[test]
fn an_unknown_key_is_refused_with_its_place_and_the_nearest() {
    let error = file("ip = []\n\n  prot = 5\n").unwrap_err();
    assert_eq!(error, "FILE:3:3: unknown setting \"prot\"; did you mean \"port\"?");
}

#[test]
fn a_wrong_type_is_refused_with_its_place() {
    let error = file("port = \"5050\"").unwrap_err();
    assert_eq!(error, "FILE:1:1: port must be a whole number up to 65535, not a text");
    let error = file("hostname_lookup = 1").unwrap_err();
    assert_eq!(error, "FILE:1:1: hostname_lookup must be true or false, not a number");
}

#[test]
fn a_bad_value_is_refused_with_its_place() {
    let error = file("\nagent_ping_timeout = \"15s\"").unwrap_err();
    assert!(error.starts_with("FILE:2:1: agent_ping_timeout = \"15s\": "), "{error}");
    assert!(error.ends_with("(expected a duration such as 15secs)"), "{error}");
    assert!(file("port = 70000").unwrap_err().starts_with("FILE:1:1: port = \"70000\""));
}

#[test]
fn broken_toml_is_refused_with_its_place() {
    let error = file("port = 1\ncluster = \"x\n").unwrap_err();
    assert!(error.starts_with("FILE:2:"), "{error}");
}

#[test]
fn an_environment_variable_is_named_in_the_message() {
    let variables = [("MESOS_PORT".to_owned(), "x".to_owned())];
    let error = Layers::new().environment::<Small>(variables).build::<Small>().unwrap_err();
    assert!(error.to_string().starts_with("environment variable MESOS_PORT: port = \"x\""));
}

#[test]
fn a_value_may_be_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cluster");
    std::fs::write(&path, "prod\n").unwrap();
    let flag = format!("--cluster=file://{}", path.display());
    let small: Small = flags(&[&flag]).build().unwrap();
    assert_eq!(small.cluster.as_deref(), Some("prod"));
    let error = flags(&["--cluster=file:///no/such"]).build::<Small>().unwrap_err();
    assert_eq!(error.to_string(), "cannot read /no/such");
}

#[test]
fn what_flags_shows_can_be_read_again() {
    let small = Small::defaults().unwrap();
    let shown = small.flags();
    let names: Vec<&str> = shown.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["port", "agent_ping_timeout", "hostname_lookup"]);
    assert_eq!(shown[1].1, "15secs");
    let layers =
        shown.into_iter().fold(Layers::new(), |layers, (name, text)| layers.set(name, text));
    assert_eq!(layers.build::<Small>().unwrap().flags(), small.flags());
}

#[test]
fn only_toml_files_of_the_folder_are_read_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("small.toml");
    let parts = folder.path().join("small.toml.d");
    std::fs::create_dir(&parts).unwrap();
    for name in ["b.toml", "a.toml", "a.toml~", "c.toml.dpkg-old", "d.toml.rpmnew"] {
        std::fs::write(parts.join(name), "").unwrap();
    }
    std::fs::write(&main, "").unwrap();
    let files = config_files("small", Some(&main));
    let names: Vec<_> = files.iter().filter_map(|path| path.file_name()).collect();
    assert_eq!(names, ["small.toml", "a.toml", "b.toml"]);
    assert!(
        config_files("no-such-daemon", None).iter().all(|path| path.starts_with(Path::new("/etc")))
    );
}
