//! The service manager's unit that containers live in.
//!
//! systemd takes what runs in a service's control group for a part of that service. Containers are
//! to outlive the agent, so they live in a unit of their own, which has been delegated
//! (`Delegate=yes`) and is kept by a process that does nothing. Where systemd counts processes in
//! two hierarchies at once, as on hosts with both versions of control groups, they are put there in
//! both.
//!
//! Limits do not live here: isolators move a container on to a control group with limits.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Where systemd mounts the hierarchies that it counts processes in.
const TOPS: [&str; 3] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"];

/// The child of the unit's control group that containers start in. A control group of version 2
/// whose children have limits must not hold processes itself.
const LEAF: &str = "plain";

/// A unit that cannot take containers.
#[derive(Debug, thiserror::Error)]
pub enum UnitError {
    /// No hierarchy has it.
    #[error(
        "systemd has no control group '{0}': start the unit, and see `systemctl show -P \
         ControlGroup UNIT`"
    )]
    Unknown(PathBuf),
    /// The kernel refuses.
    #[error("processes can't be moved to '{0}'")]
    Refused(PathBuf, #[source] io::Error),
}

/// A unit that takes containers.
#[derive(Clone, Debug)]
pub struct Unit {
    leaves: Vec<PathBuf>,
}

impl Unit {
    /// Makes a unit ready, given as the path of its control group. What keeps it is moved out of the
    /// way.
    ///
    /// # Errors
    ///
    /// If it does not run, or its control group can't be used.
    pub fn new(path: &Path) -> Result<Self, UnitError> {
        Self::below(&TOPS.map(Path::new), path)
    }

    fn below(tops: &[&Path], path: &Path) -> Result<Self, UnitError> {
        let below = path.strip_prefix("/").unwrap_or(path);
        let groups = tops.iter().map(|top| top.join(below));
        let groups = groups.filter(|group| group.join(PROCESSES).exists());
        let leaves: Vec<PathBuf> = groups.map(|group| group.join(LEAF)).collect();
        if leaves.is_empty() {
            return Err(UnitError::Unknown(path.to_owned()));
        }
        for leaf in &leaves {
            make_room(leaf).map_err(|why| UnitError::Refused(leaf.clone(), why))?;
        }
        Ok(Self { leaves })
    }

    /// Moves a process, and what it will start, into the unit.
    ///
    /// # Errors
    ///
    /// If the unit is gone, or the process is.
    pub fn take(&self, process: u32) -> Result<(), UnitError> {
        for leaf in &self.leaves {
            let moved = fs::write(leaf.join(PROCESSES), process.to_string());
            moved.map_err(|why| UnitError::Refused(leaf.clone(), why))?;
        }
        Ok(())
    }
}

const PROCESSES: &str = "cgroup.procs";

/// Makes a leaf, and moves to it what is in the control group above.
fn make_room(leaf: &Path) -> io::Result<()> {
    match fs::create_dir(leaf) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let above = leaf.with_file_name(PROCESSES);
    for process in fs::read_to_string(above)?.lines() {
        match fs::write(leaf.join(PROCESSES), process) {
            // It has ended meanwhile.
            Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => {}
            moved => moved?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_put_wherever_systemd_counts_them() {
        let room = tempfile::tempdir().unwrap();
        let tops = ["v2", "v1", "none"].map(|name| room.path().join(name));
        let path = Path::new("/reeve.slice/reeve-containers.service");
        let groups = tops.clone().map(|top| top.join(path.strip_prefix("/").unwrap()));
        for group in &groups[..2] {
            fs::create_dir_all(group).unwrap();
            fs::write(group.join(PROCESSES), "77\n").unwrap();
        }
        let unit = Unit::below(&tops.each_ref().map(PathBuf::as_path), path).unwrap();
        let moved = |group: &PathBuf| fs::read_to_string(group.join("plain/cgroup.procs")).unwrap();
        assert_eq!(moved(&groups[0]), "77", "what keeps the unit is out of the way");
        unit.take(4711).unwrap();
        assert_eq!((moved(&groups[0]).as_str(), moved(&groups[1]).as_str()), ("4711", "4711"));
        assert!(!groups[2].exists());
    }

    #[test]
    fn a_unit_that_does_not_run_is_named() {
        let room = tempfile::tempdir().unwrap();
        let error = Unit::below(&[room.path()], Path::new("/none.service")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("'/none.service'") && text.contains("start the unit"), "{text}");
    }
}
