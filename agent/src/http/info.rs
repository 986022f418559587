//! `/health`, `/version`, `/flags`, `/metrics/snapshot`: what a monitor asks first.

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve_agent_core::view::{ExecutorPhase, Phase, View};
use reeve_model::{Resources, TaskState};
use reeve_module_host::{Companions, Facts};
use reeve_transport::{Response, Router};
use serde_json::json;

use super::Shared;
use super::sight::may_see_flags;
use crate::shell::wall;

pub(super) fn routes(router: Router, shared: &Arc<Shared>) -> Router {
    let (flags, metrics) = (Arc::clone(shared), Arc::clone(shared));
    let modules = Arc::clone(shared);
    router
        .get("/health", |_| async { Response::ok() })
        .own("/version", |_| async { encoded(&reeve_v0::version()) })
        .get("/flags", move |request| {
            let shared = Arc::clone(&flags);
            async move {
                match may_see_flags(&shared.permissions, request.principal.as_ref()).await {
                    Ok(true) => {
                        let flags: BTreeMap<_, _> = shared.flags.iter().cloned().collect();
                        Response::json(json!({ "flags": flags }).to_string())
                    }
                    Ok(false) => Response::forbidden("403 Forbidden."),
                    Err(refusal) => refusal,
                }
            }
        })
        .get("/modules", move |_| {
            let all: serde_json::Value = modules.modules.iter().map(Facts::json).collect();
            async move { Response::json(json!({ "modules": all }).to_string()) }
        })
        .own("/metrics/snapshot", move |_| {
            let snapshot = snapshot(&metrics);
            async move { encoded(&snapshot) }
        })
}

/// Shows all metrics to anonymous modules, now and then.
pub(crate) async fn show_metrics(shared: Arc<Shared>, companions: Companions) {
    loop {
        companions.show(&snapshot(&shared));
        tokio::time::sleep(Companions::PERIOD).await;
    }
}

/// An answer of JSON; what can't be said is a 500 that says why.
pub(super) fn encoded(value: &impl serde::Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => Response::json(body),
        Err(error) => Response::text(http::StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// §10, as far as an agent without a master's view can tell.
fn snapshot(shared: &Shared) -> BTreeMap<String, f64> {
    let view = shared.view.load();
    let mut all = BTreeMap::new();
    let uptime = (wall().to_seconds() - shared.started.to_seconds()).max(0.0);
    all.insert("slave/uptime_secs".to_owned(), uptime);
    let registered = view.standing.phase == Phase::Running;
    all.insert("slave/registered".to_owned(), f64::from(u8::from(registered)));
    recovery(&mut all, &view);
    count(&mut all, "slave/frameworks_active", view.frameworks.len());
    let used = used(&view);
    resources(&mut all, "", &shared.info.resources, &used.non_revocable());
    resources(&mut all, "_revocable", &view.oversubscribed, &used.revocable());
    #[allow(clippy::cast_precision_loss)]
    all.insert("slave/executors_preempted".to_owned(), view.preempted as f64);
    executors(&mut all, &view);
    all
}

/// As in Mesos, the time is not there before recovery is over.
fn recovery(all: &mut BTreeMap<String, f64>, view: &View) {
    // A count of files is far below what a double holds exactly.
    #[allow(clippy::cast_precision_loss)]
    let errors = view.recovery.map_or(0.0, |recovery| recovery.errors as f64);
    all.insert("slave/recovery_errors".to_owned(), errors);
    if let Some(recovery) = view.recovery {
        all.insert("slave/recovery_time_secs".to_owned(), recovery.took.as_secs_f64());
    }
}

fn count(all: &mut BTreeMap<String, f64>, name: &str, number: usize) {
    // A count of things on one machine is far below what a double holds exactly.
    #[allow(clippy::cast_precision_loss)]
    all.insert(name.to_owned(), number as f64);
}

/// What all executors and their tasks hold.
pub(super) fn used(view: &View) -> Resources {
    let executors = view.frameworks.values().flat_map(|row| row.executors.values());
    let mut used = Resources::new();
    for executor in executors.filter(|row| row.facts.state != ExecutorPhase::Terminated) {
        used += &executor.facts.resources;
    }
    used
}

fn resources(all: &mut BTreeMap<String, f64>, kind: &str, total: &Resources, used: &Resources) {
    for name in ["cpus", "gpus", "mem", "disk"] {
        let (total, used) = (total.scalar(name).to_f64(), used.scalar(name).to_f64());
        all.insert(format!("slave/{name}{kind}_total"), total);
        all.insert(format!("slave/{name}{kind}_used"), used);
        let share = if total > 0.0 { used / total } else { 0.0 };
        all.insert(format!("slave/{name}{kind}_percent"), share);
    }
}

fn executors(all: &mut BTreeMap<String, f64>, view: &View) {
    let mut phases = [0_usize; 4];
    let mut states: BTreeMap<TaskState, usize> = BTreeMap::new();
    for row in view.frameworks.values().flat_map(|row| row.executors.values()) {
        phases[row.facts.state as usize] += 1;
        for task in row.tasks.values() {
            *states.entry(task.state()).or_default() += 1;
        }
    }
    for (name, number) in ["registering", "running", "terminating", "terminated"].iter().zip(phases)
    {
        count(all, &format!("slave/executors_{name}"), number);
    }
    for state in STATES {
        let name = state.name().trim_start_matches("TASK_").to_lowercase();
        let ended = view.ended.get(state).and_then(|ended| usize::try_from(*ended).ok());
        let live = states.get(state).copied().unwrap_or(0);
        count(all, &format!("slave/tasks_{name}"), live + ended.unwrap_or(0));
    }
}

const STATES: &[TaskState] = &[
    TaskState::Staging,
    TaskState::Starting,
    TaskState::Running,
    TaskState::Killing,
    TaskState::Finished,
    TaskState::Failed,
    TaskState::Killed,
    TaskState::Lost,
    TaskState::Gone,
];
