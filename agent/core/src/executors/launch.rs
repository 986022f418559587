//! From the first task to the container.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use reeve_model::{AgentId, ContainerId, ExecutorId, ExecutorInfo, FrameworkId, Reason, TaskState};

use super::{Cause, Executor, State};
use crate::agent::{Agent, Timer};
use crate::effect::{Effect, Launch, Record};
use crate::event::{LaunchFailure, WriteId};
use crate::paths;
use crate::step::{Step, Waiting};

impl Agent {
    /// Makes an executor; the caller queues its first tasks and then calls `start_executor`.
    pub(crate) fn create_executor(
        &mut self,
        step: &mut Step<'_>,
        agent: &AgentId,
        framework: &FrameworkId,
        info: Arc<ExecutorInfo>,
    ) {
        let container = ContainerId::new(step.fresh().to_string());
        let Some(owner) = self.frameworks.get_mut(framework) else { return };
        let id = info.id.clone();
        let executor = Executor {
            sandbox: paths::sandbox(agent, framework, &id, &container),
            container: container.clone(),
            process: None,
            state: State::Registering,
            tasks: BTreeMap::new(),
            queue: VecDeque::new(),
            granted: info.resources.clone(),
            checkpoint: owner.info.checkpoint,
            used: false,
            status: None,
            strangers: Vec::new(),
            info,
        };
        owner.executors.insert(id.clone(), executor);
        self.containers.insert(container, (framework.clone(), id));
    }

    /// Starts the container of a new executor, once its record is durable (G1).
    pub(crate) fn start_executor(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        id: &ExecutorId,
    ) {
        let Some(executor) = self.executor(framework, id) else { return };
        let container = executor.container.clone();
        if executor.checkpoint {
            let record =
                Record::Executor(framework.clone(), executor.info.clone(), container.clone());
            let write = self.writes.write(step, record, Waiting::Launch(container));
            if let Some(executor) = self.executor_mut(framework, id) {
                executor.state = State::Preparing { write };
            }
        } else {
            self.launch(step, &container);
        }
        self.tell_executor(step, framework, id);
    }

    /// The record of an executor is durable.
    pub(crate) fn launch_saved(
        &mut self,
        step: &mut Step<'_>,
        container: &ContainerId,
        write: WriteId,
    ) {
        let Some((framework, id)) = self.containers.get(container).cloned() else { return };
        let Some(executor) = self.executor_mut(&framework, &id) else { return };
        if executor.state == (State::Preparing { write }) {
            executor.state = State::Registering;
            self.launch(step, container);
            self.tell_executor(step, &framework, &id);
        }
    }

    /// The record of an executor could not be written: it is not started.
    pub(crate) fn launch_not_saved(
        &mut self,
        step: &mut Step<'_>,
        container: &ContainerId,
        why: &str,
    ) {
        let cause = Cause {
            state: TaskState::Failed,
            reason: Reason::ContainerLaunchFailed,
            message: format!("Failed to launch container: cannot write its checkpoint: {why}"),
        };
        if let Some((framework, id)) = self.containers.get(container).cloned()
            && let Some(executor) = self.executor_mut(&framework, &id)
        {
            // What has no record of its own cannot be recovered, so nothing about it is written.
            executor.checkpoint = false;
        }
        self.gone(step, container, Some(cause), None);
    }

    fn launch(&mut self, step: &mut Step<'_>, container: &ContainerId) {
        let Some((framework, id)) = self.containers.get(container).cloned() else { return };
        let Some(owner) = self.frameworks.get_mut(&framework) else { return };
        let Some(executor) = owner.executors.get_mut(&id) else { return };
        executor.granted = executor.needs();
        let task = if executor.is_command() {
            executor.tasks.values().next().map(|task| task.info.clone())
        } else {
            None
        };
        let user = Some(owner.info.user.clone()).filter(|user| !user.is_empty());
        step.emit(Effect::Launch(Box::new(Launch {
            container: container.clone(),
            framework: owner.info.clone(),
            executor: executor.info.clone(),
            task,
            sandbox: executor.sandbox.clone(),
            allowance: executor.allowance(),
            user,
            checkpoint: executor.checkpoint,
        })));
    }

    /// The container's first process runs: from now on it may be late. Before, it may have to wait
    /// for an image, and each step of a launch has a deadline of its own.
    pub(crate) fn container_started(
        &mut self,
        step: &mut Step<'_>,
        container: &ContainerId,
        process: u32,
    ) {
        let Some((framework, id)) = self.containers.get(container).cloned() else { return };
        if let Some(executor) = self.executor_mut(&framework, &id) {
            executor.process = Some(process);
            if executor.state == State::Registering {
                let late = step.now + self.options.executor_registration_timeout;
                self.timers.set(Timer::Subscription(container.clone()), late);
            }
        }
        self.tell_executor(step, &framework, &id);
    }

    /// The container could not be made.
    pub(crate) fn container_failed(
        &mut self,
        step: &mut Step<'_>,
        container: &ContainerId,
        failure: &LaunchFailure,
    ) {
        self.counters.container_launch_errors += 1;
        let cause = Cause {
            state: TaskState::Failed,
            reason: Reason::ContainerLaunchFailed,
            message: format!("Failed to launch container: {}", failure.message),
        };
        self.gone(step, container, Some(cause), None);
    }
}
