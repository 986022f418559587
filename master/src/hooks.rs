//! What hooks have a say in: the labels of tasks, before the core hears of them.

use reeve_master_core::event::Call;
use reeve_model::{Format, FrameworkInfo, Operation, TaskInfo};
use reeve_module_host::Hooks;
use reeve_module_sdk::hook::{Label, Place};

/// Lets the hooks change the labels of the tasks that a call launches.
pub(crate) async fn decorate(hooks: &Hooks, framework: Option<&FrameworkInfo>, call: &mut Call) {
    let Call::Accept { operations, .. } = call else { return };
    if hooks.is_empty() {
        return;
    }
    let described = framework.map(|info| reeve_wire::encode(&info.to_wire()));
    let described = described.unwrap_or_default();
    for operation in operations {
        let (Operation::Launch(tasks) | Operation::LaunchGroup { tasks, .. }) = operation else {
            continue;
        };
        for task in tasks.iter_mut().flatten() {
            relabel(hooks, &described, task).await;
        }
    }
}

async fn relabel(hooks: &Hooks, framework: &[u8], task: &mut TaskInfo) {
    let encoded = |labels: Option<&[Label]>| {
        let relabelled = labels.map(|labels| task.with_labels(pairs(labels)));
        let bytes = relabelled.as_ref().unwrap_or(task).to_wire_bytes(Format::PostRefinement);
        bytes.unwrap_or_default().to_vec()
    };
    if let Some(labels) = hooks.labels(Place::Master, framework, encoded).await {
        *task = task.with_labels(pairs(&labels));
    }
}

fn pairs(labels: &[Label]) -> impl Iterator<Item = (&str, &str)> {
    labels.iter().map(|label| (label.key.as_str(), label.value.as_str()))
}
