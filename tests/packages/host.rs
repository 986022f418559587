//! A booted Debian system, and what is said to it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use reeve_tests::{processes, until};

use crate::container::Container;

/// What each command finds in its environment.
pub const ENVIRONMENT: [&str; 3] =
    ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"];

/// A booted system. In its `/packages` are those of each kind: `first/` and, of a higher version,
/// `second/`.
#[derive(Debug)]
pub enum Host {
    /// In a container, on this kernel.
    Container(Box<Container>),
    /// A machine with a kernel of its own, which somebody else has started: `default` in this
    /// configuration file of SSH.
    Machine(PathBuf),
}

impl Host {
    /// The machine that `REEVE_MACHINE` names; else a container of its own. None, and why is told,
    /// without either.
    pub fn booted() -> Option<Self> {
        match std::env::var_os("REEVE_MACHINE") {
            Some(config) => Some(Self::Machine(config.into())),
            None => Container::booted().map(|container| Self::Container(Box::new(container))),
        }
    }

    /// What a command says there; it must succeed.
    pub fn run(&self, command: &str) -> String {
        let output = self.try_run(command);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, errors) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{command}: {}\n{out}{errors}", output.status);
        out
    }

    /// Runs a command there.
    pub fn try_run(&self, command: &str) -> Output {
        processes::run(&mut match self {
            Self::Container(container) => container.command(command),
            Self::Machine(config) => over_ssh(config, command),
        })
    }

    /// Writes a file there, and folders for it.
    pub fn write(&self, path: &str, text: &str) {
        self.run(&format!("mkdir -p $(dirname {path}); cat > {path} <<'END'\n{text}\nEND"));
    }

    /// Where a file of a container is, seen from here.
    pub fn file(&self, path: &str) -> PathBuf {
        match self {
            Self::Container(container) => container.file(path),
            Self::Machine(_) => panic!("a machine's {path} can't be seen from here"),
        }
    }

    /// Waits until a command succeeds there, and gives what it says.
    pub fn until(&self, what: &str, command: &str) -> String {
        until(what, || {
            let output = self.try_run(command);
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
        })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let journal = self.try_run("journalctl --no-pager -n 200 -u 'reeve*'");
            eprintln!("--- its journal:\n{}", String::from_utf8_lossy(&journal.stdout));
        }
    }
}

fn over_ssh(config: &Path, command: &str) -> Command {
    let command = command.replace('\'', r"'\''");
    let mut ssh = Command::new("ssh");
    ssh.args(["-n", "-F"]).arg(config).arg("default");
    ssh.arg(format!("sudo env -i {} bash -c '{command}'", ENVIRONMENT.join(" ")));
    ssh
}
