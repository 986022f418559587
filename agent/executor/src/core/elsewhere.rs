//! The machine's part in a task that a wrapper runs elsewhere: what the wrapper tells of it.

use std::net::IpAddr;
use std::time::Duration;

use reeve_wire::v1::network_info::IpAddress;
use reeve_wire::v1::task_status::Reason;
use reeve_wire::v1::{ContainerStatus, NetworkInfo, TaskState};

use super::{Effect, Executor, Stamp};
use crate::report::Report;

/// What is known of such a task.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    /// Its own IP address, if it has one.
    address: Option<IpAddr>,
    /// Why it is about to fail.
    failure: Option<(Reason, String)>,
}

impl<S: FnMut() -> Stamp> Executor<S> {
    pub(super) fn reported(&mut self, now: Duration, report: Report, out: &mut Vec<Effect>) {
        let Some(elsewhere) = &mut self.elsewhere else { return };
        match report {
            Report::Running(address) => {
                elsewhere.address = address;
                self.runs(now, out);
            }
            Report::Limit { resource, message } => {
                let reason = match resource.as_str() {
                    "mem" => Reason::ContainerLimitationMemory,
                    "disk" => Reason::ContainerLimitationDisk,
                    _ => Reason::ContainerLimitation,
                };
                elsewhere.failure = Some((reason, message));
            }
            Report::Failed(message) => {
                elsewhere.failure = Some((Reason::ContainerLaunchFailed, message));
            }
        }
    }

    /// Why the task failed, as far as its exit status does not say it.
    pub(super) fn cause(&mut self) -> (Option<Reason>, Option<String>) {
        self.elsewhere.as_mut().and_then(|elsewhere| elsewhere.failure.take()).unzip()
    }

    /// What it is that ended, in words.
    pub(super) fn subject(&self) -> &'static str {
        if self.elsewhere.is_some() { "Container" } else { "Command" }
    }

    /// The task's own IP address, if it has one.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.elsewhere.as_ref()?.address
    }

    /// Where the task is reached, while it lives. Of others the agent says it.
    pub(super) fn container_status(&self, state: TaskState) -> Option<ContainerStatus> {
        let lives = matches!(state, TaskState::TaskRunning | TaskState::TaskKilling);
        let address = self.address().filter(|_| lives)?;
        let address = IpAddress { ip_address: Some(address.to_string()), ..IpAddress::default() };
        let network = NetworkInfo { ip_addresses: vec![address], ..NetworkInfo::default() };
        Some(ContainerStatus { network_infos: vec![network], ..ContainerStatus::default() })
    }
}
