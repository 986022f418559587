//! The containerizer: launches containers, waits for their end, destroys and recovers them.
//!
//! ```text
//!  Launching --launched--> Running --first process ends, leftovers killed, links cleaned--> Ended
//!      |
//!      +--fails or is destroyed--> (gone)
//! ```
//!
//! A container's first process is `reeve-executor`, which outlives this process. Every exit is
//! noticed by descriptor (pidfd), and by the time it is told nothing of the container is left.

mod files;
mod kernel;
mod launch;
mod limits;
mod outputs;
mod plan;
mod recover;
mod spec;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reeve_module_sdk::Failed;
use reeve_module_sdk::container_logger::ContainerLogger;
use reeve_module_sdk::isolator::{Figure, Grants, Isolator, Limitation, Usage};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

use crate::causes::in_one_line;
use crate::process::pidfd::{Ending, PidFd, Wait};
use crate::process::tree;
use kernel::{Kernel, Linux};
use launch::{Launch, Progress};
pub use spec::{
    Command, Exit, Known, LaunchError, Launched, Program, Recovered, Settings, Spec, Step,
};

/// How long the end of a destroyed container may take before destruction says that it hangs.
const DESTROY_PATIENCE: Duration = Duration::from_secs(60);

/// Containers cannot be dealt with as asked.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// No such container.
    #[error("There is no container '{0}'")]
    Unknown(String),
    /// A link of the chain failed.
    #[error("Isolator '{link}' failed on container '{id}'")]
    Isolator {
        /// The container.
        id: String,
        /// The link's name.
        link: String,
        /// What it says.
        #[source]
        source: Failed,
    },
    /// A container's processes do not end.
    #[error("Container '{0}' was killed but its processes do not end; the kernel holds them")]
    Stuck(String),
    /// The kernel failed.
    #[error("Failed to {what} container '{id}'")]
    Kernel {
        /// What was being tried.
        what: &'static str,
        /// The container.
        id: String,
        /// What the kernel says.
        #[source]
        source: std::io::Error,
    },
    /// The runtime directory cannot be read.
    #[error("Failed to list the containers in '{path}'")]
    List {
        /// The directory.
        path: std::path::PathBuf,
        /// What the kernel says.
        #[source]
        source: std::io::Error,
    },
    /// The thread that was to do it is gone.
    #[error("The work on container '{0}' was cut short")]
    CutShort(String, #[source] JoinError),
}

#[derive(Clone, Debug)]
enum State {
    Launching,
    Running {
        launched: Launched,
        held: Arc<PidFd>,
    },
    Ended(Exit),
    /// The launch failed; there is nothing to wait for.
    Gone,
}

struct Container {
    state: watch::Sender<State>,
    progress: Arc<Progress>,
    /// Why it is being destroyed, if it is.
    destroyed: Option<Option<Limitation>>,
    /// Held while the links are asked whether it broke a limit: each tells of it only once.
    look: Arc<tokio::sync::Mutex<()>>,
}

/// A link of the chain.
#[derive(Clone)]
pub struct Link {
    /// The isolator's name.
    pub name: String,
    /// The isolator.
    pub works: Arc<dyn Isolator>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Says where the output of containers goes.
#[derive(Clone)]
pub struct Logger {
    /// The container logger's name.
    pub name: String,
    /// The container logger.
    pub works: Arc<dyn ContainerLogger>,
}

impl std::fmt::Debug for Logger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logger").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What comes of a launch.
type Outcome = Result<(Launched, Option<PidFd>), LaunchError>;

struct Inner {
    settings: Settings,
    chain: Vec<Link>,
    kernel: Box<dyn Kernel>,
    containers: Mutex<BTreeMap<String, Container>>,
}

/// All containers of an agent. A clone is another handle on the same.
#[derive(Clone)]
pub struct Containerizer {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Containerizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let links: Vec<&str> = self.inner.chain.iter().map(|link| link.name.as_str()).collect();
        f.debug_struct("Containerizer").field("chain", &links).finish_non_exhaustive()
    }
}

impl Inner {
    fn containers(&self) -> MutexGuard<'_, BTreeMap<String, Container>> {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, id: &str) {
        if let Some(container) = self.containers().remove(id) {
            container.state.send_replace(State::Gone);
        }
    }
}

impl Containerizer {
    /// A containerizer with a chain of isolators, in order, and no containers.
    pub fn new(settings: Settings, chain: Vec<Link>) -> Self {
        Self::with_kernel(settings, chain, Box::new(Linux))
    }

    fn with_kernel(settings: Settings, chain: Vec<Link>, kernel: Box<dyn Kernel>) -> Self {
        let containers = Mutex::new(BTreeMap::new());
        Self { inner: Arc::new(Inner { settings, chain, kernel, containers }) }
    }

    /// Launches a container. When this returns it runs, isolated, or nothing of it is left but
    /// its sandbox. Whoever asks may stop waiting; the launch goes on.
    pub async fn launch(&self, spec: Spec) -> Result<Launched, LaunchError> {
        let id = spec.id.clone();
        self.launch_as(id, std::future::ready(Ok(spec))).await
    }

    /// As [`launch`](Self::launch), with a specification that takes a while to make. From now on
    /// the container is there, and can be destroyed.
    pub async fn launch_as(
        &self,
        id: String,
        spec: impl Future<Output = Result<Spec, String>> + Send + 'static,
    ) -> Result<Launched, LaunchError> {
        let this = self.clone();
        let name = id.clone();
        tokio::spawn(async move { this.launch_now(id, spec).await }).await.unwrap_or_else(|error| {
            let message = format!("The launch of container '{name}' was cut short: {error}");
            Err(LaunchError { step: Step::Check, destroyed: false, message })
        })
    }

    async fn launch_now(
        &self,
        id: String,
        spec: impl Future<Output = Result<Spec, String>>,
    ) -> Result<Launched, LaunchError> {
        let progress = self.enter(&id)?;
        let spec = match spec.await {
            Ok(spec) => spec,
            Err(message) => {
                self.inner.forget(&id);
                let destroyed = progress.is_abandoned();
                return Err(LaunchError { step: Step::Check, destroyed, message });
            }
        };
        let inner = Arc::clone(&self.inner);
        let work = Arc::clone(&progress);
        let run = tokio::task::spawn_blocking(move || {
            let launch = Launch {
                settings: &inner.settings,
                chain: &inner.chain,
                kernel: inner.kernel.as_ref(),
                spec: &spec,
                progress: &work,
            };
            launch.run()
        });
        let outcome = self.in_time(&id, run, &progress).await;
        let outcome = outcome.and_then(|(launched, held)| {
            self.watch(&id, launched, held)?;
            Ok(launched)
        });
        if outcome.is_err() {
            self.inner.forget(&id);
        }
        outcome
    }

    fn enter(&self, id: &str) -> Result<Arc<Progress>, LaunchError> {
        let refused = |message| LaunchError { step: Step::Check, destroyed: false, message };
        launch::check_id(id).map_err(refused)?;
        match self.inner.containers().entry(id.to_owned()) {
            Entry::Occupied(_) => Err(refused(format!("Container '{id}' exists already"))),
            Entry::Vacant(vacant) => {
                let progress = Arc::new(Progress::new());
                vacant.insert(Container {
                    state: watch::Sender::new(State::Launching),
                    progress: Arc::clone(&progress),
                    destroyed: None,
                    look: Arc::default(),
                });
                Ok(progress)
            }
        }
    }

    /// Waits for a launch and holds each of its steps to its deadline. A link that is still making
    /// ready for a container that nobody wants any more learns of it by its `cleanup`.
    async fn in_time(
        &self,
        id: &str,
        mut run: JoinHandle<Outcome>,
        progress: &Progress,
    ) -> Outcome {
        loop {
            let stage = progress.stage();
            let step = stage.step;
            let limit = match (stage.patience, step) {
                (Some(patience), _) => patience,
                (None, Step::Fetch) => self.inner.settings.fetch_deadline,
                (None, _) => self.inner.settings.step_deadline,
            };
            tokio::select! {
                outcome = &mut run => return outcome.unwrap_or_else(|error| {
                    let message = format!("The launch of container '{id}' was cut short: {error}");
                    Err(LaunchError { step, destroyed: false, message })
                }),
                () = progress.abandoned() => {
                    if progress.stage().step == Step::Prepare {
                        self.clean_up(id).await;
                    }
                    continue;
                }
                () = tokio::time::sleep_until((stage.since + limit).into()) => {}
            }
            if progress.stage() == stage && stage.since.elapsed() >= limit {
                // Should the step ever return, the launch undoes itself; until then, what can be
                // undone beside it is.
                progress.abandon();
                self.clean_up(id).await;
                self.end_late(id, run);
                let message = format!(
                    "Failed to {} container '{id}': it took more than {} s",
                    step.words(),
                    limit.as_secs()
                );
                return Err(LaunchError { step, destroyed: false, message });
            }
        }
    }

    /// A launch that was given up may have got past the last look at whether it was.
    fn end_late(&self, id: &str, run: JoinHandle<Outcome>) {
        let this = self.clone();
        let id = id.to_owned();
        tokio::spawn(async move {
            if let Ok(Ok((launched, Some(held)))) = run.await {
                if let Err(error) = this.kill(&id, launched, Arc::new(held)).await {
                    tracing::error!("{}", in_one_line(&error));
                }
                this.clean_up(&id).await;
                files::remove(&this.inner.settings.runtime_dir, &id);
            }
        });
    }

    async fn clean_up(&self, id: &str) {
        let inner = Arc::clone(&self.inner);
        let owned = id.to_owned();
        let work = tokio::task::spawn_blocking(move || launch::clean_up(&inner.chain, &owned));
        let limit = self.inner.settings.step_deadline;
        if !matches!(tokio::time::timeout(limit, work).await, Ok(Ok(()))) {
            tracing::error!("cleaning up container '{id}' takes more than {} s", limit.as_secs());
        }
    }

    /// Begins to wait for a running container's end.
    fn watch(&self, id: &str, launched: Launched, held: Option<PidFd>) -> Result<(), LaunchError> {
        let Some(held) = held.map(Arc::new) else { return Ok(()) };
        let ending = Ending::of(Arc::clone(&held)).map_err(|error| {
            drop(tree::kill(launched.pid, &held));
            launch::clean_up(&self.inner.chain, id);
            let message = format!("Failed to watch container '{id}': {error}");
            LaunchError { step: Step::Go, destroyed: false, message }
        })?;
        if let Some(container) = self.inner.containers().get(id) {
            let held = Arc::clone(&held);
            container.state.send_replace(State::Running { launched, held });
        }
        let inner = Arc::clone(&self.inner);
        let id = id.to_owned();
        tokio::spawn(async move {
            ending.wait().await;
            let work = Arc::clone(&inner);
            let name = id.clone();
            let end = move || end(&work, &name, launched, &held);
            let exit = tokio::task::spawn_blocking(end).await.unwrap_or_default();
            if let Some(container) = inner.containers().get(&id) {
                container.state.send_replace(State::Ended(exit));
            }
        });
        Ok(())
    }

    /// Waits for a container's end and forgets it. By then nothing of it is left. `None` if there
    /// is no such container, or its launch failed.
    pub async fn wait(&self, id: &str) -> Option<Exit> {
        let mut state = self.inner.containers().get(id)?.state.subscribe();
        let ended = |state: &State| matches!(state, State::Ended(_) | State::Gone);
        let last = state.wait_for(ended).await.map(|state| state.clone()).ok()?;
        match last {
            State::Ended(exit) => {
                self.inner.containers().remove(id);
                Some(exit)
            }
            State::Launching | State::Running { .. } | State::Gone => None,
        }
    }

    /// Kills all of a container and returns once nothing is left, or at once if there is no such
    /// container. Its [`wait`](Self::wait) returns as well.
    pub async fn destroy(&self, id: &str) -> Result<(), ContainerError> {
        self.end_for(id, None).await
    }

    async fn end_for(
        &self,
        id: &str,
        limitation: Option<Limitation>,
    ) -> Result<(), ContainerError> {
        let mut state = {
            let mut containers = self.inner.containers();
            let Some(container) = containers.get_mut(id) else { return Ok(()) };
            container.destroyed.get_or_insert(limitation);
            container.progress.abandon();
            container.state.subscribe()
        };
        let patience = tokio::time::timeout(DESTROY_PATIENCE, async {
            loop {
                let now = state.borrow_and_update().clone();
                match now {
                    State::Launching => {}
                    State::Running { launched, held } => self.kill(id, launched, held).await?,
                    State::Ended(_) | State::Gone => return Ok(()),
                }
                if state.changed().await.is_err() {
                    return Ok(());
                }
            }
        });
        patience.await.unwrap_or_else(|_| Err(ContainerError::Stuck(id.to_owned())))
    }

    async fn kill(
        &self,
        id: &str,
        launched: Launched,
        held: Arc<PidFd>,
    ) -> Result<(), ContainerError> {
        tokio::task::spawn_blocking(move || tree::kill(launched.pid, &held))
            .await
            .map_err(|error| ContainerError::CutShort(id.to_owned(), error))?
            .map_err(|source| ContainerError::Kernel { what: "kill", id: id.to_owned(), source })
    }

    /// Changes what a container may use.
    pub async fn update(&self, id: &str, grants: Grants) -> Result<(), ContainerError> {
        self.each_link(id, move |link, id| link.update(id, &grants)).await.map(drop)
    }

    /// What a container uses now: of each figure, what the first link that knows it says. Of one
    /// whose processes run elsewhere, the link that sees them there tells of them.
    pub async fn usage(&self, id: &str) -> Result<Usage, ContainerError> {
        Ok(together(self.each_link(id, |link, id| link.usage(id)).await?))
    }

    /// The ids of the running containers.
    pub fn running(&self) -> Vec<String> {
        let containers = self.inner.containers();
        let running = containers
            .iter()
            .filter(|(_, container)| matches!(*container.state.borrow(), State::Running { .. }));
        running.map(|(id, _)| id.clone()).collect()
    }

    /// Calls every link in order, on a thread that may block.
    async fn each_link<T: Send + 'static>(
        &self,
        id: &str,
        call: impl Fn(&dyn Isolator, &str) -> Result<T, Failed> + Send + 'static,
    ) -> Result<Vec<T>, ContainerError> {
        if !self.inner.containers().contains_key(id) {
            return Err(ContainerError::Unknown(id.to_owned()));
        }
        let inner = Arc::clone(&self.inner);
        let owned = id.to_owned();
        let work = tokio::task::spawn_blocking(move || {
            let mut answers = Vec::new();
            for link in &inner.chain {
                answers.push(call(link.works.as_ref(), &owned).map_err(|source| {
                    let link = link.name.clone();
                    ContainerError::Isolator { id: owned.clone(), link, source }
                })?);
            }
            Ok(answers)
        });
        let limit = self.inner.settings.step_deadline;
        match tokio::time::timeout(limit, work).await {
            Ok(Ok(answers)) => answers,
            Ok(Err(error)) => Err(ContainerError::CutShort(id.to_owned(), error)),
            Err(_) => Err(ContainerError::Isolator {
                id: id.to_owned(),
                link: "any".to_owned(),
                source: Failed(format!("no answer within {} s", limit.as_secs())),
            }),
        }
    }
}

/// One reading out of those of all links.
fn together(mut all: Vec<Usage>) -> Usage {
    if let Some(place) = all.iter().position(|usage| usage.elsewhere) {
        let told = all.remove(place);
        // The sandbox is here, whatever runs elsewhere.
        let of_sandbox = |figure: &Figure| figure.name.starts_with("disk_");
        all.iter_mut().for_each(|usage| usage.figures.retain(of_sandbox));
        all.insert(0, told);
    }
    all.into_iter().fold(Usage::default(), first_known)
}

/// Adds to `known` the figures of `next` that it does not have.
fn first_known(mut known: Usage, next: Usage) -> Usage {
    for figure in next.figures {
        if known.get(&figure.name).is_none() {
            known.figures.push(figure);
        }
    }
    known
}

/// The end of a container whose first process has ended: reaps it, kills what it left, cleans up.
fn end(inner: &Inner, id: &str, launched: Launched, held: &PidFd) -> Exit {
    let told = files::read_status(&inner.settings.runtime_dir, id);
    // The first process ends by itself only after all below it. If it left no word, it was killed.
    if told.is_none() {
        let ours = crate::process::stat(launched.pid).is_ok_and(|stat| stat.is_dead());
        tree::sweep(id, ours.then_some(launched.pid));
    }
    let reaped = reap(held);
    let broken = broken_limit(inner, id);
    launch::clean_up(&inner.chain, id);
    files::remove(&inner.settings.runtime_dir, id);
    let destroyed = inner.containers().get(id).and_then(|container| container.destroyed.clone());
    Exit {
        status: told.or(reaped),
        destroyed: destroyed.is_some(),
        limitation: broken.or(destroyed.flatten()),
    }
}

/// The limit that ended a container: what the kernel kills for is known only afterwards.
fn broken_limit(inner: &Inner, id: &str) -> Option<Limitation> {
    inner.chain.iter().find_map(|link| {
        link.works.check(id).unwrap_or_else(|error| {
            tracing::warn!("isolator '{}' on the end of container '{id}': {error}", link.name);
            None
        })
    })
}

/// The wait status of a child, if it is ours.
fn reap(held: &PidFd) -> Option<i32> {
    let patience = Instant::now() + Duration::from_secs(1);
    loop {
        match held.reap() {
            Ok(Wait::Ended(status)) => return Some(status),
            Ok(Wait::Running) if Instant::now() < patience => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(Wait::Running | Wait::NotOurs) | Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests;
