//! An executor opens its event stream, for the first time or again, and gets its tasks (EX-1).

use std::collections::BTreeSet;
use std::sync::Arc;

use reeve_model::{ExecutorId, ExecutorKind, FrameworkId, Reason, TaskId, TaskInfo, TaskState};

use super::{Batch, Cause, Executor, State};
use crate::agent::{Agent, Timer};
use crate::effect::{Effect, Record, ToExecutor};
use crate::event::{ExecutorSubscription, StreamId};
use crate::registration::Registration;
use crate::step::{Step, Waiting};
use crate::view::{Change, Stage};

impl Agent {
    /// SUBSCRIBE. What the executor does not know of is delivered to it; what it has to say is
    /// taken in.
    pub(crate) fn subscribe(
        &mut self,
        step: &mut Step<'_>,
        stream: StreamId,
        call: ExecutorSubscription,
    ) {
        if let Err(refusal) = self.connect(step, stream, &call) {
            step.emit(Effect::ToExecutor(stream, refusal));
            step.emit(Effect::CloseExecutor(stream));
            return;
        }
        let (framework, id) = (&call.framework, &call.executor);
        let lost = self.redeliver(framework, id, &call);
        self.tell_executor(step, framework, id);
        for status in call.updates.iter().cloned() {
            self.executor_update(step, framework, id, status);
        }
        for task in lost {
            let message = "Task launched during agent restart";
            self.lose(step, framework, &task, Reason::AgentRestarted, message);
        }
        self.repeat_kills(step, framework, id);
        self.deliver(step, framework, id);
        self.shutdown_if_useless(step, &call);
        self.survivor_settled(step, framework, id);
    }

    /// Ties the stream to the executor and greets it, or says what to answer instead.
    fn connect(
        &mut self,
        step: &mut Step<'_>,
        stream: StreamId,
        call: &ExecutorSubscription,
    ) -> Result<(), ToExecutor> {
        let unknown = |what: &str| ToExecutor::Error(format!("{what} cannot be found"));
        if matches!(self.registration, Registration::Recovering { read: false, .. }) {
            return Err(ToExecutor::Error("Agent has not finished recovery".to_owned()));
        }
        let grace = self.grace(&call.framework, &call.executor);
        let owner = self.frameworks.get_mut(&call.framework).ok_or_else(|| unknown("Framework"))?;
        let executor =
            owner.executors.get_mut(&call.executor).ok_or_else(|| unknown("Executor"))?;
        let first = match executor.state {
            State::Registering => true,
            State::Running { .. } => false,
            State::Terminating { .. } => return Err(ToExecutor::Shutdown(grace)),
            State::Preparing { .. } | State::Terminated => return Err(unknown("Executor")),
        };
        if let Some(old) = executor.stream() {
            self.streams.remove(&old);
            step.emit(Effect::CloseExecutor(old));
        }
        executor.state = State::Running { stream: Some(stream) };
        let container = executor.container.clone();
        step.emit(Effect::ToExecutor(
            stream,
            ToExecutor::Subscribed {
                executor: executor.info.clone(),
                framework: owner.info.clone(),
                container: container.clone(),
            },
        ));
        if first && executor.checkpoint {
            let (framework, id) = (call.framework.clone(), call.executor.clone());
            let record = match &call.driver {
                Some(pid) => Record::DriverPid(framework, id, container.clone(), pid.clone()),
                None => Record::HttpMarker(framework, id, container.clone()),
            };
            self.writes.write(step, record, Waiting::Nothing);
        }
        self.streams.insert(stream, (call.framework.clone(), call.executor.clone()));
        self.timers.cancel(&Timer::Subscription(container));
        Ok(())
    }

    /// Queues again what was sent and did not arrive: tasks without any status that the executor
    /// does not name. The stream they were sent on is dead, so they cannot arrive any more.
    /// Returns tasks that cannot be sent again, since their group is not known any more or is
    /// partly there.
    fn redeliver(
        &mut self,
        framework: &FrameworkId,
        id: &ExecutorId,
        call: &ExecutorSubscription,
    ) -> Vec<TaskId> {
        let Some(executor) = self.executor_mut(framework, id) else { return Vec::new() };
        let named = call.tasks.iter().map(|task| &task.id);
        let named: BTreeSet<&TaskId> =
            named.chain(call.updates.iter().map(|status| &status.task)).collect();
        for task in &named {
            if let Some(task) = executor.tasks.get_mut(*task)
                && task.stage == Stage::Queued
            {
                task.stage = Stage::Launched;
                executor.used = true;
            }
        }
        let arrived = |executor: &Executor, task: &TaskId| {
            executor.tasks.get(task).is_none_or(|task| task.stage != Stage::Queued)
        };
        // Recovered tasks wait in the queue until the executor says that it has them.
        let queue = std::mem::take(&mut executor.queue);
        let queue = queue
            .into_iter()
            .filter(|batch| !batch.tasks.iter().any(|task| arrived(executor, task)));
        let queue: Vec<Batch> = queue.collect();
        let missing: Vec<TaskId> = executor
            .tasks
            .iter()
            .filter(|(id, task)| {
                task.stage == Stage::Launched && task.statuses.is_empty() && !named.contains(id)
            })
            .map(|(id, _)| id.clone())
            .collect();
        let (again, lost) = executor.batches(&missing);
        for task in again.iter().flat_map(|batch| &batch.tasks) {
            if let Some(task) = executor.tasks.get_mut(task) {
                task.stage = Stage::Queued;
            }
        }
        executor.queue.extend(again);
        executor.queue.extend(queue);
        lost
    }

    /// Kills that were asked for while the executor could not hear.
    fn repeat_kills(&mut self, step: &mut Step<'_>, framework: &FrameworkId, id: &ExecutorId) {
        let Some(executor) = self.executor(framework, id) else { return };
        for task in &executor.strangers {
            self.to_executor(step, framework, id, ToExecutor::Kill(task.clone(), None));
        }
        let kills: Vec<_> = executor
            .tasks
            .iter()
            .filter(|(_, task)| task.stage != Stage::Terminated)
            .filter_map(|(id, task)| Some((id.clone(), task.kill?)))
            .collect();
        for (task, policy) in kills {
            self.kill(step, framework, &task, policy);
        }
    }

    /// Sends what waits, in order, up to the first task whose record is not durable.
    pub(crate) fn deliver(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        id: &ExecutorId,
    ) {
        self.adjust_for_delivery(step, framework, id);
        let Some(executor) = self.executor_mut(framework, id) else { return };
        let State::Running { stream: Some(stream) } = executor.state else { return };
        while let Some(batch) = executor.ready() {
            executor.used = true;
            let mut tasks: Vec<Arc<TaskInfo>> = Vec::with_capacity(batch.tasks.len());
            for id in &batch.tasks {
                let Some(task) = executor.tasks.get_mut(id) else { continue };
                task.stage = Stage::Launched;
                tasks.push(task.info.clone());
                let row = Change::Task(framework.clone(), executor.info.id.clone(), task.row());
                step.change(row);
            }
            let message = match tasks.first() {
                Some(task) if !batch.grouped => ToExecutor::Launch(task.clone()),
                _ => ToExecutor::LaunchGroup(tasks),
            };
            step.emit(Effect::ToExecutor(stream, message));
        }
    }

    /// Room is made before tasks come in.
    fn adjust_for_delivery(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        id: &ExecutorId,
    ) {
        let running = |executor: &Executor| {
            matches!(executor.state, State::Running { stream: Some(_) })
                && !executor.queue.is_empty()
        };
        if self.executor(framework, id).is_some_and(running) {
            self.adjust(step, framework, id);
        }
    }

    /// Its tasks were killed before it got one: it has nothing to do here.
    fn shutdown_if_useless(&mut self, step: &mut Step<'_>, call: &ExecutorSubscription) {
        let silent = call.tasks.is_empty() && call.updates.is_empty();
        let useless = |executor: &Executor| {
            let over = executor.tasks.values().all(|task| task.stage == Stage::Terminated);
            // A command's executor has one task. It would have to tell how that ended, had it got it.
            let waits = silent && over && executor.info.kind == ExecutorKind::Command;
            waits || (!executor.used && executor.tasks.is_empty())
        };
        if self.executor(&call.framework, &call.executor).is_some_and(useless) {
            self.shutdown_executor(step, &call.framework, &call.executor, None);
        }
    }

    /// An executor's event stream ended. It may come back; if it does not, its container's end
    /// will tell.
    pub(crate) fn stream_closed(&mut self, stream: StreamId) {
        let Some((framework, id)) = self.streams.remove(&stream) else { return };
        let Some(executor) = self.executor_mut(&framework, &id) else { return };
        match &mut executor.state {
            State::Running { stream: current } | State::Terminating { stream: current, .. }
                if *current == Some(stream) =>
            {
                *current = None;
            }
            _ => {}
        }
    }
}

impl Executor {
    /// Takes the next batch off the queue if all of its records are durable.
    fn ready(&mut self) -> Option<Batch> {
        let batch = self.queue.front()?;
        let unsaved = |task: &TaskId| self.tasks.get(task).is_some_and(|task| task.saving);
        if batch.tasks.iter().any(unsaved) {
            return None;
        }
        self.queue.pop_front()
    }

    /// How to send these tasks again, and which cannot be.
    fn batches(&self, missing: &[TaskId]) -> (Vec<Batch>, Vec<TaskId>) {
        let mut batches: Vec<Batch> = Vec::new();
        let mut lost = Vec::new();
        for id in missing {
            let Some(task) = self.tasks.get(id) else { continue };
            match &task.group {
                Some(group) if group.iter().all(|member| missing.contains(member)) => {
                    if group.first() == Some(id) {
                        batches.push(Batch { tasks: group.to_vec(), grouped: true });
                    }
                }
                Some(_) => lost.push(id.clone()),
                None if self.info.kind == ExecutorKind::Default => lost.push(id.clone()),
                None => batches.push(Batch { tasks: vec![id.clone()], grouped: false }),
            }
        }
        (batches, lost)
    }
}

impl Agent {
    /// A task that cannot reach its executor.
    pub(crate) fn lose(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        task: &TaskId,
        reason: Reason,
        message: &str,
    ) {
        let state = self.lost_in(framework, TaskState::Dropped);
        self.report(step, framework, task, &Cause::new(state, reason, message));
    }
}
