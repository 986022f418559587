//! The module's parameters, read.

use std::path::PathBuf;
use std::time::Duration;

use reeve_module_sdk::{Failed, Parameters};

use crate::create::Cpu;

/// Where packages put programs that nobody runs by hand.
const INSTALLED: &str = "/usr/libexec/reeve";

/// What the module was configured with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// The engine's socket.
    pub(crate) socket: PathBuf,
    /// The Docker configuration with the registries' credentials, or its path.
    pub(crate) config: Option<String>,
    pub(crate) runtime_dir: PathBuf,
    /// The program `reeve-docker`.
    pub(crate) shim: PathBuf,
    /// Where the sandbox is in a container.
    pub(crate) sandbox: String,
    pub(crate) cpu: Cpu,
    /// How long the engine may take to answer.
    pub(crate) patience: Duration,
    pub(crate) pull_patience: Duration,
}

impl Settings {
    pub(crate) fn read(parameters: &Parameters) -> Result<Self, Failed> {
        let text = |name: &str| parameters.text(name).filter(|text| !text.is_empty());
        let absolute = |name: &str, default: &str| {
            let path = text(name).unwrap_or(default).trim_end_matches('/');
            if path.starts_with('/') {
                return Ok(path.to_owned());
            }
            Err(Failed::new(format!("parameter '{name}' is '{path}', which is no absolute path")))
        };
        let longer_than_zero = |name: &str, default: u64| {
            let duration = parameters.duration(name).unwrap_or(Duration::from_secs(default));
            if duration.is_zero() {
                return Err(Failed::new(format!("parameter '{name}' must be longer than nothing")));
            }
            Ok(duration)
        };
        Ok(Self {
            socket: socket(text("socket").unwrap_or("unix:///var/run/docker.sock"))?,
            config: text("config").map(str::to_owned),
            runtime_dir: absolute("runtime_dir", "/run/reeve/docker")?.into(),
            shim: text("shim").map_or_else(shim, PathBuf::from),
            sandbox: absolute("sandbox_directory", "/mnt/mesos/sandbox")?,
            cpu: if parameters.switch("enable_cfs") { Cpu::Quota } else { Cpu::Weight },
            patience: longer_than_zero("timeout", 10)?,
            pull_patience: longer_than_zero("pull_timeout", 1_200)?,
        })
    }
}

/// A socket as Docker writes it, or a path.
fn socket(text: &str) -> Result<PathBuf, Failed> {
    let path = text.strip_prefix("unix://").unwrap_or(text);
    if path.starts_with('/') {
        return Ok(path.into());
    }
    Err(Failed::new(format!(
        "parameter 'socket' is '{text}'; only a unix socket can be used, such as \
         unix:///var/run/docker.sock"
    )))
}

/// `reeve-docker`: beside this module, beside the agent, or where packages put it.
fn shim() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let rooms = [this_library(), Some(program)].into_iter().flatten();
    let rooms = rooms.filter_map(|file| Some(file.parent()?.to_owned()));
    let rooms: Vec<PathBuf> = rooms.chain([PathBuf::from(INSTALLED)]).collect();
    let mut places = rooms.iter().map(|room| room.join("reeve-docker"));
    places
        .find(|place| place.is_file())
        .unwrap_or_else(|| PathBuf::from(INSTALLED).join("reeve-docker"))
}

/// The file that this code was loaded from: the one that the kernel has mapped where it is.
fn this_library() -> Option<PathBuf> {
    let here = shim as fn() -> PathBuf as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines().find_map(|line| {
        // START-END PERMISSIONS OFFSET DEVICE INODE PATH
        let (start, end) = line.split_whitespace().next()?.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        let mapped = (number(start)?..number(end)?).contains(&here);
        let path = line.find('/').and_then(|at| line.get(at..))?;
        mapped.then(|| PathBuf::from(path))
    })
}

#[cfg(test)]
mod tests;
