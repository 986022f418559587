//! Finding containers again after a restart of the agent.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use reeve_module_sdk::isolator::Survivor;
use tokio::sync::watch;

use super::launch::{self, Progress};
use super::{
    Container, ContainerError, Containerizer, Exit, Inner, Known, Launched, Recovered, State, files,
};
use crate::process::pidfd::PidFd;
use crate::process::{start_time, tree};

/// What became of one container.
enum Found {
    Living(Launched, PidFd),
    Exited(Exit),
}

impl Containerizer {
    /// Looks for the containers that a checkpoint tells of, and kills those it does not know.
    /// A process counts as the container's by number, start time and start of the host together.
    /// Must come before any launch.
    pub async fn recover(&self, known: Vec<Known>) -> Result<Recovered, ContainerError> {
        let inner = Arc::clone(&self.inner);
        let work = tokio::task::spawn_blocking(move || find(&inner, &known));
        let cut_short = |error| ContainerError::CutShort("(all)".to_owned(), error);
        let (found, orphans) = work.await.map_err(cut_short)??;
        let mut recovered = Recovered { orphans, ..Recovered::default() };
        for (id, found) in found {
            match found {
                Found::Exited(exit) => recovered.exited.push((id, exit)),
                Found::Living(launched, held) => {
                    self.adopt(&id, launched, held)?;
                    recovered.living.push((id, launched));
                }
            }
        }
        Ok(recovered)
    }

    fn adopt(&self, id: &str, launched: Launched, held: PidFd) -> Result<(), ContainerError> {
        let container = Container {
            state: watch::Sender::new(State::Launching),
            progress: Arc::new(Progress::new()),
            destroyed: None,
            look: Arc::default(),
        };
        self.inner.containers().insert(id.to_owned(), container);
        self.watch(id, launched, Some(held)).map_err(|error| ContainerError::Kernel {
            what: "watch",
            id: id.to_owned(),
            source: std::io::Error::other(error),
        })
    }
}

type Finds = (Vec<(String, Found)>, Vec<String>);

fn find(inner: &Inner, known: &[Known]) -> Result<Finds, ContainerError> {
    let runtime_dir = &inner.settings.runtime_dir;
    let mut survivors = Vec::new();
    let mut found = Vec::new();
    let mut ended = Vec::new();
    for Known { id, sandbox, pid_file } in known {
        if let Some((launched, held)) = living(inner, id) {
            let sandbox = sandbox.to_string_lossy().into_owned().into();
            survivors.push(Survivor { id: id.as_str().into(), pid: launched.pid, sandbox });
            found.push((id.clone(), Found::Living(launched, held)));
        } else if let Some((launched, held)) = foreign(id, pid_file) {
            // The links did not make it, so they have nothing to find again.
            tracing::warn!(
                "container '{id}' was launched by another program, such as Apache Mesos: it is \
                 watched and can be ended, and its limits stay as they are"
            );
            found.push((id.clone(), Found::Living(launched, held)));
        } else {
            ended.push(id.clone());
        }
    }
    let ids: BTreeSet<&str> = known.iter().map(|known| known.id.as_str()).collect();
    let mut orphans = files::all(runtime_dir)
        .map_err(|source| ContainerError::List { path: runtime_dir.clone(), source })?;
    orphans.retain(|id| !ids.contains(id.as_str()));
    // The links learn of the dead as well, so that they can clean up after them.
    for link in &inner.chain {
        link.works.recover(&survivors).map_err(|source| ContainerError::Isolator {
            id: "(all)".to_owned(),
            link: link.name.clone(),
            source,
        })?;
    }
    for id in ended {
        found.push((id.clone(), Found::Exited(bury(inner, &id))));
    }
    for id in &orphans {
        tracing::warn!("container '{id}' is not in the checkpoint and is killed");
        if let Some((launched, held)) = living(inner, id)
            && let Err(error) = tree::kill(launched.pid, &held)
        {
            tracing::error!("container '{id}' cannot be killed: {error}");
        }
        bury(inner, id);
    }
    Ok((found, orphans))
}

/// The container's first process, if it is still the same one and lives.
fn living(inner: &Inner, id: &str) -> Option<(Launched, PidFd)> {
    let launched = files::read_pid(&inner.settings.runtime_dir, id)?;
    let held = PidFd::open(launched.pid).ok()?;
    // Looked at after it is held: from here on the number cannot become another's.
    let same = start_time(launched.pid).ok()? == launched.start_time;
    let dead = crate::process::stat(launched.pid).ok()?.is_dead();
    (same && !dead).then_some((launched, held))
}

/// The first process of a container that is known by nothing but the number of that process, if
/// something there still speaks of the container: a number alone may be anybody's by now.
fn foreign(id: &str, pid_file: &Path) -> Option<(Launched, PidFd)> {
    let pid = std::fs::read_to_string(pid_file).ok()?.trim().parse().ok()?;
    let held = PidFd::open(pid).ok()?;
    let start_time = start_time(pid).ok()?;
    let lives = crate::process::stat(pid).is_ok_and(|stat| !stat.is_dead());
    (lives && tree::speaks_of(pid, id)).then_some((Launched { pid, start_time }, held))
}

/// Clears away what a container left that ended while no agent looked.
fn bury(inner: &Inner, id: &str) -> Exit {
    let runtime_dir = &inner.settings.runtime_dir;
    let status = files::read_status(runtime_dir, id);
    if status.is_none() {
        tree::sweep(id, None);
    }
    launch::clean_up(&inner.chain, id);
    files::remove(runtime_dir, id);
    Exit { status, ..Exit::default() }
}
