//! Executors, from the first task that asks for one to the last acknowledgement (FL-4).

mod end;
mod launch;
mod subscribe;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use reeve_model::{
    ContainerId, ExecutorId, ExecutorInfo, ExecutorKind, FrameworkId, Limits, Quantity, Reason,
    ResourceName, Resources, TaskId, TaskState,
};

use crate::agent::Agent;
use crate::effect::{Allowance, Effect, ToExecutor};
use crate::event::{StreamId, WriteId};
use crate::step::Step;
use crate::tasks::Task;
use crate::view::{Change, ExecutorFacts, ExecutorPhase, Stage};

/// An executor and its tasks.
#[derive(Debug)]
pub(crate) struct Executor {
    pub(crate) info: Arc<ExecutorInfo>,
    pub(crate) container: ContainerId,
    /// Relative to the work directory.
    pub(crate) sandbox: String,
    /// The container's first process.
    pub(crate) process: Option<u32>,
    pub(crate) state: State,
    /// How its container ended, once it has and if that is known.
    pub(crate) status: Option<i32>,
    /// Tasks that are not terminal and acknowledged.
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    /// Tasks to be delivered, in the order they came.
    pub(crate) queue: VecDeque<Batch>,
    /// What it and its tasks were said to need when the container was last told.
    pub(crate) granted: Resources,
    /// Whether its framework checkpoints.
    pub(crate) checkpoint: bool,
    /// Whether it ever got a task.
    pub(crate) used: bool,
    /// Tasks that it may have from before a restart, and that nobody knows: it is to kill them.
    pub(crate) strangers: Vec<TaskId>,
}

/// Where an executor is in its life.
///
/// ```text
///  Preparing ──► Registering ──► Running ──► Terminating ──► Terminated ──► forgotten, once all
///  record not    container       subscribed  asked to end    container      its updates are
///  durable       starts                                      gone           acknowledged
///
///  a container can be gone, or be asked to end, in any state
/// ```
#[derive(Debug, PartialEq)]
pub(crate) enum State {
    /// Its record is being written (G1).
    Preparing {
        /// By this write.
        write: WriteId,
    },
    /// Its container is started, or outlived the agent; it has not subscribed.
    Registering,
    /// It has subscribed.
    Running {
        /// Its event stream; none while it reconnects.
        stream: Option<StreamId>,
    },
    /// It was asked to end.
    Terminating {
        /// Its event stream.
        stream: Option<StreamId>,
        /// What its tasks are told, if the end has another cause than itself.
        cause: Option<Cause>,
    },
    /// Its container is gone.
    Terminated,
}

/// Why a task ends without its executor's word, and as what.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cause {
    pub(crate) state: TaskState,
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

impl Cause {
    pub(crate) fn new(state: TaskState, reason: Reason, message: impl Into<String>) -> Self {
        Self { state, reason, message: message.into() }
    }
}

/// Tasks that are delivered together.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) tasks: Vec<TaskId>,
    /// Whether they are a group, which lives and dies together.
    pub(crate) grouped: bool,
}

impl Executor {
    /// The command executor is the agent's own affair: masters do not know of it.
    pub(crate) fn is_command(&self) -> bool {
        self.info.kind == ExecutorKind::Command
    }

    pub(crate) fn stream(&self) -> Option<StreamId> {
        match self.state {
            State::Running { stream } | State::Terminating { stream, .. } => stream,
            _ => None,
        }
    }

    fn live(&self) -> impl Iterator<Item = &Task> {
        self.tasks.values().filter(|task| task.stage != Stage::Terminated)
    }

    /// What it and its tasks that are not terminal need.
    pub(crate) fn needs(&self) -> Resources {
        self.live().fold(self.info.resources.clone(), |sum, task| sum + &task.info.resources)
    }

    /// What its container is held to. The command executor needs next to no processor time, so a
    /// command gets what it asked for and no more; the memory on top stays, since what ran with
    /// it in Mesos is not to be killed here (FW-4). A Docker container holds the task alone, in
    /// Mesos too.
    pub(crate) fn allowance(&self) -> Allowance {
        let own = match self.info.kind {
            ExecutorKind::Command if self.tasks.values().any(|task| task.info.in_docker()) => {
                Resources::default()
            }
            ExecutorKind::Command => {
                self.info.resources.filter(|one| one.name != ResourceName::Cpus)
            }
            ExecutorKind::Custom | ExecutorKind::Default => self.info.resources.clone(),
        };
        let limits = Limits {
            cpus: self.limit(own.scalar("cpus"), "cpus", |limits| limits.cpus),
            mem: self.limit(own.scalar("mem"), "mem", |limits| limits.mem),
        };
        let resources = self.live().fold(own, |sum, task| sum + &task.info.resources);
        Allowance { resources, limits }
    }

    /// What all may use together, if one of the tasks may use more than it needs (R-23).
    fn limit(
        &self,
        own: Quantity,
        name: &str,
        of: impl Fn(&Limits) -> Option<Quantity>,
    ) -> Option<Quantity> {
        self.live().find_map(|task| of(&task.info.limits))?;
        let each =
            |task: &Task| of(&task.info.limits).unwrap_or_else(|| task.info.resources.scalar(name));
        Some(self.live().fold(own, |sum, task| sum.saturating_add(each(task))))
    }

    pub(crate) fn facts(&self) -> ExecutorFacts {
        let state = match self.state {
            State::Preparing { .. } | State::Registering => ExecutorPhase::Registering,
            State::Running { .. } => ExecutorPhase::Running,
            State::Terminating { .. } => ExecutorPhase::Terminating,
            State::Terminated => ExecutorPhase::Terminated,
        };
        ExecutorFacts {
            info: self.info.clone(),
            container: self.container.clone(),
            sandbox: self.sandbox.clone(),
            state,
            process: self.process,
            resources: self.granted.clone(),
        }
    }
}

impl Agent {
    pub(crate) fn executor(
        &self,
        framework: &FrameworkId,
        executor: &ExecutorId,
    ) -> Option<&Executor> {
        self.frameworks.get(framework)?.executors.get(executor)
    }

    pub(crate) fn executor_mut(
        &mut self,
        framework: &FrameworkId,
        executor: &ExecutorId,
    ) -> Option<&mut Executor> {
        self.frameworks.get_mut(framework)?.executors.get_mut(executor)
    }

    /// Sends to an executor that has subscribed; others never hear of it (EX-3 is best effort, and
    /// what must arrive is sent again when they subscribe).
    pub(crate) fn to_executor(
        &self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        executor: &ExecutorId,
        message: ToExecutor,
    ) {
        if let Some(stream) = self.executor(framework, executor).and_then(Executor::stream) {
            step.emit(Effect::ToExecutor(stream, message));
        }
    }

    pub(crate) fn tell_executor(
        &self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        executor: &ExecutorId,
    ) {
        if let Some(executor) = self.executor(framework, executor) {
            step.change(Change::Executor(framework.clone(), Box::new(executor.facts())));
        }
    }

    /// Lets the container use what its executor and tasks need by now.
    pub(crate) fn adjust(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        executor: &ExecutorId,
    ) {
        let Some(executor) = self.executor_mut(framework, executor) else { return };
        let needs = executor.needs();
        if executor.granted != needs {
            executor.granted = needs;
            step.emit(Effect::Update(executor.container.clone(), executor.allowance()));
        }
    }
}
