//! The calls of the chain.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prost::Message;
use reeve_module_sdk::isolator::{
    Container, Fragment, Grants, Isolator, Limitation, Survivor, Usage,
};
use reeve_module_sdk::{Failed, Module, Parameters};

use crate::create::{self, Changes, Site, Words};
use crate::engine::{Engine, EngineError};
use crate::image::Image;
use crate::message::{CommandInfo, ContainerInfo, DockerInfo, Kind, Variable};
use crate::pull::Pull;
use crate::settings::Settings;
use crate::spec::{Shelf, Spec};
use crate::usage;

/// The isolator.
#[derive(Debug)]
pub struct Docker {
    settings: Settings,
    engine: Engine,
    shelf: Shelf,
    /// The containers that are Docker's.
    known: Mutex<BTreeMap<String, Known>>,
    /// Whether the engine may hold containers of this agent that nobody knows.
    unswept: AtomicBool,
    /// Keeps other agents from the runtime directory.
    lock: Mutex<Option<File>>,
}

/// A container that is Docker's.
#[derive(Debug)]
enum Known {
    /// Its image is being made sure of; the flag is set when it is not wanted any more. The engine
    /// has nothing of it.
    Preparing(Arc<AtomicBool>),
    /// There is a specification, so that the shim can make it at any time.
    Prepared,
}

impl Module for Docker {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        let settings = Settings::read(parameters)?;
        Ok(Self {
            engine: Engine::new(&settings.socket, settings.patience),
            shelf: Shelf::new(settings.runtime_dir.clone()),
            known: Mutex::default(),
            unswept: AtomicBool::new(false),
            lock: Mutex::default(),
            settings,
        })
    }
}

fn failed(error: impl std::fmt::Display) -> Failed {
    Failed::new(error.to_string())
}

impl Docker {
    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn knows(&self, id: &str) -> bool {
        self.known().contains_key(id)
    }

    /// The value of the label by which this agent knows its containers.
    fn agent(&self) -> String {
        self.shelf.directory().to_string_lossy().into_owned()
    }

    fn in_runtime_dir(&self, error: &std::io::Error) -> Failed {
        Failed::new(format!("the directory '{}' cannot be used: {error}", self.agent()))
    }

    /// Takes the runtime directory for this agent.
    fn lock(&self) -> Result<(), Failed> {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if lock.is_none() {
            *lock = self.shelf.lock().map_err(|error| self.in_runtime_dir(&error))?;
        }
        if lock.is_some() {
            return Ok(());
        }
        let why = "another agent uses the directory; give each its own 'runtime_dir'";
        Err(self.in_runtime_dir(&std::io::Error::other(why)))
    }

    /// Removes what the engine holds of this agent and nobody knows, if there may be such.
    fn sweep(&self) -> Result<(), EngineError> {
        if !self.unswept.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        let swept = self.remove_unknown();
        if swept.is_err() {
            self.unswept.store(true, Ordering::SeqCst);
        }
        swept
    }

    fn remove_unknown(&self) -> Result<(), EngineError> {
        let label = format!("{}={}", create::AGENT, self.agent());
        for container in self.engine.labelled(&label)? {
            let id = container["Labels"][create::CONTAINER].as_str().unwrap_or_default();
            let Some(engines_id) = container["Id"].as_str() else { continue };
            if !self.knows(id) {
                tracing::warn!("Docker container '{id}' belongs to no task and is removed");
                self.engine.container(engines_id).remove()?;
            }
        }
        Ok(())
    }

    fn pull(
        &self,
        docker: &DockerInfo,
        sandbox: &Path,
        given_up: Arc<AtomicBool>,
    ) -> Result<(), Failed> {
        let image = Image::parse(&docker.image).map_err(failed)?;
        let pull = Pull {
            engine: &self.engine,
            config: self.settings.config.as_deref(),
            sandbox,
            patience: self.settings.pull_patience,
            given_up,
        };
        pull.ensure(&image, docker.force_pull_image.unwrap_or(false)).map_err(failed)
    }

    fn spec(
        &self,
        container: &Container,
        info: &ContainerInfo,
        docker: &DockerInfo,
    ) -> Result<Spec, Failed> {
        let command = (!container.command_info.is_empty())
            .then(|| CommandInfo::decode(container.command_info.as_slice()))
            .transpose()
            .map_err(|error| failed(format!("the CommandInfo cannot be decoded: {error}")))?;
        let words = command.as_ref().map(Words::of).transpose().map_err(failed)?;
        let site = Site {
            agent: &self.agent(),
            sandbox: &self.settings.sandbox,
            cpu: self.settings.cpu,
            host_memory: host_memory(),
        };
        let body = create::body(&site, container, info, docker, words.as_ref()).map_err(failed)?;
        let environment = command.and_then(|command| command.environment).unwrap_or_default();
        let variable = |variable: Variable| Some((variable.name, variable.value?));
        Ok(Spec {
            socket: self.settings.socket.clone(),
            patience: u64::try_from(self.settings.patience.as_millis()).unwrap_or(u64::MAX),
            name: create::name(&container.id),
            body,
            has_command: words.is_some(),
            variables: environment.variables.into_iter().filter_map(variable).collect(),
        })
    }
}

impl Docker {
    /// Leaves the specification for the shim, unless the container is not wanted any more.
    fn shelve(&self, id: &str, spec: &Spec) -> Result<(), Failed> {
        let mut known = self.known();
        let Some(entry) = known.get_mut(id) else { return Err(failed("it was given up")) };
        *entry = Known::Prepared;
        self.shelf.write(id, spec).map_err(|error| self.in_runtime_dir(&error))
    }

    /// Changes the resources of a container that the shim has not made yet.
    fn update_spec(&self, id: &str, grants: &Grants) -> Result<(), Failed> {
        let path = self.shelf.path(id);
        let mut spec = match Spec::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            other => other.map_err(|error| self.in_runtime_dir(&error))?,
        };
        create::grant(&mut spec.body, grants, self.settings.cpu, host_memory());
        self.shelf.write(id, &spec).map_err(|error| self.in_runtime_dir(&error))
    }
}

impl Isolator for Docker {
    fn recover(&self, survivors: &[Survivor]) -> Result<(), Failed> {
        self.lock()?;
        let all = self.shelf.all().map_err(|error| self.in_runtime_dir(&error))?;
        for id in all {
            if survivors.iter().any(|survivor| survivor.id == id) {
                self.known().insert(id, Known::Prepared);
            } else {
                self.shelf.remove(&id).map_err(|error| self.in_runtime_dir(&error))?;
            }
        }
        // An engine that is away now is swept when it is back.
        self.unswept.store(true, Ordering::SeqCst);
        if let Err(error) = self.sweep() {
            tracing::warn!("containers that belong to no task are left for now: {error}");
        }
        Ok(())
    }

    fn patience(&self, container: &Container) -> Option<Duration> {
        // Beside the pull, the engine is asked a few things.
        let patience = self.settings.pull_patience + 4 * self.settings.patience;
        matches!(info(container), Ok(Some(_))).then_some(patience)
    }

    fn prepare(&self, container: &Container) -> Result<Fragment, Failed> {
        let Some(info) = info(container)? else { return Ok(Fragment::default()) };
        let docker =
            info.docker.as_ref().ok_or_else(|| failed("the ContainerInfo has no DockerInfo"))?;
        create::check_id(&container.id).map_err(failed)?;
        if !self.settings.shim.is_file() {
            let shim = self.settings.shim.display();
            return Err(failed(format!(
                "'{shim}' is not there; set 'shim' to reeve-docker's path"
            )));
        }
        let spec = self.spec(container, &info, docker)?;
        make_directories(&container.sandbox, &create::in_sandbox(&info, docker))?;
        let given_up = Arc::new(AtomicBool::new(false));
        let known = Known::Preparing(Arc::clone(&given_up));
        self.known().insert(container.id.to_string(), known);
        self.pull(docker, Path::new(container.sandbox.as_str()), given_up)?;
        // Now that the engine is known to answer.
        if let Err(error) = self.sweep() {
            tracing::warn!("containers that belong to no task are left for now: {error}");
        }
        self.shelve(&container.id, &spec)?;
        let path = |path: &Path| path.to_string_lossy().into_owned().into();
        let words = |verb: &str| {
            [path(&self.settings.shim), verb.into(), path(&self.shelf.path(&container.id))]
        };
        Ok(Fragment {
            wrapper: words("run").into_iter().collect(),
            exec_wrapper: words("exec").into_iter().collect(),
            ..Fragment::default()
        })
    }

    fn update(&self, id: &str, grants: &Grants) -> Result<(), Failed> {
        if !self.knows(id) {
            return Ok(());
        }
        let name = create::name(id);
        let container = self.engine.container(&name);
        let Some(state) = if_there(container.inspect())? else {
            return self.update_spec(id, grants);
        };
        let (cpu, now) = (self.settings.cpu, &state["HostConfig"]);
        if_there(container.update(&Changes { grants, cpu, now }.body())).map(drop)
    }

    fn usage(&self, id: &str) -> Result<Usage, Failed> {
        if !self.knows(id) {
            return Ok(Usage::default());
        }
        let stats = if_there(self.engine.container(&create::name(id)).stats())?;
        let usage = stats.as_ref().map(usage::of).unwrap_or_default();
        Ok(Usage { elsewhere: true, ..usage })
    }

    fn check(&self, id: &str) -> Result<Option<Limitation>, Failed> {
        if !self.knows(id) {
            return Ok(None);
        }
        let state = if_there(self.engine.container(&create::name(id)).inspect())?;
        Ok(state.as_ref().and_then(out_of_memory))
    }

    fn cleanup(&self, id: &str) -> Result<(), Failed> {
        match self.known().remove(id) {
            None => return Ok(()),
            Some(Known::Preparing(given_up)) => {
                given_up.store(true, Ordering::SeqCst);
                return Ok(());
            }
            Some(Known::Prepared) => {}
        }
        let removed = self.engine.container(&create::name(id)).remove();
        // One that the engine does not have may be one that it is just making: the shim was
        // killed, its request was not.
        if !matches!(removed, Ok(true)) {
            self.unswept.store(true, Ordering::SeqCst);
        }
        self.shelf.remove(id).map_err(|error| self.in_runtime_dir(&error))?;
        removed.map(drop).map_err(failed)
    }
}

/// What is said of a container that is Docker's; none if it is not.
fn info(container: &Container) -> Result<Option<ContainerInfo>, Failed> {
    let info = ContainerInfo::decode(container.container_info.as_slice())
        .map_err(|error| failed(format!("the ContainerInfo cannot be decoded: {error}")))?;
    Ok(Some(info).filter(|info| info.kind == Some(Kind::Docker as i32)))
}

/// What the engine says of a container; none if it does not have it, or it does not run.
fn if_there<T>(answer: Result<T, EngineError>) -> Result<Option<T>, Failed> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if matches!(error.status(), Some(404 | 409)) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// The limit that a container broke which ended for want of memory.
fn out_of_memory(state: &serde_json::Value) -> Option<Limitation> {
    let message = usage::out_of_memory(state)?;
    Some(Limitation { resource: "mem".into(), message: message.into() })
}

/// Makes the directories of the sandbox that are mounted elsewhere.
fn make_directories(sandbox: &str, paths: &[String]) -> Result<(), Failed> {
    for path in paths {
        let path = Path::new(sandbox).join(path);
        std::fs::create_dir_all(&path)
            .map_err(|error| failed(format!("'{}' cannot be made: {error}", path.display())))?;
    }
    Ok(())
}

/// The host's memory in bytes.
fn host_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0).saturating_mul(1_024)
}
