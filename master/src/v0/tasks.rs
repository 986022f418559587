//! Tasks: those of a framework in `/state`, and `/tasks`.

use std::collections::BTreeMap;

use prost::Message;
use reeve_master_core::view::{TaskBody, TaskRecord};
use reeve_model::FrameworkId;
use reeve_transport::{Request, Response};
use reeve_v0::StatusView;
use reeve_wire::v1;

use super::json::Writer;
use super::resources::{labels, limits, resources};
use crate::app::App;

/// How many tasks `/tasks` gives unless asked for more.
const LIMIT: usize = 100;

/// What of a task only some readers want to see.
#[derive(Debug, Default)]
pub struct Details {
    /// The user it runs as.
    pub user: Option<String>,
    /// Its labels.
    pub labels: Option<v1::Labels>,
    /// How others find it.
    pub discovery: Option<v1::DiscoveryInfo>,
    /// Its container.
    pub container: Option<v1::ContainerInfo>,
    /// How its health is checked.
    pub health_check: Option<v1::HealthCheck>,
    /// How it is killed.
    pub kill_policy: Option<v1::KillPolicy>,
    /// How far it may go beyond its resources.
    pub limits: BTreeMap<String, v1::value::Scalar>,
}

impl Details {
    /// Of this task.
    pub fn of(body: &TaskBody) -> Self {
        match body {
            TaskBody::Launched(info) => {
                let wire = info.details();
                let executor = info.executor.as_ref().map(|executor| executor.details());
                let command = wire.command.or(executor.and_then(|executor| executor.command));
                Details {
                    user: command.and_then(|command| command.user),
                    labels: wire.labels,
                    discovery: wire.discovery,
                    container: wire.container,
                    health_check: wire.health_check,
                    kill_policy: wire.kill_policy,
                    limits: wire.limits,
                }
            }
            TaskBody::Reported(bytes) => {
                // The bytes were decoded once before.
                let wire = v1::Task::decode(bytes.clone()).unwrap_or_default();
                Details {
                    user: wire.user,
                    labels: wire.labels,
                    discovery: wire.discovery,
                    container: wire.container,
                    health_check: wire.health_check,
                    kill_policy: wire.kill_policy,
                    limits: wire.limits,
                }
            }
        }
    }
}

/// `GET /tasks`: running and ended tasks, by the time of their first status.
pub fn tasks(app: &App, request: &Request) -> Result<Response, Response> {
    let query = request.query();
    let limit = query.read::<usize>("limit")?.unwrap_or(LIMIT);
    let offset = query.read::<usize>("offset")?.unwrap_or(0);
    let ascending = query.get("order") == Some("asc");
    let (framework, task) = (query.get("framework_id"), query.get("task_id"));

    let snapshot = app.snapshot();
    let is_wanted = |id: &FrameworkId| framework.is_none_or(|wanted| wanted == id.as_str());
    let live = snapshot.frameworks.values().chain(snapshot.completed.iter());
    let mut found: Vec<&TaskRecord> = live
        .filter(|view| is_wanted(&view.record.id))
        .flat_map(|view| {
            view.tasks.values().chain(view.unreachable.values()).chain(&view.completed)
        })
        .map(|record| &**record)
        .filter(|record| task.is_none_or(|wanted| wanted == record.id.as_str()))
        .collect();
    found.sort_by(|a, b| first_status(a).total_cmp(&first_status(b)));
    if !ascending {
        found.reverse();
    }
    Ok(Writer::response(|w| {
        let page = found.into_iter().skip(offset).take(limit);
        w.key("tasks").array(page, self::task);
    }))
}

fn first_status(record: &TaskRecord) -> f64 {
    let first = record.statuses.first().and_then(|status| status.timestamp);
    first.map_or(0.0, |seconds| seconds.0)
}

/// A task.
pub fn task(w: &mut Writer, record: &TaskRecord) {
    let details = Details::of(&record.body);
    let executor = record.executor.as_ref().map(|id| id.as_str()).unwrap_or_default();
    w.object(|w| {
        w.field("id", record.id.as_str());
        w.field("name", &record.name);
        w.field("framework_id", record.framework.as_str());
        w.field("executor_id", executor);
        w.field("slave_id", record.agent.as_str());
        w.field("state", record.state.name());
        resources(w.key("resources"), &record.resources);
        limits(w.key("limits"), &details.limits);
        w.optional("role", record.role.as_ref().map(|role| role.as_str()));
        w.key("statuses").array(&record.statuses, |w, one| w.view(&StatusView(one)));
        w.optional("user", details.user.as_deref());
        if let Some(set) = &details.labels {
            labels(w.key("labels"), set);
        }
        if let Some(discovery) = &details.discovery {
            w.key("discovery").message(discovery);
        }
        if let Some(container) = &details.container {
            w.key("container").message(container);
        }
        if let Some(check) = &details.health_check {
            w.key("health_check").message(check);
        }
    });
}
