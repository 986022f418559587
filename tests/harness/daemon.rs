//! A daemon as a child process: started, asked for its address, signalled, killed.

use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::Signal;

use crate::processes;
use crate::room::Room;
use crate::wait::until;

/// A process whose output goes to files in its room. Dropping it kills it.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    child: Option<Child>,
    /// How it ended.
    ended: Option<ExitStatus>,
    out: PathBuf,
    log: PathBuf,
}

impl Daemon {
    /// Starts a command in a process group of its own. `name` is for its files and for people.
    pub fn start(room: &Room, name: &str, command: &mut Command) -> Self {
        let (out, log) = (room.join(&format!("{name}.out")), room.join(&format!("{name}.log")));
        let append = |path: &PathBuf| {
            File::options().create(true).append(true).open(path).expect("a file in the room")
        };
        drop(std::fs::remove_file(&out));
        let command = command.stdin(Stdio::null()).stdout(append(&out)).stderr(append(&log));
        let child = processes::spawn(command.process_group(0));
        Self { name: name.to_owned(), child: Some(child), ended: None, out, log }
    }

    /// What it wrote to standard output.
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// What it wrote to standard error, in this life and those before.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The first `count` addresses that it says it listens on: `http://IP:PORT`.
    pub fn addresses(&mut self, count: usize) -> Vec<SocketAddr> {
        let name = self.name.clone();
        until(&format!("{name} to say where it listens"), || {
            // One that has ended by now may have said it before.
            let runs = self.running();
            let text = self.output();
            // A line that is not whole yet may end in the middle of a port.
            let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
            let words = whole.split_whitespace().filter_map(|word| word.strip_prefix("http://"));
            let found: Vec<_> = words.filter_map(|word| word.parse().ok()).take(count).collect();
            let all = (found.len() == count).then_some(found);
            assert!(runs || all.is_some(), "{name} ended early:\n{}", self.log());
            all
        })
    }

    /// Whether it still runs.
    pub fn running(&mut self) -> bool {
        let runs = self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)));
        if !runs {
            self.bury();
        }
        runs
    }

    /// Sends it a signal, if it still runs: the number of a buried process may be another's.
    pub fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            processes::signal(i32::try_from(child.id()).expect("process ids are small"), signal);
        }
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let what = format!("{} to end", self.name);
        if let Some(child) = &mut self.child {
            until(&what, || child.try_wait().expect("a child can be waited for"));
            self.bury();
        }
        self.ended.expect("what is buried has ended")
    }

    /// Kills it at once, and only it: what it started goes on.
    pub fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.bury();
    }

    fn bury(&mut self) {
        if let Some(child) = self.child.take() {
            self.ended = Some(processes::finished(child).status);
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(40)..];
            eprintln!("--- the end of the log of {}:\n{}", self.name, last.join("\n"));
        }
    }
}
