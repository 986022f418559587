//! Which processors and memory nodes there are for containers (IS-5).

use super::Write;
use crate::settings::Settings;

/// Both files, which version 1 wants filled.
pub(crate) const FILES: [&str; 2] = ["cpuset.cpus", "cpuset.mems"];

/// What to write once. Version 1 needs both before it takes a process; what is not set is as
/// above, which `layout` and `tree` see to.
pub(crate) fn writes(settings: &Settings) -> Vec<Write> {
    let cpus = settings.cpuset_cpus.as_ref().map(|cpus| Write::new(&["cpuset.cpus"], cpus));
    let mems = settings.cpuset_mems.as_ref().map(|mems| Write::new(&["cpuset.mems"], mems));
    cpus.into_iter().chain(mems).collect()
}
