//! Launching tasks and groups of tasks from accepted offers (FL-8, T-7).

use std::sync::Arc;

use reeve_model::{
    ExecutorInfo, FrameworkInfo, InvalidTask, Reason, Resources, TaskInfo, TaskState,
};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::ready::{Ready, ReadyGroup};
use super::{Speech, Task};
use crate::effect::ToAgent;
use crate::event::KnownTask;
use crate::master::Master;
use crate::offers::Terms;
use crate::step::Step;
use crate::view::{Change, Statuses, TaskBody, TaskRecord};

impl Master {
    /// Launches one task, or tells its framework why not.
    pub(crate) fn launch(
        &mut self,
        step: &mut Step<'_>,
        terms: &mut Terms,
        task: Result<TaskInfo, InvalidTask>,
    ) {
        let ready = task.and_then(|task| {
            let (id, agent) = (task.id.clone(), task.agent.clone());
            let reason = Reason::TaskInvalid;
            self.ready(terms, task).map_err(|message| InvalidTask { id, agent, message, reason })
        });
        let Ready { task, starts } = match ready {
            Ok(ready) => ready,
            Err(InvalidTask { id, agent, message, reason }) => {
                let speech = Speech { state: TaskState::Error, reason, message };
                return self.refuse_task(step, terms.framework, id, agent, speech);
            }
        };
        let launch_executor = task.executor.is_none() || starts.is_some();
        terms.left -= &task.resources;
        if let Some(executor) = starts {
            terms.left -= &executor.resources;
            self.add_executor(step, terms.framework, terms.agent, &executor);
        }
        let task = Arc::new(task);
        self.add_launched_task(step, terms, &task);
        let Some(framework) = self.frameworks.get(terms.framework) else { return };
        let Some(agent) = self.agents.get(terms.agent) else { return };
        let run = ToAgent::Run {
            framework: framework.info.clone(),
            task,
            launch_executor,
            scheduler: framework.driver().cloned(),
        };
        step.agent(&agent.pid, run);
        step.changed(Change::Operated(framework.id.clone(), "LAUNCH"));
    }

    /// Launches a group of tasks in one executor, all of them or none.
    pub(crate) fn launch_group(
        &mut self,
        step: &mut Step<'_>,
        terms: &mut Terms,
        executor: Result<Arc<ExecutorInfo>, String>,
        tasks: Vec<Result<TaskInfo, InvalidTask>>,
    ) {
        let named: Vec<_> = tasks
            .iter()
            .map(|task| match task {
                Ok(task) => (task.id.clone(), task.agent.clone()),
                Err(invalid) => (invalid.id.clone(), invalid.agent.clone()),
            })
            .collect();
        let forbidden = tasks.iter().find_map(|task| match task {
            Err(task) if task.reason == Reason::TaskUnauthorized => Some(task.message.clone()),
            _ => None,
        });
        let ready = match self.ready_group(terms, executor, tasks) {
            Ok(ready) => ready,
            Err(why) => {
                let (reason, message) = match forbidden {
                    Some(why) => (Reason::TaskGroupUnauthorized, why),
                    None => (Reason::TaskGroupInvalid, format!("Task group is invalid: {why}")),
                };
                for (id, agent) in named {
                    let message = message.clone();
                    let speech = Speech { state: TaskState::Error, reason, message };
                    self.refuse_task(step, terms.framework, id, agent, speech);
                }
                return;
            }
        };
        let ReadyGroup { executor, starts, tasks } = ready;
        if starts {
            terms.left -= &executor.resources;
            self.add_executor(step, terms.framework, terms.agent, &executor);
        }
        for task in &tasks {
            terms.left -= &task.resources;
            self.add_launched_task(step, terms, task);
        }
        let Some(framework) = self.frameworks.get(terms.framework) else { return };
        let Some(agent) = self.agents.get(terms.agent) else { return };
        let operated = Change::Operated(framework.id.clone(), "LAUNCH_GROUP");
        let framework = framework.info.clone();
        let run = ToAgent::RunGroup { framework, executor, tasks, launch_executor: starts };
        step.agent(&agent.pid, run);
        step.changed(operated);
    }

    fn add_launched_task(&mut self, step: &mut Step<'_>, terms: &Terms, info: &Arc<TaskInfo>) {
        let task = Task {
            id: info.id.clone(),
            framework: terms.framework,
            agent: terms.agent,
            executor: info.executor.as_ref().map(|executor| executor.id.clone()),
            resources: info.resources.clone(),
            state: TaskState::Staging,
            update: None,
            status: None,
            kill: None,
            gives_way: None,
            number: 0,
        };
        let role = task.role();
        let body = TaskBody::Launched(info.clone());
        let added = self.add_task(step, task, info.name.as_str().into(), Statuses::new(), body);
        step.tasks_added(added.into_iter().collect());
        self.tell_tasks(step, terms.framework, terms.agent, role);
    }

    /// Adds a task that its agent reports; the allocation machine and the readers hear of it from
    /// the caller. If the framework has a task of that id elsewhere, which it launched because it
    /// believed this one lost, this one is killed.
    pub(crate) fn add_known_task(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        ix: AgentIx,
        known: KnownTask,
    ) -> Option<Arc<TaskRecord>> {
        let framework = self.frameworks.get(fx)?;
        if framework.tasks.contains_key(&known.id) {
            let kill = ToAgent::Kill(framework.id.clone(), known.id, None);
            if let Some(agent) = self.agents.get(ix) {
                step.agent(&agent.pid, kill);
            }
            return None;
        }
        self.frameworks.find_task(fx, &known.id);
        let task = Task {
            id: known.id,
            framework: fx,
            agent: ix,
            executor: known.executor,
            resources: known.resources,
            state: known.state,
            update: known.update_state.zip(known.update_uuid),
            status: known.statuses.last().cloned(),
            kill: None,
            gives_way: None,
            number: 0,
        };
        self.add_task(step, task, known.name, known.statuses, TaskBody::Reported(known.rest))
    }

    /// The readers hear of it from the caller.
    fn add_task(
        &mut self,
        step: &Step<'_>,
        task: Task,
        name: Arc<str>,
        statuses: Statuses,
        body: TaskBody,
    ) -> Option<Arc<TaskRecord>> {
        let framework = self.frameworks.get_mut(task.framework)?;
        let agent = self.agents.get_mut(task.agent)?;
        let record = TaskRecord {
            id: task.id.clone(),
            name,
            framework: framework.id.clone(),
            agent: agent.id.clone(),
            executor: task.executor.clone(),
            state: task.state,
            resources: task.resources.clone(),
            statuses,
            body,
        };
        framework.arrive(task.agent);
        if !task.state.is_terminal() {
            agent.tally.add(task.framework, task.role());
        }
        let id = task.id.clone();
        let tx = self.tasks.insert(step.now, task);
        framework.tasks.insert(id, tx);
        agent.tasks.insert(tx);
        Some(Arc::new(record))
    }
}

/// What agents report may lack allocation info; it is a role of its framework then.
pub(crate) fn mark_allocated(resources: &Resources, info: &FrameworkInfo) -> Resources {
    let unmarked = resources.iter().any(|one| one.allocation.is_none());
    match info.roles.first() {
        Some(role) if unmarked => resources.allocated_to(role),
        _ => resources.clone(),
    }
}
