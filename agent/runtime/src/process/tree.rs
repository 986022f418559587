//! All of a container's processes: those below its first one, or, should that be gone, those that
//! carry its mark or its session.
//!
//! The first process adopts orphans, so as long as it lives everything of the container is below
//! it. A walk over all of `/proc` happens only after somebody killed it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::pidfd::PidFd;
use super::{Stat, stat};

/// The environment variable that marks a container's processes.
pub(crate) const MARK: &str = "REEVE_CONTAINER";

/// How long killed processes may take to go; one in uninterruptible sleep is left to the kernel.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks at processes that were killed.
const PAUSE: Duration = Duration::from_millis(1);

/// Kills the container's first process and all below it. The first one is stopped before, so
/// that it neither sees its children die nor starts others, and goes last, so that no orphan
/// escapes.
pub(crate) fn kill(first: u32, held: &PidFd) -> std::io::Result<()> {
    held.signal(libc::SIGSTOP)?;
    repeat(|| below(first));
    held.signal(libc::SIGKILL)
}

/// Kills what the container left behind when its first process was killed from outside. Its
/// session counts only while nobody else can have that number: until the process is reaped.
pub(crate) fn sweep(id: &str, session: Option<u32>) {
    repeat(|| marked(id, session));
}

/// Kills what `find` finds until it finds nothing.
fn repeat(find: impl Fn() -> Vec<u32>) {
    let patience = Instant::now() + PATIENCE;
    loop {
        let found = find();
        if found.is_empty() || Instant::now() > patience {
            return;
        }
        for pid in found {
            signal(pid);
        }
        std::thread::sleep(PAUSE);
    }
}

fn signal(pid: u32) {
    let Ok(pid) = i32::try_from(pid) else { return };
    // That it went by itself in between is as good.
    let pid = nix::unistd::Pid::from_raw(pid);
    let _gone = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
}

/// The living processes below `first`.
fn below(first: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut open = vec![first];
    while let Some(pid) = open.pop() {
        let Some(children) = children(pid) else { return below_by_walk(first) };
        for child in children {
            open.push(child);
            if stat(child).is_ok_and(|stat| !stat.is_dead()) {
                found.push(child);
            }
        }
    }
    found
}

/// The children of all threads of a process; none if the kernel does not list them.
fn children(pid: u32) -> Option<Vec<u32>> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return Some(Vec::new());
    };
    let mut found = Vec::new();
    for task in tasks.flatten() {
        match std::fs::read_to_string(task.path().join("children")) {
            Ok(list) => found.extend(list.split_ascii_whitespace().flat_map(str::parse::<u32>)),
            Err(_) if !task.path().exists() => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(_) => {}
        }
    }
    Some(found)
}

fn below_by_walk(first: u32) -> Vec<u32> {
    let all = all();
    let mut inside = BTreeSet::from([first]);
    close_downwards(&all, &mut inside);
    inside.remove(&first);
    inside.into_iter().filter(|pid| all.get(pid).is_some_and(|stat| !stat.is_dead())).collect()
}

/// The living processes that carry the container's mark or session, and all below them.
fn marked(id: &str, session: Option<u32>) -> Vec<u32> {
    let all = all();
    let mark = format!("{MARK}={id}");
    let carries = |pid: u32, stat: &Stat| Some(stat.session) == session || has_mark(pid, &mark);
    let mut inside: BTreeSet<u32> =
        all.iter().filter(|(pid, stat)| carries(**pid, stat)).map(|(pid, _)| *pid).collect();
    close_downwards(&all, &mut inside);
    inside.into_iter().filter(|pid| all.get(pid).is_some_and(|stat| !stat.is_dead())).collect()
}

/// Whether the process or one below it has a text in its environment.
pub(crate) fn speaks_of(first: u32, text: &str) -> bool {
    let speaks = |pid: u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.windows(text.len().max(1)).any(|part| part == text.as_bytes())
    };
    std::iter::once(first).chain(below(first)).any(speaks)
}

fn has_mark(pid: u32, mark: &str) -> bool {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|&byte| byte == 0).any(|variable| variable == mark.as_bytes())
}

fn all() -> BTreeMap<u32, Stat> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return BTreeMap::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(pid).ok()?))).collect()
}

/// Adds every process whose parent is inside, until there is none.
fn close_downwards(all: &BTreeMap<u32, Stat>, inside: &mut BTreeSet<u32>) {
    loop {
        let before = inside.len();
        for (pid, stat) in all {
            if inside.contains(&stat.parent) {
                inside.insert(*pid);
            }
        }
        if inside.len() == before {
            return;
        }
    }
}
