//! What later messages overtook on their way to an agent: the one thing that excuses an agent from
//! a law.

use std::collections::BTreeSet;

use reeve_master_core::effect::ToAgent;
use reeve_model::{FrameworkId, Quantities, Resources, TaskId, TaskInfo};

/// Launches and kills that were overtaken.
#[derive(Debug, Default)]
pub struct Late {
    tasks: BTreeSet<(FrameworkId, TaskId)>,
    /// What the launches take, executors included.
    pub launched: Quantities,
}

impl Late {
    /// This message is overtaken.
    pub fn note(&mut self, message: &ToAgent) {
        match message {
            ToAgent::Run { framework, task, .. } => self.launch(framework.id.as_ref(), task),
            ToAgent::RunGroup { framework, executor, tasks, .. } => {
                self.takes(&executor.resources);
                tasks.iter().for_each(|task| self.launch(framework.id.as_ref(), task));
            }
            ToAgent::Kill(framework, task, _) => {
                self.tasks.insert((framework.clone(), task.clone()));
            }
            _ => {}
        }
    }

    /// Whether a message about this task was overtaken.
    pub fn concerns(&self, framework: &FrameworkId, task: &TaskId) -> bool {
        self.tasks.contains(&(framework.clone(), task.clone()))
    }

    fn launch(&mut self, framework: Option<&FrameworkId>, task: &TaskInfo) {
        let Some(framework) = framework.cloned() else { return };
        if self.tasks.insert((framework, task.id.clone())) {
            self.takes(&task.resources);
            if let Some(executor) = &task.executor {
                self.takes(&executor.resources);
            }
        }
    }

    fn takes(&mut self, resources: &Resources) {
        self.launched += &resources.quantities();
    }
}
