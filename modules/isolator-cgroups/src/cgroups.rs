//! The isolator itself: which calls touch which cgroups in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reeve_module_sdk::isolator::{
    Container, Fragment, Grants, Isolator, Limitation, Survivor, Usage,
};
use reeve_module_sdk::{Failed, Module, Parameters};

use crate::controller::{Controller, Version, Write, cpu, cpuset, devices, io, memory, pids};
use crate::error::Error;
use crate::kernel::{Device, Kernel, Linux, processes};
use crate::layout::{self, Hierarchy};
use crate::settings::Settings;
use crate::tree;

/// What is known of one container.
#[derive(Clone, Debug, Default)]
struct Known {
    /// What it was given; a survivor's is known again at its next update.
    grants: Grants,
    /// How many kills for want of memory were told already.
    told: u64,
    /// Which hierarchies it has a cgroup in, by their place in the list.
    places: BTreeSet<usize>,
}

/// The isolator.
pub struct Cgroups {
    kernel: Arc<dyn Kernel>,
    settings: Settings,
    hierarchies: Vec<Hierarchy>,
    devices: Vec<(Device, String)>,
    /// The host's memory in bytes.
    memory: Option<u64>,
    containers: Mutex<BTreeMap<String, Known>>,
}

impl std::fmt::Debug for Cgroups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cgroups").field("hierarchies", &self.hierarchies).finish_non_exhaustive()
    }
}

impl Module for Cgroups {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        Ok(Self::new(Arc::new(Linux), Settings::new(parameters)?)?)
    }
}

impl Cgroups {
    pub(crate) fn new(kernel: Arc<dyn Kernel>, settings: Settings) -> Result<Self, Error> {
        let mut devices = Vec::new();
        for (path, access) in &settings.allowed_devices {
            let device = kernel.device(path).map_err(|source| Error::Parameter {
                name: "allowed_devices",
                why: format!("'{}': {source}", path.display()),
            })?;
            devices.push((device, access.clone()));
        }
        let hierarchies = layout::prepare(kernel.as_ref(), &settings)?;
        check_files(kernel.as_ref(), &hierarchies, &settings)?;
        let memory = layout::host_memory(kernel.as_ref());
        for Hierarchy { version, root, controllers, .. } in &hierarchies {
            let names: Vec<&str> = controllers.iter().map(|one| one.name()).collect();
            let root = root.display();
            tracing::info!("cgroups {version:?} in '{root}' control: {}", names.join(", "));
        }
        let containers = Mutex::default();
        Ok(Self { kernel, settings, hierarchies, devices, memory, containers })
    }

    fn containers(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, id: &str) -> Result<Known, Failed> {
        let known = self.containers().get(id).cloned();
        known.ok_or_else(|| Failed::new(format!("container '{id}' is unknown")))
    }

    /// The hierarchies that a container has a cgroup in, and the cgroups.
    fn places(&self, id: &str, known: &Known) -> Vec<(&Hierarchy, PathBuf)> {
        let own = self.hierarchies.iter().enumerate().filter(|(at, _)| known.places.contains(at));
        own.map(|(_, hierarchy)| (hierarchy, tree::place(hierarchy, id))).collect()
    }

    fn read(&self, cgroup: &Path, name: &str) -> Result<String, Error> {
        let path = cgroup.join(name);
        self.kernel.read(&path).map_err(|source| Error::Read { path, source })
    }

    /// A file that not every kernel has.
    fn read_optional(&self, cgroup: &Path, name: &str) -> Option<String> {
        self.kernel.read(&cgroup.join(name)).ok()
    }

    fn number(&self, cgroup: &Path, name: &str) -> Option<u64> {
        self.read_optional(cgroup, name)?.trim().parse().ok()
    }

    /// What is the same for every container.
    fn constant(&self, hierarchy: &Hierarchy) -> Vec<Write> {
        let mut writes = Vec::new();
        for controller in &hierarchy.controllers {
            writes.extend(match controller {
                Controller::Pids => pids::writes(&self.settings),
                Controller::Io => io::writes(hierarchy.version, &self.settings),
                Controller::Cpuset => cpuset::writes(&self.settings),
                Controller::Devices => devices::writes(&self.devices),
                Controller::Cpu | Controller::Memory => Vec::new(),
            });
        }
        writes
    }

    /// Writes what follows from the grants. `new` is a container whose limits nobody set yet.
    fn grant(
        &self,
        id: &str,
        hierarchy: &Hierarchy,
        grants: &Grants,
        new: bool,
    ) -> Result<(), Error> {
        let cgroup = tree::place(hierarchy, id);
        let mut writes = Vec::new();
        if hierarchy.has(Controller::Cpu) {
            writes.extend(cpu::writes(hierarchy.version, grants, &self.settings));
        }
        if hierarchy.has(Controller::Memory)
            && let Some(limits) = memory::Limits::of(grants)
        {
            let now = match new {
                true => memory::Now::NEW,
                false => self.memory_now(hierarchy.version, &cgroup)?,
            };
            let (more, kept) = memory::writes(hierarchy.version, limits, now, &self.settings);
            writes.extend(more);
            if kept {
                tracing::warn!(
                    "container '{id}' uses {} bytes of memory and keeps its old limit; the new \
                     one is lower",
                    now.used
                );
            }
        }
        tree::apply(self.kernel.as_ref(), &cgroup, &writes)
    }

    fn memory_now(&self, version: Version, cgroup: &Path) -> Result<memory::Now, Error> {
        let names = memory::names(version);
        let hard = memory::parse_limit(&self.read(cgroup, names.hard)?);
        Ok(memory::Now { hard, used: self.number(cgroup, names.usage).unwrap_or(0) })
    }

    fn find_limitation(
        &self,
        known: &mut Known,
        version: Version,
        cgroup: &Path,
    ) -> Option<Limitation> {
        let names = memory::names(version);
        let events = self.read_optional(cgroup, names.events)?;
        let limit = self.read_optional(cgroup, names.hard).unwrap_or_default();
        let limit = memory::parse_limit(&limit);
        let most = self.number(cgroup, names.most).or_else(|| self.number(cgroup, names.usage));
        let most = most.unwrap_or(0);
        let failures = self.number(cgroup, "memory.failcnt").unwrap_or(0);
        let (kills, own) = memory::kills(version, &events, memory::is_met(limit, most, failures));
        if kills <= known.told {
            return None;
        }
        known.told = kills;
        let stat = self.read_optional(cgroup, names.stat).unwrap_or_default();
        let story = memory::Story { limit, most, stat: &stat, own };
        Some(story.limitation())
    }

    fn count_processes(&self, hierarchy: &Hierarchy, cgroup: &Path, usage: &mut Usage) {
        let count = |name| {
            let text = self.read_optional(cgroup, name)?;
            u64::try_from(processes(&text).len()).ok()
        };
        let threads = match hierarchy.version {
            _ if hierarchy.has(Controller::Pids) => self.number(cgroup, "pids.current"),
            Version::V1 => count("tasks"),
            Version::V2 => count("cgroup.threads"),
        };
        for (name, value) in [("processes", count("cgroup.procs")), ("threads", threads)] {
            if let Some(value) = value {
                usage.count(name, value);
            }
        }
    }

    fn measure(&self, hierarchy: &Hierarchy, cgroup: &Path, usage: &mut Usage) {
        let version = hierarchy.version;
        let read = |name| self.read_optional(cgroup, name).unwrap_or_default();
        if hierarchy.has(Controller::Cpu) || hierarchy.accounts {
            let accounts = hierarchy.accounts.then(|| read("cpuacct.stat"));
            cpu::usage(version, &read("cpu.stat"), accounts.as_deref(), usage);
        }
        if hierarchy.has(Controller::Memory) {
            memory::usage(version, &read("memory.stat"), usage);
            for (name, _, file) in memory::FILES.iter().filter(|(_, own, _)| *own == version) {
                if let Some(value) = self.number(cgroup, file) {
                    usage.count(name, value);
                }
            }
        }
    }

    /// Where processes are counted: with `pids`, if that is in use.
    fn counter<'a>(places: &'a [(&'a Hierarchy, PathBuf)]) -> Option<&'a (&'a Hierarchy, PathBuf)> {
        let pids = places.iter().find(|(hierarchy, _)| hierarchy.has(Controller::Pids));
        pids.or_else(|| places.first())
    }
}

/// Refuses at the start what the kernel could not do for the first container.
fn check_files(
    kernel: &dyn Kernel,
    hierarchies: &[Hierarchy],
    settings: &Settings,
) -> Result<(), Error> {
    let needs = [
        ("enable_cfs", settings.enable_cfs, Controller::Cpu, ["cpu.cfs_quota_us", "cpu.max"]),
        (
            "limit_swap",
            settings.limit_swap,
            Controller::Memory,
            ["memory.memsw.limit_in_bytes", "memory.swap.max"],
        ),
    ];
    for (name, set, controller, [v1, v2]) in needs {
        for hierarchy in hierarchies.iter().filter(|one| set && one.has(controller)) {
            let file = if hierarchy.version == Version::V1 { v1 } else { v2 };
            let file = hierarchy.root.join(file);
            if kernel.read(&file).is_err() {
                let file = file.display();
                let why = format!("this kernel does not offer it ('{file}' is absent); unset it");
                return Err(Error::Parameter { name, why });
            }
        }
    }
    Ok(())
}

impl Isolator for Cgroups {
    fn recover(&self, survivors: &[Survivor]) -> Result<(), Failed> {
        let mut known: BTreeMap<String, Known> =
            survivors.iter().map(|one| (one.id.to_string(), Known::default())).collect();
        let mut orphans = Vec::new();
        for (at, hierarchy) in self.hierarchies.iter().enumerate() {
            for id in tree::containers(self.kernel.as_ref(), hierarchy)? {
                if let Some(survivor) = known.get_mut(&id) {
                    survivor.places.insert(at);
                } else {
                    orphans.push(tree::place(hierarchy, &id));
                }
            }
        }
        for (id, _) in known.iter().filter(|(_, known)| known.places.len() < self.hierarchies.len())
        {
            tracing::warn!("container '{id}' lacks cgroups: it began when others were in use");
        }
        *self.containers() = known;
        for orphan in &orphans {
            tracing::warn!("the cgroup '{}' belongs to no container and goes", orphan.display());
        }
        // What cannot be removed now does not keep the agent from its work.
        if let Err(error) =
            tree::destroy(self.kernel.as_ref(), orphans, self.settings.destroy_timeout)
        {
            tracing::error!("{error}");
        }
        Ok(())
    }

    fn prepare(&self, container: &Container) -> Result<Fragment, Failed> {
        let id = container.id.as_str();
        if id.contains('/') {
            return Err(Failed::new(format!("'{id}' cannot name a cgroup: it has a '/'")));
        }
        let places = (0..self.hierarchies.len()).collect();
        let known = Known { grants: container.grants.clone(), told: 0, places };
        self.containers().insert(id.to_owned(), known);
        for hierarchy in &self.hierarchies {
            tree::make(self.kernel.as_ref(), hierarchy, id)?;
            let constant = self.constant(hierarchy);
            tree::apply(self.kernel.as_ref(), &tree::place(hierarchy, id), &constant)?;
            self.grant(id, hierarchy, &container.grants, true)?;
        }
        Ok(Fragment::default())
    }

    fn isolate(&self, id: &str, pid: u32) -> Result<(), Failed> {
        let known = self.known(id)?;
        let kernel = self.kernel.as_ref();
        for (_, cgroup) in self.places(id, &known) {
            layout::write(kernel, cgroup.join("cgroup.procs"), &pid.to_string())?;
        }
        let score = self.memory.and_then(|host| memory::oom_score(&known.grants, host));
        if let Some(score) = score {
            let file = PathBuf::from(format!("/proc/{pid}/oom_score_adj"));
            layout::write(kernel, file, &score.to_string())?;
        }
        Ok(())
    }

    fn update(&self, id: &str, grants: &Grants) -> Result<(), Failed> {
        let known = self.known(id)?;
        for (hierarchy, _) in self.places(id, &known) {
            self.grant(id, hierarchy, grants, false)?;
        }
        if let Some(known) = self.containers().get_mut(id) {
            known.grants = grants.clone();
        }
        Ok(())
    }

    fn usage(&self, id: &str) -> Result<Usage, Failed> {
        let known = self.known(id)?;
        let places = self.places(id, &known);
        let mut usage = Usage::default();
        if let Some((hierarchy, cgroup)) = Self::counter(&places) {
            self.count_processes(hierarchy, cgroup, &mut usage);
        }
        for (hierarchy, cgroup) in &places {
            self.measure(hierarchy, cgroup, &mut usage);
        }
        cpu::granted(&known.grants, &mut usage);
        memory::granted(&known.grants, &mut usage);
        Ok(usage)
    }

    fn check(&self, id: &str) -> Result<Option<Limitation>, Failed> {
        let mut known = self.known(id)?;
        let places = self.places(id, &known);
        let place = places.iter().find(|(hierarchy, _)| hierarchy.has(Controller::Memory));
        let Some((hierarchy, cgroup)) = place else { return Ok(None) };
        let limitation = self.find_limitation(&mut known, hierarchy.version, cgroup);
        if let Some(kept) = self.containers().get_mut(id) {
            kept.told = known.told;
        }
        Ok(limitation)
    }

    fn cleanup(&self, id: &str) -> Result<(), Failed> {
        let cgroups = self.hierarchies.iter().map(|hierarchy| tree::place(hierarchy, id));
        tree::destroy(self.kernel.as_ref(), cgroups.collect(), self.settings.destroy_timeout)?;
        self.containers().remove(id);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
