//! What an operator can set, with Mesos's names and defaults. Parsing is the shell's.

use std::net::IpAddr;
use std::time::Duration;

/// The agent's settings, as far as decisions depend on them.
#[derive(Clone, Debug)]
pub struct Options {
    /// `--advertise_ip`, else `--ip`: where this agent is reached, and its containers with it. None
    /// where that means nothing.
    pub address: Option<IpAddr>,
    /// `--registration_backoff_factor`: the first attempt waits up to this long, later ones up to
    /// twice as long each time.
    pub registration_backoff: Duration,
    /// Whether, and how patiently, the agent proves who it is before it registers (LP-11).
    pub authentication: Option<AuthenticationTimes>,
    /// The longest wait between attempts (Mesos: `REGISTER_RETRY_INTERVAL_MAX`).
    pub registration_backoff_max: Duration,
    /// Without a ping for so long the master is looked for again, unless the master said another
    /// time when it registered the agent (Mesos: 5 pings of 15 s).
    pub ping_timeout: Duration,
    /// `--executor_registration_timeout`: from the start of the container to SUBSCRIBE.
    pub executor_registration_timeout: Duration,
    /// `--executor_reregistration_timeout`: for executors that outlived the agent.
    pub executor_reregistration_timeout: Duration,
    /// `--executor_shutdown_grace_period`: from SHUTDOWN to SIGKILL.
    pub executor_shutdown_grace: Duration,
    /// The first wait for the acknowledgement of an update (Mesos:
    /// `STATUS_UPDATE_RETRY_INTERVAL_MIN`).
    pub update_retry: Duration,
    /// The longest (Mesos: `STATUS_UPDATE_RETRY_INTERVAL_MAX`).
    pub update_retry_max: Duration,
    /// How soon a record that could not be written is tried again.
    pub write_retry: Duration,
    /// `--gc_delay`: how long a sandbox is kept when nothing presses.
    pub gc_delay: Duration,
    /// `--gc_disk_headroom` in thousandths: this much of the disk is to stay free.
    pub gc_disk_headroom: u32,
    /// `--reconfiguration_policy`.
    pub reconfiguration: Reconfiguration,
    /// `--recover`.
    pub recover: Recover,
}

/// How long a master may take to let the agent prove who it is: somewhere from `timeout_min` to
/// `timeout_min + backoff · 2^attempt`, never more than `timeout_max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthenticationTimes {
    /// `--authentication_backoff_factor`.
    pub backoff: Duration,
    /// `--authentication_timeout_min`.
    pub timeout_min: Duration,
    /// `--authentication_timeout_max`.
    pub timeout_max: Duration,
}

/// What may change between two starts of an agent that keeps its id (RC-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconfiguration {
    /// Nothing.
    Equal,
    /// More resources, more attributes, a domain where there was none.
    Additive,
    /// Everything.
    Any,
}

/// What becomes of what outlived an agent (RC-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recover {
    /// It is taken up again.
    Reconnect,
    /// It is ended, and then the agent; the next one is a new agent.
    Cleanup,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            address: None,
            registration_backoff: Duration::from_secs(1),
            authentication: None,
            registration_backoff_max: Duration::from_secs(60),
            ping_timeout: Duration::from_secs(75),
            executor_registration_timeout: Duration::from_secs(60),
            executor_reregistration_timeout: Duration::from_secs(2),
            executor_shutdown_grace: Duration::from_secs(5),
            update_retry: Duration::from_secs(10),
            update_retry_max: Duration::from_secs(600),
            write_retry: Duration::from_secs(1),
            gc_delay: Duration::from_secs(7 * 24 * 3600),
            gc_disk_headroom: 100,
            reconfiguration: Reconfiguration::Additive,
            recover: Recover::Reconnect,
        }
    }
}
