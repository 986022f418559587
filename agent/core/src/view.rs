//! The read model: what `/state`, `/containers` and `/monitor/statistics` show, kept beside the
//! core by applying its [`Change`]s. A snapshot is one cheap clone; readers never touch the core.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use reeve_machine::Wall;
use reeve_model::{
    AgentId, ContainerId, DrainConfig, ExecutorId, ExecutorInfo, FrameworkId, FrameworkInfo, Pid,
    Resources, StatusUpdate, TaskId, TaskInfo, TaskState,
};

/// How many frameworks that are over are remembered (Mesos: `MAX_COMPLETED_FRAMEWORKS`).
const MAX_COMPLETED_FRAMEWORKS: usize = 50;
/// How many tasks that are over are remembered per executor (Mesos:
/// `MAX_COMPLETED_TASKS_PER_EXECUTOR`).
const MAX_COMPLETED_TASKS: usize = 200;

/// One fact for readers.
#[derive(Clone, Debug)]
pub enum Change {
    /// Where the agent stands with its master.
    Standing(Standing),
    /// Recovery is over: the agent turns to its master.
    Recovered(Recovery),
    /// Reservations and volumes.
    Checkpointed(Resources),
    /// What may be offered as revocable.
    Oversubscribed(Resources),
    /// An executor was told to go so that others get what they were granted.
    Preempted,
    /// How the agent is being emptied, and since when; or that it is not.
    Draining(Option<(DrainConfig, Wall)>),
    /// A framework is new here or described anew.
    Framework(Arc<FrameworkInfo>),
    /// A framework has nothing here any more.
    FrameworkOver(FrameworkId),
    /// An executor is new, or its state changed.
    Executor(FrameworkId, Box<ExecutorFacts>),
    /// An executor is over and all of its updates are acknowledged.
    ExecutorOver(FrameworkId, ExecutorId),
    /// A task is new, or its state changed.
    Task(FrameworkId, ExecutorId, TaskRow),
}

/// Where the agent stands (FL-2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Its id, once it has one.
    pub id: Option<AgentId>,
    /// The leading master, if one is known.
    pub master: Option<Pid>,
    /// The phase.
    pub phase: Phase,
}

/// What recovery was like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// How long after the start it was over.
    pub took: Duration,
    /// How many things were found damaged.
    pub errors: u64,
}

/// FL-2, in the words of the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Reading its checkpoints, waiting for executors that survived.
    #[default]
    Recovering,
    /// Without a master, or not yet admitted by it.
    Disconnected,
    /// Registered.
    Running,
    /// Ending everything, then itself.
    Terminating,
}

/// What readers see of an executor beside its tasks.
#[derive(Clone, Debug)]
pub struct ExecutorFacts {
    /// Its description; name, source and command are in its details.
    pub info: Arc<ExecutorInfo>,
    /// Its container.
    pub container: ContainerId,
    /// Its sandbox, relative to the work directory.
    pub sandbox: String,
    /// Where it is in its life.
    pub state: ExecutorPhase,
    /// The container's first process.
    pub process: Option<u32>,
    /// What its container may use: its own resources and those of its tasks.
    pub resources: Resources,
}

/// FL-4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutorPhase {
    /// Started or about to be, not subscribed yet.
    Registering,
    /// Subscribed.
    Running,
    /// Asked to end.
    Terminating,
    /// Ended; kept until its updates are acknowledged.
    Terminated,
}

/// A task as readers see it.
#[derive(Clone, Debug)]
pub struct TaskRow {
    /// Its description.
    pub info: Arc<TaskInfo>,
    /// Where it is with its executor.
    pub stage: Stage,
    /// Its statuses, oldest first.
    pub statuses: Vec<Arc<StatusUpdate>>,
}

/// In which of Mesos's lists a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// `queued_tasks`: its executor has not got it yet.
    Queued,
    /// `tasks`: with its executor.
    Launched,
    /// `completed_tasks`: it ended; the framework may not know yet.
    Terminated,
    /// `completed_tasks`: it ended and the framework knows.
    Completed,
}

impl TaskRow {
    /// Its latest state.
    pub fn state(&self) -> TaskState {
        self.statuses.last().map_or(TaskState::Staging, |update| update.status.state)
    }
}

/// An executor and its tasks.
#[derive(Clone, Debug)]
pub struct ExecutorRow {
    /// The executor.
    pub facts: ExecutorFacts,
    /// Tasks that are queued, launched, or terminated and not acknowledged.
    pub tasks: OrdMap<TaskId, TaskRow>,
    /// Tasks that are over, the latest last.
    pub completed: VecDeque<TaskRow>,
}

/// A framework and what it has here.
#[derive(Clone, Debug)]
pub struct FrameworkRow {
    /// Its description.
    pub info: Arc<FrameworkInfo>,
    /// Its executors.
    pub executors: OrdMap<ExecutorId, Arc<ExecutorRow>>,
    /// Executors that are over, the latest last.
    pub completed_executors: VecDeque<Arc<ExecutorRow>>,
}

/// The read model. Cloning it is the snapshot.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Where the agent stands.
    pub standing: Standing,
    /// What recovery was like, once it is over.
    pub recovery: Option<Recovery>,
    /// Reservations and volumes.
    pub checkpointed: Resources,
    /// What may be offered as revocable, whoever holds it.
    pub oversubscribed: Resources,
    /// How many executors had to go for others since the start.
    pub preempted: u64,
    /// How the agent is being emptied, and since when.
    pub draining: Option<(DrainConfig, Wall)>,
    /// Frameworks that have something here.
    pub frameworks: OrdMap<FrameworkId, Arc<FrameworkRow>>,
    /// Frameworks that are over, the latest last.
    pub completed_frameworks: Arc<VecDeque<Arc<FrameworkRow>>>,
    /// Which executor a container belongs to.
    pub containers: OrdMap<ContainerId, (FrameworkId, ExecutorId)>,
    /// How many tasks ended in each state since the start.
    pub ended: OrdMap<TaskState, u64>,
    /// How many completed executors are kept per framework.
    max_completed_executors: usize,
}

impl View {
    /// A view that remembers so many completed executors per framework (Mesos:
    /// `--max_completed_executors_per_framework`).
    pub fn new(max_completed_executors: usize) -> Self {
        View { max_completed_executors, ..View::default() }
    }

    /// Takes one fact in.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Standing(standing) => self.standing = standing,
            Change::Recovered(recovery) => self.recovery = Some(recovery),
            Change::Checkpointed(resources) => self.checkpointed = resources,
            Change::Oversubscribed(resources) => self.oversubscribed = resources,
            Change::Preempted => self.preempted += 1,
            Change::Draining(draining) => self.draining = draining,
            Change::Framework(info) => self.framework(info),
            Change::FrameworkOver(framework) => self.framework_over(&framework),
            Change::Executor(framework, facts) => self.executor(&framework, *facts),
            Change::ExecutorOver(framework, executor) => self.executor_over(&framework, &executor),
            Change::Task(framework, executor, row) => self.task(&framework, &executor, row),
        }
    }

    /// The executor in a container.
    pub fn executor_of(&self, container: &ContainerId) -> Option<(&FrameworkRow, &ExecutorRow)> {
        let (framework, executor) = self.containers.get(container)?;
        let framework = self.frameworks.get(framework)?;
        Some((framework.as_ref(), framework.executors.get(executor)?.as_ref()))
    }

    fn framework(&mut self, info: Arc<FrameworkInfo>) {
        let Some(id) = info.id.clone() else { return };
        match self.frameworks.get_mut(&id) {
            Some(row) => Arc::make_mut(row).info = info,
            None => {
                let row = FrameworkRow {
                    info,
                    executors: OrdMap::new(),
                    completed_executors: VecDeque::new(),
                };
                self.frameworks.insert(id, Arc::new(row));
            }
        }
    }

    fn framework_over(&mut self, framework: &FrameworkId) {
        if let Some(row) = self.frameworks.remove(framework) {
            push(Arc::make_mut(&mut self.completed_frameworks), row, MAX_COMPLETED_FRAMEWORKS);
        }
    }

    fn executor(&mut self, framework: &FrameworkId, facts: ExecutorFacts) {
        let Some(row) = self.frameworks.get_mut(framework) else { return };
        let executor = facts.info.id.clone();
        self.containers.insert(facts.container.clone(), (framework.clone(), executor.clone()));
        let row = Arc::make_mut(row);
        match row.executors.get_mut(&executor) {
            Some(existing) => Arc::make_mut(existing).facts = facts,
            None => {
                let new = ExecutorRow { facts, tasks: OrdMap::new(), completed: VecDeque::new() };
                row.executors.insert(executor, Arc::new(new));
            }
        }
    }

    fn executor_over(&mut self, framework: &FrameworkId, executor: &ExecutorId) {
        let Some(row) = self.frameworks.get_mut(framework) else { return };
        let row = Arc::make_mut(row);
        let Some(gone) = row.executors.remove(executor) else { return };
        self.containers.remove(&gone.facts.container);
        push(&mut row.completed_executors, gone, self.max_completed_executors);
    }

    fn task(&mut self, framework: &FrameworkId, executor: &ExecutorId, task: TaskRow) {
        let Some(row) = self.frameworks.get_mut(framework) else { return };
        let Some(row) = Arc::make_mut(row).executors.get_mut(executor) else { return };
        let row = Arc::make_mut(row);
        if task.stage == Stage::Completed {
            *self.ended.entry(task.state()).or_default() += 1;
            row.tasks.remove(&task.info.id);
            push(&mut row.completed, task, MAX_COMPLETED_TASKS);
        } else {
            row.tasks.insert(task.info.id.clone(), task);
        }
    }
}

/// Appends, and forgets the oldest beyond `most`.
fn push<T>(ring: &mut VecDeque<T>, item: T, most: usize) {
    ring.push_back(item);
    while ring.len() > most {
        ring.pop_front();
    }
}
