//! Processes of the container: start one, end them all, say how one ended.

use std::io::{self, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::plan::Plan;
use crate::sys::{self, Reaped};

/// How long processes that were killed may take to go. One that the kernel holds longer (in
/// uninterruptible sleep) is left to it.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

/// A program to start in the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The file, looked up in `PATH` if it has no slash.
    pub file: String,
    /// Arguments, the zeroth included; may be empty.
    pub arguments: Vec<String>,
    /// Variables on top of those of this process.
    pub environment: Vec<(String, String)>,
}

impl Program {
    /// The same, run by the words before it: they, `--`, the file and its arguments but for the
    /// zeroth.
    pub fn wrapped(&self, wrapper: &[String]) -> Self {
        let Some(file) = wrapper.first().cloned() else { return self.clone() };
        let own = Some(&self.file).filter(|file| !file.is_empty());
        let rest = own.into_iter().chain(self.arguments.iter().skip(1)).cloned();
        let arguments = wrapper.iter().cloned().chain(["--".to_owned()]).chain(rest).collect();
        Self { file, arguments, environment: self.environment.clone() }
    }
}

/// Starts a program in a session of its own, in the sandbox, as the plan's user and within the
/// plan's limits, with `output` as its standard output. It dies with this process. Returns its
/// process id.
pub fn spawn(program: &Program, plan: &Plan, output: Stdio) -> io::Result<i32> {
    let mut command = Command::new(&program.file);
    command
        .args(program.arguments.iter().skip(1))
        .envs(program.environment.iter().map(|(name, value)| (name, value)))
        // The token speaks for the executor and is not for the task.
        .env_remove("MESOS_EXECUTOR_AUTHENTICATION_TOKEN")
        .current_dir(&plan.sandbox)
        .stdout(output);
    if let Some(zeroth) = program.arguments.first() {
        command.arg0(zeroth);
    }
    let rlimits = plan.rlimits.clone();
    let user = plan.user.clone();
    let supervisor = i32::try_from(std::process::id()).map_err(io::Error::other)?;
    let confine = move || {
        sys::new_session()?;
        // The standard library leaves the mask as it is, and the program is to hear SIGTERM.
        sys::unblock_signals()?;
        for &(resource, soft, hard) in &rlimits {
            sys::set_limit(resource, soft, hard)?;
        }
        if let Some(user) = &user {
            sys::become_user(user.uid, user.gid, &user.groups)?;
        }
        // Last, because a change of user clears it (prctl(2)); then the parent may be gone already.
        sys::die_with_parent()?;
        if sys::parent() == supervisor { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    };
    // SAFETY: this process has one thread, so the child's copy of memory has no lock held by
    // another; the closure makes system calls only.
    unsafe { command.pre_exec(confine) };
    let child = command.spawn()?;
    i32::try_from(child.id()).map_err(io::Error::other)
}

/// Kills every process below this one, and waits until they are gone. Orphans come back to this
/// process, so none is missed.
pub fn kill_all_below() {
    let patience = Instant::now() + KILL_PATIENCE;
    loop {
        match sys::reap(false) {
            Ok(Reaped::Ended { .. }) => continue,
            Ok(Reaped::Running) => signal_children(libc::SIGKILL),
            Ok(Reaped::Childless) | Err(_) => return,
        }
        if Instant::now() > patience {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Sends a signal to every child of this process.
pub fn signal_children(signal: i32) {
    for pid in children() {
        drop(sys::send_signal(pid, signal));
    }
}

/// The children of this process, which has one thread.
fn children() -> Vec<i32> {
    let me = std::process::id();
    match std::fs::read_to_string(format!("/proc/{me}/task/{me}/children")) {
        Ok(list) => list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect(),
        // A kernel without CONFIG_PROC_CHILDREN: ask every process for its parent.
        Err(_) => children_by_walk(me),
    }
}

fn children_by_walk(me: u32) -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| parent_of(*pid) == Some(me)).collect()
}

fn parent_of(pid: i32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, so count from its end: state, then parent.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// How a command ended, in Mesos's words.
pub fn describe(status: i32) -> String {
    let status = ExitStatus::from_raw(status);
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("Command exited with status {code}"),
        (None, Some(signal)) => {
            let core = if status.core_dumped() { " (core dumped)" } else { "" };
            format!("Command terminated with signal {}{core}", sys::signal_name(signal))
        }
        (None, None) => "Failed to get exit status for Command".to_owned(),
    }
}

/// The exit code of a wait status; none if a signal ended the process.
pub fn exit_code(status: i32) -> Option<i32> {
    ExitStatus::from_raw(status).code()
}

/// Whether a wait status says success.
pub fn succeeded(status: i32) -> bool {
    ExitStatus::from_raw(status).success()
}

/// Leaves a wait status where a restarted agent finds it. The file is whole or absent; it need
/// not outlive the host, since the container does not either.
pub fn write_status(path: &Path, status: i32) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = std::fs::File::create(&draft)?;
    writeln!(file, "{status}")?;
    std::fs::rename(&draft, path)
}

#[cfg(test)]
mod tests;
