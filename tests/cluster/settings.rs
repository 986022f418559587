//! Settings in files: read at the start, read again at SIGHUP, checked without a daemon.

use std::path::PathBuf;

use nix::sys::signal::Signal;
use reeve_tests::{Daemon, Room, http, processes, until};

/// A master with a file of settings.
struct Configured {
    daemon: Daemon,
    file: PathBuf,
    _room: Room,
}

impl Configured {
    fn start(text: &str) -> Self {
        let room = Room::new();
        let file = room.join("master.toml");
        std::fs::write(&file, text).unwrap();
        let mut command = room.tool("reeve");
        command.arg("master").arg(format!("--config={}", file.display()));
        command.args([&format!("--ip={}", room.ip), "--port=0", "--registry=in_memory"]);
        let daemon = Daemon::start(&room, "master", &mut command);
        Self { daemon, file, _room: room }
    }

    /// Changes the file, sends SIGHUP, and waits until the log says so.
    fn reload(&self, text: &str, told: &str) {
        std::fs::write(&self.file, text).unwrap();
        self.daemon.signal(Signal::SIGHUP);
        until(told, || self.daemon.log().contains(told).then_some(()));
    }
}

#[test]
fn settings_are_read_again_at_sighup() {
    let mut master = Configured::start("cluster = \"one\"\nlogging_level = \"ERROR\"\n");
    let address = master.daemon.addresses(1)[0];
    assert!(!master.daemon.log().contains("the master leads"));

    let text = "cluster = \"two\"\nlogging_level = \"INFO\"\n";
    master.reload(text, "SIGHUP: logging_level was ERROR, is INFO");
    let told = "SIGHUP: cluster is one until a restart, then two";
    until(told, || master.daemon.log().contains(told).then_some(()));

    // Nothing is taken up from a file with a mistake, wherever it is.
    let place = format!("{}:2:1: unknown setting \"clutser\"", master.file.display());
    let told = format!("SIGHUP: the settings stay as they are: {place}");
    master.reload("logging_level = \"ERROR\"\nclutser = \"x\"\n", &told);
    let told = "SIGHUP: the settings stay as they are: 'reeve=loud' is no log level";
    master.reload("logging_level = \"reeve=loud\"\n", told);
    master.reload("cluster = \"one\"\nlogging_level = \"INFO\"\n", "the settings are as before");

    assert!(master.daemon.running());
    assert_eq!(http::get_json(address, "/state")["cluster"], "one");
}

#[test]
fn a_file_with_a_mistake_keeps_a_daemon_from_starting() {
    let mut master = Configured::start("agent_ping_timeout = 15\n");
    assert!(!master.daemon.wait().success());
    let place = format!("{}:1:1: agent_ping_timeout must be a duration", master.file.display());
    assert!(master.daemon.log().contains(&place), "{}", master.daemon.log());
}

#[test]
fn check_tells_every_mistake_and_show_every_source() {
    let room = Room::new();
    let file = room.join("agent.toml");
    std::fs::write(&file, "port = 70000\n[modules.drf]\noffer = {}\n").unwrap();
    let reeve = |words: &[&str]| {
        let output = processes::run(room.tool("reeve").arg("config").args(words).arg(&file));
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let (right, _, told) = reeve(&["check", "agent"]);
    assert!(!right);
    for mistake in [":1:1: port = \"70000\"", ":3:1: modules.drf.offer must be"] {
        assert!(told.contains(&format!("agent: {}{mistake}", file.display())), "{told}");
    }
    std::fs::write(&file, "port = 7\n").unwrap();
    assert_eq!(
        reeve(&["check", "agent"]),
        (true, format!("agent: right: {}\n", file.display()), String::new())
    );
    let (right, shown, _) = reeve(&["show", "agent", "--effective", "--config"]);
    assert!(right);
    let line = |start: &str, source: &str| {
        shown.lines().any(|line| line.starts_with(start) && line.ends_with(source))
    };
    assert!(line("port = 7 ", &format!("# {}:1:1", file.display())), "{shown}");
    assert!(line("gc_delay = \"1weeks\" ", "# default"), "{shown}");
}

#[test]
fn check_holds_parameters_against_what_modules_say_of_themselves() {
    let room = Room::new();
    let file = room.join("master.toml");
    let text = "[modules.drf]\noffr = \"share\"\n[modules.absent]\nx = 1\n";
    std::fs::write(&file, text).unwrap();
    let words = ["config", "check", "master"];
    let output = processes::run(room.tool("reeve").args(words).arg(&file));
    assert!(!output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    let unknown = ":2:1: module 'drf' has no parameter 'offr'; did you mean 'offer'?";
    assert!(told.contains(&format!("{}{unknown}", file.display())), "{told}");
    assert!(told.contains("no module 'absent' on this machine"), "{told}");
}
