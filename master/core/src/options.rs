//! The master's settings that its core decides by.

use std::time::Duration;

/// Settings, named as the flags of the Mesos master; the defaults are Mesos's.
#[derive(Clone, Debug)]
pub struct Options {
    /// `--agent_ping_timeout`: how often agents are pinged, and how long an answer may take.
    pub agent_ping_timeout: Duration,
    /// `--max_agent_ping_timeouts`: after so many unanswered pings an agent is unreachable.
    pub max_agent_ping_timeouts: u32,
    /// `--agent_reregister_timeout`: how long a disconnected or awaited agent has to come back.
    pub agent_reregister_timeout: Duration,
    /// `--agent_removal_rate_limit`: the least time between two agents that become unreachable.
    pub agent_removal_spacing: Option<Duration>,
    /// `--recovery_agent_removal_limit`: so many percent of the agents, and no more, may be given
    /// up after a failover.
    pub recovery_agent_removal_limit: f64,
    /// `--offer_timeout`: after so long an unanswered offer is taken back; none: never.
    pub offer_timeout: Option<Duration>,
    /// `--allocation_interval`: what an answer to an inverse offer holds at the least.
    pub allocation_interval: Duration,
    /// `--max_completed_frameworks`: how many ended frameworks are remembered.
    pub max_completed_frameworks: usize,
    /// `--max_completed_tasks_per_framework`: how many ended tasks readers see.
    pub max_completed_tasks_per_framework: usize,
    /// `--max_unreachable_tasks_per_framework`: how many tasks on unreachable agents are kept.
    pub max_unreachable_tasks_per_framework: usize,
    /// `--registry_max_agent_age`: how long an unreachable agent is remembered.
    pub registry_max_agent_age: Duration,
    /// `--registry_max_agent_count`: how many unreachable agents are remembered.
    pub registry_max_agent_count: usize,
    /// `heartbeat_interval_seconds` of SUBSCRIBED (Mesos has no flag for it).
    pub heartbeat: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            agent_ping_timeout: Duration::from_secs(15),
            max_agent_ping_timeouts: 5,
            agent_reregister_timeout: Duration::from_secs(600),
            agent_removal_spacing: None,
            recovery_agent_removal_limit: 100.0,
            offer_timeout: None,
            allocation_interval: Duration::from_secs(1),
            max_completed_frameworks: 50,
            max_completed_tasks_per_framework: 1000,
            max_unreachable_tasks_per_framework: 1000,
            registry_max_agent_age: Duration::from_secs(14 * 24 * 3600),
            registry_max_agent_count: 102_400,
            heartbeat: Duration::from_secs(15),
        }
    }
}

impl Options {
    /// How long an agent waits for a ping before it looks for a master again: what the master
    /// tells it (`total_ping_timeout_seconds`).
    pub fn total_ping_timeout(&self) -> Duration {
        self.agent_ping_timeout.saturating_mul(self.max_agent_ping_timeouts)
    }
}
