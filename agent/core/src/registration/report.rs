//! What the agent tells its master of all that is here when it comes back (LP-9).

use reeve_model::FrameworkId;

use crate::agent::Agent;
use crate::effect::{Enrolment, TaskReport, ToMaster};
use crate::executors::{Executor, State};
use crate::frameworks::Framework;

impl Agent {
    pub(super) fn reregistration(&self, enrolment: Box<Enrolment>) -> ToMaster {
        let mut tasks = Vec::new();
        let mut executors = Vec::new();
        let mut frameworks = Vec::new();
        for (id, framework) in &self.frameworks {
            if framework.ending {
                continue;
            }
            frameworks.push(framework.info.clone());
            let known = framework.executors.iter().filter(|(_, executor)| {
                executor.state != State::Terminated && !executor.is_command()
            });
            executors.extend(known.map(|(_, executor)| (id.clone(), executor.info.clone())));
            tasks.extend(self.task_reports(id, framework));
        }
        ToMaster::Reregister { enrolment, tasks, executors, frameworks }
    }

    fn task_reports<'a>(
        &'a self,
        id: &'a FrameworkId,
        framework: &'a Framework,
    ) -> impl Iterator<Item = TaskReport> + 'a {
        let report = move |executor: &'a Executor| {
            let named = (!executor.is_command()).then(|| executor.info.id.clone());
            executor.tasks.values().map(move |task| TaskReport {
                framework: id.clone(),
                executor: named.clone(),
                task: task.info.clone(),
                state: task.state(),
                statuses: task.statuses.clone(),
                pending: self.updates.pending(&(id.clone(), task.info.id.clone())).cloned(),
            })
        };
        framework.executors.values().flat_map(report)
    }
}
