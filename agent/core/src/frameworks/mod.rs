//! Frameworks that have something on this agent: they come with their first task and go with their
//! last executor.

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve_model::{ExecutorId, FrameworkId, FrameworkInfo, Pid, TaskId, TaskState};

use crate::agent::Agent;
use crate::effect::Record;
use crate::executors::{Executor, State};
use crate::paths;
use crate::step::{Step, Waiting};
use crate::view::Change;

/// A framework.
#[derive(Debug)]
pub(crate) struct Framework {
    pub(crate) info: Arc<FrameworkInfo>,
    /// Where its v0 driver listens.
    pub(crate) pid: Option<Pid>,
    /// It is being ended: nobody waits for its statuses.
    pub(crate) ending: bool,
    /// Whether its record is durable; executors wait for that (G1).
    pub(crate) saved: bool,
    pub(crate) executors: BTreeMap<ExecutorId, Executor>,
    /// Which executor each task is with.
    pub(crate) tasks: BTreeMap<TaskId, ExecutorId>,
}

impl Framework {
    pub(crate) fn new(info: Arc<FrameworkInfo>, pid: Option<Pid>) -> Self {
        let (executors, tasks) = (BTreeMap::new(), BTreeMap::new());
        Framework { info, pid, ending: false, saved: false, executors, tasks }
    }

    /// How loss is called here: the finer word for partition-aware frameworks (T-6).
    pub(crate) fn lost(&self, finer: TaskState) -> TaskState {
        if self.info.capabilities.partition_aware() { finer } else { finer.without_partitions() }
    }
}

impl Agent {
    /// The framework, made known if it is not.
    pub(crate) fn admit_framework(
        &mut self,
        step: &mut Step<'_>,
        id: &FrameworkId,
        info: &Arc<FrameworkInfo>,
        pid: Option<Pid>,
    ) {
        match self.frameworks.get_mut(id) {
            Some(framework)
                if framework.info == *info
                    && framework.pid == pid
                    && (framework.saved || !info.checkpoint) =>
            {
                return;
            }
            Some(framework) => {
                framework.info = info.clone();
                framework.pid = pid.clone();
            }
            None => {
                self.frameworks.insert(id.clone(), Framework::new(info.clone(), pid.clone()));
            }
        }
        if info.checkpoint {
            let record = Record::Framework(info.clone(), pid);
            self.writes.write(step, record, Waiting::Framework(id.clone()));
        }
        step.change(Change::Framework(info.clone()));
    }

    /// A framework's record is durable.
    pub(crate) fn framework_saved(&mut self, id: &FrameworkId) {
        if let Some(framework) = self.frameworks.get_mut(id) {
            framework.saved = true;
        }
    }

    /// A framework's record could not be written. Without any, a restarted agent would not find its
    /// executors, so none is started.
    pub(crate) fn framework_not_saved(&mut self, step: &mut Step<'_>, id: &FrameworkId, why: &str) {
        let Some(framework) = self.frameworks.get(id) else { return };
        if framework.saved {
            return;
        }
        let preparing = |executor: &&Executor| matches!(executor.state, State::Preparing { .. });
        let waiting: Vec<_> = framework
            .executors
            .values()
            .filter(preparing)
            .map(|executor| executor.container.clone())
            .collect();
        for container in waiting {
            self.launch_not_saved(step, &container, why);
        }
    }

    /// `UpdateFrameworkMessage`.
    pub(crate) fn update_framework(
        &mut self,
        step: &mut Step<'_>,
        id: &FrameworkId,
        info: Option<Arc<FrameworkInfo>>,
        pid: Option<Pid>,
    ) {
        let Some(framework) = self.frameworks.get(id) else { return };
        let info = match info {
            // Whether it checkpoints is settled for good when it first comes.
            Some(info) => Arc::new(FrameworkInfo {
                id: Some(id.clone()),
                checkpoint: framework.info.checkpoint,
                ..(*info).clone()
            }),
            None => framework.info.clone(),
        };
        self.admit_framework(step, id, &info, pid);
    }

    /// Ends all of a framework's executors. Its statuses are nobody's news any more.
    pub(crate) fn shutdown_framework(&mut self, step: &mut Step<'_>, id: &FrameworkId) {
        self.updates.forget(id);
        let Some(framework) = self.frameworks.get_mut(id) else { return };
        framework.ending = true;
        let executors: Vec<ExecutorId> = framework.executors.keys().cloned().collect();
        for executor in executors {
            self.shutdown_executor(step, id, &executor, None);
        }
        self.framework_if_over(step, id);
    }

    /// Forgets a framework that has nothing here any more.
    pub(crate) fn framework_if_over(&mut self, step: &mut Step<'_>, id: &FrameworkId) {
        let Some(framework) = self.frameworks.get(id) else { return };
        if !framework.executors.is_empty() {
            return;
        }
        let checkpoint = framework.info.checkpoint;
        self.frameworks.remove(id);
        step.change(Change::FrameworkOver(id.clone()));
        if let Some(agent) = &self.info.id {
            let path = paths::framework(agent, id);
            if checkpoint {
                self.collector.schedule(step.now, paths::meta(&path));
            }
            self.collector.schedule(step.now, path);
        }
        self.drained_if_empty(step);
        self.left(step);
    }
}
