//! What the environment says (Mesos docs: executor HTTP API, environment variables).

use std::net::SocketAddr;
use std::time::Duration;

/// What an executor must know to speak to its agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `MESOS_FRAMEWORK_ID`.
    pub framework_id: String,
    /// `MESOS_EXECUTOR_ID`.
    pub executor_id: String,
    /// `MESOS_AGENT_ENDPOINT`.
    pub agent: SocketAddr,
    /// Where on the agent, such as `/slave(1)/api/v1/executor`.
    pub path: String,
    /// `MESOS_CHECKPOINT`: whether the executor is to outlive its agent.
    pub checkpoint: bool,
    /// `MESOS_RECOVERY_TIMEOUT`: how long it is to wait for the agent.
    pub recovery_timeout: Duration,
    /// `MESOS_SUBSCRIPTION_BACKOFF_MAX`: the longest pause between two tries.
    pub backoff_max: Duration,
    /// `MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD`.
    pub shutdown_grace: Duration,
    /// `MESOS_EXECUTOR_AUTHENTICATION_TOKEN`.
    pub token: Option<String>,
}

/// The environment is not that of an executor.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SettingsError {
    /// A variable that must be there is not.
    #[error("the environment has no {0}; an agent sets it for every executor")]
    Missing(&'static str),
    /// A variable's value cannot be understood.
    #[error("{name} is '{value}', which is not {expected}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
}

impl Settings {
    /// Reads the settings through `variable`, which gives the value of an environment variable.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let need = |name| variable(name).ok_or(SettingsError::Missing(name));
        let endpoint = need("MESOS_AGENT_ENDPOINT")?;
        let agent = endpoint.parse().map_err(|_| SettingsError::Invalid {
            name: "MESOS_AGENT_ENDPOINT",
            value: endpoint,
            expected: "an address such as 10.0.0.1:5051",
        })?;
        let time = |name, default: u64| match variable(name) {
            None => Ok(Duration::from_secs(default)),
            Some(value) => parse_duration(&value).ok_or(SettingsError::Invalid {
                name,
                value,
                expected: "a duration such as 15mins",
            }),
        };
        Ok(Self {
            framework_id: need("MESOS_FRAMEWORK_ID")?,
            executor_id: need("MESOS_EXECUTOR_ID")?,
            agent,
            path: format!("{}/api/v1/executor", agent_prefix(variable("MESOS_SLAVE_PID"))),
            checkpoint: variable("MESOS_CHECKPOINT").as_deref() == Some("1"),
            // The defaults are those of the agent's flags of the same names.
            recovery_timeout: time("MESOS_RECOVERY_TIMEOUT", 15 * 60)?,
            backoff_max: time("MESOS_SUBSCRIPTION_BACKOFF_MAX", 2)?,
            shutdown_grace: time("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", 5)?,
            token: variable("MESOS_EXECUTOR_AUTHENTICATION_TOKEN"),
        })
    }
}

/// `/slave(1)` out of `slave(1)@10.0.0.1:5051`.
fn agent_prefix(pid: Option<String>) -> String {
    let pid = pid.unwrap_or_default();
    let id = pid.split_once('@').map_or("slave(1)", |(id, _)| id);
    format!("/{id}")
}

/// A duration as Mesos writes it: a number, fractions allowed, and a unit.
fn parse_duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "ns" => 1e-9,
        "us" => 1e-6,
        "ms" => 1e-3,
        "secs" => 1.0,
        "mins" => 60.0,
        "hrs" => 3_600.0,
        "days" => 86_400.0,
        "weeks" => 604_800.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.trim().parse::<f64>().ok()? * seconds).ok()
}

#[cfg(test)]
mod tests;
