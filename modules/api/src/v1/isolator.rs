//! The isolator: one link of the chain that confines a container.
//!
//! Order: `prepare` (each link returns a fragment of the launch plan) → spawn → `isolate` →
//! `update`, `usage` and `check` any number of times → `check` once more after the end →
//! `cleanup` in reverse order. `cleanup` also follows a failed `prepare`, must be idempotent, and
//! leaves nothing behind. Every call has a deadline that the host sets.

use abi_stable::std_types::{RBox, ROption, RResult, RStr, RString, RVec};
use abi_stable::{StableAbi, sabi_trait};

use super::Fault;

/// A scalar resource by name.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq, StableAbi)]
pub struct Scalar {
    /// Its name, such as `mem`.
    pub name: RString,
    /// How much in thousandths of its unit (`mem` and `disk` count MB); `i64::MAX` as a limit
    /// means that there is none.
    pub thousandths: i64,
}

/// Ports from `first` to `last`, both included.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, StableAbi)]
pub struct Ports {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// What a container is given: its requests, and limits where they differ.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, Eq, StableAbi)]
pub struct Grants {
    /// Requested scalars.
    pub requests: RVec<Scalar>,
    /// Limits where they differ from the requests (`TaskInfo.limits`).
    pub limits: RVec<Scalar>,
    /// Ports.
    pub ports: RVec<Ports>,
}

impl Grants {
    /// What is requested of a scalar, in thousandths.
    pub fn request(&self, name: &str) -> Option<i64> {
        amount(&self.requests, name)
    }

    /// The limit of a scalar in thousandths: the one that is set, else what is requested;
    /// `i64::MAX` means that there is none.
    pub fn limit(&self, name: &str) -> Option<i64> {
        amount(&self.limits, name).or_else(|| self.request(name))
    }
}

fn amount(scalars: &[Scalar], name: &str) -> Option<i64> {
    scalars.iter().find(|scalar| scalar.name == name).map(|scalar| scalar.thousandths)
}

/// What the host knows of a container when it is to be made.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, Eq, StableAbi)]
pub struct Container {
    /// The container's id, unique on the agent.
    pub id: RString,
    /// The framework that it runs for.
    pub framework: RString,
    /// The executor that runs in it.
    pub executor: RString,
    /// The task, if the container was made for one.
    pub task: ROption<RString>,
    /// The sandbox on the host.
    pub sandbox: RString,
    /// The user the container is to run as, if not the agent's own.
    pub user: ROption<RString>,
    /// What it is given.
    pub grants: Grants,
    /// The protobuf `mesos.v1.ContainerInfo`, empty if the task has none.
    pub container_info: RVec<u8>,
    /// The protobuf `mesos.v1.CommandInfo` of what runs in it.
    pub command_info: RVec<u8>,
}

/// A variable of the environment.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq, StableAbi)]
pub struct Variable {
    /// Its name.
    pub name: RString,
    /// Its value.
    pub value: RString,
}

/// One soft and hard resource limit of a process (`setrlimit`).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, StableAbi)]
pub struct Rlimit {
    /// The kernel's number, such as `RLIMIT_NOFILE`.
    pub resource: u32,
    /// The soft limit, `u64::MAX` for none.
    pub soft: u64,
    /// The hard limit, `u64::MAX` for none.
    pub hard: u64,
}

/// What a link adds to the launch of a container.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, Eq, StableAbi)]
pub struct Fragment {
    /// Environment variables to set.
    pub environment: RVec<Variable>,
    /// Limits to set before the program starts.
    pub rlimits: RVec<Rlimit>,
    /// Words to put before the command: a program that runs the command elsewhere (in an engine's
    /// container, say), and lives and ends as it does. At most one link of a chain may.
    pub wrapper: RVec<RString>,
}

impl Fragment {
    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<RString>, value: impl Into<RString>) {
        self.environment.push(Variable { name: name.into(), value: value.into() });
    }
}

/// A container that outlived the agent.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq, StableAbi)]
pub struct Survivor {
    /// The container's id.
    pub id: RString,
    /// Its first process.
    pub pid: u32,
    /// Its sandbox on the host.
    pub sandbox: RString,
}

/// A figure of a container.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, StableAbi)]
pub enum Value {
    /// A number of things, or bytes.
    Count(u64),
    /// Seconds, or anything else with a fraction.
    Number(f64),
}

/// A figure by its name in `ResourceStatistics`, such as `mem_rss_bytes`.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, StableAbi)]
pub struct Figure {
    /// The name.
    pub name: RString,
    /// The value.
    pub value: Value,
}

/// Use of resources as Mesos names it; what a link cannot tell is absent.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, StableAbi)]
pub struct Usage {
    /// The figures.
    pub figures: RVec<Figure>,
}

impl Usage {
    /// Adds a number of things, or bytes.
    pub fn count(&mut self, name: &str, value: u64) {
        self.figures.push(Figure { name: name.into(), value: Value::Count(value) });
    }

    /// Adds seconds, or anything else with a fraction.
    pub fn number(&mut self, name: &str, value: f64) {
        self.figures.push(Figure { name: name.into(), value: Value::Number(value) });
    }

    /// A figure.
    pub fn get(&self, name: &str) -> Option<Value> {
        self.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }
}

/// A limit that the container broke; it is killed for it.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq, StableAbi)]
pub struct Limitation {
    /// The resource's name, such as `disk`.
    pub resource: RString,
    /// What happened, with the numbers.
    pub message: RString,
}

/// A link as it crosses; the SDK makes one of its plain trait `Isolator`, which says what the
/// calls mean.
#[sabi_trait]
pub trait RawIsolator: Send + Sync {
    /// Adopts the containers that outlived the agent.
    fn recover(&self, survivors: RVec<Survivor>) -> RResult<(), Fault>;

    /// Makes ready for the container.
    fn prepare(&self, container: &Container) -> RResult<Fragment, Fault>;

    /// Confines the container's first process before its program starts.
    fn isolate(&self, id: RStr<'_>, pid: u32) -> RResult<(), Fault>;

    /// Changes what the container may use.
    fn update(&self, id: RStr<'_>, grants: &Grants) -> RResult<(), Fault>;

    /// What the container uses now.
    fn usage(&self, id: RStr<'_>) -> RResult<Usage, Fault>;

    /// A limit that the container has broken since the last call.
    fn check(&self, id: RStr<'_>) -> RResult<ROption<Limitation>, Fault>;

    /// Undoes everything.
    #[sabi(last_prefix_field)]
    fn cleanup(&self, id: RStr<'_>) -> RResult<(), Fault>;
}

/// A link as it crosses.
pub type RawIsolatorBox = RawIsolator_TO<'static, RBox<()>>;
