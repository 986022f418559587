//! A launch, step by step, as one transaction: what fails at step k undoes 1..k.
//!
//! ```text
//!  check -> sandbox -> prepare (each link) -> fetch -> spawn -> isolate (each link) -> go
//! ```
//!
//! Some containers are fetched for before they are prepared (`Spec::fetch_first`).
//!
//! It runs on a thread that may block. Whoever waits for it looks at [`Progress`] to hold each
//! step to its deadline, and may abandon it there; the launch notices between two steps (and
//! while fetching) and undoes itself.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reeve_module_sdk::isolator::{Container, Fragment, Rlimit, Variable};
use reeve_module_sdk::std_types::{RString, RVec};
use tokio::sync::Notify;

use super::kernel::{Held, Kernel, Order};
use super::outputs::{self, Takers};
use super::spec::{LaunchError, Launched, Settings, Spec, Step};
use super::{Link, files, plan};
use crate::causes::in_one_line;
use crate::process::pidfd::PidFd;
use crate::process::tree::MARK;
use crate::users::User;
use crate::{fetch, sandbox};

/// What a program finds its programs in unless its environment says otherwise.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where a launch is, shared with whoever waits for it.
#[derive(Debug)]
pub(crate) struct Progress {
    stage: Mutex<Stage>,
    abandoned: AtomicBool,
    abandonment: Notify,
}

/// A step under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    pub(crate) step: Step,
    pub(crate) since: Instant,
    /// How long it may take, if that is not what the settings say.
    pub(crate) patience: Option<Duration>,
}

impl Stage {
    fn new(step: Step, patience: Option<Duration>) -> Self {
        Self { step, since: Instant::now(), patience }
    }
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            stage: Mutex::new(Stage::new(Step::Check, None)),
            abandoned: AtomicBool::new(false),
            abandonment: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The step under way.
    pub(crate) fn stage(&self) -> Stage {
        *self.lock()
    }

    /// Asks the launch to undo itself. The step under way may take no longer than any other.
    pub(crate) fn abandon(&self) {
        if !self.abandoned.swap(true, Ordering::SeqCst) {
            let mut stage = self.lock();
            *stage = Stage::new(stage.step, None);
            self.abandonment.notify_one();
        }
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::SeqCst)
    }

    /// Waits until the launch is abandoned. One may wait, once.
    pub(crate) async fn abandoned(&self) {
        self.abandonment.notified().await;
    }

    fn enter(&self, step: Step) -> Result<(), Fault> {
        self.enter_for(step, None)
    }

    fn enter_for(&self, step: Step, patience: Option<Duration>) -> Result<(), Fault> {
        *self.lock() = Stage::new(step, patience.filter(|_| !self.is_abandoned()));
        if self.is_abandoned() { Err(Fault(step, String::new())) } else { Ok(()) }
    }
}

/// A step that failed, and why.
struct Fault(Step, String);

/// The chain of isolators, in order.
pub(crate) type Chain = [Link];

/// A launch that may be carried out.
pub(crate) struct Launch<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) chain: &'a Chain,
    pub(crate) kernel: &'a dyn Kernel,
    pub(crate) spec: &'a Spec,
    pub(crate) progress: &'a Progress,
}

/// What has been done so far and would have to be undone.
#[derive(Default)]
struct Done {
    /// How many links may have something to clean up.
    prepared: usize,
    files: bool,
    held: Option<Box<dyn Held>>,
}

/// What the isolators added.
#[derive(Default)]
pub(super) struct Additions {
    environment: BTreeMap<String, String>,
    pub(super) rlimits: Vec<Rlimit>,
    wrapper: Option<Wrapper>,
}

/// What runs the command elsewhere.
struct Wrapper {
    /// The link that wants it.
    link: String,
    words: Vec<String>,
    /// The words that run another command there.
    exec: Vec<String>,
}

impl Additions {
    fn take(&mut self, link: &str, fragment: Fragment) -> Result<(), Fault> {
        for Variable { name, value } in fragment.environment {
            self.environment.insert(name.into(), value.into());
        }
        self.rlimits.extend(fragment.rlimits);
        if fragment.wrapper.is_empty() {
            return Ok(());
        }
        if let Some(Wrapper { link: other, .. }) = &self.wrapper {
            let why = format!("isolators '{other}' and '{link}' both want to run its command");
            return Err(Fault(Step::Prepare, why));
        }
        let plain = |words: RVec<RString>| words.into_iter().map(Into::into).collect();
        self.wrapper = Some(Wrapper {
            link: link.to_owned(),
            words: plain(fragment.wrapper),
            exec: plain(fragment.exec_wrapper),
        });
        Ok(())
    }

    /// The words of the wrapper, and those that run another command there.
    pub(super) fn wrappers(&self) -> [&[String]; 2] {
        let Some(Wrapper { words, exec, .. }) = &self.wrapper else { return [&[], &[]] };
        [words, exec]
    }
}

impl Launch<'_> {
    /// Carries the launch out. On failure nothing is left but the sandbox, which says why.
    pub(crate) fn run(&self) -> Result<(Launched, Option<PidFd>), LaunchError> {
        let mut done = Done::default();
        match self.steps(&mut done) {
            Ok(launched) => Ok((launched, done.held.and_then(Held::release))),
            Err(Fault(step, message)) => {
                self.undo(&mut done);
                Err(self.error(step, message))
            }
        }
    }

    fn error(&self, step: Step, message: String) -> LaunchError {
        let destroyed = self.progress.is_abandoned();
        let id = &self.spec.id;
        let message = match (destroyed, step) {
            (true, _) => format!("Container '{id}' was destroyed while being launched"),
            // The fetcher's own words name the container already.
            (false, Step::Fetch) => message,
            (false, _) => format!("Failed to {} container '{id}': {message}", step.words()),
        };
        LaunchError { step, destroyed, message }
    }

    fn steps(&self, done: &mut Done) -> Result<Launched, Fault> {
        let Self { settings, spec, progress, .. } = self;
        progress.enter(Step::Check)?;
        let user = self.user()?;
        progress.enter(Step::Sandbox)?;
        let fault = |step| move |error: &dyn std::error::Error| Fault(step, in_one_line(error));
        let mut outputs = sandbox::create(&spec.sandbox, user.as_ref())
            .map_err(|error| fault(Step::Sandbox)(&error))?;
        done.files = true;
        files::create(&settings.runtime_dir, &spec.id)
            .map_err(|error| fault(Step::Sandbox)(&error))?;
        if spec.fetch_first {
            self.fetch(user.as_ref(), &mut outputs)?;
        }
        let container = self.container(user.as_ref());
        let mut additions = self.prepare(&container, done)?;
        let takers = match &settings.logger {
            Some(logger) => outputs::take(logger, &container, user.as_ref(), &mut outputs)
                .map_err(|why| Fault(Step::Prepare, why))?,
            None => Takers::default(),
        };
        if !spec.fetch_first {
            self.fetch(user.as_ref(), &mut outputs)?;
        }
        progress.enter(Step::Spawn)?;
        let status = files::status(&settings.runtime_dir, &spec.id);
        let plan = plan::encode(spec, user.as_ref(), &additions, &takers, &status)
            .map_err(|message| Fault(Step::Spawn, message))?;
        let environment = self.environment(&mut additions.environment);
        let order = Order {
            executor: &settings.executor,
            sandbox: &spec.sandbox,
            environment: &environment,
            outputs,
            plan,
            answered: takers.are_there(),
        };
        let held = self.kernel.spawn(order).map_err(|error| fault(Step::Spawn)(&error))?;
        let launched = Launched { pid: held.pid(), start_time: held.start_time() };
        let held = done.held.insert(held);
        // Before it begins: what begins unrecorded could not be found again.
        files::write_pid(&settings.runtime_dir, &spec.id, launched, spec.pid_file.as_deref())
            .map_err(|error| fault(Step::Spawn)(&error))?;
        progress.enter(Step::Isolate)?;
        self.isolate(launched.pid)?;
        progress.enter(Step::Go)?;
        held.go().map_err(|error| fault(Step::Go)(&error))?;
        Ok(launched)
    }

    /// The user to run as, if it is to be another one than the agent's.
    fn user(&self) -> Result<Option<User>, Fault> {
        let Some(name) = self.spec.user.as_deref().filter(|_| self.settings.switch_user) else {
            return Ok(None);
        };
        let user = User::find(name).map_err(|error| Fault(Step::Check, in_one_line(&error)))?;
        Ok(Some(user).filter(|user| !user.is_current()))
    }

    /// The container as modules are told of it.
    fn container(&self, user: Option<&User>) -> Container {
        let spec = self.spec;
        Container {
            id: spec.id.as_str().into(),
            framework: spec.framework.as_str().into(),
            executor: spec.executor.as_str().into(),
            task: spec.task.as_deref().map(Into::into).into(),
            sandbox: spec.sandbox.to_string_lossy().into_owned().into(),
            user: user.and(spec.user.clone()).map(Into::into).into(),
            grants: spec.grants.clone(),
            container_info: spec.container_info.clone().into(),
            command_info: spec.command_info.clone().into(),
        }
    }

    fn prepare(&self, container: &Container, done: &mut Done) -> Result<Additions, Fault> {
        let mut additions = Additions::default();
        for link in self.chain {
            // Counted first: a link that fails half way has something to clean up as well.
            done.prepared += 1;
            self.progress.enter_for(Step::Prepare, link.works.patience(container))?;
            let fragment = link.works.prepare(container).map_err(|error| {
                Fault(Step::Prepare, format!("isolator '{}': {error}", link.name))
            })?;
            additions.take(&link.name, fragment)?;
        }
        self.progress.enter(Step::Prepare)?;
        if let Some(Wrapper { link, .. }) = &additions.wrapper
            && let Some(name) = self.spec.secrets.keys().next()
        {
            let why = format!(
                "isolator '{link}' runs its command elsewhere, and does not take variables of \
                 type SECRET there, such as '{name}'"
            );
            return Err(Fault(Step::Prepare, why));
        }
        Ok(additions)
    }

    fn fetch(&self, user: Option<&User>, outputs: &mut sandbox::Outputs) -> Result<(), Fault> {
        if self.spec.uris.is_empty() {
            return Ok(());
        }
        self.progress.enter(Step::Fetch)?;
        self.fetch_all(user).inspect_err(|Fault(_, message)| {
            drop(writeln!(outputs.stderr, "{message}"));
        })
    }

    fn fetch_all(&self, user: Option<&User>) -> Result<(), Fault> {
        let abandoned = || self.progress.is_abandoned();
        let fetch = fetch::Fetch {
            sandbox: &self.spec.sandbox,
            user,
            stall: self.settings.fetch_stall,
            abandoned: &abandoned,
        };
        fetch.all(&self.spec.uris).map_err(|error| {
            let why = in_one_line(&error);
            Fault(
                Step::Fetch,
                format!("Failed to fetch all URIs for container '{}': {why}", self.spec.id),
            )
        })
    }

    fn isolate(&self, pid: u32) -> Result<(), Fault> {
        if let Some(unit) = &self.settings.unit {
            unit.take(pid).map_err(|error| Fault(Step::Isolate, in_one_line(&error)))?;
        }
        for link in self.chain {
            link.works.isolate(&self.spec.id, pid).map_err(|error| {
                Fault(Step::Isolate, format!("isolator '{}': {error}", link.name))
            })?;
            self.progress.enter(Step::Isolate)?;
        }
        Ok(())
    }

    fn environment(&self, added: &mut BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut all = self.spec.environment.clone();
        all.append(added);
        all.entry("PATH".to_owned()).or_insert_with(|| PATH.to_owned());
        all.insert(MARK.to_owned(), self.spec.id.clone());
        all
    }

    fn undo(&self, done: &mut Done) {
        if let Some(mut held) = done.held.take() {
            held.kill();
        }
        let prepared = self.chain.get(..done.prepared).unwrap_or(self.chain);
        clean_up(prepared, &self.spec.id);
        if done.files {
            files::remove(&self.settings.runtime_dir, &self.spec.id);
        }
    }
}

/// Cleans up in reverse order. A link that fails does not keep the others from it.
pub(crate) fn clean_up(chain: &Chain, id: &str) {
    for link in chain.iter().rev() {
        if let Err(error) = link.works.cleanup(id) {
            tracing::error!(
                "isolator '{}' failed to clean up container '{id}': {error}",
                link.name
            );
        }
    }
}

/// Whether an id can name a directory.
pub(crate) fn check_id(id: &str) -> Result<(), String> {
    let bad = id.is_empty() || id == "." || id == ".." || id.contains(['/', '\0', '=']);
    if bad || Path::new(id).components().count() != 1 {
        return Err(format!("'{id}' cannot be the id of a container"));
    }
    Ok(())
}
