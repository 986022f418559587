//! Processes: starting ours, finding those that ours started, and burying orphans.
//!
//! The test's own process adopts what a killed daemon leaves behind, because not every machine has
//! a first process that does so promptly.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Output};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

/// The children that somebody waits for; all others are orphans.
static OURS: LazyLock<Mutex<BTreeSet<u32>>> = LazyLock::new(|| {
    nix::sys::prctl::set_child_subreaper(true).expect("a process may adopt orphans");
    Mutex::new(BTreeSet::new())
});

fn ours() -> MutexGuard<'static, BTreeSet<u32>> {
    OURS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process that some daemon of a room has started.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its words, separated by spaces.
    pub command: String,
}

impl Process {
    /// Sends it SIGKILL.
    pub fn kill(&self) {
        signal(self.pid, Signal::SIGKILL);
    }

    /// Whether this is what runs a task rather than the task itself.
    pub fn is_executor(&self) -> bool {
        ["reeve-executor", "mesos-containerizer"].iter().any(|name| self.command.contains(name))
    }
}

/// Sends a signal; a process that is gone is fine.
pub fn signal(pid: i32, signal: Signal) {
    let _gone = kill(Pid::from_raw(pid), signal);
}

/// Starts a child that somebody will wait for with [`finished`].
pub fn spawn(command: &mut Command) -> Child {
    let mut ours = ours();
    let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    ours.insert(child.id());
    child
}

/// Waits for a child and collects what it wrote.
pub fn finished(child: Child) -> Output {
    let pid = child.id();
    let output = child.wait_with_output().expect("a child can be waited for");
    ours().remove(&pid);
    output
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    use std::process::Stdio;
    finished(spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped())))
}

/// Buries dead processes that fell to this one when their parent died.
pub fn reap_orphans() {
    let ours = ours();
    let own = std::process::id().to_string();
    for pid in pids() {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        // The name may hold anything, also blanks and brackets; what follows its last bracket is
        // the state and the parent.
        let Some((_, rest)) = stat.rsplit_once(')') else { continue };
        let mut words = rest.split_whitespace();
        if words.next() == Some("Z")
            && words.next() == Some(own.as_str())
            && !ours.contains(&pid.unsigned_abs())
        {
            let _buried = waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG));
        }
    }
}

/// The living processes that have this directory in their environment: executors and tasks, not the
/// daemons that somebody waits for.
pub fn of(room: &Path) -> Vec<Process> {
    let room = room.to_string_lossy();
    let named = |path: String| {
        let bytes = std::fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    };
    let daemons = ours().clone();
    pids()
        .filter(|pid| !daemons.contains(&pid.unsigned_abs()))
        .filter(|pid| named(format!("/proc/{pid}/environ")).contains(&*room))
        .map(|pid| Process { pid, command: named(format!("/proc/{pid}/cmdline")) })
        .collect()
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").expect("there is /proc");
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}
