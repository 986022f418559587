//! What the parameters say, checked.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use reeve_module_sdk::Parameters;

use crate::controller::Controller;
use crate::controller::io::IoLimit;
use crate::error::Error;

/// The module's parameters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) root: PathBuf,
    /// What to control; empty for all that the host has.
    pub(crate) controllers: Vec<Controller>,
    pub(crate) enable_cfs: bool,
    /// In microseconds, as the kernel counts.
    pub(crate) cfs_period: u64,
    pub(crate) limit_swap: bool,
    /// None for any number.
    pub(crate) pids_max: Option<u64>,
    pub(crate) io_weight: Option<u64>,
    pub(crate) io_limits: Vec<IoLimit>,
    pub(crate) cpuset_cpus: Option<String>,
    pub(crate) cpuset_mems: Option<String>,
    /// Path and access of each.
    pub(crate) allowed_devices: Vec<(PathBuf, String)>,
    pub(crate) destroy_timeout: Duration,
}

fn wrong(name: &'static str, why: impl Into<String>) -> Error {
    Error::Parameter { name, why: why.into() }
}

impl Settings {
    /// Reads the parameters; what nobody set is as in the manifest.
    pub(crate) fn new(parameters: &Parameters) -> Result<Self, Error> {
        let text = |name| parameters.text(name).map(str::to_owned).filter(|text| !text.is_empty());
        Ok(Self {
            root: root(parameters.text("root").unwrap_or("reeve"))?,
            controllers: controllers(&parameters.list("controllers"))?,
            enable_cfs: parameters.switch("enable_cfs"),
            cfs_period: period(parameters.duration("cfs_period"))?,
            limit_swap: parameters.switch("limit_swap"),
            pids_max: pids_max(parameters.integer("pids_max"))?,
            io_weight: io_weight(parameters.integer("io_weight"))?,
            io_limits: parameters
                .list("io_limits")
                .into_iter()
                .map(|text| IoLimit::parse(text).map_err(|why| wrong("io_limits", why)))
                .collect::<Result<_, _>>()?,
            cpuset_cpus: text("cpuset_cpus"),
            cpuset_mems: text("cpuset_mems"),
            allowed_devices: parameters
                .list("allowed_devices")
                .into_iter()
                .map(allowed_device)
                .collect::<Result<_, _>>()?,
            destroy_timeout: parameters
                .duration("destroy_timeout")
                .unwrap_or(Duration::from_secs(20)),
        })
    }

    /// Refuses a setting of a controller that is not in use; it would silently do nothing.
    pub(crate) fn check_use(&self, used: &[Controller]) -> Result<(), Error> {
        let set: [(&'static str, Controller, bool); 5] = [
            ("io_weight", Controller::Io, self.io_weight.is_some()),
            ("io_limits", Controller::Io, !self.io_limits.is_empty()),
            ("cpuset_cpus", Controller::Cpuset, self.cpuset_cpus.is_some()),
            ("cpuset_mems", Controller::Cpuset, self.cpuset_mems.is_some()),
            ("allowed_devices", Controller::Devices, !self.allowed_devices.is_empty()),
        ];
        for (name, controller, set) in set {
            if set && !used.contains(&controller) {
                let needed = controller.name();
                let why = format!("'{needed}' is not in use: add it to 'controllers', or unset it");
                return Err(wrong(name, why));
            }
        }
        Ok(())
    }
}

fn root(text: &str) -> Result<PathBuf, Error> {
    let path = Path::new(text);
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::RootDir);
    let names = path.components().filter(|part| matches!(part, Component::Normal(_))).count();
    if names == 0 || !path.components().all(plain) || text.contains('\0') {
        return Err(wrong("root", format!("'{text}' is not the name or path of a cgroup")));
    }
    Ok(path.to_owned())
}

fn controllers(names: &[&str]) -> Result<Vec<Controller>, Error> {
    if names.contains(&"all") {
        return Ok(Vec::new());
    }
    if names.is_empty() {
        return Ok(vec![Controller::Cpu, Controller::Memory, Controller::Pids]);
    }
    let mut all = Vec::new();
    for name in names {
        let controller = Controller::find(name).ok_or_else(|| {
            let known: Vec<&str> = Controller::ALL.iter().map(|one| one.name()).collect();
            wrong("controllers", format!("'{name}' is none of {}, all", known.join(", ")))
        })?;
        if !all.contains(&controller) {
            all.push(controller);
        }
    }
    Ok(all)
}

fn period(given: Option<Duration>) -> Result<u64, Error> {
    let period = given.unwrap_or(Duration::from_millis(100));
    // The kernel's own bounds (CFS bandwidth control).
    if !(Duration::from_millis(1)..=Duration::from_secs(1)).contains(&period) {
        return Err(wrong("cfs_period", "it must be from 1ms to 1secs"));
    }
    u64::try_from(period.as_micros()).map_err(|_| wrong("cfs_period", "it is too long"))
}

fn pids_max(given: Option<i64>) -> Result<Option<u64>, Error> {
    let most = given.unwrap_or(4096);
    let most = u64::try_from(most)
        .map_err(|_| wrong("pids_max", format!("{most} is negative; 0 means any number")))?;
    Ok(Some(most).filter(|most| *most > 0))
}

fn io_weight(given: Option<i64>) -> Result<Option<u64>, Error> {
    let Some(weight) = given else { return Ok(None) };
    match u64::try_from(weight) {
        Ok(weight @ 1..=1000) => Ok(Some(weight)),
        _ => Err(wrong("io_weight", format!("{weight} is not from 1 to 1000"))),
    }
}

fn allowed_device(text: &str) -> Result<(PathBuf, String), Error> {
    let (path, access) = text.split_once(' ').unwrap_or((text, "rwm"));
    let access = access.trim();
    let known = !access.is_empty() && access.chars().all(|letter| "rwm".contains(letter));
    if !path.starts_with('/') || !known {
        let why = format!("'{text}' is not a path and letters of r, w, m, as in '/dev/fuse rw'");
        return Err(wrong("allowed_devices", why));
    }
    Ok((path.into(), access.to_owned()))
}

#[cfg(test)]
mod tests;
