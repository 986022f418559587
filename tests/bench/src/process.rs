//! What a process costs, from `/proc`.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

/// Clock ticks of `/proc/PID/stat` in a second: 100 on every Linux of today.
const TICKS: u64 = 100;

/// The processor time a process has used so far, user and system.
///
/// # Errors
/// If there is no such process.
pub fn cpu(pid: u32) -> anyhow::Result<Duration> {
    ticks(pid, 2)
}

/// The same, with that of the children it has waited for, and of theirs.
///
/// # Errors
/// If there is no such process.
pub fn cpu_with_children(pid: u32) -> anyhow::Result<Duration> {
    ticks(pid, 4)
}

/// The sum of the first of utime, stime, cutime and cstime.
fn ticks(pid: u32, fields: usize) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("there is no process {pid}"))?;
    // The name, in brackets, may hold anything; the numbers come after the last bracket.
    let (_, numbers) = stat.rsplit_once(')').context("a strange /proc/PID/stat")?;
    let times = numbers.split_whitespace().skip(11).take(fields).map(str::parse::<u64>);
    let ticks: u64 = times.sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 1000 / TICKS))
}

/// The memory of a process that is in RAM, in bytes.
///
/// # Errors
/// If there is no such process.
pub fn rss(pid: u32) -> anyhow::Result<u64> {
    field(&format!("/proc/{pid}/status"), "VmRSS:")
}

/// The most memory that a process ever had in RAM, in bytes.
///
/// # Errors
/// If there is no such process.
pub fn peak_rss(pid: u32) -> anyhow::Result<u64> {
    field(&format!("/proc/{pid}/status"), "VmHWM:")
}

/// The memory of a process that is in RAM, pages shared among processes counted to each in its
/// share, in bytes.
///
/// # Errors
/// If there is no such process, or it is another user's.
pub fn pss(pid: u32) -> anyhow::Result<u64> {
    field(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

/// A line such as `VmRSS:  1234 kB`.
fn field(path: &str, name: &str) -> anyhow::Result<u64> {
    let text = fs::read_to_string(path).with_context(|| format!("{path} can't be read"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let amount = line.and_then(|line| line.split_whitespace().next());
    let kilobytes: u64 = amount.with_context(|| format!("{path} has no {name}"))?.parse()?;
    Ok(kilobytes * 1024)
}

/// A process.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its command line, words separated by spaces.
    pub command: String,
}

/// The processes that work in a directory, or have it in their environment, as executors and
/// their tasks do.
///
/// # Errors
/// If `/proc` can't be read.
pub fn living_in(directory: &Path) -> anyhow::Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        if lives_in(pid, directory) {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            found.push(Process { pid, command });
        }
    }
    Ok(found)
}

fn lives_in(pid: u32, directory: &Path) -> bool {
    // A process may end while it is looked at, or be another user's.
    let works = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|at| at.starts_with(directory));
    let named = || {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let wanted = directory.as_os_str().as_bytes();
        environment.windows(wanted.len()).any(|part| part == wanted)
    };
    works || named()
}
