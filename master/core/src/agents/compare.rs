//! What a registered agent and the master each know of the other, compared when it is back.

use std::collections::{BTreeMap, BTreeSet};

use reeve_model::{ExecutorId, FrameworkId, Resources, TaskId, TaskStatus};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use crate::allocation;
use crate::event::Reregistration;
use crate::master::Master;
use crate::step::Step;
use crate::tasks::role_of;

impl Master {
    /// Learns what the agent has that the master does not know; says what the master knows that
    /// the agent did not name.
    pub(super) fn compare(
        &mut self,
        step: &mut Step<'_>,
        ix: AgentIx,
        back: Reregistration,
    ) -> Vec<(FrameworkId, Vec<TaskStatus>)> {
        for info in back.frameworks {
            self.meet_framework(step, info);
        }
        let named: BTreeSet<(FrameworkId, TaskId)> =
            back.tasks.iter().map(|task| (task.framework.clone(), task.id.clone())).collect();
        let executors: BTreeSet<(FrameworkId, ExecutorId)> =
            back.executors.iter().map(|(owner, info)| (owner.clone(), info.id.clone())).collect();
        for (framework, info) in back.executors {
            let Some(fx) = self.frameworks.find(&framework) else { continue };
            let info = self.marked_executor(fx, info);
            if self.add_executor(step, fx, ix, &info) {
                self.found_used(step, fx, ix, &info.resources);
            }
        }
        for task in back.tasks {
            let Some(fx) = self.frameworks.find(&task.framework) else { continue };
            if task.state.is_terminal() || self.tracks(fx, ix, &task.id) {
                continue;
            }
            let task = self.marked_task(fx, task);
            let added = self.meet_task(step, fx, ix, task, Some("Agent reregistered"));
            if let Some(record) = added {
                self.found_used(step, fx, ix, &record.resources);
                self.tell_tasks(step, fx, ix, role_of(&record.resources));
                step.tasks_added(vec![record]);
            }
        }
        self.drop_unnamed_executors(step, ix, &executors);
        self.unnamed_tasks(ix, &named)
    }

    /// Something in use was found outside offers.
    fn found_used(
        &mut self,
        step: &mut Step<'_>,
        framework: FrameworkIx,
        ix: AgentIx,
        resources: &Resources,
    ) {
        if resources.is_empty() {
            return;
        }
        if let Some(agent) = self.agents.get_mut(ix) {
            agent.owe(resources);
        }
        step.allocation(allocation::Event::Used {
            framework,
            agent: ix,
            resources: resources.clone(),
        });
    }

    fn drop_unnamed_executors(
        &mut self,
        step: &mut Step<'_>,
        ix: AgentIx,
        named: &BTreeSet<(FrameworkId, ExecutorId)>,
    ) {
        let Some(agent) = self.agents.get(ix) else { return };
        let gone: Vec<(FrameworkIx, ExecutorId)> = agent
            .executors
            .keys()
            .filter(|(fx, executor)| {
                let owner = self.frameworks.get(*fx).map(|framework| framework.id.clone());
                owner.is_none_or(|owner| !named.contains(&(owner, executor.clone())))
            })
            .cloned()
            .collect();
        for (fx, executor) in gone {
            // A launch may be on its way: an executor with live tasks is told of by its agent.
            if !self.has_live_tasks(fx, ix, &executor) {
                self.remove_executor(step, fx, ix, &executor);
            }
        }
    }

    fn unnamed_tasks(
        &self,
        ix: AgentIx,
        named: &BTreeSet<(FrameworkId, TaskId)>,
    ) -> Vec<(FrameworkId, Vec<TaskStatus>)> {
        let Some(agent) = self.agents.get(ix) else { return Vec::new() };
        let mut missing = BTreeMap::<FrameworkId, Vec<TaskStatus>>::new();
        for tx in &agent.tasks {
            let Some(task) = self.tasks.get(*tx) else { continue };
            let Some(framework) = self.frameworks.get(task.framework) else { continue };
            let key = (framework.id.clone(), task.id.clone());
            if named.contains(&key) {
                continue;
            }
            let mut status = TaskStatus::new(task.id.clone(), task.state);
            status.agent = Some(agent.id.clone());
            // If that is unknown there, too, nothing else would tell that it is gone.
            status.executor.clone_from(&task.executor);
            missing.entry(key.0).or_default().push(status);
        }
        missing.into_iter().collect()
    }

    /// Whether the framework's task of this id is known to be on this agent.
    fn tracks(&self, fx: FrameworkIx, ix: AgentIx, id: &TaskId) -> bool {
        let tx = self.frameworks.get(fx).and_then(|framework| framework.tasks.get(id).copied());
        tx.and_then(|tx| self.tasks.get(tx)).is_some_and(|task| task.agent == ix)
    }
}
