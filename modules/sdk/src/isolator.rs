//! The isolator: one link of the chain that confines a container.
//!
//! Order: `prepare` (each link returns a fragment of the launch plan) → spawn → `isolate` →
//! `update` and `usage` any number of times → `cleanup` in reverse order. `cleanup` also follows a
//! failed `prepare`, must be idempotent, and leaves nothing behind. Every call has a deadline that
//! the host sets; a call must not wait for anything but the kernel.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// What the host knows of a container when it is to be made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    /// The container's id, unique on the agent.
    pub id: String,
    /// The sandbox on the host.
    pub sandbox: PathBuf,
    /// The user the container is to run as.
    pub user: Option<String>,
    /// Requested scalars by name, in thousandths (`mem` and `disk` are thousandths of MB).
    pub requests: BTreeMap<String, i64>,
    /// Limits by name where they differ from the requests; `i64::MAX` means no limit.
    pub limits: BTreeMap<String, i64>,
    /// The protobuf `mesos.v1.ContainerInfo`, empty if the task has none.
    pub container_info: Vec<u8>,
}

/// One soft and hard resource limit of a process (`setrlimit`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rlimit {
    /// The kernel's number, such as `RLIMIT_NOFILE`.
    pub resource: u32,
    /// The soft limit, `u64::MAX` for none.
    pub soft: u64,
    /// The hard limit, `u64::MAX` for none.
    pub hard: u64,
}

/// What a link adds to the launch of the container's first process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    /// Environment variables to set.
    pub environment: BTreeMap<String, String>,
    /// Limits to set before the program starts.
    pub rlimits: Vec<Rlimit>,
}

/// A container that outlived the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// The container's id.
    pub id: String,
    /// Its first process.
    pub pid: u32,
    /// Its sandbox on the host.
    pub sandbox: PathBuf,
}

/// Use of resources as Mesos names it in `ResourceStatistics`; `None` where a link cannot tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Processes in the container.
    pub processes: Option<u32>,
    /// Threads in the container.
    pub threads: Option<u32>,
    /// Seconds of CPU spent in user mode.
    pub cpus_user_time_secs: Option<f64>,
    /// Seconds of CPU spent in the kernel.
    pub cpus_system_time_secs: Option<f64>,
    /// Resident memory in bytes.
    pub mem_rss_bytes: Option<u64>,
    /// Bytes of disk in use by the sandbox.
    pub disk_used_bytes: Option<u64>,
}

/// A limit that the container broke; it is killed for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Limitation {
    /// The resource's name, such as `disk`.
    pub resource: String,
    /// What happened, with the numbers.
    pub message: String,
}

/// A call of a link failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub String);

/// One link of the chain.
pub trait Isolator: Send + Sync {
    /// The name that `isolation` lists.
    fn name(&self) -> &str;

    /// Adopts the containers that outlived the agent. Called once, before any other call.
    fn recover(&self, survivors: &[Survivor]) -> Result<(), Failed>;

    /// Makes ready for the container.
    fn prepare(&self, container: &Container) -> Result<Fragment, Failed>;

    /// Confines the container's first process before its program starts.
    fn isolate(&self, id: &str, pid: u32) -> Result<(), Failed>;

    /// Changes what the container may use.
    fn update(
        &self,
        id: &str,
        requests: &BTreeMap<String, i64>,
        limits: &BTreeMap<String, i64>,
    ) -> Result<(), Failed>;

    /// What the container uses now.
    fn usage(&self, id: &str) -> Result<Usage, Failed>;

    /// A limit that the container has broken since the last call; asked every few seconds.
    fn check(&self, id: &str) -> Result<Option<Limitation>, Failed>;

    /// Undoes everything; also called after a failed `prepare`, and more than once.
    fn cleanup(&self, id: &str) -> Result<(), Failed>;
}
