//! A container's cgroups, one in each hierarchy, from their making to their removal.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::controller::{Controller, Version, Write};
use crate::error::Error;
use crate::kernel::{Kernel, processes};
use crate::layout::{Hierarchy, cpuset_from, write};

/// What the names of containers' cgroups begin with. It keeps ids apart from the kernel's files
/// and tells what is ours.
const PREFIX: &str = "container-";

/// Between two tries to remove a cgroup.
const PAUSE: Duration = Duration::from_millis(10);

/// A container's cgroup in a hierarchy.
pub(crate) fn place(hierarchy: &Hierarchy, id: &str) -> PathBuf {
    hierarchy.root.join(format!("{PREFIX}{id}"))
}

/// The ids of the containers that a hierarchy has cgroups of.
pub(crate) fn containers(kernel: &dyn Kernel, hierarchy: &Hierarchy) -> Result<Vec<String>, Error> {
    let path = &hierarchy.root;
    let names =
        kernel.children(path).map_err(|source| Error::Read { path: path.clone(), source })?;
    Ok(names.iter().filter_map(|name| name.strip_prefix(PREFIX)).map(str::to_owned).collect())
}

/// Makes a container's cgroup.
pub(crate) fn make(kernel: &dyn Kernel, hierarchy: &Hierarchy, id: &str) -> Result<(), Error> {
    let path = place(hierarchy, id);
    kernel.make(&path).map_err(|source| Error::Make { path: path.clone(), source })?;
    if hierarchy.version == Version::V1 && hierarchy.has(Controller::Cpuset) {
        cpuset_from(kernel, &hierarchy.root, &path)?;
    }
    Ok(())
}

/// Writes values into a cgroup, in order.
pub(crate) fn apply(kernel: &dyn Kernel, cgroup: &Path, writes: &[Write]) -> Result<(), Error> {
    for Write { files, value, optional } in writes {
        let mut outcome = Ok(());
        for file in *files {
            outcome = write(kernel, cgroup.join(file), value);
            if !matches!(&outcome, Err(Error::Write { source, .. }) if is_absent(source)) {
                break;
            }
        }
        match outcome {
            Err(Error::Write { source, .. }) if *optional && is_absent(&source) => {}
            outcome => outcome?,
        }
    }
    Ok(())
}

fn is_absent(source: &io::Error) -> bool {
    source.kind() == io::ErrorKind::NotFound
}

/// Kills all that is in some cgroups and below, and removes them. What is gone already is as
/// good. Tries for `patience` at most; the error speaks of the first that stays.
pub(crate) fn destroy(
    kernel: &dyn Kernel,
    mut cgroups: Vec<PathBuf>,
    patience: Duration,
) -> Result<(), Error> {
    for cgroup in &cgroups {
        // Version 1 cannot kill at a stroke; but what cannot start anything does not outrun us.
        drop(kernel.write(&cgroup.join("pids.max"), "0"));
    }
    let mut waited = Duration::ZERO;
    loop {
        let mut failed = None;
        cgroups.retain(|cgroup| match fell(kernel, cgroup) {
            Ok(()) => false,
            Err(source) => {
                failed.get_or_insert((cgroup.clone(), source));
                true
            }
        });
        let Some((path, source)) = failed else { return Ok(()) };
        if waited >= patience {
            let text = kernel.read(&path.join("cgroup.procs")).unwrap_or_default();
            return Err(Error::Remove { path, processes: processes(&text), source });
        }
        kernel.wait(PAUSE);
        waited += PAUSE;
    }
}

/// One try to kill and remove a cgroup, children first.
fn fell(kernel: &dyn Kernel, cgroup: &Path) -> io::Result<()> {
    // Most often all is over by now, and that is all there is to do.
    let removed = gone(kernel.remove(cgroup));
    if removed.is_ok() {
        return removed;
    }
    // All below at once, from Linux 5.14 on in version 2; else one by one.
    if kernel.write(&cgroup.join("cgroup.kill"), "1").is_err() {
        gone(kernel.kill(cgroup))?;
    }
    for child in kernel.children(cgroup).or_else(|error| gone(Err(error)).map(|()| Vec::new()))? {
        fell(kernel, &cgroup.join(child))?;
    }
    gone(kernel.remove(cgroup))
}

fn gone(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if is_absent(&error) => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests;
