//! The executor that an agent adds for a task that is one command (AG-5, FW-4).

use prost::Message;
use reeve_wire::v1;

use crate::error::WireError;
use crate::executor::{ExecutorInfo, ExecutorKind};
use crate::ids::{ExecutorId, FrameworkId};
use crate::resources::{Quantity, Resource, ResourceName, Resources, Value};
use crate::task::TaskInfo;

/// Mesos: `DEFAULT_EXECUTOR_CPUS`.
const CPUS: Quantity = Quantity::from_thousandths(100);
/// Mesos: `DEFAULT_EXECUTOR_MEM`.
const MEM: Quantity = Quantity::from_units(32);
/// What it runs as.
const PROGRAM: &str = "reeve-executor";
/// How much of a command its executor's name shows, as in Mesos.
const SHOWN: usize = 15;

impl ExecutorInfo {
    /// The executor of a command task: named after it, with a little more than the task needs.
    pub fn command(framework: &FrameworkId, task: &TaskInfo) -> Self {
        let command = task.details().command.unwrap_or_default();
        let own = v1::CommandInfo {
            value: Some(PROGRAM.to_owned()),
            shell: Some(false),
            user: command.user.clone(),
            uris: command.uris.clone(),
            ..v1::CommandInfo::default()
        };
        let rest = v1::ExecutorInfo {
            executor_id: ExecutorId::new(task.id.as_str()).to_wire(),
            name: Some(format!("{}(Command: {})", called(task.id.as_str()), shown(&command))),
            source: Some(task.id.to_string()),
            command: Some(own),
            ..v1::ExecutorInfo::default()
        };
        Self {
            id: ExecutorId::new(task.id.as_str()),
            framework: Some(framework.clone()),
            kind: ExecutorKind::Command,
            resources: overhead(task),
            shutdown_grace: None,
            rest: rest.encode_to_vec().into(),
        }
    }

    /// What an agent wrote of one of its executors: the wire has no word for the kind of its own.
    ///
    /// # Errors
    /// As reading any executor.
    pub fn recorded(wire: v1::ExecutorInfo) -> Result<Self, WireError> {
        let own = wire
            .command
            .as_ref()
            .is_some_and(|command| command.value() == PROGRAM && command.shell == Some(false))
            && wire.name().starts_with(&called(&wire.executor_id.value));
        let info = Self::try_from(wire)?;
        Ok(if own { Self { kind: ExecutorKind::Command, ..info } } else { info })
    }
}

/// What the name of a task's executor begins with.
fn called(task: &str) -> String {
    format!("Command Executor (Task: {task}) ")
}

/// What the executor itself needs, for the role that the task runs for.
fn overhead(task: &TaskInfo) -> Resources {
    let role = task.resources.iter().find_map(|resource| resource.allocation.clone());
    let scalar = |name, amount| Resource::new(name, Value::Scalar(amount));
    let mut resources = Resources::new();
    resources += scalar(ResourceName::Cpus, CPUS);
    resources += scalar(ResourceName::Mem, MEM);
    if let Some(role) = role {
        resources.allocate(&role);
    }
    resources
}

fn shown(command: &v1::CommandInfo) -> String {
    if command.shell.unwrap_or(true) {
        format!("sh -c '{}'", short(command.value()))
    } else {
        let words = command.arguments.join(", ");
        format!("[{}, {}]", command.value(), short(&words))
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN - 3).chain("...".chars()).collect()
}
