//! What hooks have a say in: labels of tasks, before the core hears of them, and the environment of
//! executors.

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve_agent_core::event::FromMaster;
use reeve_model::{ExecutorInfo, Format, FrameworkInfo, TaskInfo};
use reeve_module_host::Hooks;
use reeve_module_sdk::hook::{Label, Place};

/// Lets the hooks change the labels of tasks that are to run.
pub(crate) async fn decorate(hooks: &Hooks, message: &mut FromMaster) {
    if hooks.is_empty() {
        return;
    }
    match message {
        FromMaster::Run { framework, task, .. } => relabel(hooks, framework, task).await,
        FromMaster::RunGroup { framework, tasks, .. } => {
            for task in tasks {
                relabel(hooks, framework, task).await;
            }
        }
        _ => {}
    }
}

async fn relabel(hooks: &Hooks, framework: &FrameworkInfo, task: &mut Arc<TaskInfo>) {
    let described = reeve_wire::encode(&framework.to_wire());
    let encoded = |labels: Option<&[Label]>| {
        let relabelled = labels.map(|labels| task.with_labels(pairs(labels)));
        let bytes = relabelled.as_ref().unwrap_or(task).to_wire_bytes(Format::PostRefinement);
        bytes.unwrap_or_default().to_vec()
    };
    if let Some(labels) = hooks.labels(Place::Agent, &described, encoded).await {
        *task = Arc::new(task.with_labels(pairs(&labels)));
    }
}

fn pairs(labels: &[Label]) -> impl Iterator<Item = (&str, &str)> {
    labels.iter().map(|label| (label.key.as_str(), label.value.as_str()))
}

/// Variables that the hooks add to the environment of an executor.
pub(crate) async fn environment(
    hooks: &Hooks,
    executor: &ExecutorInfo,
) -> BTreeMap<String, String> {
    if hooks.is_empty() {
        return BTreeMap::new();
    }
    let encoded = executor.to_wire_bytes(Format::PostRefinement).unwrap_or_default();
    let variables = hooks.environment(&encoded).await.into_iter();
    variables.map(|variable| (variable.name.into(), variable.value.into())).collect()
}
