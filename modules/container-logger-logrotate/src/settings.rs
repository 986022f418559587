//! How long files become: by the parameters, and by the environment of a command.

use prost::Message;
use reeve_module_sdk::{Failed, Parameters};

/// A file that is rotated more often would keep nothing.
const LEAST: u64 = 4096;

/// How long files become, and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Of `stdout`, in bytes.
    pub(crate) stdout: u64,
    /// Of `stderr`, in bytes.
    pub(crate) stderr: u64,
    /// Older files beside each.
    pub(crate) files: u32,
}

impl Limits {
    pub(crate) fn read(parameters: &Parameters) -> Result<Self, Failed> {
        let size = |name: &str| {
            let bytes = parameters.integer(name).unwrap_or(10 << 20);
            enough(&format!("parameter '{name}'"), u64::try_from(bytes).ok())
        };
        let files = parameters.integer("max_files").unwrap_or(5);
        let files = u32::try_from(files).ok().filter(|files| *files <= 1000);
        Ok(Self {
            stdout: size("max_stdout_size")?,
            stderr: size("max_stderr_size")?,
            files: files.ok_or_else(|| Failed::new("parameter 'max_files' must be 0 to 1000"))?,
        })
    }

    /// The same, but for what an encoded CommandInfo says in variables with this prefix.
    pub(crate) fn of_command(mut self, command: &[u8], prefix: &str) -> Result<Self, Failed> {
        if prefix.is_empty() {
            return Ok(self);
        }
        let command = CommandInfo::decode(command).unwrap_or_default();
        for Variable { name, value } in command.environment.unwrap_or_default().variables {
            let owner = format!("environment variable '{name}'");
            let value = value.unwrap_or_default();
            match name.strip_prefix(prefix) {
                Some("MAX_STDOUT_SIZE") => self.stdout = enough(&owner, bytes(&value))?,
                Some("MAX_STDERR_SIZE") => self.stderr = enough(&owner, bytes(&value))?,
                Some("MAX_FILES") => {
                    let files = value.parse().ok().filter(|files| *files <= 1000);
                    self.files = files.ok_or_else(|| {
                        Failed::new(format!("{owner} is '{value}', which must be 0 to 1000"))
                    })?;
                }
                _ => {}
            }
        }
        Ok(self)
    }
}

fn enough(owner: &str, bytes: Option<u64>) -> Result<u64, Failed> {
    let enough = bytes.filter(|bytes| *bytes >= LEAST);
    enough.ok_or_else(|| {
        Failed::new(format!("{owner} must be a size such as 10MB, of {LEAST} bytes or more"))
    })
}

/// A size as Mesos writes it: a whole number and a unit.
fn bytes(text: &str) -> Option<u64> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let shift = match unit {
        "B" => 0,
        "KB" => 10,
        "MB" => 20,
        "GB" => 30,
        "TB" => 40,
        _ => return None,
    };
    number.trim().parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// `mesos.v1.CommandInfo`, of which only the environment is read.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct CommandInfo {
    #[prost(message, optional, tag = "2")]
    pub(crate) environment: Option<Environment>,
}

/// `Environment`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Environment {
    #[prost(message, repeated, tag = "1")]
    pub(crate) variables: Vec<Variable>,
}

/// `Environment.Variable`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Variable {
    #[prost(string, required, tag = "1")]
    pub(crate) name: String,
    #[prost(string, optional, tag = "2")]
    pub(crate) value: Option<String>,
}
