//! How executors end, and what their tasks are told.

use std::time::Duration;

use reeve_model::{ContainerId, ExecutorId, FrameworkId, Reason, TaskId, TaskState};

use super::{Cause, Executor, State};
use crate::agent::{Agent, Timer};
use crate::effect::{Effect, Record, ToExecutor, ToMaster};
use crate::event::Ending;
use crate::paths;
use crate::registration::Registration;
use crate::step::{Step, Waiting};
use crate::text;
use crate::view::{Change, Stage};

/// The wait status that is sent when none is known (as Mesos does).
const NO_STATUS: i32 = -1;

impl Agent {
    /// How long an executor may take to end.
    pub(crate) fn grace(&self, framework: &FrameworkId, executor: &ExecutorId) -> Duration {
        self.executor(framework, executor)
            .and_then(|executor| executor.info.shutdown_grace)
            .unwrap_or(self.options.executor_shutdown_grace)
    }

    /// Asks an executor to end, and ends it after its grace period. `cause` is what its tasks are
    /// told; without one, that it terminated.
    pub(crate) fn shutdown_executor(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        id: &ExecutorId,
        cause: Option<Cause>,
    ) {
        let grace = self.grace(framework, id);
        let Some(executor) = self.executor_mut(framework, id) else { return };
        let container = executor.container.clone();
        match executor.state {
            State::Preparing { .. } => self.gone(step, &container, cause, None),
            State::Running { stream: Some(stream) } => {
                executor.state = State::Terminating { stream: Some(stream), cause };
                step.emit(Effect::ToExecutor(stream, ToExecutor::Shutdown(grace)));
                self.timers.set(Timer::Grace(container), step.now + grace);
                self.tell_executor(step, framework, id);
            }
            // Nobody listens, so nothing is gained by waiting.
            State::Registering | State::Running { stream: None } => {
                self.terminate(step, &container, cause);
            }
            State::Terminating { .. } => {}
            State::Terminated => self.executor_if_over(step, framework, id),
        }
    }

    /// Ends a container without asking.
    pub(crate) fn terminate(
        &mut self,
        step: &mut Step<'_>,
        container: &ContainerId,
        cause: Option<Cause>,
    ) {
        let Some((framework, id)) = self.containers.get(container).cloned() else { return };
        let Some(executor) = self.executor_mut(&framework, &id) else { return };
        let stream = executor.stream();
        executor.state = match std::mem::replace(&mut executor.state, State::Terminated) {
            // The first cause stands.
            State::Terminating { stream, cause: Some(first) } => {
                State::Terminating { stream, cause: Some(first) }
            }
            _ => State::Terminating { stream, cause },
        };
        self.destroy(step, container);
        self.tell_executor(step, &framework, &id);
    }

    /// Kills all of a container.
    pub(crate) fn destroy(&mut self, step: &mut Step<'_>, container: &ContainerId) {
        self.timers.cancel(&Timer::Subscription(container.clone()));
        self.timers.cancel(&Timer::Grace(container.clone()));
        if self.containers.contains_key(container) {
            step.emit(Effect::Destroy(container.clone()));
        }
    }

    /// It did not subscribe in time.
    pub(crate) fn subscription_late(&mut self, step: &mut Step<'_>, container: &ContainerId) {
        let within = text::duration(self.options.executor_registration_timeout);
        let cause = Cause {
            state: TaskState::Failed,
            reason: Reason::ExecutorRegistrationTimeout,
            message: format!("Executor did not register within {within}"),
        };
        self.terminate(step, container, Some(cause));
    }

    /// It outlived the agent and did not come back in time.
    pub(crate) fn resubscription_late(&mut self, step: &mut Step<'_>, container: &ContainerId) {
        let within = text::duration(self.options.executor_reregistration_timeout);
        let cause = Cause {
            state: TaskState::Failed,
            reason: Reason::ExecutorReregistrationTimeout,
            message: format!("Executor did not reregister within {within}"),
        };
        self.terminate(step, container, Some(cause));
    }

    /// What it may use could not be changed.
    pub(crate) fn container_update_failed(
        &mut self,
        step: &mut Step<'_>,
        container: &ContainerId,
        why: &str,
    ) {
        let Some((framework, _)) = self.containers.get(container) else { return };
        let cause = Cause {
            state: self.lost_in(framework, TaskState::Gone),
            reason: Reason::ContainerUpdateFailed,
            message: format!("Failed to update resources for container: {why}"),
        };
        self.terminate(step, container, Some(cause));
    }

    /// The container is gone and cleaned up.
    pub(crate) fn container_ended(
        &mut self,
        step: &mut Step<'_>,
        container: &ContainerId,
        ending: &Ending,
    ) {
        let Some((framework, id)) = self.containers.get(container) else { return };
        let command = self.executor(framework, id).is_some_and(Executor::is_command);
        let own = limitation(ending).or_else(|| command.then(|| abnormal(ending.status)));
        self.gone(step, container, own, ending.status);
    }

    /// A container is gone, or will never be. What its tasks are told: the cause for which it was
    /// ended, else `own`, else that it terminated.
    pub(crate) fn gone(
        &mut self,
        step: &mut Step<'_>,
        container: &ContainerId,
        own: Option<Cause>,
        status: Option<i32>,
    ) {
        let Some((framework, id)) = self.containers.remove(container) else { return };
        self.timers.cancel(&Timer::Subscription(container.clone()));
        self.timers.cancel(&Timer::Grace(container.clone()));
        self.counters.executors_terminated += 1;
        let Some(executor) = self.executor_mut(&framework, &id) else { return };
        if let Some(stream) = executor.stream() {
            step.emit(Effect::CloseExecutor(stream));
            self.streams.remove(&stream);
        }
        let Some(executor) = self.executor_mut(&framework, &id) else { return };
        executor.queue.clear();
        executor.status = status;
        let cause = match std::mem::replace(&mut executor.state, State::Terminated) {
            State::Terminating { cause: Some(cause), .. } => cause,
            _ => own.unwrap_or_else(|| Cause {
                state: TaskState::Failed,
                reason: Reason::ExecutorTerminated,
                message: "Executor terminated".to_owned(),
            }),
        };
        let command = executor.is_command();
        self.tell_executor(step, &framework, &id);
        self.end_tasks(step, &framework, &id, &cause);
        if !command {
            self.tell_exit(step, &framework, &id, status);
        }
        self.executor_if_over(step, &framework, &id);
        self.survivor_settled(step, &framework, &id);
    }

    /// Tells the master that an executor is not here, if there is one to listen.
    pub(crate) fn tell_exit(
        &self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        id: &ExecutorId,
        status: Option<i32>,
    ) {
        if let Some(master) = self.registered_with().cloned() {
            let status = status.unwrap_or(NO_STATUS);
            let message = ToMaster::ExecutorExited(framework.clone(), id.clone(), status);
            step.emit(Effect::ToMaster(master, message));
        }
    }

    /// Tells of executors that ended while no master listened. As long as the end of their tasks
    /// is not acknowledged, it counts on them and would never have another one started.
    pub(crate) fn tell_exits(&self, step: &mut Step<'_>) {
        for (framework, owner) in &self.frameworks {
            let ended = owner.executors.iter().filter(|(_, executor)| {
                executor.state == State::Terminated && !executor.is_command()
            });
            for (id, executor) in ended {
                self.tell_exit(step, framework, id, executor.status);
            }
        }
    }

    fn end_tasks(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        id: &ExecutorId,
        cause: &Cause,
    ) {
        let Some(executor) = self.executor(framework, id) else { return };
        let live = executor.tasks.iter().filter(|(_, task)| task.stage != Stage::Terminated);
        let live: Vec<TaskId> = live.map(|(id, _)| id.clone()).collect();
        for task in live {
            self.report(step, framework, &task, cause);
        }
    }

    /// Forgets an executor that is over: its container is gone, and its updates are acknowledged
    /// or nobody's news any more.
    pub(crate) fn executor_if_over(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        id: &ExecutorId,
    ) {
        let leaving = matches!(self.registration, Registration::Leaving { .. });
        let Some(owner) = self.frameworks.get_mut(framework) else { return };
        let Some(executor) = owner.executors.get(id) else { return };
        let settled = executor.tasks.is_empty() || owner.ending || leaving;
        if executor.state != State::Terminated || !settled {
            return;
        }
        let Some(executor) = owner.executors.remove(id) else { return };
        owner.tasks.retain(|_, of| of != id);
        step.change(Change::ExecutorOver(framework.clone(), id.clone()));
        self.bury(step, framework, &executor);
        self.framework_if_over(step, framework);
    }

    /// Marks the run as over, and leaves its directories to the collector.
    pub(crate) fn bury(&mut self, step: &mut Step<'_>, framework: &FrameworkId, of: &Executor) {
        let Some(agent) = self.info.id.clone() else { return };
        let directory = paths::executor(&agent, framework, &of.info.id);
        if of.checkpoint {
            let (id, container) = (of.info.id.clone(), of.container.clone());
            let record = Record::Sentinel(framework.clone(), id, container);
            self.writes.write(step, record, Waiting::Nothing);
            self.collector.schedule(step.now, paths::meta(&of.sandbox));
            self.collector.schedule(step.now, paths::meta(&directory));
        }
        self.collector.schedule(step.now, of.sandbox.clone());
        self.collector.schedule(step.now, directory);
    }
}

/// What is told of a limit that was broken.
fn limitation(ending: &Ending) -> Option<Cause> {
    let (resource, message) = ending.limitation.clone()?;
    let reason = match resource.as_str() {
        "mem" => Reason::ContainerLimitationMemory,
        "disk" => Reason::ContainerLimitationDisk,
        _ => Reason::ContainerLimitation,
    };
    Some(Cause { state: TaskState::Failed, reason, message })
}

/// What is told of a command executor that ended before its task did.
fn abnormal(status: Option<i32>) -> Cause {
    let how = status.map_or_else(|| "unknown container".to_owned(), text::wait_status);
    Cause {
        state: TaskState::Failed,
        reason: Reason::ExecutorTerminated,
        message: format!("Abnormal executor termination: {how}"),
    }
}
