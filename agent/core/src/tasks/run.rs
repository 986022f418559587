//! A task, or a group, is to run (FL-9).

use std::sync::Arc;

use reeve_model::{
    AgentId, ContainerId, ExecutorId, ExecutorInfo, FrameworkId, FrameworkInfo, Pid, Reason,
    TaskId, TaskInfo, TaskState,
};

use super::Task;
use crate::agent::Agent;
use crate::effect::{Effect, Record, ToMaster};
use crate::executors::{Batch, Cause, Executor, State};
use crate::paths;
use crate::step::{Step, Waiting};
use crate::view::Change;

/// `RunTaskMessage` or `RunTaskGroupMessage`.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) framework: Arc<FrameworkInfo>,
    /// Who runs it; the command executor if none.
    pub(crate) executor: Option<Arc<ExecutorInfo>>,
    pub(crate) tasks: Vec<Arc<TaskInfo>>,
    pub(crate) grouped: bool,
    pub(crate) launch_executor: Option<bool>,
    pub(crate) scheduler: Option<Pid>,
}

/// Why tasks are not run: what their framework reads.
struct Refusal {
    reason: Reason,
    message: &'static str,
    /// Whether the master must be told that its executor is not there.
    executor_gone: bool,
}

impl Agent {
    pub(crate) fn run(&mut self, step: &mut Step<'_>, mut assignment: Assignment) {
        let Some(agent) = self.info.id.clone() else { return };
        let Some(framework) = assignment.framework.id.clone() else { return };
        if self.ignores(&agent, &framework, &assignment) {
            return;
        }
        let Some(first) = assignment.tasks.first() else { return };
        let info = assignment
            .executor
            .take()
            .unwrap_or_else(|| Arc::new(ExecutorInfo::command(&framework, first)));
        let exists = self.executor(&framework, &info.id).is_some();
        if let Err(refusal) = self.may_run(&agent, &framework, &info.id, &assignment) {
            return self.refuse(step, &framework, &info, &assignment, &refusal);
        }
        // A message with a group has no field for it.
        let known = self.frameworks.get(&framework).and_then(|known| known.pid.clone());
        let pid = if assignment.grouped { known } else { assignment.scheduler.take() };
        self.admit_framework(step, &framework, &assignment.framework, pid);
        if !exists {
            self.create_executor(step, &agent, &framework, info.clone());
        }
        let tasks = self.queue(&framework, &info.id, &assignment);
        if !exists {
            self.start_executor(step, &framework, &info.id);
        }
        for task in tasks {
            self.save_task(step, &framework, &info.id, &task);
        }
        self.deliver(step, &framework, &info.id);
    }

    /// What needs no answer: repeated messages, tasks of another agent, frameworks that end.
    fn ignores(&self, agent: &AgentId, framework: &FrameworkId, assignment: &Assignment) -> bool {
        let owner = self.frameworks.get(framework);
        let known = |task: &Arc<TaskInfo>| {
            owner.is_some_and(|owner| owner.tasks.contains_key(&task.id))
                || self.updates.has(&(framework.clone(), task.id.clone()))
        };
        owner.is_some_and(|owner| owner.ending)
            || assignment.tasks.iter().any(|task| task.agent != *agent || known(task))
    }

    fn may_run(
        &mut self,
        agent: &AgentId,
        framework: &FrameworkId,
        executor: &ExecutorId,
        assignment: &Assignment,
    ) -> Result<(), Refusal> {
        let refusal = |reason, message, executor_gone| Refusal { reason, message, executor_gone };
        let launch = assignment.launch_executor;
        if self.draining.is_some() {
            let message = "Task was received while agent was already draining";
            return Err(refusal(Reason::AgentDraining, message, launch == Some(true)));
        }
        if let Some(executor) = self.executor(framework, executor) {
            return match executor.state {
                State::Terminating { .. } => {
                    Err(refusal(Reason::ExecutorTerminated, "Executor terminating", false))
                }
                // The master counts on a new one, which it must be told is not there.
                State::Terminated => Err(refusal(
                    Reason::ExecutorTerminated,
                    "Executor terminated",
                    launch == Some(true),
                )),
                _ => Ok(()),
            };
        }
        if launch == Some(false) {
            let message = "No executor is expected to launch and there is no executor running";
            return Err(refusal(Reason::ExecutorTerminated, message, false));
        }
        let framework_path = paths::framework(agent, framework);
        let path = paths::executor(agent, framework, executor);
        let mut free = true;
        for path in [framework_path, path] {
            free &= self.collector.keep(&paths::meta(&path));
            free &= self.collector.keep(&path);
        }
        if free {
            return Ok(());
        }
        let message = "Could not launch the task because we failed to unschedule directories \
                       scheduled for gc";
        Err(refusal(Reason::GcError, message, true))
    }

    fn refuse(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        executor: &ExecutorInfo,
        assignment: &Assignment,
        refusal: &Refusal,
    ) {
        let aware = assignment.framework.capabilities.partition_aware();
        let state = if aware { TaskState::Dropped } else { TaskState::Lost };
        let cause = Cause::new(state, refusal.reason, refusal.message);
        for task in &assignment.tasks {
            self.report_stray(step, framework, &task.id, &cause);
        }
        let counted = executor.kind != reeve_model::ExecutorKind::Command;
        if let Some(master) = self.registered_with().cloned()
            && refusal.executor_gone
            && counted
        {
            let message = ToMaster::ExecutorExited(framework.clone(), executor.id.clone(), -1);
            step.emit(Effect::ToMaster(master, message));
        }
    }

    /// Puts the tasks in line. Returns their ids.
    fn queue(
        &mut self,
        framework: &FrameworkId,
        id: &ExecutorId,
        assignment: &Assignment,
    ) -> Vec<TaskId> {
        let ids: Vec<TaskId> = assignment.tasks.iter().map(|task| task.id.clone()).collect();
        let Some(owner) = self.frameworks.get_mut(framework) else { return Vec::new() };
        let Some(executor) = owner.executors.get_mut(id) else { return Vec::new() };
        let group: Option<Arc<[TaskId]>> = assignment.grouped.then(|| ids.clone().into());
        for task in &assignment.tasks {
            let new = Task::new(task.clone(), executor.checkpoint, group.clone());
            executor.tasks.insert(task.id.clone(), new);
            owner.tasks.insert(task.id.clone(), id.clone());
        }
        executor.queue.push_back(Batch { tasks: ids.clone(), grouped: assignment.grouped });
        ids
    }

    /// Writes the task's record, if its framework checkpoints, and shows it to readers.
    fn save_task(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        id: &ExecutorId,
        task: &TaskId,
    ) {
        let Some(executor) = self.executor(framework, id) else { return };
        let Some(known) = executor.tasks.get(task) else { return };
        let row = known.row();
        if known.saving {
            let container = executor.container.clone();
            let record =
                Record::Task(framework.clone(), id.clone(), container.clone(), known.info.clone());
            self.writes.write(step, record, Waiting::Delivery(container, task.clone()));
        }
        step.change(Change::Task(framework.clone(), id.clone(), row));
    }

    /// A task's record is durable: it can go to its executor.
    pub(crate) fn task_saved(
        &mut self,
        step: &mut Step<'_>,
        container: &ContainerId,
        task: &TaskId,
    ) {
        let Some((framework, id)) = self.containers.get(container).cloned() else { return };
        let Some(executor) = self.executor_mut(&framework, &id) else { return };
        if let Some(task) = executor.tasks.get_mut(task) {
            task.saving = false;
        }
        self.deliver(step, &framework, &id);
    }

    /// A task's record could not be written: it is not run, nor is its group.
    pub(crate) fn task_not_saved(
        &mut self,
        step: &mut Step<'_>,
        container: &ContainerId,
        task: &TaskId,
        why: &str,
    ) {
        let Some((framework, id)) = self.containers.get(container).cloned() else { return };
        let Some(owner) = self.frameworks.get_mut(&framework) else { return };
        if owner.ending {
            return;
        }
        let Some(executor) = owner.executors.get_mut(&id) else { return };
        let message = format!("Failed to launch task: cannot write its checkpoint: {why}");
        let cause = Cause::new(TaskState::Failed, Reason::ContainerLaunchFailed, message);
        for task in executor.unqueue(task) {
            self.report(step, &framework, &task, &cause);
        }
        self.shutdown_if_idle(step, &framework, &id);
        self.deliver(step, &framework, &id);
    }
}

impl Executor {
    /// Takes a task, with its group, out of the queue. Returns what was taken out.
    pub(crate) fn unqueue(&mut self, task: &TaskId) -> Vec<TaskId> {
        let position = self.queue.iter().position(|batch| batch.tasks.contains(task));
        let batch = position.and_then(|position| self.queue.remove(position));
        batch.map(|batch| batch.tasks).unwrap_or_default()
    }
}
