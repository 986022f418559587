//! Launching tasks and groups of tasks from accepted offers (FL-8, T-7).

use std::collections::BTreeSet;
use std::sync::Arc;

use reeve_model::{
    ExecutorInfo, FrameworkInfo, InvalidTask, Reason, Resources, TaskId, TaskInfo, TaskState,
};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::{Speech, Task};
use crate::effect::ToAgent;
use crate::event::KnownTask;
use crate::master::Master;
use crate::offers::Terms;
use crate::step::Step;
use crate::view::{Change, TaskBody, TaskRecord};

/// A group that may be launched.
struct ReadyGroup {
    executor: Arc<ExecutorInfo>,
    /// Whether the executor is not on the agent yet.
    starts: bool,
    tasks: Vec<Arc<TaskInfo>>,
}

/// A task that may be launched.
struct Ready {
    task: TaskInfo,
    /// The executor, if it is not on the agent yet.
    starts: Option<Arc<ExecutorInfo>>,
}

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
            self.ready(terms, task).map_err(|message| InvalidTask { id, agent, message })
        });
        let Ready { task, starts } = match ready {
            Ok(ready) => ready,
            Err(InvalidTask { id, agent, message }) => {
                let reason = Reason::TaskInvalid;
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
        let ready = match self.ready_group(terms, executor, tasks) {
            Ok(ready) => ready,
            Err(why) => {
                for (id, agent) in named {
                    let speech = Speech {
                        state: TaskState::Error,
                        reason: Reason::TaskGroupInvalid,
                        message: format!("Task group is invalid: {why}"),
                    };
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
        let framework = framework.info.clone();
        let run = ToAgent::RunGroup { framework, executor, tasks, launch_executor: starts };
        step.agent(&agent.pid, run);
    }

    /// The task as it is launched, if it may be.
    fn ready(&self, terms: &Terms, mut task: TaskInfo) -> Result<Ready, String> {
        self.check_task(terms, &task)?;
        task.resources.allocate(&terms.role);
        let mut starts = None;
        if let Some(executor) = &task.executor {
            let (executor, is_new) = self.ready_executor(terms, executor)?;
            starts = is_new.then(|| executor.clone());
            task.executor = Some(executor);
        }
        let mut needs = task.resources.clone();
        if let Some(executor) = &starts {
            needs += &executor.resources;
        }
        check_room(terms, &needs)?;
        Ok(Ready { task, starts })
    }

    fn ready_group(
        &self,
        terms: &Terms,
        executor: Result<Arc<ExecutorInfo>, String>,
        tasks: Vec<Result<TaskInfo, InvalidTask>>,
    ) -> Result<ReadyGroup, String> {
        let executor = executor?;
        let (executor, starts) = self.ready_executor(terms, &executor)?;
        let mut needs = if starts { executor.resources.clone() } else { Resources::new() };
        let mut ids = BTreeSet::<TaskId>::new();
        let mut all = Vec::with_capacity(tasks.len());
        for task in tasks {
            let mut task = task.map_err(|invalid| {
                format!("Task '{}' is invalid: {}", invalid.id, invalid.message)
            })?;
            let about = |why: String| format!("Task '{}' is invalid: {why}", task.id);
            self.check_task(terms, &task).map_err(about)?;
            if !ids.insert(task.id.clone()) {
                return Err(about(format!("Task has duplicate ID: {}", task.id)));
            }
            task.resources.allocate(&terms.role);
            needs += &task.resources;
            // The group's executor is every task's.
            task.executor = Some(executor.clone());
            all.push(Arc::new(task));
        }
        if all.is_empty() {
            return Err("it has no tasks".to_owned());
        }
        check_room(terms, &needs)?;
        Ok(ReadyGroup { executor, starts, tasks: all })
    }

    /// What makes a task impossible here and now, whatever its description says.
    fn check_task(&self, terms: &Terms, task: &TaskInfo) -> Result<(), String> {
        let Some(agent) = self.agents.get(terms.agent) else { return Ok(()) };
        let Some(framework) = self.frameworks.get(terms.framework) else { return Ok(()) };
        if task.agent != agent.id {
            return Err(format!(
                "Task uses invalid agent {} while agent {} is expected",
                task.agent, agent.id
            ));
        }
        if framework.tasks.contains_key(&task.id) {
            return Err(format!("Task has duplicate ID: {}", task.id));
        }
        if framework.unreachable.contains_key(&task.id) {
            return Err(format!("Task reuses the ID of an unreachable task: {}", task.id));
        }
        let foreign = task
            .resources
            .iter()
            .filter_map(|one| one.allocation.as_ref())
            .find(|role| **role != terms.role);
        match foreign {
            None => Ok(()),
            Some(role) => Err(format!(
                "Task uses resources allocated to role '{role}' but the offer is for role '{}'",
                terms.role
            )),
        }
    }

    /// The executor as it is launched, and whether it is new on the agent.
    fn ready_executor(
        &self,
        terms: &Terms,
        executor: &ExecutorInfo,
    ) -> Result<(Arc<ExecutorInfo>, bool), String> {
        let Some(framework) = self.frameworks.get(terms.framework) else {
            return Err("Framework cannot be found".to_owned());
        };
        if let Some(actual) = executor.framework.as_ref().filter(|id| **id != framework.id) {
            return Err(format!(
                "ExecutorInfo has an invalid FrameworkID (Actual: {actual} vs Expected: {})",
                framework.id
            ));
        }
        let executor = Arc::new(ExecutorInfo {
            framework: Some(framework.id.clone()),
            resources: executor.resources.allocated_to(&terms.role),
            ..executor.clone()
        });
        let agent = self.agents.get(terms.agent);
        let key = (terms.framework, executor.id.clone());
        match agent.and_then(|agent| agent.executors.get(&key)) {
            None => Ok((executor, true)),
            Some(known) if known.is_compatible_with(&executor) => Ok((known.clone(), false)),
            Some(_) => Err("Task has invalid ExecutorInfo (existing ExecutorInfo with same \
                            ExecutorID is not compatible)."
                .to_owned()),
        }
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
        };
        self.add_task(step, task, info.name.clone(), Vec::new(), TaskBody::Launched(info.clone()));
    }

    /// Adds a task that its agent reports. If the framework has a task of that id elsewhere, which
    /// it launched because it believed this one lost, this one is killed.
    pub(crate) fn add_known_task(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        ix: AgentIx,
        known: &KnownTask,
    ) -> bool {
        let Some(framework) = self.frameworks.get(fx) else { return false };
        if framework.tasks.contains_key(&known.id) {
            let kill = ToAgent::Kill(framework.id.clone(), known.id.clone(), None);
            if let Some(agent) = self.agents.get(ix) {
                step.agent(&agent.pid, kill);
            }
            return false;
        }
        self.frameworks.find_task(fx, &known.id);
        let statuses: Vec<_> = known.statuses.iter().cloned().map(Arc::new).collect();
        let task = Task {
            id: known.id.clone(),
            framework: fx,
            agent: ix,
            executor: known.executor.clone(),
            resources: known.resources.clone(),
            state: known.state,
            update: known.update_state.zip(known.update_uuid),
            status: statuses.last().cloned(),
            kill: None,
        };
        let body = TaskBody::Reported(known.rest.clone());
        self.add_task(step, task, known.name.clone(), statuses, body);
        true
    }

    fn add_task(
        &mut self,
        step: &mut Step<'_>,
        task: Task,
        name: String,
        statuses: Vec<Arc<reeve_model::TaskStatus>>,
        body: TaskBody,
    ) {
        let Some(framework) = self.frameworks.get_mut(task.framework) else { return };
        let Some(agent) = self.agents.get_mut(task.agent) else { return };
        let record = TaskRecord {
            id: task.id.clone(),
            name,
            framework: framework.id.clone(),
            agent: agent.id.clone(),
            executor: task.executor.clone(),
            state: task.state,
            role: task.resources.iter().next().and_then(|one| one.allocation.clone()),
            resources: task.resources.clone(),
            statuses,
            body,
        };
        framework.arrive(task.agent);
        let id = task.id.clone();
        let tx = self.tasks.insert(step.now, task);
        framework.tasks.insert(id, tx);
        agent.tasks.insert(tx);
        step.changed(Change::TaskAdded(Arc::new(record)));
    }
}

fn check_room(terms: &Terms, needs: &Resources) -> Result<(), String> {
    if terms.left.contains(needs) {
        return Ok(());
    }
    Err(format!(
        "Total resources {} required by task and its executor is more than available {}",
        needs.unallocated(),
        terms.left.unallocated()
    ))
}

/// What agents report may lack allocation info; it is a role of its framework then.
pub(crate) fn mark_allocated(resources: &Resources, info: &FrameworkInfo) -> Resources {
    let unmarked = resources.iter().any(|one| one.allocation.is_none());
    match info.roles.first() {
        Some(role) if unmarked => resources.allocated_to(role),
        _ => resources.clone(),
    }
}
