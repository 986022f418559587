//! A module of somebody who has nothing but Rust and the package `reeve-module-dev`, made as
//! docs/modules.md tells.

use std::path::Path;
use std::process::Command;

use reeve_tests::{Room, processes};

use crate::debian;
use crate::host::Host;
use crate::text::{Step, steps};

const TEXT: &str = include_str!("../../docs/modules.md");

/// What the package installs.
const INSTALLED: &str = "/usr/share/reeve";

/// Does in `room` what is to be done where Rust is, which is here. There is no network, cargo starts
/// with an empty home, and of Reeve there is what the package has installed on that host.
fn build(host: &Host, room: &Path, commands: &[String]) {
    let run = |command: &mut Command| {
        let output = processes::run(command);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {}\n{errors}", output.status);
    };
    let share = room.join("share");
    std::fs::create_dir(&share).expect("a folder");
    run(Command::new("cp").arg("-r").arg(host.file(INSTALLED)).arg(&share));
    let script = format!(
        "mount -t overlay overlay -o lowerdir={}:/usr/share /usr/share\n{}",
        share.display(),
        commands.join("\n"),
    );
    let rust = Path::new(env!("CARGO")).parent().expect("cargo is in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    run(Command::new("unshare")
        .args(["--net", "--mount", "bash", "-ec", &script])
        .current_dir(room)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTFLAGS")
        .env("CARGO_HOME", room.join("cargo"))
        .env("PATH", format!("{}:{path}", rust.display())));
}

#[test]
fn a_module_built_offline_of_the_package_alone_is_loaded_by_the_agent() {
    let Some(host) = debian::installed() else { return };
    let room = Room::new();
    let mut steps = steps(TEXT, "Your own").into_iter();
    let mut commands = Vec::new();
    while !commands.last().is_some_and(|last: &String| last.starts_with("cargo build")) {
        match steps.next().expect("a command that builds") {
            Step::Run(command) => commands.push(command),
            Step::Write { path, .. } => panic!("{path} is not for where modules are built"),
        }
    }
    build(&host, room.path(), &commands);

    let file = "site/target/release/libreeve_isolator_site.so";
    host.run("mkdir -p /root/site/target/release");
    std::fs::copy(room.path().join(file), host.file("/root").join(file)).expect("the module");
    for step in steps {
        match step {
            Step::Run(command) => drop(host.run(&format!("cd /root/site; {command} 2>&1"))),
            Step::Write { path, text } => host.write(&path, &text),
        }
    }
    let modules = host.run("reeve module list 127.0.0.1:5051");
    assert!(modules.contains("site"), "{modules}");
}
