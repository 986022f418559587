//! Where things lie below the work directory (RC-1): the tree that Mesos agents use, so that
//! operators and recovery tools find their way.
//!
//! ```text
//! slaves/<agent>/frameworks/<framework>/executors/<executor>/runs/<container>/        sandbox
//! meta/lock                                          held by the agent that is at work here
//! meta/boot_id
//! meta/damaged/                                      what could not be read, for people to look at
//! meta/resources/resources.info
//! meta/slaves/latest -> <agent>
//! meta/slaves/<agent>/slave.info  drain.config
//!   frameworks/<framework>/framework.info  framework.pid
//!     executors/<executor>/executor.info  executor_generated_for_command_task
//!       runs/latest -> <container>
//!       runs/<container>/executor.sentinel  http.marker
//!         pids/forked.pid  libprocess.pid
//!         tasks/<task>/task.info  task.updates
//! ```

use std::path::{Path, PathBuf};

use reeve_model::{AgentId, ContainerId, ExecutorId, FrameworkId, TaskId};

/// What stands in `framework.pid` for a framework that speaks HTTP. An agent of Mesos takes an
/// empty file for one that it died over.
pub const NO_PID: &str = "@0.0.0.0:0";

/// The tree below one work directory.
#[derive(Clone, Debug)]
pub struct Layout {
    work_dir: PathBuf,
}

/// One run of an executor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The agent.
    pub agent: AgentId,
    /// The framework.
    pub framework: FrameworkId,
    /// The executor.
    pub executor: ExecutorId,
    /// The container of this run.
    pub container: ContainerId,
}

impl Layout {
    /// The tree below `work_dir`.
    pub fn new(work_dir: impl Into<PathBuf>) -> Self {
        Self { work_dir: work_dir.into() }
    }

    /// The work directory.
    pub fn work_dir(&self) -> &Path {
        &self.work_dir
    }

    /// The root of the checkpoints.
    pub fn meta(&self) -> PathBuf {
        self.work_dir.join("meta")
    }

    /// What the agent at work here holds a lock on. Mesos looks at nothing of this name.
    pub fn lock(&self) -> PathBuf {
        self.meta().join("lock")
    }

    /// The id of the boot in which the checkpoints were written.
    pub fn boot_id(&self) -> PathBuf {
        self.meta().join("boot_id")
    }

    /// Reservations and volumes.
    pub fn resources(&self) -> PathBuf {
        self.meta().join("resources").join("resources.info")
    }

    /// The same and operations under way, as Mesos writes them since 1.7: it reads no other file
    /// if it finds this one.
    pub fn resource_state(&self) -> PathBuf {
        self.meta().join("resources").join("resources_and_operations.state")
    }

    /// Where damaged files are put.
    pub fn damaged(&self) -> PathBuf {
        self.meta().join("damaged")
    }

    /// The link to the agent that wrote last.
    pub fn latest_agent(&self) -> PathBuf {
        self.meta().join("slaves").join("latest")
    }

    /// All of one agent's checkpoints.
    pub fn agent(&self, agent: &AgentId) -> PathBuf {
        self.meta().join("slaves").join(agent.as_str())
    }

    /// The agent's description.
    pub fn agent_info(&self, agent: &AgentId) -> PathBuf {
        self.agent(agent).join("slave.info")
    }

    /// How the agent is being emptied.
    pub fn drain_config(&self, agent: &AgentId) -> PathBuf {
        self.agent(agent).join("drain.config")
    }

    /// All of one framework's checkpoints.
    pub fn framework(&self, agent: &AgentId, framework: &FrameworkId) -> PathBuf {
        self.agent(agent).join("frameworks").join(framework.as_str())
    }

    /// All of one executor's checkpoints.
    pub fn executor(
        &self,
        agent: &AgentId,
        framework: &FrameworkId,
        executor: &ExecutorId,
    ) -> PathBuf {
        self.framework(agent, framework).join("executors").join(executor.as_str())
    }

    /// All of one run's checkpoints.
    pub fn run(&self, run: &Run) -> PathBuf {
        self.executor(&run.agent, &run.framework, &run.executor)
            .join("runs")
            .join(&*run.container.value)
    }

    /// The number of a run's first process.
    pub fn pid_file(&self, run: &Run) -> PathBuf {
        self.run(run).join("pids").join("forked.pid")
    }

    /// Where the executor's driver of one run listens.
    pub fn driver_pid(&self, run: &Run) -> PathBuf {
        self.run(run).join("pids").join("libprocess.pid")
    }

    /// All of one task's checkpoints.
    pub fn task(&self, run: &Run, task: &TaskId) -> PathBuf {
        self.run(run).join("tasks").join(task.as_str())
    }

    /// The sandbox of one run, relative to the work directory.
    pub fn sandbox(run: &Run) -> PathBuf {
        Path::new("slaves")
            .join(run.agent.as_str())
            .join("frameworks")
            .join(run.framework.as_str())
            .join("executors")
            .join(run.executor.as_str())
            .join("runs")
            .join(&*run.container.value)
    }
}
