//! Runs a program and kills it just before the N-th change that it makes to what has a path with
//! one of these beginnings; only it, not what it started:
//!
//! ```text
//! kill-at N LOG BEGINNING[:BEGINNING]... PROGRAM [WORD]...
//! ```
//!
//! Each change is a line of LOG. With 0, the program lives on. When this program ends, so does the
//! other. It works as debuggers do (ptrace), so the program need not know of it.

#![forbid(unsafe_code)]
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use nix::libc::{self, c_long};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// `PTRACE_EVENTMSG_SYSCALL_ENTRY`.
const ENTRY: c_long = 1;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [number, log, beginnings, program @ ..] = words.as_slice() else {
        panic!("usage: kill-at N LOG BEGINNING[:BEGINNING]... PROGRAM [WORD]...");
    };
    let at: u64 = number.parse().expect("a number");
    let mut log = File::create(log).expect("a log");
    let leader = start(program);
    let mut changes = 0;
    loop {
        let status = waitpid(None, Some(WaitPidFlag::__WALL)).expect("a child to wait for");
        let (thread, signal) = match status {
            WaitStatus::PtraceSyscall(thread) => {
                if ptrace::getevent(thread) == Ok(ENTRY)
                    && let Some((what, path)) = change(thread)
                    && beginnings.split(':').any(|one| path.to_string_lossy().starts_with(one))
                {
                    changes += 1;
                    writeln!(log, "{what} {}", path.display()).expect("a log");
                    if changes == at {
                        // What it is about to do, it does no more.
                        kill(leader, Signal::SIGKILL).expect("a child can be killed");
                    }
                }
                (thread, None)
            }
            WaitStatus::Stopped(thread, signal) => (thread, Some(signal)),
            WaitStatus::PtraceEvent(thread, ..) => (thread, None),
            WaitStatus::Exited(one, code) if one == leader => {
                return ExitCode::from(u8::try_from(code).unwrap_or(1));
            }
            WaitStatus::Signaled(one, signal, _) if one == leader => {
                eprintln!("kill-at: {signal} at change {changes}");
                return ExitCode::FAILURE;
            }
            _ => continue,
        };
        // One that was just killed can't be let go on, and need not.
        let _killed = ptrace::syscall(thread, signal);
    }
}

/// Starts the program and traces it from its first step on.
// Whoever traces it waits for it.
#[allow(clippy::zombie_processes)]
fn start(program: &[String]) -> Pid {
    // It stops before it becomes the program, so that nothing the program does is missed.
    let script = ["-c", "kill -STOP $$; exec \"$@\"", "sh"];
    let child = Command::new("sh").args(script).args(program).spawn().expect("a shell");
    let leader = Pid::from_raw(i32::try_from(child.id()).expect("process ids are small"));
    waitpid(leader, Some(WaitPidFlag::WUNTRACED)).expect("a child that stops");
    // Its threads are followed; what it starts is not.
    let options =
        Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL;
    ptrace::seize(leader, options).expect("a child can be traced");
    kill(leader, Signal::SIGCONT).expect("a child can go on");
    leader
}

/// Where a call of the kernel has what it changes.
enum Place {
    /// An open file.
    File(usize),
    /// A path.
    Path(usize),
    /// A path, beginning at an open directory that comes before it.
    At(usize),
}

/// What a stopped thread is about to change.
fn change(thread: Pid) -> Option<(&'static str, PathBuf)> {
    let text = std::fs::read_to_string(format!("/proc/{thread}/syscall")).ok()?;
    let mut words = text.split_whitespace();
    let number: c_long = words.next()?.parse().ok()?;
    let words: Vec<u64> = words
        .filter_map(|word| u64::from_str_radix(word.trim_start_matches("0x"), 16).ok())
        .collect();
    let (name, place) = table(number, &words)?;
    let path = match place {
        Place::File(word) => opened(thread, *words.get(word)?)?,
        Place::Path(word) => string(thread, *words.get(word)?)?,
        Place::At(word) => {
            let path = string(thread, *words.get(word + 1)?)?;
            let from = opened(thread, *words.get(word)?);
            from.map_or_else(|| path.clone(), |from| from.join(&path))
        }
    };
    Some((name, path))
}

fn table(number: c_long, words: &[u64]) -> Option<(&'static str, Place)> {
    let found = match number {
        libc::SYS_write | libc::SYS_pwrite64 | libc::SYS_writev => ("write", Place::File(0)),
        libc::SYS_fsync | libc::SYS_fdatasync => ("flush", Place::File(0)),
        libc::SYS_ftruncate => ("cut", Place::File(0)),
        libc::SYS_fchown | libc::SYS_fchmod => ("give", Place::File(0)),
        libc::SYS_openat if makes(*words.get(2)?) => ("create", Place::At(0)),
        libc::SYS_renameat | libc::SYS_renameat2 => ("rename", Place::At(0)),
        libc::SYS_mkdirat => ("make", Place::At(0)),
        libc::SYS_unlinkat => ("remove", Place::At(0)),
        libc::SYS_symlinkat => ("link", Place::At(1)),
        libc::SYS_fchownat | libc::SYS_fchmodat => ("give", Place::At(0)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rename => ("rename", Place::Path(0)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_mkdir => ("make", Place::Path(0)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_unlink | libc::SYS_rmdir => ("remove", Place::Path(0)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_symlink => ("link", Place::Path(1)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_chown | libc::SYS_lchown | libc::SYS_chmod => ("give", Place::Path(0)),
        _ => return None,
    };
    Some(found)
}

/// Whether a file that is opened like this may be made or emptied.
fn makes(flags: u64) -> bool {
    let makes = u64::from((libc::O_CREAT | libc::O_TRUNC).unsigned_abs());
    flags & makes != 0
}

fn opened(thread: Pid, number: u64) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{thread}/fd/{number}")).ok()
}

/// The text at an address of the thread.
fn string(thread: Pid, address: u64) -> Option<PathBuf> {
    let memory = File::open(format!("/proc/{thread}/mem")).ok()?;
    let mut text = vec![0; 4096];
    let read = memory.read_at(&mut text, address).ok()?;
    let end = text[..read].iter().position(|byte| *byte == 0)?;
    Some(PathBuf::from(String::from_utf8_lossy(&text[..end]).into_owned()))
}
