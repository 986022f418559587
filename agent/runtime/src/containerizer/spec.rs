//! What a container is to be, and what became of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use reeve_module_sdk::isolator::{Grants, Limitation};

use super::Logger;
use crate::fetch::Uri;
use crate::unit::Unit;

/// Where things are and how long they may take.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `reeve-executor` program.
    pub executor: PathBuf,
    /// Where the facts about living containers go (`--runtime_dir`); lost at a reboot, as they are.
    pub runtime_dir: PathBuf,
    /// Whether containers run as their user (`--switch_user`) or all as the agent's.
    pub switch_user: bool,
    /// The unit that containers live in (`--containers_cgroup`); that of the agent if there is none.
    pub unit: Option<Unit>,
    /// Who says where output goes; the files `stdout` and `stderr` of the sandbox if nobody does.
    pub logger: Option<Logger>,
    /// How long each step of a launch may take, save for fetching and where an isolator asks for
    /// more.
    pub step_deadline: Duration,
    /// How long fetching may take in all.
    pub fetch_deadline: Duration,
    /// How long a fetch may go without a byte (`--fetcher_stall_timeout`).
    pub fetch_stall: Duration,
}

impl Settings {
    /// Settings with Mesos's defaults.
    pub fn new(executor: impl Into<PathBuf>, runtime_dir: impl Into<PathBuf>) -> Self {
        Self {
            executor: executor.into(),
            runtime_dir: runtime_dir.into(),
            switch_user: true,
            unit: None,
            logger: None,
            step_deadline: Duration::from_secs(30),
            fetch_deadline: Duration::from_secs(3_600),
            fetch_stall: Duration::from_secs(60),
        }
    }
}

/// A program as a CommandInfo describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Whether `value` is a script for `/bin/sh`.
    pub shell: bool,
    /// The script, or the file to run.
    pub value: String,
    /// Without `shell`: the arguments, the zeroth included.
    pub arguments: Vec<String>,
    /// Variables on top of those of the container. They are the task's own words, so nothing but
    /// the program gets them.
    pub environment: BTreeMap<String, String>,
}

/// What runs in the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The executor of one command task; the task itself comes over the executor API.
    CommandExecutor,
    /// A program, such as a framework's own executor.
    Exec(Program),
}

/// A container to be launched.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The container's id, unique on the agent; it names a directory.
    pub id: String,
    /// The sandbox, which is made.
    pub sandbox: PathBuf,
    /// The user that the container's program runs as and that owns the sandbox.
    pub user: Option<String>,
    /// What runs.
    pub command: Command,
    /// The container's environment: that of an executor
    /// ([`ExecutorEnvironment`](crate::environment::ExecutorEnvironment)).
    pub environment: BTreeMap<String, String>,
    /// Variables that only its program gets. They are written to no file.
    pub secrets: BTreeMap<String, String>,
    /// The framework that it runs for.
    pub framework: String,
    /// The executor that runs in it.
    pub executor: String,
    /// The task, if it is made for one.
    pub task: Option<String>,
    /// What it is given.
    pub grants: Grants,
    /// What to fetch into the sandbox.
    pub uris: Vec<Uri>,
    /// Whether to fetch before the isolators make ready, because one of them needs what is
    /// fetched. Otherwise after, because they may change the sandbox.
    pub fetch_first: bool,
    /// The protobuf `mesos.v1.ContainerInfo`, empty if there is none.
    pub container_info: Vec<u8>,
    /// The protobuf `mesos.v1.CommandInfo` of what runs in it.
    pub command_info: Vec<u8>,
    /// A file to write the first process's number to before the container begins
    /// (`pids/forked.pid` of the checkpoint).
    pub pid_file: Option<PathBuf>,
}

/// A container that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launched {
    /// Its first process.
    pub pid: u32,
    /// When that started, in clock ticks since the host did.
    pub start_time: u64,
}

/// How a container ended. By then nothing of it is left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exit {
    /// The wait status of what ran in it; none if it could not be learnt.
    pub status: Option<i32>,
    /// Whether it was destroyed on request.
    pub destroyed: bool,
    /// The limit for which it was killed.
    pub limitation: Option<Limitation>,
}

/// A step of a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The specification is looked at.
    Check,
    /// The sandbox is made.
    Sandbox,
    /// The isolators make ready.
    Prepare,
    /// URIs are fetched.
    Fetch,
    /// The first process is started.
    Spawn,
    /// The isolators confine it.
    Isolate,
    /// It is told to begin.
    Go,
}

impl Step {
    /// What is being tried, for messages.
    pub fn words(self) -> &'static str {
        match self {
            Self::Check => "check the specification of",
            Self::Sandbox => "create the sandbox of",
            Self::Prepare => "prepare isolation of",
            Self::Fetch => "fetch the URIs of",
            Self::Spawn => "start the first process of",
            Self::Isolate => "isolate",
            Self::Go => "begin",
        }
    }
}

/// A container could not be launched; nothing of it is left but its sandbox.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LaunchError {
    /// Where it failed.
    pub step: Step,
    /// Whether it was destroyed while being launched.
    pub destroyed: bool,
    /// Why, for the framework.
    pub message: String,
}

/// A container that a checkpoint tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub id: String,
    /// Its sandbox.
    pub sandbox: PathBuf,
    /// The file that its first process's number was written to.
    pub pid_file: PathBuf,
}

/// What a restarted agent finds of its containers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recovered {
    /// Containers that live; they can be waited for, destroyed and so on.
    pub living: Vec<(String, Launched)>,
    /// Containers that ended meanwhile.
    pub exited: Vec<(String, Exit)>,
    /// Containers that nobody knew; they were killed.
    pub orphans: Vec<String>,
}
