//! The `posix` isolator: no walls, but limits of processes and figures of use.
//!
//! It stands for Mesos's `posix/cpu`, `posix/mem`, `posix/rlimits` and `disk/du` ([`ALIASES`]):
//! resource limits from `ContainerInfo.rlimit_info`, and use by a walk over the container's
//! processes and its sandbox, only when somebody asks. It works without root and without cgroups,
//! and keeps nobody from using more than was asked for.
//!
//! - `rlimits`: from the protobuf message to the kernel's numbers.
//! - `usage`: the walks.

#![forbid(unsafe_code)]

mod rlimits;
mod usage;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reeve_module_sdk::isolator::{
    Container, Failed, Fragment, Isolator, Limitation, Survivor, Usage,
};

/// The names under which Mesos's `--isolation` knows what this isolator does.
pub const ALIASES: [&str; 6] =
    ["process", "posix/cpu", "posix/mem", "posix/rlimits", "posix/disk", "disk/du"];

/// What is known of one container.
#[derive(Debug)]
struct Known {
    sandbox: PathBuf,
    /// Its first process, once there is one.
    pid: Option<u32>,
}

/// The isolator.
#[derive(Debug, Default)]
pub struct Posix {
    containers: Mutex<BTreeMap<String, Known>>,
}

impl Posix {
    /// An isolator that knows of no container.
    pub fn new() -> Self {
        Self::default()
    }

    fn containers(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown(id: &str) -> Failed {
    Failed(format!("container '{id}' is unknown"))
}

impl Isolator for Posix {
    fn name(&self) -> &str {
        "posix"
    }

    fn recover(&self, survivors: &[Survivor]) -> Result<(), Failed> {
        let mut containers = self.containers();
        for Survivor { id, pid, sandbox } in survivors {
            containers.insert(id.clone(), Known { sandbox: sandbox.clone(), pid: Some(*pid) });
        }
        Ok(())
    }

    fn prepare(&self, container: &Container) -> Result<Fragment, Failed> {
        let rlimits = rlimits::of(&container.container_info)?;
        let known = Known { sandbox: container.sandbox.clone(), pid: None };
        self.containers().insert(container.id.clone(), known);
        Ok(Fragment { rlimits, ..Fragment::default() })
    }

    fn isolate(&self, id: &str, pid: u32) -> Result<(), Failed> {
        self.containers().get_mut(id).ok_or_else(|| unknown(id))?.pid = Some(pid);
        Ok(())
    }

    fn update(
        &self,
        id: &str,
        _requests: &BTreeMap<String, i64>,
        _limits: &BTreeMap<String, i64>,
    ) -> Result<(), Failed> {
        self.containers().get(id).map(drop).ok_or_else(|| unknown(id))
    }

    fn usage(&self, id: &str) -> Result<Usage, Failed> {
        let (pid, sandbox) = {
            let containers = self.containers();
            let known = containers.get(id).ok_or_else(|| unknown(id))?;
            (known.pid, known.sandbox.clone())
        };
        let mut usage = pid.map(usage::of_tree).unwrap_or_default();
        usage.disk_used_bytes = usage::of_disk(&sandbox);
        Ok(usage)
    }

    fn check(&self, _id: &str) -> Result<Option<Limitation>, Failed> {
        Ok(None)
    }

    fn cleanup(&self, id: &str) -> Result<(), Failed> {
        self.containers().remove(id);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
