//! The launch plan as it goes to `reeve-executor` (its `plan` module describes the text).

use std::path::Path;

use super::launch::Additions;
use super::outputs::Takers;
use super::spec::{Command, Program, Spec};
use crate::users::User;

/// The plan's bytes, length first; the go byte follows later.
pub(crate) fn encode(
    spec: &Spec,
    user: Option<&User>,
    additions: &Additions,
    takers: &Takers,
    status: &Path,
) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let mut entry = |name: &str, value: &str| {
        if value.contains('\0') {
            return Err(format!("the command has a NUL byte in its {name}"));
        }
        text.extend([name.as_bytes(), b"=", value.as_bytes(), b"\0"].concat());
        Ok(())
    };
    entry("sandbox", &spec.sandbox.to_string_lossy())?;
    entry("status", &status.to_string_lossy())?;
    if let Some(user) = user {
        let groups: Vec<String> = user.groups.iter().map(u32::to_string).collect();
        entry("user", &format!("{}:{}:{}", user.uid, user.gid, groups.join(",")))?;
    }
    for limit in &additions.rlimits {
        entry("rlimit", &format!("{}:{}:{}", limit.resource, limit.soft, limit.hard))?;
    }
    let [wrapper, exec_wrapper] = additions.wrappers();
    wrapper.iter().try_for_each(|word| entry("wrap", word))?;
    exec_wrapper.iter().try_for_each(|word| entry("exec-wrap", word))?;
    takers.stdout.iter().try_for_each(|word| entry("stdout", word))?;
    takers.stderr.iter().try_for_each(|word| entry("stderr", word))?;
    for (name, secret) in &spec.secrets {
        entry("secret", &format!("{name}={secret}"))?;
    }
    match &spec.command {
        Command::CommandExecutor => entry("kind", "command-executor")?,
        Command::Exec(program) => {
            entry("kind", "exec")?;
            let (file, arguments) = run(program);
            entry("program", file)?;
            arguments.into_iter().try_for_each(|argument| entry("arg", argument))?;
            for (name, value) in &program.environment {
                entry("env", &format!("{name}={value}"))?;
            }
        }
    }
    let length = u32::try_from(text.len()).map_err(|_| "the command is too long".to_owned())?;
    Ok([&length.to_le_bytes(), text.as_slice()].concat())
}

/// The file to run and its whole argument list.
fn run(program: &Program) -> (&str, Vec<&str>) {
    if program.shell {
        ("/bin/sh", vec!["sh", "-c", &program.value])
    } else {
        (&program.value, program.arguments.iter().map(String::as_str).collect())
    }
}
