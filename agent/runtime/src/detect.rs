//! The host's resources, for an operator who names none (Mesos docs: `--resources`).

use std::path::Path;

/// What the host has to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detected {
    /// Processors.
    pub cpus: u32,
    /// Memory in MB, less what is kept for the system.
    pub mem_mb: u64,
    /// Disk in MB of the file system of the work directory, less what is kept for the system.
    pub disk_mb: u64,
    /// First and last port, inclusive.
    pub ports: (u16, u16),
}

/// Ports that are offered unless the operator says otherwise.
const PORTS: (u16, u16) = (31_000, 32_000);

/// What is assumed of a host that does not tell (Mesos's own fallbacks).
const FALLBACK_CPUS: u32 = 1;
const FALLBACK_MEM_MB: u64 = 1_024;
const FALLBACK_DISK_MB: u64 = 10_240;

/// Looks at the host. What it does not tell is assumed, with a warning.
pub fn detect(work_dir: &Path) -> Detected {
    Detected {
        cpus: cpus().unwrap_or_else(|| assumed("processors", FALLBACK_CPUS)),
        mem_mb: memory_mb().map_or_else(|| assumed("memory", FALLBACK_MEM_MB), offered_memory),
        disk_mb: disk_mb(work_dir).map_or_else(|| assumed("disk", FALLBACK_DISK_MB), offered_disk),
        ports: PORTS,
    }
}

fn assumed<T: std::fmt::Display>(what: &str, amount: T) -> T {
    tracing::warn!(
        "the host does not tell its {what}; {amount} is assumed, name it in --resources"
    );
    amount
}

/// 1 GB is kept back, of a small host the half.
fn offered_memory(total: u64) -> u64 {
    if total > 2_048 { total - 1_024 } else { total / 2 }
}

/// 5 GB are kept back, of a small file system the half.
fn offered_disk(total: u64) -> u64 {
    if total > 10_240 { total - 5_120 } else { total / 2 }
}

/// The processors that are online, whether or not this process may use them all.
fn cpus() -> Option<u32> {
    let online = nix::unistd::sysconf(nix::unistd::SysconfVar::_NPROCESSORS_ONLN).ok()??;
    u32::try_from(online).ok().filter(|&cpus| cpus > 0)
}

fn memory_mb() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kb: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kb / 1_024)
}

fn disk_mb(path: &Path) -> Option<u64> {
    let stat = nix::sys::statvfs::statvfs(path).ok()?;
    Some(stat.blocks().checked_mul(stat.fragment_size())? >> 20)
}

#[cfg(test)]
mod tests;
