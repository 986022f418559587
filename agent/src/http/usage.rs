//! `/containers` and `/monitor/statistics`: what runs in containers and what it uses.

use std::sync::Arc;

use reeve_agent_core::view::{ExecutorPhase, ExecutorRow};
use reeve_module_sdk::isolator::{Usage, Value as Figure};
use reeve_transport::{Response, Router};
use serde_json::{Map, Value, json};

use super::Shared;
use crate::shell::wall;

pub(super) fn routes(router: Router, shared: &Arc<Shared>) -> Router {
    let (containers, statistics) = (Arc::clone(shared), Arc::clone(shared));
    router
        .get("/containers", move |_| {
            let shared = Arc::clone(&containers);
            async move { Response::json(all(&shared, container).await.to_string()) }
        })
        .get("/monitor/statistics", move |_| {
            let shared = Arc::clone(&statistics);
            async move { Response::json(all(&shared, statistic).await.to_string()) }
        })
}

/// One entry per living container.
async fn all(
    shared: &Shared,
    entry: fn(&str, &ExecutorRow, Option<&Value>) -> Map<String, Value>,
) -> Value {
    let view = shared.view.load_full();
    // All are asked at once: a link that takes its time takes it once, not for each container.
    let mut readings = Vec::new();
    for (framework, row) in &view.frameworks {
        for executor in row.executors.values() {
            if executor.facts.state == ExecutorPhase::Terminated {
                continue;
            }
            let containerizer = shared.containerizer.clone();
            let container = executor.facts.container.clone();
            let usage = async move { containerizer.usage(&container.value).await.ok() };
            readings.push((framework, executor, tokio::spawn(usage)));
        }
    }
    let mut entries = Vec::new();
    for (framework, executor, usage) in readings {
        let statistics = usage.await.ok().flatten().map(|usage| figures(executor, &usage));
        entries.push(Value::Object(entry(framework.as_str(), executor, statistics.as_ref())));
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
