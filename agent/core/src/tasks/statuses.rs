//! What is reported of tasks: by their executors, and by the agent in their place.

use std::sync::Arc;

use reeve_model::{
    ExecutorId, FrameworkId, Place, Reason, Seconds, Source, StatusUpdate, TaskId, TaskState,
    TaskStatus, Uuid,
};

use crate::agent::Agent;
use crate::effect::ToExecutor;
use crate::event::WriteId;
use crate::executors::{Cause, Executor, State};
use crate::step::Step;
use crate::updates::{Acknowledged, Home, Key, Verdict};
use crate::view::{Change, Stage};

impl Agent {
    /// UPDATE of an executor (EX-2). It is told that the update is safe once it is durable.
    pub(crate) fn executor_update(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        executor: &ExecutorId,
        mut status: TaskStatus,
    ) {
        let known = self.executor(framework, executor);
        let ending = self.frameworks.get(framework).is_some_and(|owner| owner.ending);
        if known.is_none() || ending || status.state == TaskState::Staging {
            self.counters.invalid_status_updates += 1;
            return;
        }
        let uuid = status.uuid.unwrap_or_else(|| step.fresh());
        let stage = known.and_then(|known| known.tasks.get(&status.task)).map(|task| task.stage);
        if matches!(stage, None | Some(Stage::Queued)) {
            // A task that is over, or never was: the executor is to forget the update.
            self.counters.late_status_updates += 1;
            return self.safe(step, framework, executor, status.task, uuid);
        }
        status.uuid = Some(uuid);
        status.source = Some(Source::Executor);
        let task = status.task.clone();
        match self.take(step, framework, executor, status) {
            Verdict::New(true) | Verdict::Duplicate(true) => {
                self.safe(step, framework, executor, task, uuid);
            }
            Verdict::New(false) | Verdict::Duplicate(false) => {}
            Verdict::TooLate => {
                self.counters.late_status_updates += 1;
                self.safe(step, framework, executor, task, uuid);
            }
        }
    }

    /// Reports on a task that is with an executor, in the agent's name.
    pub(crate) fn report(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        task: &TaskId,
        cause: &Cause,
    ) {
        let Some(owner) = self.frameworks.get(framework) else { return };
        if owner.ending {
            return;
        }
        let Some(executor) = owner.tasks.get(task).cloned() else { return };
        let mut status = own_status(step, task, cause);
        status.executor = Some(executor.clone());
        self.take(step, framework, &executor, status);
    }

    /// Reports on a task that is with no executor here. Such a report lives in memory only: after a
    /// restart the master, or the framework's reconciliation, asks again.
    pub(crate) fn report_stray(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        task: &TaskId,
        cause: &Cause,
    ) {
        let status = own_status(step, task, cause);
        let update = self.update(step, framework, None, status);
        self.updates.receive(step, &mut self.writes, Arc::new(update), None);
    }

    /// The master knows a task that this agent did not name when it came back. Says whether that is
    /// news.
    pub(crate) fn unknown_task(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        task: &TaskId,
    ) -> bool {
        let owner = self.frameworks.get(framework);
        let known = owner.is_some_and(|owner| owner.tasks.contains_key(task));
        if known || self.updates.has(&(framework.clone(), task.clone())) {
            return false;
        }
        let state = self.lost_in(framework, TaskState::Dropped);
        let message = "Reconciliation: task unknown to the agent";
        let cause = Cause::new(state, Reason::Reconciliation, message);
        self.report_stray(step, framework, task, &cause);
        true
    }

    /// How loss is called in a framework; one that is not known may not know the finer words.
    pub(crate) fn lost_in(&self, framework: &FrameworkId, finer: TaskState) -> TaskState {
        self.frameworks.get(framework).map_or(TaskState::Lost, |owner| owner.lost(finer))
    }

    /// An update is durable: its executor may forget it.
    pub(crate) fn update_saved(&mut self, step: &mut Step<'_>, key: &Key, write: WriteId) {
        let update = self.updates.committed(step, &mut self.writes, key, write);
        let Some(update) = update else { return };
        if update.status.source != Some(Source::Executor) {
            return;
        }
        if let (Some(executor), Some(uuid)) = (update.executor.clone(), update.uuid) {
            self.safe(step, &key.0, &executor, key.1.clone(), uuid);
        }
    }

    /// `StatusUpdateAcknowledgementMessage`.
    pub(crate) fn acknowledge(
        &mut self,
        step: &mut Step<'_>,
        framework: FrameworkId,
        task: TaskId,
        uuid: Uuid,
    ) {
        let key = (framework, task);
        let outcome = self.updates.acknowledge(step, &mut self.writes, &key, uuid);
        if outcome == Acknowledged::Ended {
            self.task_over(step, &key.0, &key.1);
        }
    }

    /// The framework knows how the task ended.
    fn task_over(&mut self, step: &mut Step<'_>, framework: &FrameworkId, task: &TaskId) {
        let Some(owner) = self.frameworks.get_mut(framework) else { return };
        let Some(id) = owner.tasks.remove(task) else { return };
        let Some(executor) = owner.executors.get_mut(&id) else { return };
        if let Some(mut task) = executor.tasks.remove(task) {
            task.stage = Stage::Completed;
            step.change(Change::Task(framework.clone(), id.clone(), task.row()));
        }
        self.executor_if_over(step, framework, &id);
        self.drained_if_empty(step);
    }

    /// Puts a status on its way and does to its task what it says.
    fn take(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        id: &ExecutorId,
        mut status: TaskStatus,
    ) -> Verdict {
        self.blame_drain(framework, &mut status);
        let (task, state) = (status.task.clone(), status.state);
        let place = self.executor(framework, id).and_then(|executor| self.place(executor, &status));
        if let Some(place) = place {
            status.locate(&place);
        }
        let update = Arc::new(self.update(step, framework, Some(id.clone()), status));
        let home: Option<Home> = self
            .executor(framework, id)
            .filter(|executor| executor.checkpoint)
            .map(|executor| (id.clone(), executor.container.clone()));
        let verdict = self.updates.receive(step, &mut self.writes, update.clone(), home);
        if !matches!(verdict, Verdict::New(_)) {
            return verdict;
        }
        self.counters.valid_status_updates += 1;
        let Some(executor) = self.executor_mut(framework, id) else { return verdict };
        let shrinks = state.is_terminal() && !executor.is_command() && executor.stream().is_some();
        if let Some(task) = executor.tasks.get_mut(&task) {
            task.take(update);
            let row = task.row();
            step.change(Change::Task(framework.clone(), id.clone(), row));
        }
        if shrinks {
            self.adjust(step, framework, id);
        }
        verdict
    }

    /// Where the task of a status runs, or ran: of a container that is gone only its name is left.
    /// A task that never reached its executor runs nowhere (Mesos docs: networking).
    fn place(&self, executor: &Executor, status: &TaskStatus) -> Option<Place> {
        let task = executor.tasks.get(&status.task)?;
        let undelivered = matches!(status.state, TaskState::Dropped | TaskState::Lost)
            && status.source == Some(Source::Agent);
        if task.stage == Stage::Queued || undelivered {
            return None;
        }
        let lives = executor.state != State::Terminated;
        Some(Place {
            container: executor.container.clone(),
            process: executor.process.filter(|_| lives),
            address: self.options.address.filter(|_| lives),
        })
    }

    /// Tells an executor that an update is safe.
    fn safe(
        &self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        executor: &ExecutorId,
        task: TaskId,
        uuid: Uuid,
    ) {
        self.to_executor(step, framework, executor, ToExecutor::Acknowledged(task, uuid));
    }

    fn update(
        &self,
        step: &Step<'_>,
        framework: &FrameworkId,
        executor: Option<ExecutorId>,
        mut status: TaskStatus,
    ) -> StatusUpdate {
        let timestamp = status.timestamp.unwrap_or(Seconds(step.wall.to_seconds()));
        status.timestamp = Some(timestamp);
        status.agent = self.info.id.clone();
        StatusUpdate {
            framework: framework.clone(),
            executor,
            agent: self.info.id.clone(),
            timestamp,
            uuid: status.uuid,
            latest_state: Some(status.state),
            status,
        }
    }
}

/// A status in the agent's name.
fn own_status(step: &mut Step<'_>, task: &TaskId, cause: &Cause) -> TaskStatus {
    TaskStatus {
        source: Some(Source::Agent),
        reason: Some(cause.reason),
        message: Some(cause.message.clone()),
        uuid: Some(step.fresh()),
        ..TaskStatus::new(task.clone(), cause.state)
    }
}
