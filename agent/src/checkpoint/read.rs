//! What a starting agent finds. A damaged file costs what it describes and nothing else: it is
//! named, and the rest is recovered. Reading changes nothing; see [`super::damage`].

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use reeve_agent_core::recovery::{
    Fate, Logged, Recovered, RecoveredExecutor, RecoveredFramework, RecoveredTask,
};
use reeve_agent_runtime::checkpoint::reading;
use reeve_model::{
    AgentId, AgentInfo, ContainerId, DrainConfig, ExecutorId, ExecutorInfo, ExecutorKind,
    FrameworkId, FrameworkInfo, Resources, StatusUpdate, TaskId, TaskInfo, Uuid, WireError,
};
use reeve_wire::internal::{StatusUpdateRecord, status_update_record};
use reeve_wire::{SlaveInfo, WireMessage, v1};

use super::damage::{Damage, Lost, Remedy};
use super::layout::{Layout, NO_PID, Run};

/// What lies in the tree, and the runs whose containers may still live.
#[derive(Debug, Default)]
pub struct Found {
    /// The agent that wrote last. Its description is in `recovered`, unless that is damaged.
    pub id: Option<AgentId>,
    /// For the core; the fate of every container is still unknown.
    pub recovered: Recovered,
    /// Runs that were not over.
    pub runs: Vec<Run>,
    /// What is damaged.
    pub damage: Vec<Damage>,
}

/// Reads the tree. `boot_id` is this boot's.
pub fn read(layout: &Layout, boot_id: &str) -> Found {
    let mut reader = Reader { layout, found: Found::default() };
    reader.all(boot_id);
    reader.found
}

struct Reader<'a> {
    layout: &'a Layout,
    found: Found,
}

/// What came of looking for a record.
enum Look<T> {
    Found(T),
    /// There is no such file.
    Nothing,
    /// There is, and it is of no use. That is noted.
    Damaged,
}

impl<T> Look<T> {
    fn ok(self) -> Option<T> {
        match self {
            Self::Found(record) => Some(record),
            Self::Nothing | Self::Damaged => None,
        }
    }
}

impl Reader<'_> {
    fn all(&mut self, boot_id: &str) {
        let written_in = self.text(&self.layout.boot_id(), "whether the host was started since");
        self.found.recovered.rebooted = written_in.is_some_and(|written| written != boot_id);
        self.found.recovered.resources = self.resources();
        let id = self.latest_agent();
        self.others(id.as_ref());
        let Some(id) = id else { return };
        let path = self.layout.agent_info(&id);
        let lost = "what the agent had when it was here before";
        let info = self.record(&path, lost, |wire: SlaveInfo| AgentInfo::try_from(wire));
        let known = |info| Arc::new(AgentInfo { id: Some(id.clone()), ..info });
        self.found.recovered.agent = info.ok().map(known);
        self.found.recovered.drain = self.drain(&id);
        for room in self.rooms(&self.layout.agent(&id).join("frameworks"), "all that ran here") {
            let framework = FrameworkId::new(name(&room));
            match self.framework(&id, &framework, &room) {
                Some(found) => self.found.recovered.frameworks.push(found),
                None => self.leave(&format!("slaves/{id}/frameworks/{framework}")),
            }
        }
        self.found.id = Some(id);
    }

    /// How the agent was being emptied.
    fn drain(&mut self, id: &AgentId) -> Option<DrainConfig> {
        let lost = "how the agent was being drained, which its master tells it again";
        let read = |wire: v1::DrainConfig| Ok::<_, WireError>(DrainConfig::from(&wire));
        self.record(&self.layout.drain_config(id), lost, read).ok()
    }

    /// The agent that the link names.
    fn latest_agent(&mut self) -> Option<AgentId> {
        let link = self.layout.latest_agent();
        let there = link.symlink_metadata().ok()?;
        if there.is_symlink() {
            let id = std::fs::read_link(&link).ok().map(|target| AgentId::new(name(&target)));
            if let Some(id) = id.filter(|id| self.layout.agent(id).is_dir()) {
                return Some(id);
            }
        }
        let what = "does not lead to an agent";
        self.note(&link, what, "the agent's id and all that ran here");
        None
    }

    /// Directories of agents before the latest.
    fn others(&mut self, latest: Option<&AgentId>) {
        for place in ["slaves", "meta/slaves"] {
            let lost = "the sandboxes of agents before";
            for room in self.rooms(&self.layout.work_dir().join(place), lost) {
                let name = name(&room);
                if name != "latest" && Some(name.as_str()) != latest.map(AgentId::as_str) {
                    self.found.recovered.leftovers.push(format!("{place}/{name}"));
                }
            }
        }
    }

    /// A directory of sandboxes, and that of the checkpoints beside it, are nobody's any more.
    fn leave(&mut self, path: &str) {
        self.found.recovered.leftovers.extend([path.to_owned(), format!("meta/{path}")]);
    }

    fn framework(
        &mut self,
        agent: &AgentId,
        id: &FrameworkId,
        room: &Path,
    ) -> Option<RecoveredFramework> {
        let path = room.join("framework.info");
        let lost = format!("framework {id} and all that it ran here");
        let info = self.record(&path, &lost, |wire: v1::FrameworkInfo| {
            let info = FrameworkInfo::try_from(wire).map_err(|error| error.to_string())?;
            named(info.id.as_ref() == Some(id), info)
        });
        let info = Arc::new(info.ok()?);
        // Frameworks that speak HTTP have none, and the master tells it again in any case.
        let pid = self.text(&room.join("framework.pid"), "where the framework's driver listens");
        let pid = pid.filter(|pid| pid != NO_PID).and_then(|pid| pid.parse().ok());
        let mut executors = Vec::new();
        for room in self.rooms(&room.join("executors"), &lost) {
            let executor = ExecutorId::new(name(&room));
            match self.executor(agent, id, &executor, &room) {
                Some(found) => executors.push(found),
                None => {
                    self.leave(&format!("slaves/{agent}/frameworks/{id}/executors/{executor}"));
                }
            }
        }
        Some(RecoveredFramework { info, pid, executors })
    }

    fn executor(
        &mut self,
        agent: &AgentId,
        framework: &FrameworkId,
        id: &ExecutorId,
        room: &Path,
    ) -> Option<RecoveredExecutor> {
        let lost = format!("executor {id} of framework {framework} and its tasks");
        let container = self.latest_run(room, &lost)?;
        let info = self.record(&room.join("executor.info"), &lost, |wire: v1::ExecutorInfo| {
            let info = ExecutorInfo::recorded(wire).map_err(|error| error.to_string())?;
            named(info.id == *id, info)
        });
        let mut info = info.ok()?;
        if std::fs::read(room.join("executor_generated_for_command_task"))
            .is_ok_and(|it| it == b"1")
        {
            info.kind = ExecutorKind::Command;
        }
        let run = Run {
            agent: agent.clone(),
            framework: framework.clone(),
            executor: id.clone(),
            container: container.clone(),
        };
        let driver =
            self.text(&self.layout.driver_pid(&run), "where the executor's driver listens");
        let mut found = RecoveredExecutor {
            info: Arc::new(info),
            container,
            driver: driver.and_then(|pid| pid.parse().ok()),
            over: self.layout.run(&run).join("executor.sentinel").exists(),
            fate: Fate::Unknown,
            tasks: Vec::new(),
            strangers: Vec::new(),
        };
        // Of what is over, nothing is looked at but that.
        if !found.over {
            self.tasks(&run, &lost, &mut found);
            self.found.runs.push(run);
        }
        Some(found)
    }

    /// The run that the link names, or the only one there is. Those before it are over.
    fn latest_run(&mut self, room: &Path, lost: &str) -> Option<ContainerId> {
        let runs = self.rooms(&room.join("runs"), lost);
        let link = room.join("runs/latest");
        let named = std::fs::read_link(&link).ok().map(|target| name(&target));
        let latest = runs.iter().find(|run| Some(name(run)) == named).cloned();
        if latest.is_none() && link.symlink_metadata().is_ok() {
            let lost = if runs.len() == 1 { "which run is the latest" } else { lost };
            self.note(&link, "does not lead to a run", lost);
        }
        let latest =
            latest.or_else(|| <[PathBuf; 1]>::try_from(runs.clone()).ok().map(|[run]| run));
        let latest = latest.as_deref().map(name);
        for run in runs.iter().filter(|run| Some(name(run)) != latest) {
            if let Ok(path) = run.strip_prefix(self.layout.meta()) {
                self.leave(&path.to_string_lossy());
            }
        }
        latest.map(ContainerId::new)
    }

    fn tasks(&mut self, run: &Run, lost: &str, found: &mut RecoveredExecutor) {
        for room in self.rooms(&self.layout.run(run).join("tasks"), lost) {
            let id = TaskId::new(name(&room));
            let log = self.log(&room.join("task.updates"), &id);
            let ended = log.iter().any(|record| {
                matches!(record, Logged::Update(update) if update.status.state.is_terminal())
            });
            let lost = if ended { "what the task was" } else { "the task" };
            let lost = format!("{lost} {id} of framework {}", run.framework);
            let info = self.record(&room.join("task.info"), &lost, |wire: v1::Task| {
                let info = TaskInfo::try_from(description(wire));
                let info = info.map_err(|error| error.to_string())?;
                named(info.id == id, info)
            });
            match info {
                Look::Found(info) => {
                    found.tasks.push(RecoveredTask { info: Arc::new(info), log });
                }
                // Its last words are to be delivered all the same.
                Look::Nothing | Look::Damaged if ended => {
                    let info = Arc::new(nameless(&id, &run.agent));
                    found.tasks.push(RecoveredTask { info, log });
                }
                Look::Damaged => found.strangers.push(id),
                // It was never delivered, as its record was not safe.
                Look::Nothing => {}
            }
        }
    }

    /// The records of `task.updates` that are whole.
    fn log(&mut self, path: &Path, task: &TaskId) -> Vec<Logged> {
        let lost = Lost::This(format!("some of what is known of task {task}"));
        self.list(path, lost, |record: StatusUpdateRecord| match record.r#type() {
            status_update_record::Type::Update => {
                let update = record.update.ok_or("has an update without one")?;
                let update = StatusUpdate::try_from(update).map_err(|error| error.to_string())?;
                named(update.status.task == *task, Logged::Update(Arc::new(update)))
            }
            status_update_record::Type::Ack => {
                let uuid = record.uuid.ok_or("has an acknowledgement of nothing")?;
                let uuid = Uuid::from_slice(&uuid).map_err(|error| error.to_string())?;
                Ok(Logged::Acknowledged(uuid))
            }
        })
    }

    fn resources(&mut self) -> Resources {
        let lost = Lost::This("reservations or volumes of this agent".to_owned());
        let one = |wire: v1::Resource| {
            Resources::try_from(&vec![wire]).map_err(|error| error.to_string())
        };
        let all = self.list(&self.layout.resources(), lost, one);
        all.iter().fold(Resources::new(), |mut sum, one| {
            sum += one;
            sum
        })
    }

    /// The records of a list or a log that are whole and mean something.
    fn list<M: WireMessage, T>(
        &mut self,
        path: &Path,
        lost: Lost,
        parse: impl Fn(M) -> Result<T, String>,
    ) -> Vec<T> {
        let records = match reading::all(path) {
            Ok(records) => records,
            Err(error) => {
                let (path, what, remedy) = (path.to_owned(), error.to_string(), Remedy::Move);
                self.found.damage.push(Damage { path, what, lost, remedy });
                return Vec::new();
            }
        };
        let mut good = Vec::new();
        let mut keeps = Vec::new();
        let mut flaw = None;
        for record in records.records {
            let parsed = record.map_err(|flaw| flaw.to_string()).and_then(|bytes| {
                let message = reeve_wire::decode(&bytes).map_err(|error| error.to_string())?;
                Ok((parse(message)?, bytes))
            });
            match parsed {
                Ok((one, bytes)) => {
                    good.push(one);
                    keeps.push(bytes.to_vec());
                }
                Err(why) => flaw = Some(format!("has a record that is of no use: {why}")),
            }
        }
        let torn = records.end.is_some_and(|end| flaw.is_none() && end.is_torn_write());
        if let Some(what) = flaw.or_else(|| records.end.map(|end| end.to_string())) {
            let lost = if torn { Lost::Nothing } else { lost };
            let (path, remedy) = (path.to_owned(), Remedy::Keep(keeps));
            self.found.damage.push(Damage { path, what, lost, remedy });
        }
        good
    }

    /// The one record of a file.
    fn record<M: WireMessage, T, E: Display>(
        &mut self,
        path: &Path,
        lost: &str,
        parse: impl FnOnce(M) -> Result<T, E>,
    ) -> Look<T> {
        let read = match reading::record(path) {
            Ok(None) => return Look::Nothing,
            Ok(Some(bytes)) => decode(&bytes, parse),
            Err(error) => Err(error.to_string()),
        };
        match read {
            Ok(record) => Look::Found(record),
            Err(what) => {
                self.note(path, &what, lost);
                Look::Damaged
            }
        }
    }

    /// The text of a file, if there is some.
    fn text(&mut self, path: &Path, lost: &str) -> Option<String> {
        let bytes = match reading::whole(path) {
            Ok(bytes) => bytes?,
            Err(error) => {
                self.note(path, &error.to_string(), lost);
                return None;
            }
        };
        match std::str::from_utf8(&bytes) {
            Ok(text) if text.contains('\0') => self.note(path, "holds zeros", lost),
            Ok(text) => return Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Err(_) => self.note(path, "is no text", lost),
        }
        None
    }

    /// The directories in a directory, in order; links are not followed.
    fn rooms(&mut self, path: &Path, lost: &str) -> Vec<PathBuf> {
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                let remedy = if path.is_dir() { Remedy::Leave } else { Remedy::Move };
                let what = format!("can't be listed: {error}");
                let (path, lost) = (path.to_owned(), Lost::This(lost.to_owned()));
                self.found.damage.push(Damage { path, what, lost, remedy });
                return Vec::new();
            }
        };
        let rooms: BTreeSet<PathBuf> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| entry.path())
            .collect();
        rooms.into_iter().collect()
    }

    fn note(&mut self, path: &Path, what: &str, lost: &str) {
        let (path, what, lost) = (path.to_owned(), what.to_owned(), Lost::This(lost.to_owned()));
        self.found.damage.push(Damage { path, what, lost, remedy: Remedy::Move });
    }
}

fn decode<M: WireMessage, T, E: Display>(
    bytes: &Bytes,
    parse: impl FnOnce(M) -> Result<T, E>,
) -> Result<T, String> {
    let useless = |why: &dyn Display| format!("has a record that is of no use: {why}");
    let message = reeve_wire::decode(bytes).map_err(|error| useless(&error))?;
    parse(message).map_err(|error| useless(&error))
}

/// The directory tells whose record it is; another's must have lost its way.
fn named<T>(right: bool, record: T) -> Result<T, String> {
    if right { Ok(record) } else { Err("it is another's than its directory's".to_owned()) }
}

/// A task of which nothing is known but its name.
fn nameless(id: &TaskId, agent: &AgentId) -> TaskInfo {
    TaskInfo {
        id: id.clone(),
        name: id.to_string(),
        agent: agent.clone(),
        resources: Resources::new(),
        executor: None,
        kill_grace: None,
        max_completion: None,
        limits: reeve_model::Limits::default(),
        rest: Bytes::new(),
    }
}

/// A task's description as far as its record tells.
fn description(task: v1::Task) -> v1::TaskInfo {
    v1::TaskInfo {
        name: task.name,
        task_id: task.task_id,
        agent_id: task.agent_id,
        resources: task.resources,
        command: Some(v1::CommandInfo { user: task.user, ..v1::CommandInfo::default() }),
        container: task.container,
        health_check: task.health_check,
        kill_policy: task.kill_policy,
        labels: task.labels,
        discovery: task.discovery,
        limits: task.limits,
        ..v1::TaskInfo::default()
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
