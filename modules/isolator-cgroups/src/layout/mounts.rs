//! Which hierarchies are mounted where, and which cgroup this process is in: `/proc` as values.

use std::path::{Path, PathBuf};

use crate::controller::Version;

/// A mounted hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) version: Version,
    /// The directory of the top that can be seen.
    pub(crate) top: PathBuf,
    /// Which cgroup of the hierarchy that is: `/`, or another where only a part is mounted.
    pub(crate) part: PathBuf,
    /// The options of the file system: in version 1 the controllers.
    options: Vec<String>,
}

impl Mount {
    /// Whether this is a hierarchy of version 1 with a controller.
    pub(crate) fn has_v1(&self, name: &str) -> bool {
        self.version == Version::V1 && self.options.iter().any(|option| option == name)
    }
}

/// The hierarchies that a `mountinfo` lists (proc(5)); of one mounted more than once, the first.
pub(crate) fn mounts(mountinfo: &str) -> Vec<Mount> {
    let mut all: Vec<Mount> = Vec::new();
    for mount in mountinfo.lines().filter_map(mount) {
        let known = all.iter().any(|one| match (one.version, mount.version) {
            (Version::V1, Version::V1) => one.options == mount.options,
            (one, other) => one == other,
        });
        if !known {
            all.push(mount);
        }
    }
    all
}

fn mount(line: &str) -> Option<Mount> {
    let (place, system) = line.split_once(" - ")?;
    let mut system = system.split(' ');
    let version = match system.next()? {
        "cgroup" => Version::V1,
        "cgroup2" => Version::V2,
        _ => return None,
    };
    let options = system.nth(1)?.split(',').map(str::to_owned).collect();
    let mut place = place.split(' ').skip(3);
    let part = unescaped(place.next()?);
    Some(Mount { version, top: unescaped(place.next()?), part, options })
}

/// A path of a `mountinfo`, where space, tab, newline and backslash stand as octal numbers.
fn unescaped(text: &str) -> PathBuf {
    let plain = text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n");
    plain.replace("\\134", "\\").into()
}

/// The cgroup that a `/proc/PID/cgroup` gives for a hierarchy of version 2, as a directory below
/// the mount; none if that does not show it.
pub(crate) fn own(cgroup: &str, mount: &Mount) -> Option<PathBuf> {
    let path = cgroup.lines().find_map(|line| line.strip_prefix("0::"))?;
    let below = Path::new(path).strip_prefix(&mount.part).ok()?;
    Some(joined(&mount.top, below))
}

/// `join`, without the slash that an empty path leaves at the end.
fn joined(top: &Path, below: &Path) -> PathBuf {
    if below.as_os_str().is_empty() { top.to_owned() } else { top.join(below) }
}
