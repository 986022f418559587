//! The calls that touch the kernel, behind a trait, so that order and values can be tested for
//! both versions without root.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

#[cfg(test)]
pub(crate) mod fake;

/// A device file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// `c` or `b`.
    pub(crate) kind: char,
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

/// What the isolator asks of the kernel.
pub(crate) trait Kernel: Send + Sync {
    /// A file's text.
    fn read(&self, file: &Path) -> io::Result<String>;

    /// Writes to a file that exists, in one call: one call is one command to the kernel.
    fn write(&self, file: &Path, value: &str) -> io::Result<()>;

    /// Makes a cgroup in one that exists.
    fn make(&self, cgroup: &Path) -> io::Result<()>;

    /// Removes a cgroup that has neither processes nor children.
    fn remove(&self, cgroup: &Path) -> io::Result<()>;

    /// The names of a cgroup's children.
    fn children(&self, cgroup: &Path) -> io::Result<Vec<String>>;

    /// Whether systemd has handed the cgroup over.
    fn is_delegated(&self, cgroup: &Path) -> bool;

    /// Locks a cgroup as long as the file lives.
    fn lock(&self, cgroup: &Path) -> io::Result<Option<File>>;

    /// Kills the processes that are in a cgroup right now, not in its children.
    fn kill(&self, cgroup: &Path) -> io::Result<()>;

    /// What a path is a device file of.
    fn device(&self, path: &Path) -> io::Result<Device>;

    /// Waits between two looks.
    fn wait(&self, time: Duration);
}

/// The real thing.
#[derive(Debug)]
pub(crate) struct Linux;

impl Kernel for Linux {
    fn read(&self, file: &Path) -> io::Result<String> {
        fs::read_to_string(file)
    }

    fn write(&self, file: &Path, value: &str) -> io::Result<()> {
        OpenOptions::new().write(true).open(file)?.write_all(value.as_bytes())
    }

    fn make(&self, cgroup: &Path) -> io::Result<()> {
        fs::create_dir(cgroup)
    }

    fn remove(&self, cgroup: &Path) -> io::Result<()> {
        fs::remove_dir(cgroup)
    }

    fn children(&self, cgroup: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(cgroup)? {
            let entry = entry?;
            if entry.file_type()?.is_dir()
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn is_delegated(&self, cgroup: &Path) -> bool {
        ["user.delegate", "trusted.delegate"].into_iter().any(|name| {
            let mut value = [0; 1];
            rustix::fs::getxattr(cgroup, name, &mut value).is_ok() && value == *b"1"
        })
    }

    fn lock(&self, cgroup: &Path) -> io::Result<Option<File>> {
        let file = File::open(cgroup)?;
        file.try_lock()?;
        Ok(Some(file))
    }

    /// A number may become another's between reading and killing. So the processes are held
    /// first, and only those that are listed once more are meant.
    fn kill(&self, cgroup: &Path) -> io::Result<()> {
        let file = cgroup.join("cgroup.procs");
        let mut held = Vec::new();
        for pid in processes(&self.read(&file)?) {
            let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
            if let Some(number) = number
                && let Ok(process) = pidfd_open(number, PidfdFlags::empty())
            {
                held.push((pid, process));
            }
        }
        let still = processes(&self.read(&file)?);
        for (_, process) in held.iter().filter(|(pid, _)| still.contains(pid)) {
            // It may be gone by now, which is as good.
            let _ = pidfd_send_signal(process, Signal::KILL);
        }
        Ok(())
    }

    fn device(&self, path: &Path) -> io::Result<Device> {
        let metadata = fs::metadata(path)?;
        let kind = match metadata.file_type() {
            kind if kind.is_char_device() => 'c',
            kind if kind.is_block_device() => 'b',
            _ => return Err(io::Error::other("it is not a device")),
        };
        let number = metadata.rdev();
        Ok(Device { kind, major: rustix::fs::major(number), minor: rustix::fs::minor(number) })
    }

    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// The processes that a `cgroup.procs` lists. A process of another namespace shows as 0.
pub(crate) fn processes(text: &str) -> Vec<u32> {
    text.lines().filter_map(|line| line.trim().parse().ok()).filter(|pid| *pid > 0).collect()
}
