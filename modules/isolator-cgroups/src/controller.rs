//! What is written for each controller, and what it tells. Pure: values in, values out.

pub(crate) mod cpu;
pub(crate) mod cpuset;
pub(crate) mod devices;
pub(crate) mod io;
pub(crate) mod memory;
pub(crate) mod pids;

use reeve_module_sdk::isolator::Grants;

/// The version of a hierarchy's interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

/// A controller, by what it controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Controller {
    Cpu,
    Memory,
    Pids,
    Io,
    Cpuset,
    Devices,
}

impl Controller {
    pub(crate) const ALL: [Self; 6] =
        [Self::Cpu, Self::Memory, Self::Pids, Self::Io, Self::Cpuset, Self::Devices];

    /// Its name as a parameter.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Pids => "pids",
            Self::Io => "io",
            Self::Cpuset => "cpuset",
            Self::Devices => "devices",
        }
    }

    /// By its name, or by one that Mesos or version 1 has for it.
    pub(crate) fn find(name: &str) -> Option<Self> {
        match name {
            "mem" => Some(Self::Memory),
            "blkio" => Some(Self::Io),
            "cpuacct" => Some(Self::Cpu),
            _ => Self::ALL.into_iter().find(|one| one.name() == name),
        }
    }

    /// The kernel's names for it in version 1; the first is needed, a second is used where it is.
    pub(crate) fn v1_names(self) -> &'static [&'static str] {
        match self {
            Self::Cpu => &["cpu", "cpuacct"],
            Self::Io => &["blkio"],
            Self::Memory => &["memory"],
            Self::Pids => &["pids"],
            Self::Cpuset => &["cpuset"],
            Self::Devices => &["devices"],
        }
    }
}

/// One value for one file of a cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    /// The file; of several, the first that the kernel has.
    pub(crate) files: &'static [&'static str],
    pub(crate) value: String,
    /// Whether it says what a kernel without the file does anyway.
    pub(crate) optional: bool,
}

impl Write {
    pub(crate) fn new(files: &'static [&'static str], value: impl ToString) -> Self {
        Self { files, value: value.to_string(), optional: false }
    }

    pub(crate) fn optional(files: &'static [&'static str], value: impl ToString) -> Self {
        Self { files, value: value.to_string(), optional: true }
    }
}

/// The limit of a scalar where it is set apart from the request.
fn own_limit(grants: &Grants, name: &str) -> Option<i64> {
    grants.limits.iter().find(|scalar| scalar.name == name).map(|scalar| scalar.thousandths)
}

/// A value of a file of `name value` lines.
pub(crate) fn field(text: &str, name: &str) -> Option<u64> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| value.trim().parse().ok())
}

#[cfg(test)]
pub(crate) mod tests;
