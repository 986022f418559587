//! The `posix` isolator: no walls, but limits of processes and figures of use.
//!
//! It stands for Mesos's `posix/cpu`, `posix/mem`, `posix/rlimits` and `disk/du`: resource limits
//! from `ContainerInfo.rlimit_info`, and use by a walk over the container's processes and its
//! sandbox. It works without root and without cgroups, and keeps nobody from using more than was
//! asked for, but for disk where that is configured.
//!
//! - `rlimits`: from the protobuf message to the kernel's numbers.
//! - `usage`: the walks.

mod rlimits;
mod usage;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reeve_module_sdk::isolator::{
    Container, Fragment, Grants, Isolator, Limitation, Survivor, Usage,
};
use reeve_module_sdk::{Failed, Module, Parameters};

/// What is known of one container.
#[derive(Debug)]
struct Known {
    sandbox: PathBuf,
    /// Its first process, once there is one.
    pid: Option<u32>,
    /// How much disk it may use, in bytes; a survivor's is known again at its next update.
    disk: Option<u64>,
}

/// The isolator.
#[derive(Debug, Default)]
pub struct Posix {
    enforce_disk: bool,
    containers: Mutex<BTreeMap<String, Known>>,
}

impl Posix {
    /// An isolator that knows of no container. With `enforce_disk`, a container that uses more
    /// disk than it may is killed.
    pub fn new(enforce_disk: bool) -> Self {
        Self { enforce_disk, ..Self::default() }
    }

    fn containers(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Module for Posix {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        Ok(Self::new(parameters.switch("enforce_disk")))
    }
}

reeve_module_sdk::module! {
    isolator: Posix,
    name: "posix",
    author: "The Reeve authors",
    description: "Limits of processes and figures of use, without cgroups and without root",
    parameters: [
        ("enforce_disk", "switch", "false", "Kill a container whose sandbox uses more disk than it may."),
    ],
}

fn unknown(id: &str) -> Failed {
    Failed(format!("container '{id}' is unknown"))
}

/// Thousandths of MB as bytes; none if there is no limit.
fn bytes(thousandths: i64) -> Option<u64> {
    let thousandths = u64::try_from(thousandths).ok().filter(|_| thousandths < i64::MAX)?;
    Some((u128::from(thousandths) * (1 << 20) / 1000).try_into().unwrap_or(u64::MAX))
}

impl Isolator for Posix {
    fn recover(&self, survivors: &[Survivor]) -> Result<(), Failed> {
        let mut containers = self.containers();
        for Survivor { id, pid, sandbox } in survivors {
            let sandbox = PathBuf::from(sandbox.as_str());
            containers.insert(id.to_string(), Known { sandbox, pid: Some(*pid), disk: None });
        }
        Ok(())
    }

    fn prepare(&self, container: &Container) -> Result<Fragment, Failed> {
        let rlimits = rlimits::of(&container.container_info)?.into();
        let sandbox = PathBuf::from(container.sandbox.as_str());
        let disk = container.grants.limit("disk").and_then(bytes);
        self.containers().insert(container.id.to_string(), Known { sandbox, pid: None, disk });
        Ok(Fragment { rlimits, ..Fragment::default() })
    }

    fn isolate(&self, id: &str, pid: u32) -> Result<(), Failed> {
        self.containers().get_mut(id).ok_or_else(|| unknown(id))?.pid = Some(pid);
        Ok(())
    }

    fn update(&self, id: &str, grants: &Grants) -> Result<(), Failed> {
        self.containers().get_mut(id).ok_or_else(|| unknown(id))?.disk =
            grants.limit("disk").and_then(bytes);
        Ok(())
    }

    fn usage(&self, id: &str) -> Result<Usage, Failed> {
        let (pid, sandbox, disk) = {
            let containers = self.containers();
            let known = containers.get(id).ok_or_else(|| unknown(id))?;
            (known.pid, known.sandbox.clone(), known.disk)
        };
        let mut usage = pid.map(usage::of_tree).unwrap_or_default();
        if let Some(used) = usage::of_disk(&sandbox) {
            usage.count("disk_used_bytes", used);
        }
        if let Some(limit) = disk {
            usage.count("disk_limit_bytes", limit);
        }
        Ok(usage)
    }

    fn check(&self, id: &str) -> Result<Option<Limitation>, Failed> {
        let known = if self.enforce_disk { self.containers() } else { return Ok(None) };
        let Some((sandbox, limit)) =
            known.get(id).and_then(|known| Some((known.sandbox.clone(), known.disk?)))
        else {
            return Ok(None);
        };
        // A walk over a large sandbox takes its time; others go on meanwhile.
        drop(known);
        let used = usage::of_disk(&sandbox).unwrap_or_default();
        let broken = || Limitation {
            resource: "disk".into(),
            message: format!("Disk usage ({used} bytes) exceeds quota ({limit} bytes)").into(),
        };
        Ok((used > limit).then(broken))
    }

    fn cleanup(&self, id: &str) -> Result<(), Failed> {
        self.containers().remove(id);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
