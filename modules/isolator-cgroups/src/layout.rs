//! Which hierarchies this host has, and the cgroup in each that holds all containers.
//!
//! A controller is bound to one hierarchy: of version 2, or of version 1. On a hybrid host some
//! are here and some there, so each wanted controller is looked for on its own.
//!
//! In version 1 `root` is below the top of each hierarchy, as Mesos has it. In version 2 a cgroup
//! with controllers for its children must not hold processes itself, and systemd owns the tree:
//!
//! - If the agent sits below a cgroup that systemd delegated to its unit (`Delegate=yes` and
//!   `DelegateSubgroup=agent`), `root` is beside it, below the delegated one.
//! - If it sits in the delegated cgroup itself, `root` is below the top: containers outlive the
//!   agent, and systemd could not start the agent again in a cgroup that has become an inner one.
//! - Where the visible top is the agent's own cgroup (in a container), the agent moves to a child
//!   `agent`, and `root` is beside that.

mod mounts;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::controller::{Controller, Version, cpuset};
use crate::error::Error;
use crate::kernel::Kernel;
use crate::settings::Settings;
use mounts::Mount;

/// Where the agent goes when it is in the way.
const ASIDE: &str = "agent";

/// A hierarchy that controls something for us.
#[derive(Debug)]
pub(crate) struct Hierarchy {
    pub(crate) version: Version,
    /// The cgroup that holds those of all containers.
    pub(crate) root: PathBuf,
    pub(crate) controllers: Vec<Controller>,
    /// Whether it accounts for cpu time in version 1, which need not be where `cpu` is.
    pub(crate) accounts: bool,
    /// Keeps other agents out.
    _lock: Option<File>,
}

impl Hierarchy {
    /// Whether it has a controller.
    pub(crate) fn has(&self, controller: Controller) -> bool {
        self.controllers.contains(&controller)
    }
}

/// A hierarchy that was found.
struct Found {
    mount: Mount,
    controllers: Vec<Controller>,
    accounts: bool,
}

/// Finds the hierarchies, and makes ready the cgroup in each that holds all containers.
pub(crate) fn prepare(kernel: &dyn Kernel, settings: &Settings) -> Result<Vec<Hierarchy>, Error> {
    let read = |path: &str| {
        let path = PathBuf::from(path);
        kernel.read(&path).map_err(|source| Error::Read { path, source })
    };
    let mounts = mounts::mounts(&read("/proc/self/mountinfo")?);
    let found = find(kernel, &mounts, settings)?;
    let used: Vec<Controller> = found.iter().flat_map(|one| one.controllers.clone()).collect();
    settings.check_use(&used)?;
    let own = read("/proc/self/cgroup")?;
    let mut hierarchies = Vec::new();
    for Found { mount, controllers, accounts } in found {
        let own = mounts::own(&own, &mount);
        let root = match mount.version {
            Version::V1 => root_v1(kernel, &mount, &controllers, settings)?,
            Version::V2 => root_v2(kernel, &mount, own.as_deref(), &controllers, settings)?,
        };
        let lock =
            kernel.lock(&root).map_err(|source| Error::Lock { path: root.clone(), source })?;
        let version = mount.version;
        hierarchies.push(Hierarchy { version, root, controllers, accounts, _lock: lock });
    }
    Ok(hierarchies)
}

/// The hierarchies that have what is wanted.
fn find(kernel: &dyn Kernel, mounts: &[Mount], settings: &Settings) -> Result<Vec<Found>, Error> {
    let (wanted, all) = match settings.controllers.as_slice() {
        [] => (Controller::ALL.as_slice(), true),
        some => (some, false),
    };
    let v2 = mounts.iter().find(|mount| mount.version == Version::V2);
    let v2_names = v2.map(|mount| names(kernel, &mount.top.join("cgroup.controllers")));
    let v2_names = v2_names.transpose()?.unwrap_or_default();
    let mut found: Vec<Found> = Vec::new();
    for &controller in wanted {
        let (needed, more) = controller.v1_names().split_first().unwrap_or((&"", &[]));
        let v1 = mounts.iter().find(|mount| mount.has_v1(needed));
        let v2 = v2.filter(|_| v2_names.iter().any(|name| name == controller.name()));
        let Some(mount) = v1.or(v2) else {
            if all {
                continue;
            }
            return Err(Error::Host(missing(controller, mounts, &v2_names)));
        };
        note(&mut found, mount).controllers.push(controller);
        if v1.is_some() {
            for name in more {
                if let Some(mount) = mounts.iter().find(|mount| mount.has_v1(name)) {
                    note(&mut found, mount).accounts = true;
                }
            }
        }
    }
    if found.is_empty() {
        return Err(Error::Host("this host has no cgroup controller to use".to_owned()));
    }
    Ok(found)
}

fn note<'a>(found: &'a mut Vec<Found>, mount: &Mount) -> &'a mut Found {
    let at = found.iter().position(|one| one.mount == *mount).unwrap_or_else(|| {
        found.push(Found { mount: mount.clone(), controllers: Vec::new(), accounts: false });
        found.len() - 1
    });
    &mut found[at]
}

fn missing(controller: Controller, mounts: &[Mount], v2_names: &[String]) -> String {
    let name = controller.name();
    if mounts.is_empty() {
        return format!("controller '{name}' is wanted, but no cgroup hierarchy is mounted");
    }
    if controller == Controller::Devices {
        return "controller 'devices' is wanted, but works with cgroups version 1 only: version 2 \
                has no files for it; leave it out of 'controllers'"
            .to_owned();
    }
    let v2 = if v2_names.is_empty() {
        "version 2 has none".to_owned()
    } else {
        format!("version 2 has {}", v2_names.join(", "))
    };
    format!(
        "controller '{name}' is wanted, but no hierarchy of version 1 has it, and {v2}; enable it \
         on the kernel's command line, or leave it out of 'controllers'"
    )
}

/// The words of a file.
fn names(kernel: &dyn Kernel, path: &Path) -> Result<Vec<String>, Error> {
    let text = kernel.read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(text.split_ascii_whitespace().map(str::to_owned).collect())
}

/// Makes a cgroup unless it is there.
fn make(kernel: &dyn Kernel, path: &Path) -> Result<(), Error> {
    match kernel.make(path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::Make { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

pub(crate) fn write(kernel: &dyn Kernel, path: PathBuf, value: &str) -> Result<(), Error> {
    kernel.write(&path, value).map_err(|source| {
        let value = value.to_owned();
        Error::Write { path, value, source }
    })
}

/// Every cgroup from below `base` to `root`, outermost first.
fn steps(base: &Path, root: &Path) -> Vec<PathBuf> {
    let below = root.strip_prefix("/").unwrap_or(root);
    let mut path = base.to_owned();
    below
        .components()
        .map(|part| {
            path.push(part);
            path.clone()
        })
        .collect()
}

fn root_v1(
    kernel: &dyn Kernel,
    mount: &Mount,
    controllers: &[Controller],
    settings: &Settings,
) -> Result<PathBuf, Error> {
    let mut last = mount.top.clone();
    for step in steps(&mount.top, &settings.root) {
        make(kernel, &step)?;
        if controllers.contains(&Controller::Cpuset) {
            cpuset_from(kernel, &last, &step)?;
        }
        last = step;
    }
    if controllers.contains(&Controller::Memory) {
        // Kernels before 5.11 count a child's memory with its parent only if told to.
        let file = last.join("memory.use_hierarchy");
        if kernel.read(&file).is_ok_and(|text| text.trim() == "0") {
            write(kernel, file, "1")?;
        }
    }
    Ok(last)
}

/// Version 1 leaves a new cpuset empty, and takes no process into an empty one.
pub(crate) fn cpuset_from(kernel: &dyn Kernel, parent: &Path, child: &Path) -> Result<(), Error> {
    for name in cpuset::FILES {
        let file = child.join(name);
        let read = |path: PathBuf| {
            kernel.read(&path).map_err(|source| Error::Read { path: path.clone(), source })
        };
        if read(file.clone())?.trim().is_empty() {
            let inherited = read(parent.join(name))?;
            write(kernel, file, inherited.trim())?;
        }
    }
    Ok(())
}

fn root_v2(
    kernel: &dyn Kernel,
    mount: &Mount,
    own: Option<&Path>,
    controllers: &[Controller],
    settings: &Settings,
) -> Result<PathBuf, Error> {
    let base = match own {
        Some(own) if !settings.root.is_absolute() => delegated_above(kernel, own, &mount.top),
        _ => None,
    };
    let base = base.unwrap_or_else(|| mount.top.clone());
    let mut root = base.clone();
    hand_down(kernel, &root, own, controllers)?;
    for step in steps(&base, &settings.root) {
        make(kernel, &step)?;
        hand_down(kernel, &step, own, controllers)?;
        root = step;
    }
    Ok(root)
}

/// The nearest cgroup above the agent's own that systemd delegated.
fn delegated_above(kernel: &dyn Kernel, own: &Path, top: &Path) -> Option<PathBuf> {
    let mut above = own.ancestors().skip(1).take_while(|path| path.starts_with(top));
    above.find(|path| kernel.is_delegated(path)).map(Path::to_owned)
}

/// Gives a cgroup's children the controllers that they do not have yet.
fn hand_down(
    kernel: &dyn Kernel,
    cgroup: &Path,
    own: Option<&Path>,
    controllers: &[Controller],
) -> Result<(), Error> {
    let file = cgroup.join("cgroup.subtree_control");
    let given = names(kernel, &file)?;
    let lacking = controllers.iter().map(|one| one.name()).filter(|name| {
        let has = given.iter().any(|given| given == name);
        !has
    });
    let lacking: Vec<&str> = lacking.collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let offered = names(kernel, &cgroup.join("cgroup.controllers"))?;
    if let Some(name) = lacking.iter().find(|name| !offered.iter().any(|one| one == *name)) {
        return Err(Error::Host(format!(
            "controller '{name}' is wanted, but '{}' has only: {}; under systemd the agent's unit \
             needs Delegate=yes",
            cgroup.display(),
            offered.join(" ")
        )));
    }
    let value = lacking.iter().map(|name| format!("+{name}")).collect::<Vec<_>>().join(" ");
    let busy = |source: &io::Error| source.kind() == io::ErrorKind::ResourceBusy;
    match kernel.write(&file, &value) {
        Ok(()) => return Ok(()),
        Err(source) if busy(&source) && own == Some(cgroup) => {}
        Err(source) => return Err(inner(file, value, source)),
    }
    let aside = cgroup.join(ASIDE);
    make(kernel, &aside)?;
    // "0" is whoever writes it.
    write(kernel, aside.join("cgroup.procs"), "0")?;
    tracing::info!("the agent moved to the cgroup '{}' to make room", aside.display());
    kernel.write(&file, &value).map_err(|source| inner(file, value, source))
}

/// Why controllers cannot be handed down: most often, processes are in the way.
fn inner(path: PathBuf, value: String, source: io::Error) -> Error {
    if source.kind() != io::ErrorKind::ResourceBusy {
        return Error::Write { path, value, source };
    }
    Error::Host(format!(
        "cannot write '{value}' to '{}': the cgroup holds processes itself, which version 2 does \
         not allow beside children with controllers; move them to a child, or set 'root' to a \
         path elsewhere",
        path.display()
    ))
}

/// The host's memory in bytes.
pub(crate) fn host_memory(kernel: &dyn Kernel) -> Option<u64> {
    let text = kernel.read(Path::new("/proc/meminfo")).ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kilobytes: u64 = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests;
