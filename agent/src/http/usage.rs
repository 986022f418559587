//! `/containers` and `/monitor/statistics`: what runs in containers and what it uses.

use std::sync::Arc;

use reeve_agent_core::view::{ExecutorPhase, ExecutorRow, FrameworkRow, View};
use reeve_module_sdk::isolator::{Usage, Value as Figure};
use reeve_transport::{Principal, Response, Router};
use serde_json::{Map, Value, json};

use super::Shared;
use super::sight::shown_containers;
use crate::shell::wall;

pub(super) fn routes(router: Router, shared: &Arc<Shared>) -> Router {
    let (containers, statistics) = (Arc::clone(shared), Arc::clone(shared));
    router
        .get("/containers", move |request| {
            let shared = Arc::clone(&containers);
            async move {
                let rows = match shown(&shared, request.principal.as_ref()).await {
                    Ok(rows) => rows,
                    Err(refusal) => return refusal,
                };
                Response::json(all(&shared, &rows, container).await.to_string())
            }
        })
        .get("/monitor/statistics", move |_| {
            let shared = Arc::clone(&statistics);
            async move {
                let rows = living(&shared.view.load());
                Response::json(all(&shared, &rows, statistic).await.to_string())
            }
        })
}

/// A framework and one of its executors that live.
type Living = (Arc<FrameworkRow>, Arc<ExecutorRow>);

fn living(view: &View) -> Vec<Living> {
    let rows = view.frameworks.values();
    let executors = rows.flat_map(|row| row.executors.values().map(move |one| (row, one)));
    executors
        .filter(|(_, one)| one.facts.state != ExecutorPhase::Terminated)
        .map(|(row, one)| (Arc::clone(row), Arc::clone(one)))
        .collect()
}

/// Those whose containers the sender may see.
async fn shown(shared: &Shared, sender: Option<&Principal>) -> Result<Vec<Living>, Response> {
    let all = living(&shared.view.load());
    let rows: Vec<_> = all.iter().map(|(row, one)| (row.as_ref(), one.as_ref())).collect();
    let shown = shown_containers(&shared.permissions, sender, &rows).await?;
    Ok(all.into_iter().zip(shown).filter(|(_, shown)| *shown).map(|(one, _)| one).collect())
}

/// One entry per living container.
async fn all(
    shared: &Shared,
    rows: &[Living],
    entry: fn(&str, &ExecutorRow, Option<&Value>) -> Map<String, Value>,
) -> Value {
    // All are asked at once: a link that takes its time takes it once, not for each container.
    let readings: Vec<_> = rows
        .iter()
        .map(|(row, executor)| {
            let containerizer = shared.containerizer.clone();
            let container = executor.facts.container.clone();
            let usage = async move { containerizer.usage(&container.value).await.ok() };
            (row, executor, tokio::spawn(usage))
        })
        .collect();
    let mut entries = Vec::new();
    for (row, executor, usage) in readings {
        let framework = row.info.id.as_ref().map(|id| id.as_str()).unwrap_or_default();
        let statistics = usage.await.ok().flatten().map(|usage| figures(executor, &usage));
        entries.push(Value::Object(entry(framework, executor, statistics.as_ref())));
    }
    Value::Array(entries)
}

fn statistic(framework: &str, row: &ExecutorRow, statistics: Option<&Value>) -> Map<String, Value> {
    let details = row.facts.info.details();
    #[allow(deprecated)]
    let source = details.source.unwrap_or_default();
    let mut entry = Map::new();
    entry.insert("executor_id".to_owned(), row.facts.info.id.as_str().into());
    entry.insert("executor_name".to_owned(), details.name.unwrap_or_default().into());
    entry.insert("framework_id".to_owned(), framework.into());
    entry.insert("source".to_owned(), source.into());
    if let Some(statistics) = statistics {
        entry.insert("statistics".to_owned(), statistics.clone());
    }
    entry
}

fn container(framework: &str, row: &ExecutorRow, statistics: Option<&Value>) -> Map<String, Value> {
    let mut entry = statistic(framework, row, statistics);
    let id = &*row.facts.container.value;
    entry.insert("container_id".to_owned(), id.into());
    let status = json!({
        "container_id": { "value": id },
        "executor_pid": row.facts.process,
        "network_infos": [],
    });
    entry.insert("status".to_owned(), status);
    entry
}

/// `ResourceStatistics` in its own names: what the links of the chain know, and the limits that
/// none of them sets.
fn figures(row: &ExecutorRow, usage: &Usage) -> Value {
    let granted = &row.facts.resources;
    let megabytes = |name: &str| granted.scalar(name).thousandths().max(0) / 1000 * (1 << 20);
    let mut all = Map::new();
    all.insert("timestamp".to_owned(), wall().to_seconds().into());
    all.insert("cpus_limit".to_owned(), granted.scalar("cpus").to_f64().into());
    all.insert("mem_limit_bytes".to_owned(), megabytes("mem").into());
    all.insert("disk_limit_bytes".to_owned(), megabytes("disk").into());
    for figure in &usage.figures {
        let value = match figure.value {
            Figure::Count(count) => count.into(),
            Figure::Number(number) => number.into(),
        };
        all.insert(figure.name.to_string(), value);
    }
    Value::Object(all)
}
