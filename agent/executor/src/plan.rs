//! The launch plan: what the agent tells the container's first process over its standard input.
//!
//! The text is a 4-byte little-endian length and then `name=value` entries, each ended by a NUL
//! byte; a name may come several times. After the plan comes one byte, `g`, once every isolator
//! has confined this process: nothing of the container's runs before it. If the input ends
//! first, the agent is gone and so is the container.
//!
//! A plan with programs that take the output is answered, over standard input too, before anything
//! confines this process and them with it: `r` if they run, else `e` and why they do not.
//!
//! | entry | meaning |
//! | --- | --- |
//! | `kind` | `command-executor` or `exec` |
//! | `sandbox` | working directory of the program |
//! | `status` | file that receives the wait status, absent if nobody wants it |
//! | `user` | `uid:gid:group,group…` of the program |
//! | `rlimit` | `resource:soft:hard` of the program, in the kernel's numbers |
//! | `wrap` | a word of the wrapper, which runs the program elsewhere |
//! | `exec-wrap` | a word of what runs another command where the wrapper runs the program |
//! | `stdout`, `stderr` | a word of the program that takes this stream, if it is not to go where ours does |
//! | `secret` | `NAME=VALUE`, a variable that only the program gets |
//! | `program`, `arg` | for `exec`: the file to run and its arguments, the zeroth included |
//! | `env` | for `exec`: `NAME=VALUE`, a variable of the program's own |
//!
//! A wrapper runs as the agent's user and without the limits; both are for programs that run right
//! here. What wrappers are told and what they tell is part of the modules' interface.

use std::io::Read;
use std::path::PathBuf;

/// The longest plan taken, which is more than any argument list the kernel would take.
const MAX_BYTES: u32 = 16 << 20;

/// What to run in the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Be the executor of one command task.
    CommandExecutor,
    /// Watch over one program, which may be an executor itself.
    Exec {
        /// The file to run, looked up in `PATH` if it has no slash.
        program: String,
        /// The program's arguments, the zeroth included.
        arguments: Vec<String>,
        /// Variables on top of those of this process.
        environment: Vec<(String, String)>,
    },
}

/// Who the program is to run as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// A whole plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What to run.
    pub kind: Kind,
    /// Where the program starts.
    pub sandbox: PathBuf,
    /// Where the wait status goes.
    pub status: Option<PathBuf>,
    /// Who the program runs as, unless as the agent does.
    pub user: Option<User>,
    /// Limits of the program: resource, soft, hard.
    pub rlimits: Vec<(u32, u64, u64)>,
    /// What to put before the program, if it is not to run right here.
    pub wrapper: Vec<String>,
    /// What to put before another command that is to run where the wrapper runs the program.
    pub exec_wrapper: Vec<String>,
    /// The program that takes the standard output, if one does.
    pub stdout: Vec<String>,
    /// The program that takes the standard error, if one does.
    pub stderr: Vec<String>,
    /// Variables that are for the program alone.
    pub secrets: Vec<(String, String)>,
}

/// A plan that cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The agent went away before it had said all.
    #[error("the agent closed the launch plan early")]
    Closed(#[source] std::io::Error),
    /// The plan is longer than any real one.
    #[error("the launch plan claims {0} bytes, more than the {MAX_BYTES} allowed")]
    TooLong(u32),
    /// An entry that this version does not understand.
    #[error(
        "the launch plan has the entry '{0}', which this executor does not understand; agent and executor must be of one version"
    )]
    Unknown(String),
    /// An entry that must be there is not.
    #[error("the launch plan has no entry '{0}'")]
    Missing(&'static str),
}

impl Plan {
    /// Reads a plan, and not a byte more.
    pub fn read(input: &mut impl Read) -> Result<Self, PlanError> {
        let mut length = [0_u8; 4];
        input.read_exact(&mut length).map_err(PlanError::Closed)?;
        let length = u32::from_le_bytes(length);
        if length > MAX_BYTES {
            return Err(PlanError::TooLong(length));
        }
        let mut text = vec![0_u8; length as usize];
        input.read_exact(&mut text).map_err(PlanError::Closed)?;
        Self::parse(&text)
    }

    fn parse(text: &[u8]) -> Result<Self, PlanError> {
        let mut draft = Draft::default();
        for entry in text.split(|&byte| byte == 0).filter(|entry| !entry.is_empty()) {
            let unknown = || PlanError::Unknown(shown(entry));
            let entry = std::str::from_utf8(entry).map_err(|_| unknown())?;
            let (name, value) = entry.split_once('=').ok_or_else(unknown)?;
            draft.take(name, value).ok_or_else(unknown)?;
        }
        draft.finish()
    }
}

/// A plan of which not all entries have been seen.
#[derive(Default)]
struct Draft {
    kind: Option<String>,
    sandbox: Option<PathBuf>,
    status: Option<PathBuf>,
    user: Option<User>,
    rlimits: Vec<(u32, u64, u64)>,
    wrapper: Vec<String>,
    exec_wrapper: Vec<String>,
    stdout: Vec<String>,
    stderr: Vec<String>,
    secrets: Vec<(String, String)>,
    program: Option<String>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Draft {
    fn take(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "kind" => self.kind = Some(value.to_owned()),
            "sandbox" => self.sandbox = Some(value.into()),
            "status" => self.status = Some(value.into()),
            "user" => self.user = Some(parse_user(value)?),
            "rlimit" => self.rlimits.push(parse_limit(value)?),
            "wrap" => self.wrapper.push(value.to_owned()),
            "stdout" => self.stdout.push(value.to_owned()),
            "stderr" => self.stderr.push(value.to_owned()),
            "secret" => {
                let (name, secret) = value.split_once('=')?;
                self.secrets.push((name.to_owned(), secret.to_owned()));
            }
            "exec-wrap" => self.exec_wrapper.push(value.to_owned()),
            "env" => {
                let (name, value) = value.split_once('=')?;
                self.environment.push((name.to_owned(), value.to_owned()));
            }
            "program" => self.program = Some(value.to_owned()),
            "arg" => self.arguments.push(value.to_owned()),
            _ => return None,
        }
        Some(())
    }

    fn finish(self) -> Result<Plan, PlanError> {
        let kind = match self.kind.as_deref() {
            Some("command-executor") => Kind::CommandExecutor,
            Some("exec") => Kind::Exec {
                program: self.program.ok_or(PlanError::Missing("program"))?,
                arguments: self.arguments,
                environment: self.environment,
            },
            Some(other) => return Err(PlanError::Unknown(format!("kind={other}"))),
            None => return Err(PlanError::Missing("kind")),
        };
        Ok(Plan {
            kind,
            sandbox: self.sandbox.ok_or(PlanError::Missing("sandbox"))?,
            status: self.status,
            user: self.user,
            rlimits: self.rlimits,
            wrapper: self.wrapper,
            exec_wrapper: self.exec_wrapper,
            stdout: self.stdout,
            stderr: self.stderr,
            secrets: self.secrets,
        })
    }
}

/// An entry for a message. Secrets do not belong into any.
fn shown(entry: &[u8]) -> String {
    if entry.starts_with(b"secret=") {
        return "secret=(not shown)".to_owned();
    }
    String::from_utf8_lossy(entry).into_owned()
}

fn parse_user(text: &str) -> Option<User> {
    let mut parts = text.split(':');
    let uid = parts.next()?.parse().ok()?;
    let gid = parts.next()?.parse().ok()?;
    let groups = parts.next()?.split(',').filter(|group| !group.is_empty());
    let groups = groups.map(|group| group.parse().ok()).collect::<Option<_>>()?;
    parts.next().is_none().then_some(User { uid, gid, groups })
}

fn parse_limit(text: &str) -> Option<(u32, u64, u64)> {
    let mut parts = text.split(':');
    let limit =
        (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(limit)
}

#[cfg(test)]
mod tests;
