//! The isolator: one link of the chain that confines a container.
//!
//! Order: `prepare` (each link returns a fragment of the launch plan) → spawn → `isolate` →
//! `update`, `usage` and `check` any number of times → `check` once more after the end →
//! `cleanup` in reverse order. `cleanup` also follows a failed `prepare`, must be idempotent, and
//! leaves nothing behind; it may come while `prepare` is still at work, which nobody waits for
//! then. Every call has a deadline that the host sets.
//!
//! # Wrappers
//!
//! A link may have a container's command run elsewhere, in an engine's container say: its fragment
//! names a *wrapper*, a program that lives and ends as the command does. Its words are followed by
//! `--` and those of the command. It runs as the agent's own user, without the container's rlimits
//! and without the variables of the CommandInfo: what it needs of these, `prepare` has seen.
//!
//! SIGTERM asks the command to end, SIGQUIT ends it at once; either way the wrapper ends when the
//! command has. If the variable `REEVE_REPORT` is set, it is the number of a descriptor to which
//! the wrapper writes, a line each:
//!
//! | line | meaning |
//! | --- | --- |
//! | `running [ADDRESS]` | the command runs, and is reached at the IP address if it has its own |
//! | `limit RESOURCE MESSAGE` | the command ended because it broke a limit |
//! | `failed MESSAGE` | the command could not be started |
//!
//! A task counts as running from `running` on.

use abi_stable::std_types::{RBox, ROption, RResult, RStr, RString, RVec};
use abi_stable::{StableAbi, sabi_trait};

use super::Fault;

pub use crate::v1::isolator::{
    Container, Figure, Grants, Limitation, Ports, Rlimit, Scalar, Survivor, Value, Variable,
};

/// What a link adds to the launch of a container.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, Eq, StableAbi)]
pub struct Fragment {
    /// Environment variables to set.
    pub environment: RVec<Variable>,
    /// Limits to set before the program starts.
    pub rlimits: RVec<Rlimit>,
    /// The words of a [wrapper](self#wrappers). At most one link of a chain may have one.
    pub wrapper: RVec<RString>,
    /// With a wrapper: the words that run another command beside the first, such as a health
    /// check's. They are followed by `-e NAME=VALUE` for each variable of that command, `--`, and
    /// its words. Empty if nothing else can run there.
    pub exec_wrapper: RVec<RString>,
}

impl Fragment {
    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<RString>, value: impl Into<RString>) {
        self.environment.push(Variable { name: name.into(), value: value.into() });
    }
}

/// Use of resources as Mesos names it; what a link cannot tell is absent.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, StableAbi)]
pub struct Usage {
    /// The figures.
    pub figures: RVec<Figure>,
    /// Whether the container's processes run where only this link sees them. What other links
    /// tell of processes, CPU, memory and network is then about what stands in for it, and does
    /// not count.
    pub elsewhere: bool,
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

/// A link as it crosses; the SDK makes one of its plain trait `Isolator`, which says what the
/// calls mean.
#[sabi_trait]
pub trait RawIsolator: Send + Sync {
    /// Adopts the containers that outlived the agent.
    fn recover(&self, survivors: RVec<Survivor>) -> RResult<(), Fault>;

    /// How long `prepare` may take for this container, in milliseconds; 0 means no longer than
    /// any other call.
    fn patience(&self, container: &Container) -> RResult<u64, Fault>;

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
