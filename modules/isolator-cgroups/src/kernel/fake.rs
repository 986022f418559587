//! A kernel in memory that writes down what is done to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use super::{Device, Kernel};

/// Where the hierarchies are.
pub(crate) const TOP: &str = "/sys/fs/cgroup";

#[derive(Default)]
struct State {
    /// Text by path. A cgroup is there when its `cgroup.procs` is.
    files: BTreeMap<PathBuf, String>,
    /// What a new cgroup below a mount has, by mount.
    templates: BTreeMap<PathBuf, Vec<(&'static str, String)>>,
    delegated: BTreeSet<PathBuf>,
    /// Writes that fail, and as often.
    failures: BTreeMap<PathBuf, (io::ErrorKind, usize)>,
    log: Vec<String>,
}

#[derive(Default)]
pub(crate) struct Fake {
    state: Mutex<State>,
}

const V1: [(&str, &[(&str, &str)]); 7] = [
    ("cpu", &[("cpu.shares", "1024"), ("cpu.cfs_period_us", ""), ("cpu.cfs_quota_us", "-1")]),
    ("cpuacct", &[("cpuacct.stat", "user 0\nsystem 0\n")]),
    (
        "memory",
        &[
            ("memory.limit_in_bytes", "9223372036854771712"),
            ("memory.memsw.limit_in_bytes", "9223372036854771712"),
            ("memory.soft_limit_in_bytes", "9223372036854771712"),
            ("memory.usage_in_bytes", "0"),
            ("memory.use_hierarchy", "0"),
            ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n"),
        ],
    ),
    ("pids", &[("pids.max", "max"), ("pids.current", "0")]),
    ("blkio", &[("blkio.bfq.weight", ""), ("blkio.throttle.read_bps_device", "")]),
    ("cpuset", &[("cpuset.cpus", ""), ("cpuset.mems", "")]),
    ("devices", &[("devices.deny", ""), ("devices.allow", "")]),
];

const V2: [(&str, &str); 12] = [
    ("cgroup.kill", ""),
    ("cpu.weight", "100"),
    ("cpu.max", "max 100000"),
    ("cpu.stat", "user_usec 0\nsystem_usec 0\n"),
    ("memory.max", "max"),
    ("memory.low", "0"),
    ("memory.swap.max", "max"),
    ("memory.current", "0"),
    ("memory.events", "oom 0\noom_kill 0\n"),
    ("memory.stat", ""),
    ("pids.max", "max"),
    ("pids.current", "0"),
];

impl Fake {
    /// A host with all controllers in version 1, one hierarchy each.
    pub(crate) fn v1() -> Self {
        let fake = Self::default();
        let mut mountinfo = String::new();
        for (name, files) in V1 {
            mountinfo += &format!("1 1 0:1 / {TOP}/{name} rw - cgroup cgroup rw,{name}\n");
            let files = files.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            fake.mount(&format!("{TOP}/{name}"), files);
        }
        fake.set(&format!("{TOP}/cpuset/cpuset.cpus"), "0-7\n");
        fake.set(&format!("{TOP}/cpuset/cpuset.mems"), "0\n");
        fake.proc(&mountinfo, "1:cpu:/\n");
        fake
    }

    /// A host with version 2 only, on which the agent is in a cgroup.
    pub(crate) fn v2(own: &str) -> Self {
        let fake = Self::default();
        fake.mount(TOP, V2.iter().map(|(name, value)| (*name, (*value).to_owned())).collect());
        fake.set(&format!("{TOP}/cgroup.controllers"), "cpuset cpu io memory hugetlb pids\n");
        fake.proc(&format!("1 1 0:1 / {TOP} rw - cgroup2 cgroup2 rw\n"), &format!("0::{own}\n"));
        fake
    }

    pub(crate) fn proc(&self, mountinfo: &str, own: &str) {
        self.set("/proc/self/mountinfo", mountinfo);
        self.set("/proc/self/cgroup", own);
        self.set("/proc/meminfo", "MemTotal:        1048576 kB\n");
    }

    pub(crate) fn mount(&self, top: &str, files: Vec<(&'static str, String)>) {
        let mut state = self.state();
        for name in ["cgroup.procs", "cgroup.subtree_control"] {
            state.files.insert(Path::new(top).join(name), String::new());
        }
        state.templates.insert(top.into(), files);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn set(&self, path: &str, text: &str) {
        self.state().files.insert(path.into(), text.to_owned());
    }

    pub(crate) fn get(&self, path: &str) -> Option<String> {
        self.state().files.get(Path::new(path)).cloned()
    }

    pub(crate) fn delegate(&self, path: &str) {
        self.state().delegated.insert(path.into());
    }

    /// Has the next writes to a path fail.
    pub(crate) fn fail(&self, path: &str, kind: io::ErrorKind, times: usize) {
        self.state().failures.insert(path.into(), (kind, times));
    }

    /// What was done since the last look, without the common part of the paths.
    pub(crate) fn log(&self) -> Vec<String> {
        let log = std::mem::take(&mut self.state().log);
        log.into_iter().map(|line| line.replace(&format!("{TOP}/"), "")).collect()
    }

    pub(crate) fn is_there(&self, cgroup: &str) -> bool {
        self.get(&format!("{cgroup}/cgroup.procs")).is_some()
    }
}

impl State {
    fn failure(&mut self, path: &Path) -> io::Result<()> {
        match self.failures.get_mut(path) {
            Some((kind, times)) if *times > 0 => {
                *times -= 1;
                Err((*kind).into())
            }
            _ => Ok(()),
        }
    }

    fn children(&self, cgroup: &Path) -> Vec<String> {
        let cgroups = self.files.keys().filter(|path| path.ends_with("cgroup.procs"));
        let children = cgroups.filter_map(|path| path.parent());
        let children = children.filter(|path| path.parent() == Some(cgroup));
        children.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
    }
}

impl Kernel for Fake {
    fn read(&self, file: &Path) -> io::Result<String> {
        self.state().files.get(file).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn write(&self, file: &Path, value: &str) -> io::Result<()> {
        let mut state = self.state();
        if !state.files.contains_key(file) && !file.starts_with("/proc") {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.log.push(format!("{} = {value}", file.display()));
        state.failure(file)?;
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let text = match name {
            "cgroup.subtree_control" => value.replace('+', ""),
            "cgroup.procs" => format!("{}{value}\n", state.files[file]),
            _ => value.to_owned(),
        };
        state.files.insert(file.to_owned(), text);
        if name == "cgroup.kill" {
            let below = file.parent().unwrap().to_owned();
            let all = state.files.iter_mut().filter(|(path, _)| path.starts_with(&below));
            all.filter(|(path, _)| path.ends_with("cgroup.procs"))
                .for_each(|(_, text)| text.clear());
        }
        Ok(())
    }

    fn make(&self, cgroup: &Path) -> io::Result<()> {
        let mut state = self.state();
        let above = cgroup.parent().unwrap();
        if state.files.contains_key(&cgroup.join("cgroup.procs")) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if !state.files.contains_key(&above.join("cgroup.procs")) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.failure(cgroup)?;
        state.log.push(format!("make {}", cgroup.display()));
        let mount = state.templates.keys().find(|top| cgroup.starts_with(top)).unwrap().clone();
        let given = state.files[&above.join("cgroup.subtree_control")].clone();
        for (name, text) in state.templates[&mount].clone() {
            state.files.insert(cgroup.join(name), text);
        }
        state.files.insert(cgroup.join("cgroup.controllers"), given);
        for name in ["cgroup.procs", "cgroup.subtree_control"] {
            state.files.insert(cgroup.join(name), String::new());
        }
        Ok(())
    }

    fn remove(&self, cgroup: &Path) -> io::Result<()> {
        let mut state = self.state();
        let Some(processes) = state.files.get(&cgroup.join("cgroup.procs")) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if !processes.is_empty() || !state.children(cgroup).is_empty() {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        state.log.push(format!("remove {}", cgroup.display()));
        state.files.retain(|path, _| path.parent() != Some(cgroup));
        Ok(())
    }

    fn children(&self, cgroup: &Path) -> io::Result<Vec<String>> {
        Ok(self.state().children(cgroup))
    }

    fn is_delegated(&self, cgroup: &Path) -> bool {
        self.state().delegated.contains(cgroup)
    }

    fn lock(&self, _: &Path) -> io::Result<Option<File>> {
        Ok(None)
    }

    fn kill(&self, cgroup: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.log.push(format!("kill {}", cgroup.display()));
        state.failure(cgroup)?;
        match state.files.get_mut(&cgroup.join("cgroup.procs")) {
            Some(processes) => processes.clear(),
            None => return Err(io::ErrorKind::NotFound.into()),
        }
        Ok(())
    }

    fn device(&self, path: &Path) -> io::Result<Device> {
        match path.to_str() {
            Some("/dev/fuse") => Ok(Device { kind: 'c', major: 10, minor: 229 }),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn wait(&self, _: Duration) {
        self.state().log.push("wait".to_owned());
    }
}
