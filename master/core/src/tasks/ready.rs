//! Whether a task or a group may be launched here and now (T-7); what its description alone breaks
//! was found before.

use std::collections::BTreeSet;
use std::sync::Arc;

use reeve_model::{ExecutorInfo, InvalidTask, Resources, TaskId, TaskInfo};

use crate::master::Master;
use crate::offers::Terms;

/// A group that may be launched.
pub(super) struct ReadyGroup {
    pub executor: Arc<ExecutorInfo>,
    /// Whether the executor is not on the agent yet.
    pub starts: bool,
    pub tasks: Vec<Arc<TaskInfo>>,
}

/// A task that may be launched.
pub(super) struct Ready {
    pub task: TaskInfo,
    /// The executor, if it is not on the agent yet.
    pub starts: Option<Arc<ExecutorInfo>>,
}

impl Master {
    /// The task as it is launched, if it may be.
    pub(super) fn ready(&self, terms: &Terms, mut task: TaskInfo) -> Result<Ready, String> {
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

    pub(super) fn ready_group(
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
