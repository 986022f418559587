//! `/state` of an agent (§1.10).

use std::sync::Arc;

use reeve_agent_core::view::{ExecutorRow, FrameworkRow, Stage, TaskRow, View};
use reeve_model::{ExecutorKind, Resources, Role, TaskStatus};
use reeve_transport::{Response, Router};
use reeve_v0::{
    AttributesView, LabelsView, Reserved, ResourcesView, TaskRecord, TaskView, full, version,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::sight::{Seen, seen};
use super::{Shared, info};

pub(super) fn routes(router: Router, shared: &Arc<Shared>) -> Router {
    let shared = Arc::clone(shared);
    router.get("/state", move |request| {
        let shared = Arc::clone(&shared);
        async move {
            let (sender, whole) = (request.principal.as_ref(), shared.view.load_full());
            let seen = match seen(&shared.permissions, sender, whole).await {
                Ok(seen) => seen,
                Err(refusal) => return refusal,
            };
            let render = move || state(&shared, &seen).to_string();
            let rendered = tokio::task::spawn_blocking(render).await;
            rendered.map_or_else(|error| Response::unavailable(error.to_string()), Response::json)
        }
    })
}

fn state(shared: &Shared, seen: &Seen) -> Value {
    let (view, whole) = (&seen.view, shared.view.load());
    let agent = view.standing.id.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut all = object(&version());
    all.extend(own(shared, view, &agent));
    if seen.flags {
        let flags = shared.flags.iter();
        let flags = flags.map(|(name, text)| ((*name).to_owned(), text.as_str().into()));
        all.insert("flags".to_owned(), Value::Object(flags.collect()));
    }
    let total = shared.info.resources.with_checkpointed(&whole.checkpointed);
    all.extend(resources(&total, &info::used(&whole)));
    let frameworks: Vec<Value> =
        view.frameworks.values().map(|row| framework(shared, row, &agent)).collect();
    all.insert("frameworks".to_owned(), frameworks.into());
    let completed: Vec<Value> =
        view.completed_frameworks.iter().map(|row| framework(shared, row, &agent)).collect();
    all.insert("completed_frameworks".to_owned(), completed.into());
    Value::Object(all)
}

/// A view as a JSON value; an object if it is one.
fn value(view: &impl Serialize) -> Value {
    serde_json::to_value(view).unwrap_or(Value::Null)
}

fn object(view: &impl Serialize) -> Map<String, Value> {
    match value(view) {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn own(shared: &Shared, view: &View, agent: &str) -> Map<String, Value> {
    let master = view.standing.master.as_ref().map(|pid| pid.address.ip().to_string());
    let mut all = object(&json!({
        "start_time": shared.started.to_seconds(),
        "id": agent,
        "pid": format!("slave(1)@{}", shared.address),
        "hostname": shared.info.hostname,
        "attributes": value(&AttributesView(&shared.info.attributes)),
        "master_hostname": master,
        "resource_providers": [],
    }));
    if let Some((config, since)) = &view.draining {
        all.insert("drain_config".to_owned(), reeve_wire::json::to_value(&config.to_wire()));
        let seconds = since.0 / 1_000_000_000;
        all.insert("estimated_drain_start_time_seconds".to_owned(), seconds.into());
    }
    all
}

fn resources(total: &Resources, used: &Resources) -> Map<String, Value> {
    let full_by_role = |all: &Resources| -> Map<String, Value> {
        let roles = all.reservations();
        roles.iter().map(|(role, all)| (role.to_string(), full(all).into())).collect()
    };
    object(&json!({
        "resources": value(&ResourcesView(total)),
        "reserved_resources": value(&Reserved(total)),
        "unreserved_resources": value(&ResourcesView(&total.unreserved())),
        "reserved_resources_full": full_by_role(total),
        "unreserved_resources_full": full(&total.unreserved()),
        "reserved_resources_allocated": value(&Reserved(used)),
        "unreserved_resources_allocated": value(&ResourcesView(&used.unreserved())),
    }))
}

fn framework(shared: &Shared, row: &FrameworkRow, agent: &str) -> Value {
    let info = &row.info;
    let id = info.id.as_ref().map(ToString::to_string).unwrap_or_default();
    let executors = row.executors.values();
    let mut all = object(&json!({
        "id": id,
        "name": info.name,
        "user": info.user,
        "failover_timeout": info.failover_timeout.as_secs_f64(),
        "checkpoint": info.checkpoint,
        "hostname": info.hostname,
        "executors": executors.map(|row| executor(shared, row, &id, agent)).collect::<Vec<_>>(),
        "completed_executors": row
            .completed_executors
            .iter()
            .map(|row| executor(shared, row, &id, agent))
            .collect::<Vec<_>>(),
    }));
    if let Some(principal) = &info.principal {
        all.insert("principal".to_owned(), principal.as_str().into());
    }
    if info.capabilities.multi_role() {
        let roles: Vec<&str> = info.roles.iter().map(Role::as_str).collect();
        all.insert("roles".to_owned(), roles.into());
    } else {
        let role = info.roles.first().map_or("*", Role::as_str);
        all.insert("role".to_owned(), role.into());
    }
    Value::Object(all)
}

fn executor(shared: &Shared, row: &ExecutorRow, framework: &str, agent: &str) -> Value {
    let facts = &row.facts;
    let details = facts.info.details();
    let of = |stage: Stage| {
        let tasks = row.tasks.values().filter(move |task| task.stage == stage);
        tasks.map(|row| task(row, facts.info.kind, framework, facts.info.id.as_str(), agent))
    };
    let past = row.completed.iter();
    let past = past.map(|row| task(row, facts.info.kind, framework, facts.info.id.as_str(), agent));
    #[allow(deprecated)]
    let source = details.source.clone().unwrap_or_default();
    let role = facts.resources.iter().find_map(|one| one.allocation.as_ref());
    let directory = std::path::Path::new(work_dir(shared)).join(&facts.sandbox);
    let mut all = object(&json!({
        "id": facts.info.id.as_str(),
        "name": details.name.clone().unwrap_or_default(),
        "source": source,
        "container": &*facts.container.value,
        "directory": directory,
        "resources": value(&ResourcesView(&facts.resources)),
        "role": role.map_or("*", Role::as_str),
        "tasks": of(Stage::Launched).collect::<Vec<_>>(),
        "queued_tasks": of(Stage::Queued).collect::<Vec<_>>(),
        "completed_tasks": past.chain(of(Stage::Terminated)).collect::<Vec<_>>(),
    }));
    if let Some(labels) = &details.labels {
        all.insert("labels".to_owned(), value(&LabelsView(labels)));
    }
    let kind = match facts.info.kind {
        ExecutorKind::Default => Some("DEFAULT"),
        ExecutorKind::Custom => Some("CUSTOM"),
        ExecutorKind::Command => None,
    };
    if let Some(kind) = kind {
        all.insert("type".to_owned(), kind.into());
    }
    Value::Object(all)
}

fn task(row: &TaskRow, kind: ExecutorKind, framework: &str, executor: &str, agent: &str) -> Value {
    let statuses = row.statuses.iter().map(|update| -> &TaskStatus { &update.status });
    value(&TaskView(TaskRecord {
        id: row.info.id.as_str(),
        name: &row.info.name,
        framework,
        executor: if kind == ExecutorKind::Command { "" } else { executor },
        agent,
        state: row.state(),
        resources: &row.info.resources,
        role: None,
        statuses,
        details: row.info.details(),
    }))
}

fn work_dir(shared: &Shared) -> &str {
    let named = shared.flags.iter().find(|(name, _)| *name == "work_dir");
    named.map_or("", |(_, text)| text.as_str())
}
