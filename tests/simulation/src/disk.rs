//! An agent's work directory, as far as records go: what was committed, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve_agent_core::effect::Record;
use reeve_agent_core::recovery::{
    Fate, Logged, Recovered, RecoveredExecutor, RecoveredFramework, RecoveredTask,
};
use reeve_model::{
    AgentInfo, ContainerId, DrainConfig, ExecutorId, ExecutorInfo, FrameworkId, FrameworkInfo, Pid,
    Resources, TaskId, TaskInfo, Uuid,
};

/// Committed records.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// `slave.info`.
    pub agent: Option<Arc<AgentInfo>>,
    resources: Resources,
    drain: Option<DrainConfig>,
    frameworks: BTreeMap<FrameworkId, Framework>,
}

#[derive(Clone, Debug)]
struct Framework {
    info: Arc<FrameworkInfo>,
    pid: Option<Pid>,
    executors: BTreeMap<ExecutorId, Run>,
}

#[derive(Clone, Debug)]
struct Run {
    info: Arc<ExecutorInfo>,
    container: ContainerId,
    over: bool,
    tasks: BTreeMap<TaskId, Task>,
}

#[derive(Clone, Debug, Default)]
struct Task {
    /// None if its record could not be written.
    info: Option<Arc<TaskInfo>>,
    log: Vec<Logged>,
}

impl Disk {
    /// A record is durable.
    pub fn apply(&mut self, record: Record) {
        match record {
            Record::Agent(info) => self.agent = Some(info),
            Record::Framework(info, pid) => {
                let Some(id) = info.id.clone() else { return };
                let executors = self.frameworks.remove(&id).map(|old| old.executors);
                let executors = executors.unwrap_or_default();
                self.frameworks.insert(id, Framework { info, pid, executors });
            }
            Record::Executor(framework, info, container) => {
                if let Some(framework) = self.frameworks.get_mut(&framework) {
                    let id = info.id.clone();
                    let run = Run { info, container, over: false, tasks: BTreeMap::new() };
                    framework.executors.insert(id, run);
                }
            }
            Record::HttpMarker(..) | Record::DriverPid(..) => {}
            Record::Task(framework, executor, container, info) => {
                if let Some(run) = self.run(&framework, &executor, &container) {
                    let id = info.id.clone();
                    run.tasks.entry(id).or_default().info = Some(info);
                }
            }
            Record::Update(framework, executor, container, update) => {
                if let Some(run) = self.run(&framework, &executor, &container) {
                    let task = run.tasks.entry(update.status.task.clone()).or_default();
                    task.log.push(Logged::Update(update));
                }
            }
            Record::Acknowledged(framework, executor, container, task, uuid) => {
                let run = self.run(&framework, &executor, &container);
                if let Some(task) = run.and_then(|run| run.tasks.get_mut(&task)) {
                    task.log.push(Logged::Acknowledged(uuid));
                }
            }
            Record::Sentinel(framework, executor, container) => {
                if let Some(run) = self.run(&framework, &executor, &container) {
                    run.over = true;
                }
            }
            Record::Resources(resources) => self.resources = resources,
            Record::Drain(drain) => self.drain = drain,
            Record::Forget(_) => *self = Disk::default(),
        }
    }

    fn run(
        &mut self,
        framework: &FrameworkId,
        executor: &ExecutorId,
        container: &ContainerId,
    ) -> Option<&mut Run> {
        let run = self.frameworks.get_mut(framework)?.executors.get_mut(executor)?;
        (run.container == *container).then_some(run)
    }

    /// A directory is deleted.
    pub fn remove(&mut self, path: &str) {
        let Some(path) = path.strip_prefix("meta/") else { return };
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["slaves", _, "frameworks", framework] => {
                self.frameworks.remove(framework);
            }
            ["slaves", _, "frameworks", framework, "executors", executor] => {
                if let Some(framework) = self.frameworks.get_mut(framework) {
                    framework.executors.remove(executor);
                }
            }
            ["slaves", _, "frameworks", framework, "executors", executor, "runs", run] => {
                if let Some(framework) = self.frameworks.get_mut(framework)
                    && framework
                        .executors
                        .get(executor)
                        .is_some_and(|it| *it.container.value == *run)
                {
                    framework.executors.remove(executor);
                }
            }
            _ => {}
        }
    }

    /// Whether the executor in this container has a record (G1).
    pub fn knows(&self, container: &ContainerId) -> bool {
        let mut runs = self.frameworks.values().flat_map(|framework| framework.executors.values());
        runs.any(|run| run.container == *container)
    }

    /// Whether this update has a record (S4).
    pub fn has_update(&self, framework: &FrameworkId, task: &TaskId, uuid: Uuid) -> bool {
        let Some(framework) = self.frameworks.get(framework) else { return false };
        let mut tasks = framework.executors.values().filter_map(|run| run.tasks.get(task));
        tasks.any(|task| {
            task.log
                .iter()
                .any(|one| matches!(one, Logged::Update(update) if update.uuid == Some(uuid)))
        })
    }

    /// What a starting agent reads.
    pub fn read(&self, fate: impl Fn(&ContainerId) -> Fate, rebooted: bool) -> Recovered {
        let task =
            |task: &Task| Some(RecoveredTask { info: task.info.clone()?, log: task.log.clone() });
        let run = |run: &Run| RecoveredExecutor {
            driver: None,
            info: run.info.clone(),
            container: run.container.clone(),
            over: run.over,
            fate: fate(&run.container),
            tasks: run.tasks.values().filter_map(task).collect(),
            strangers: Vec::new(),
        };
        let framework = |framework: &Framework| RecoveredFramework {
            info: framework.info.clone(),
            pid: framework.pid.clone(),
            executors: framework.executors.values().map(run).collect(),
        };
        Recovered {
            agent: self.agent.clone(),
            resources: self.resources.clone(),
            drain: self.drain,
            rebooted,
            frameworks: self.frameworks.values().map(framework).collect(),
            leftovers: Vec::new(),
            errors: 0,
        }
    }
}
