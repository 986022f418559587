//! Processes of the container: start one, end them all, say how one ended.

use std::io::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::plan::{Plan, User};
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
    /// zeroth. The variables stay out: a wrapper runs as the agent's user, and one of them
    /// (`LD_PRELOAD`, say) could make it do anything.
    pub fn wrapped(&self, wrapper: &[String]) -> Self {
        let own = Some(&self.file).filter(|file| !file.is_empty());
        let rest = own.into_iter().chain(self.arguments.iter().skip(1)).cloned();
        let arguments = wrapper.iter().cloned().chain(["--".to_owned()]).chain(rest).collect();
        let file = wrapper.first().cloned().unwrap_or_default();
        Self { file, arguments, environment: Vec::new() }
    }
}

/// Starts the program of the container: right here, or by the plan's wrapper, which gets `report`
/// to write to. The error names what could not be executed.
pub fn spawn_first(
    program: &Program,
    plan: &Plan,
    report: Option<BorrowedFd<'_>>,
) -> io::Result<i32> {
    let (file, spawned) = if plan.wrapper.is_empty() {
        (&program.file, spawn(program, plan, Stdio::inherit()))
    } else {
        let wrapped = program.wrapped(&plan.wrapper);
        (&plan.wrapper[0], spawn_wrapper(&wrapped, plan, Stdio::inherit(), report))
    };
    spawned.map_err(|error| io::Error::new(error.kind(), format!("'{file}': {error}")))
}

/// Starts a program in a session of its own, in the sandbox, as the plan's user and within the
/// plan's limits, with `output` as its standard output. It dies with this process. Returns its
/// process id.
pub fn spawn(program: &Program, plan: &Plan, output: Stdio) -> io::Result<i32> {
    let confined = Confined { rlimits: plan.rlimits.clone(), user: plan.user.clone() };
    start(program, plan, output, confined, None)
}

/// Starts a wrapper: as [`spawn`] does, but as this process's user and without limits. `report`
/// stays open in it, under the number in `REEVE_REPORT`.
pub fn spawn_wrapper(
    program: &Program,
    plan: &Plan,
    output: Stdio,
    report: Option<BorrowedFd<'_>>,
) -> io::Result<i32> {
    start(program, plan, output, Confined::default(), report)
}

/// What a program may do less than this process.
#[derive(Default)]
struct Confined {
    rlimits: Vec<(u32, u64, u64)>,
    user: Option<User>,
}

fn start(
    program: &Program,
    plan: &Plan,
    output: Stdio,
    Confined { rlimits, user }: Confined,
    report: Option<BorrowedFd<'_>>,
) -> io::Result<i32> {
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
    let report = report.map(|report| report.as_raw_fd());
    if let Some(number) = report {
        command.env("REEVE_REPORT", number.to_string());
    }
    let supervisor = i32::try_from(std::process::id()).map_err(io::Error::other)?;
    let confine = move || {
        sys::new_session()?;
        // The standard library leaves the mask as it is, and the program is to hear SIGTERM.
        sys::unblock_signals()?;
        if let Some(report) = report {
            sys::keep_open(report)?;
        }
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

/// How a command or container ended, in Mesos's words.
pub fn describe(what: &str, status: i32) -> String {
    let status = ExitStatus::from_raw(status);
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("{what} exited with status {code}"),
        (None, Some(signal)) => {
            let core = if status.core_dumped() { " (core dumped)" } else { "" };
            format!("{what} terminated with signal {}{core}", sys::signal_name(signal))
        }
        (None, None) => format!("Failed to get exit status for {what}"),
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
