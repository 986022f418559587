//! From a TaskInfo to a program: what the task asks for, or why it cannot be had.

use std::time::Duration;

use reeve_wire::v1::environment::{Variable, variable};
use reeve_wire::v1::{CommandInfo, DurationInfo, KillPolicy, TaskInfo};

use crate::process::Program;

/// Why a task cannot be started. The text goes to the framework.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A command executor needs a command.
    #[error("Task '{0}' has no command, and a command executor runs nothing else")]
    NoCommand(String),
    /// There is a command without anything to run.
    #[error("The command of {0} has no value")]
    NoValue(String),
    /// A check that cannot be made.
    #[error("Invalid check: {owner} has {what}")]
    Check {
        /// Which check of which task.
        owner: String,
        /// What is wrong with it.
        what: String,
    },
    /// The agent did not say the secret.
    #[error("Environment variable '{0}' is a secret, and the agent gave none for it")]
    Secret(String),
    /// The kernel could not pass the variable on.
    #[error(
        "Environment variable '{0}' has an empty name, or '=' or a NUL byte where there may be none"
    )]
    Variable(String),
}

/// The program of a command task (Mesos docs: CommandInfo). With `shell` the value is a script
/// for `/bin/sh`; without, it is a file and the arguments are its whole argument list.
/// `wrapped` says that something else runs it and knows what to run where the command names
/// nothing. `secrets` are the variables that the agent resolved.
pub fn program(
    task: TaskInfo,
    wrapped: bool,
    secrets: &[(String, String)],
) -> Result<Program, Refused> {
    let id = task.task_id.value;
    let owner = format!("task '{id}'");
    let mut command = task.command.ok_or(Refused::NoCommand(id))?;
    if wrapped && command.value.is_none() {
        (command.shell, command.value) = (Some(false), Some(String::new()));
    }
    program_of(command, &owner, secrets)
}

/// The program of a command; `owner` is whose command it is, in words.
pub fn program_of(
    command: CommandInfo,
    owner: &str,
    secrets: &[(String, String)],
) -> Result<Program, Refused> {
    let value = command.value.ok_or_else(|| Refused::NoValue(owner.to_owned()))?;
    let variables = command.environment.map(|environment| environment.variables);
    let variables = variables.unwrap_or_default().into_iter();
    let environment =
        variables.map(|variable| settled(variable, secrets)).collect::<Result<_, _>>()?;
    Ok(if command.shell.unwrap_or(true) {
        let arguments = vec!["sh".to_owned(), "-c".to_owned(), value];
        Program { file: "/bin/sh".to_owned(), arguments, environment }
    } else {
        Program { file: value, arguments: command.arguments, environment }
    })
}

/// Name and value of a variable, also of one whose value is a secret.
fn settled(variable: Variable, secrets: &[(String, String)]) -> Result<(String, String), Refused> {
    let Variable { name, r#type, value, secret } = variable;
    if secret.is_some() || r#type == Some(variable::Type::Secret as i32) {
        let known = secrets.iter().find(|(secret, _)| *secret == name).cloned();
        return known.ok_or(Refused::Secret(name));
    }
    let value = value.unwrap_or_default();
    if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
        return Err(Refused::Variable(name));
    }
    Ok((name, value))
}

/// The grace period of a kill policy, if it has one.
pub fn grace(policy: Option<&KillPolicy>) -> Option<Duration> {
    policy?.grace_period.as_ref().map(duration)
}

/// A duration of the wire; a negative one is none at all.
pub fn duration(info: &DurationInfo) -> Duration {
    Duration::from_nanos(u64::try_from(info.nanoseconds).unwrap_or(0))
}
