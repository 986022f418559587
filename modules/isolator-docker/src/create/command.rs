//! What runs in the container.

use serde_json::{Value, json};

use super::Refused;
use crate::message::CommandInfo;

/// What runs: over the image's own entry point, or handed to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    entry_point: Option<Vec<String>>,
    command: Vec<String>,
}

impl Words {
    /// As Mesos has it: a shell command runs under `/bin/sh` whatever the image's entry point is;
    /// otherwise the value, if there is one, and all arguments are for the image's entry point.
    /// Without any, the image runs as it is.
    pub(crate) fn of(command: &CommandInfo) -> Result<Self, Refused> {
        let value = command.value.clone();
        if command.shell.unwrap_or(true) {
            let none = "the command has 'shell' and no 'value'; set 'value', or 'shell' to false \
                        to run the image's own command";
            let script = value.ok_or_else(|| Refused::new(none))?;
            let entry_point = Some(vec!["/bin/sh".to_owned()]);
            return Ok(Self { entry_point, command: vec!["-c".to_owned(), script] });
        }
        let command = value.into_iter().chain(command.arguments.iter().cloned()).collect();
        Ok(Self { entry_point: None, command })
    }

    /// A program and its arguments, over the image's entry point; without any, the image's own.
    pub(crate) fn of_arguments(arguments: &[String]) -> Self {
        match arguments.split_first() {
            None => Self::default(),
            Some((program, rest)) => {
                Self { entry_point: Some(vec![program.clone()]), command: rest.to_vec() }
            }
        }
    }

    /// Puts them into the body of the request.
    pub(crate) fn put(&self, body: &mut Value) {
        if let Some(entry_point) = &self.entry_point {
            body["Entrypoint"] = json!(entry_point);
        }
        if !self.command.is_empty() {
            body["Cmd"] = json!(self.command);
        }
    }
}
