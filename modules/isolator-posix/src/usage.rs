//! What a container uses, by walks over `/proc` and over its sandbox.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use reeve_module_sdk::isolator::Usage;

/// The use of a process and all below it. The first process adopts orphans, so all of the
/// container is below it; what ended counts with whoever reaped it.
pub(crate) fn of_tree(first: u32) -> Usage {
    let mut total = Sum::default();
    let mut seen = BTreeSet::new();
    let mut open = vec![first];
    while let Some(pid) = open.pop() {
        if seen.insert(pid) && total.add(pid).is_some() {
            open.extend(children(pid));
        }
    }
    total.usage()
}

#[derive(Default)]
struct Sum {
    processes: u32,
    threads: u32,
    user_ticks: u64,
    system_ticks: u64,
    rss_pages: u64,
}

impl Sum {
    /// Adds one process; none if it has gone. The fields are counted from the end of the name in
    /// parentheses, which may hold anything (proc(5)): state is the first.
    fn add(&mut self, pid: u32) -> Option<()> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        self.processes += 1;
        self.threads += u32::try_from(number(17)?).ok()?;
        // Its own time, and that of its children that ended and were reaped.
        self.user_ticks += number(11)? + number(13).unwrap_or(0);
        self.system_ticks += number(12)? + number(14).unwrap_or(0);
        self.rss_pages += number(21)?;
        Some(())
    }

    fn usage(&self) -> Usage {
        let setting = |name| nix::unistd::sysconf(name).ok().flatten();
        let ticks = setting(nix::unistd::SysconfVar::CLK_TCK).unwrap_or(100) as f64;
        let page = setting(nix::unistd::SysconfVar::PAGE_SIZE).unwrap_or(4_096);
        let page = u64::try_from(page).unwrap_or(4_096);
        let mut usage = Usage::default();
        usage.count("processes", self.processes.into());
        usage.count("threads", self.threads.into());
        usage.number("cpus_user_time_secs", self.user_ticks as f64 / ticks);
        usage.number("cpus_system_time_secs", self.system_ticks as f64 / ticks);
        usage.count("mem_rss_bytes", self.rss_pages * page);
        usage
    }
}

/// The children of all threads of a process.
fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = tasks.flatten().flat_map(|t| std::fs::read_to_string(t.path().join("children")));
    lists
        .flat_map(|list| list.split_ascii_whitespace().flat_map(str::parse).collect::<Vec<u32>>())
        .collect()
}

/// The bytes of disk that a directory takes up, as `du -x` counts: blocks, a file with several
/// names once, links not followed, other file systems not entered.
pub(crate) fn of_disk(path: &Path) -> Option<u64> {
    let top = std::fs::symlink_metadata(path).ok()?;
    let mut walk = Walk { device: top.dev(), linked: BTreeSet::new(), bytes: 0 };
    walk.count(&top);
    let mut open = vec![path.to_owned()];
    while let Some(directory) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if walk.count(&metadata) && metadata.is_dir() {
                open.push(entry.path());
            }
        }
    }
    Some(walk.bytes)
}

struct Walk {
    device: u64,
    linked: BTreeSet<u64>,
    bytes: u64,
}

impl Walk {
    /// Counts an entry; false if it is on another file system.
    fn count(&mut self, metadata: &Metadata) -> bool {
        if metadata.dev() != self.device {
            return false;
        }
        let first = metadata.is_dir() || metadata.nlink() < 2 || self.linked.insert(metadata.ino());
        if first {
            // The unit is 512 bytes whatever the file system's (stat(2)).
            self.bytes += metadata.blocks() * 512;
        }
        true
    }
}

#[cfg(test)]
mod tests;
