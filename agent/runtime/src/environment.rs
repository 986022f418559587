//! What an executor finds in its environment (Mesos docs: executor HTTP API).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// The facts an executor is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutorEnvironment {
    /// Its framework.
    pub framework_id: String,
    /// Its id.
    pub executor_id: String,
    /// Its agent.
    pub agent_id: String,
    /// The agent's libprocess id, such as `slave(1)@10.0.0.1:5051`.
    pub agent_pid: String,
    /// The agent's address, such as `10.0.0.1:5051`.
    pub agent_endpoint: String,
    /// Its sandbox.
    pub sandbox: PathBuf,
    /// For a checkpointing framework: how long to wait for a lost agent, and the longest pause
    /// between two tries to reach it.
    pub recovery: Option<(Duration, Duration)>,
    /// How long it has to end after SHUTDOWN.
    pub shutdown_grace: Duration,
    /// What it authenticates with.
    pub token: Option<String>,
}

impl ExecutorEnvironment {
    /// The variables. An agent's `--executor_environment_variables` and a CommandInfo's
    /// environment come on top.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let sandbox = self.sandbox.to_string_lossy().into_owned();
        let mut all = BTreeMap::from([
            ("LIBPROCESS_PORT", "0".to_owned()),
            ("MESOS_AGENT_ENDPOINT", self.agent_endpoint.clone()),
            ("MESOS_CHECKPOINT", if self.recovery.is_some() { "1" } else { "0" }.to_owned()),
            ("MESOS_DIRECTORY", sandbox.clone()),
            ("MESOS_EXECUTOR_ID", self.executor_id.clone()),
            ("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", duration_text(self.shutdown_grace)),
            ("MESOS_FRAMEWORK_ID", self.framework_id.clone()),
            ("MESOS_HTTP_COMMAND_EXECUTOR", "1".to_owned()),
            ("MESOS_SANDBOX", sandbox),
            ("MESOS_SLAVE_ID", self.agent_id.clone()),
            ("MESOS_SLAVE_PID", self.agent_pid.clone()),
        ]);
        if let Some((timeout, backoff)) = self.recovery {
            all.insert("MESOS_RECOVERY_TIMEOUT", duration_text(timeout));
            all.insert("MESOS_SUBSCRIPTION_BACKOFF_MAX", duration_text(backoff));
        }
        if let Some(token) = &self.token {
            all.insert("MESOS_EXECUTOR_AUTHENTICATION_TOKEN", token.clone());
        }
        all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// A duration as Mesos writes it: in the largest unit of which it is a whole number, such as
/// `15mins` or `1500ms`.
pub fn duration_text(duration: Duration) -> String {
    const UNITS: [(&str, u128); 8] = [
        ("weeks", 604_800_000_000_000),
        ("days", 86_400_000_000_000),
        ("hrs", 3_600_000_000_000),
        ("mins", 60_000_000_000),
        ("secs", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ];
    let nanos = duration.as_nanos();
    let whole = UNITS.iter().find(|(_, unit)| nanos >= *unit && nanos.is_multiple_of(*unit));
    let (name, unit) = whole.copied().unwrap_or(("ns", 1));
    format!("{}{name}", nanos / unit)
}

#[cfg(test)]
mod tests;
