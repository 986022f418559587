//! The hook `decorator`: labels for every task, variables for every executor, and a line in the
//! log when an agent is lost or an executor ends.
//!
//! It is small on purpose: whoever writes a hook may start from it.

use prost::Message;
use reeve_module_sdk::hook::{Hook, Label, Place, Variable};
use reeve_module_sdk::{Failed, Module, Parameters};

/// The hook.
#[derive(Debug)]
pub struct Decorator {
    labels: Vec<(String, String)>,
    environment: Vec<(String, String)>,
}

impl Module for Decorator {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        Ok(Self {
            labels: pairs(parameters, "labels")?,
            environment: pairs(parameters, "environment")?,
        })
    }
}

reeve_module_sdk::module! {
    hook: Decorator,
    name: "decorator",
    author: "The Reeve authors",
    description: "Labels for every task and variables for every executor.",
    parameters: [
        (
            "labels",
            "list",
            "",
            "KEY=VALUE: labels that every task gets, in place of its own of the same key."
        ),
        (
            "environment",
            "list",
            "",
            "NAME=VALUE: variables that every executor on the agent gets, and its tasks."
        ),
    ],
}

fn pairs(parameters: &Parameters, name: &str) -> Result<Vec<(String, String)>, Failed> {
    let pair = |text: &str| match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Failed::new(format!("parameter '{name}' has '{text}', which is not NAME=VALUE"))),
    };
    parameters.list(name).into_iter().map(pair).collect()
}

impl Hook for Decorator {
    fn labels(&self, _: Place, task_info: &[u8], _: &[u8]) -> Result<Option<Vec<Label>>, Failed> {
        if self.labels.is_empty() {
            return Ok(None);
        }
        let task = TaskInfo::decode(task_info)
            .map_err(|error| Failed::new(format!("this is no TaskInfo: {error}")))?;
        let ours = |key: &str| self.labels.iter().any(|(own, _)| own == key);
        let of_task = task.labels.unwrap_or_default().labels.into_iter();
        let kept = of_task.filter(|label| !ours(&label.key));
        let kept = kept.map(|label| (label.key, label.value.unwrap_or_default()));
        let all = kept.chain(self.labels.iter().cloned());
        Ok(Some(all.map(|(key, value)| Label { key: key.into(), value: value.into() }).collect()))
    }

    fn environment(&self, _: &[u8]) -> Result<Vec<Variable>, Failed> {
        let variable = |(name, value): &(String, String)| Variable {
            name: name.as_str().into(),
            value: value.as_str().into(),
        };
        Ok(self.environment.iter().map(variable).collect())
    }

    fn agent_lost(&self, agent_id: &str) -> Result<(), Failed> {
        tracing::info!("agent {agent_id} is lost");
        Ok(())
    }

    fn executor_ended(&self, framework_id: &str, executor_id: &str) -> Result<(), Failed> {
        tracing::info!("executor {executor_id} of framework {framework_id} has ended");
        Ok(())
    }
}

/// `mesos.v1.TaskInfo`, of which only the labels are read.
#[derive(Clone, PartialEq, Message)]
struct TaskInfo {
    #[prost(message, optional, tag = "10")]
    labels: Option<Labels>,
}

/// `Labels`.
#[derive(Clone, PartialEq, Message)]
struct Labels {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<WireLabel>,
}

/// `Label`.
#[derive(Clone, PartialEq, Message)]
struct WireLabel {
    #[prost(string, required, tag = "1")]
    key: String,
    #[prost(string, optional, tag = "2")]
    value: Option<String>,
}

#[cfg(test)]
mod tests;
