//! Tasks: those of a framework in `/state`, and `/tasks`.

use prost::Message;
use reeve_master_core::view::{TaskBody, TaskRecord};
use reeve_model::FrameworkId;
use reeve_transport::{Request, Response};
use reeve_v0::TaskView;
use reeve_wire::v1;

use super::json::Writer;
use crate::office::Leader;
use crate::sight::{Depth, Sight};

/// How many tasks `/tasks` gives unless asked for more.
const LIMIT: usize = 100;

/// The parts of a task's description that the record does not hold itself.
pub fn details(body: &TaskBody) -> v1::TaskInfo {
    match body {
        TaskBody::Launched(info) => {
            let mut wire = info.details();
            let executor = info.executor.as_ref().map(|executor| executor.details());
            wire.command = wire.command.or(executor.and_then(|executor| executor.command));
            wire
        }
        TaskBody::Reported(bytes) => {
            // The bytes were decoded once before.
            let wire = v1::Task::decode(bytes.clone()).unwrap_or_default();
            v1::TaskInfo {
                command: Some(v1::CommandInfo { user: wire.user, ..v1::CommandInfo::default() }),
                labels: wire.labels,
                discovery: wire.discovery,
                container: wire.container,
                health_check: wire.health_check,
                kill_policy: wire.kill_policy,
                limits: wire.limits,
                ..v1::TaskInfo::default()
            }
        }
    }
}

/// `GET /tasks`: running and ended tasks, by the time of their first status.
pub fn tasks(leader: &Leader, request: &Request) -> Result<Response, Response> {
    let query = request.query();
    let limit = query.read::<usize>("limit")?.unwrap_or(LIMIT);
    let offset = query.read::<usize>("offset")?.unwrap_or(0);
    let ascending = query.get("order") == Some("asc");
    let (framework, task) = (query.get("framework_id"), query.get("task_id"));

    let snapshot = Sight::of(leader, request, Depth::Tasks)?;
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
    w.view(&TaskView(reeve_v0::TaskRecord {
        id: record.id.as_str(),
        name: &record.name,
        framework: record.framework.as_str(),
        executor: record.executor.as_ref().map(|id| id.as_str()).unwrap_or_default(),
        agent: record.agent.as_str(),
        state: record.state,
        resources: &record.resources,
        role: record.role(),
        statuses: record.statuses.iter().map(|status| &**status),
        details: details(&record.body),
    }));
}
