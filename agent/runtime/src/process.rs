//! Processes by file descriptor and start time, never by bare number.
//!
//! - `pidfd`: hold, watch, signal and reap one process.
//! - `tree`: find and kill all of a container.

pub(crate) mod pidfd;
pub(crate) mod tree;

use std::io;
use std::sync::OnceLock;

/// When a process started, in clock ticks since the host did: with the process id, its identity
/// for as long as the host is up (proc(5), field 22 of `stat`).
pub(crate) fn start_time(pid: u32) -> io::Result<u64> {
    stat(pid)?.start_time.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The parts of `/proc/<pid>/stat` that tell where a process belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) state: u8,
    pub(crate) parent: u32,
    pub(crate) session: u32,
    start_time: Option<u64>,
}

impl Stat {
    /// Whether it has ended and only waits to be reaped.
    pub(crate) fn is_dead(self) -> bool {
        matches!(self.state, b'Z' | b'X')
    }
}

pub(crate) fn stat(pid: u32) -> io::Result<Stat> {
    let text = std::fs::read(format!("/proc/{pid}/stat"))?;
    parse_stat(&text).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn parse_stat(text: &[u8]) -> Option<Stat> {
    // The name in parentheses may hold anything, so the fields are counted from its end.
    let end = text.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(text.get(end + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().unwrap_or(0);
    // Fields 3, 4 and 6 are taken; the start time is field 22.
    let start_time = fields.nth(15).and_then(|ticks| ticks.parse().ok());
    Some(Stat { state, parent, session, start_time })
}

/// The id of this start of the host.
pub(crate) fn boot_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        text.trim().to_owned()
    })
}

#[cfg(test)]
mod tests;
