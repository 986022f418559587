//! `/containers` and `/monitor/statistics`: what runs in containers and what it uses.

use std::sync::Arc;

use reeve_agent_core::view::{ExecutorPhase, ExecutorRow};
use reeve_module_sdk::isolator::Usage;
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
    let mut entries = Vec::new();
    for (framework, row) in &view.frameworks {
        for executor in row.executors.values() {
            if executor.facts.state == ExecutorPhase::Terminated {
                continue;
            }
            let usage = shared.containerizer.usage(&executor.facts.container.value).await.ok();
            let statistics = usage.map(|usage| figures(executor, &usage));
            entries.push(Value::Object(entry(framework.as_str(), executor, statistics.as_ref())));
        }
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

/// `ResourceStatistics` in its own names; what no isolator knows is left out.
fn figures(row: &ExecutorRow, usage: &Usage) -> Value {
    let limits = &row.facts.resources;
    let mut all = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            all.insert(name.to_owned(), value);
        }
    };
    add("timestamp", Some(wall().to_seconds().into()));
    add("processes", usage.processes.map(Value::from));
    add("threads", usage.threads.map(Value::from));
    add("cpus_user_time_secs", usage.cpus_user_time_secs.map(Value::from));
    add("cpus_system_time_secs", usage.cpus_system_time_secs.map(Value::from));
    add("cpus_limit", Some(limits.scalar("cpus").to_f64().into()));
    let megabytes = |name: &str| limits.scalar(name).thousandths().max(0) / 1000 * (1 << 20);
    add("mem_limit_bytes", Some(megabytes("mem").into()));
    add("mem_rss_bytes", usage.mem_rss_bytes.map(Value::from));
    add("disk_limit_bytes", Some(megabytes("disk").into()));
    add("disk_used_bytes", usage.disk_used_bytes.map(Value::from));
    Value::Object(all)
}
