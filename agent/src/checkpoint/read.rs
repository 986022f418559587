//! What a starting agent finds. A damaged file costs what it describes and nothing else: it is
//! named in the log, and the rest is recovered.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use reeve_agent_core::recovery::{
    Fate, Logged, Recovered, RecoveredExecutor, RecoveredFramework, RecoveredTask,
};
use reeve_agent_runtime::checkpoint::{self, parse_records};
use reeve_model::{
    AgentId, AgentInfo, ContainerId, ExecutorInfo, FrameworkInfo, Resources, StatusUpdate,
    TaskInfo, Uuid,
};
use reeve_wire::internal::{StatusUpdateRecord, status_update_record};
use reeve_wire::{SlaveInfo, WireMessage, v1};
use tracing::warn;

use super::layout::{Layout, Run};

/// What lies in the tree, and the runs whose containers may still live.
#[derive(Debug, Default)]
pub struct Found {
    /// For the core; the fate of every container is still unknown.
    pub recovered: Recovered,
    /// Runs that were not over.
    pub runs: Vec<Run>,
}

/// Reads the tree. `boot_id` is this boot's.
pub fn read(layout: &Layout, boot_id: &str) -> Found {
    let mut found = Found::default();
    let written_in = text(&layout.boot_id());
    found.recovered.rebooted = written_in.is_some_and(|written| written != boot_id);
    found.recovered.resources = resources(layout);
    let latest = layout.latest_agent();
    let Some(agent) = std::fs::read_link(&latest).ok().as_deref().and_then(last_name) else {
        found.recovered.leftovers = others(layout, None);
        return found;
    };
    let id = AgentId::new(agent);
    found.recovered.leftovers = others(layout, Some(&id));
    let info: Option<SlaveInfo> = record(&layout.agent_info(&id));
    let info = info.and_then(|info| parsed(AgentInfo::try_from(info), &layout.agent_info(&id)));
    let Some(info) = info else { return found };
    found.recovered.agent = Some(Arc::new(info));
    for room in rooms(&layout.agent(&id).join("frameworks")) {
        if let Some(framework) = framework(&id, &room, &mut found.runs) {
            found.recovered.frameworks.push(framework);
        }
    }
    found
}

/// Directories of agents before the latest.
fn others(layout: &Layout, latest: Option<&AgentId>) -> Vec<String> {
    let mut all = Vec::new();
    for place in ["slaves", "meta/slaves"] {
        for room in rooms(&layout.work_dir().join(place)) {
            let name = last_name(&room).unwrap_or_default();
            if name != "latest" && Some(name.as_str()) != latest.map(AgentId::as_str) {
                all.push(format!("{place}/{name}"));
            }
        }
    }
    all
}

fn framework(agent: &AgentId, room: &Path, runs: &mut Vec<Run>) -> Option<RecoveredFramework> {
    let path = room.join("framework.info");
    let info: v1::FrameworkInfo = record(&path)?;
    let info = Arc::new(parsed(FrameworkInfo::try_from(info), &path)?);
    let id = info.id.clone()?;
    let pid = text(&room.join("framework.pid")).and_then(|pid| pid.parse().ok());
    let mut executors = Vec::new();
    for room in rooms(&room.join("executors")) {
        let Some((executor, run)) = executor(agent, &id, &room) else { continue };
        if !executor.over {
            runs.push(run);
        }
        executors.push(executor);
    }
    Some(RecoveredFramework { info, pid, executors })
}

fn executor(
    agent: &AgentId,
    framework: &reeve_model::FrameworkId,
    room: &Path,
) -> Option<(RecoveredExecutor, Run)> {
    let path = room.join("executor.info");
    let wire: v1::ExecutorInfo = record(&path)?;
    let info = Arc::new(parsed(ExecutorInfo::recorded(wire), &path)?);
    let container = std::fs::read_link(room.join("runs/latest")).ok()?;
    let container = ContainerId::new(last_name(&container)?);
    let run_room = room.join("runs").join(&*container.value);
    let tasks = rooms(&run_room.join("tasks")).iter().filter_map(|room| task(room)).collect();
    let run = Run {
        agent: agent.clone(),
        framework: framework.clone(),
        executor: info.id.clone(),
        container: container.clone(),
    };
    let over = run_room.join("executor.sentinel").exists();
    Some((RecoveredExecutor { info, container, over, fate: Fate::Unknown, tasks }, run))
}

fn task(room: &Path) -> Option<RecoveredTask> {
    let path = room.join("task.info");
    let wire: v1::Task = record(&path)?;
    let info = parsed(TaskInfo::try_from(description(wire)), &path)?;
    let path = room.join("task.updates");
    let bytes = checkpoint::read(&path).ok().flatten().unwrap_or_default();
    let records = parse_records(&bytes);
    if records.torn {
        warn!(path = %path.display(), "the last record was being written when the agent died; it is dropped");
    }
    let log = records.records.iter().filter_map(|bytes| logged(bytes, &path)).collect();
    Some(RecoveredTask { info: Arc::new(info), log })
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

fn logged(bytes: &Bytes, path: &Path) -> Option<Logged> {
    let record: StatusUpdateRecord = parsed(reeve_wire::decode(bytes), path)?;
    match record.r#type() {
        status_update_record::Type::Update => {
            let update = parsed(StatusUpdate::try_from(record.update?), path)?;
            Some(Logged::Update(Arc::new(update)))
        }
        status_update_record::Type::Ack => {
            Some(Logged::Acknowledged(parsed(Uuid::from_slice(&record.uuid?), path)?))
        }
    }
}

fn resources(layout: &Layout) -> Resources {
    let path = layout.resources();
    let bytes = checkpoint::read(&path).ok().flatten().unwrap_or_default();
    let wire: Vec<v1::Resource> = parse_records(&bytes)
        .records
        .iter()
        .filter_map(|bytes| parsed(reeve_wire::decode(bytes), &path))
        .collect();
    parsed(Resources::try_from(&wire), &path).unwrap_or_default()
}

/// The one record of a file, or nothing, with a warning, if it is damaged.
fn record<M: WireMessage>(path: &Path) -> Option<M> {
    let bytes = match checkpoint::read(path) {
        Ok(bytes) => bytes?,
        Err(error) => {
            warn!(path = %path.display(), %error, "a checkpoint can't be read; what it describes is lost");
            return None;
        }
    };
    let Some(first) = parse_records(&bytes).records.into_iter().next() else {
        warn!(path = %path.display(), "a checkpoint is damaged; what it describes is lost");
        return None;
    };
    parsed(reeve_wire::decode(&first), path)
}

fn parsed<T, E: std::fmt::Display>(result: Result<T, E>, path: &Path) -> Option<T> {
    result
        .inspect_err(|error| {
            warn!(path = %path.display(), %error, "a checkpoint is damaged; what it describes is lost");
        })
        .ok()
}

fn text(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The directories in a directory, in order; links are not followed.
fn rooms(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    let rooms: BTreeSet<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    rooms.into_iter().collect()
}

fn last_name(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}
