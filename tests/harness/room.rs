//! A room of its own for a test: a directory, and a loopback address that no other test uses.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};

use tempfile::TempDir;

use crate::processes::{self, Process};
use crate::wait::until;

static ROOMS: AtomicU8 = AtomicU8::new(2);

/// Where a test lives. Dropping it kills what still runs there.
#[derive(Debug)]
pub struct Room {
    directory: TempDir,
    /// The address for its daemons. With one of its own, a daemon that is started again finds its
    /// old port free.
    pub ip: Ipv4Addr,
    ports: AtomicU16,
}

impl Room {
    /// An empty one.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("reeve-test-")
            .tempdir()
            .expect("a temporary directory");
        open_to_all(directory.path());
        let [_, _, high, low] = std::process::id().to_be_bytes();
        let number = ROOMS.fetch_add(1, Ordering::Relaxed);
        let ip = Ipv4Addr::new(127, high, low, number);
        Self { directory, ip, ports: AtomicU16::new(5050) }
    }

    /// A port of its address that no other daemon of the room has. It is none of those that the
    /// kernel gives to connections: one that looks for a killed daemon could get that daemon's own.
    pub fn port(&self) -> u16 {
        self.ports.fetch_add(1, Ordering::Relaxed)
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A path in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Executors and tasks of this room's agents.
    pub fn processes(&self) -> Vec<Process> {
        processes::of(self.path())
    }

    /// The first process of a task, once it runs: the one whose words hold `text`.
    pub fn task(&self, text: &str) -> Process {
        until(&format!("a process '{text}'"), || {
            self.processes()
                .into_iter()
                .find(|one| !one.is_executor() && one.command.contains(text))
        })
    }

    /// The one executor's process.
    pub fn executor(&self) -> Process {
        until("an executor's process", || self.processes().into_iter().find(Process::is_executor))
    }

    /// Kills all executors and tasks of this room.
    pub fn clear(&self) {
        for process in self.processes() {
            process.kill();
        }
    }

    /// Waits until no executor and no task of this room is left.
    pub fn wait_empty(&self) {
        until("all executors and tasks to be gone", || self.processes().is_empty().then_some(()));
    }

    /// A command of `reeve` by one of its names, such as `mesos-execute`.
    pub fn tool(&self, name: &str) -> Command {
        let link = self.join(name);
        if !link.exists() {
            std::os::unix::fs::symlink(program("reeve"), &link).expect("a link in the room");
        }
        Command::new(link)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.clear();
        processes::reap_orphans();
    }
}

/// Tasks run as other users too.
fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .expect("a mode can be set");
}

/// A program of this workspace: cargo puts it two directories above the test that runs.
///
/// # Panics
///
/// If it is not built.
pub fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a test has a program");
    let found = own.ancestors().skip(1).take(2).map(|room| room.join(name)).find(|p| p.is_file());
    found.unwrap_or_else(|| {
        panic!("{name} is not built: `make test` builds all that tests need, by `make programs`")
    })
}
