//! The checks a task asks for, from the wire; or why they cannot be had.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reeve_wire::v1::check_info;
use reeve_wire::v1::health_check::{self, HttpCheckInfo};
use reeve_wire::v1::network_info::Protocol;
use reeve_wire::v1::{CheckInfo, CommandInfo, HealthCheck, TaskInfo};

use super::{Probe, Terms};
use crate::launch::{self, Refused};

/// The shortest pause between two probes: a check that wants none would occupy a whole core.
const MIN_INTERVAL: Duration = Duration::from_millis(1);

/// How much of ill health is borne.
#[derive(Clone, Debug)]
pub(super) struct Tolerance {
    /// This many failures in a row are too many.
    pub consecutive_failures: u32,
    /// Failures do not count so long after the start, before the first success.
    pub grace: Duration,
}

/// The checks a task asks for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub(super) general: Option<Terms>,
    pub(super) health: Option<(Terms, Tolerance)>,
}

impl Wanted {
    /// The same of a task that has an IP address of its own.
    pub fn at(mut self, address: Option<IpAddr>) -> Self {
        let health = self.health.as_mut().map(|(terms, _)| terms);
        for terms in self.general.iter_mut().chain(health) {
            let probed = match &mut terms.probe {
                Probe::Http { address, .. } | Probe::Https { address, .. } => address,
                Probe::Tcp(address) => address,
                Probe::Command(_) => continue,
            };
            if let Some(own) = address.filter(|own| own.is_ipv4() == probed.is_ipv4()) {
                probed.set_ip(own);
            }
        }
        self
    }

    /// Reads the checks of a task.
    pub fn read(task: &TaskInfo) -> Result<Self, Refused> {
        let id = &task.task_id.value;
        let general = task.check.as_ref().map(|check| {
            let owner = Owner(format!("the check of task '{id}'"));
            owner.general(check)
        });
        let health = task.health_check.as_ref().map(|check| {
            let owner = Owner(format!("the health check of task '{id}'"));
            owner.health(check)
        });
        Ok(Self { general: general.transpose()?, health: health.transpose()? })
    }
}

/// Whose check it is, in words for errors.
struct Owner(String);

impl Owner {
    fn general(&self, check: &CheckInfo) -> Result<Terms, Refused> {
        let probe = match check.r#type() {
            check_info::Type::Command => {
                let command = check.command.as_ref().map(|command| &command.command);
                self.command(command)
            }
            check_info::Type::Http => {
                let http = check.http.as_ref().ok_or_else(|| self.lacks("'http'"))?;
                let address = self.address(http.port, Protocol::IPv4)?;
                let path = self.path(http.path.as_deref())?;
                Ok(Probe::Http { address, path })
            }
            check_info::Type::Tcp => {
                let tcp = check.tcp.as_ref().ok_or_else(|| self.lacks("'tcp'"))?;
                self.address(tcp.port, Protocol::IPv4).map(Probe::Tcp)
            }
            check_info::Type::Unknown => Err(self.lacks("'type'")),
        };
        let times = [check.delay_seconds(), check.interval_seconds(), check.timeout_seconds()];
        self.terms(probe?, times)
    }

    fn health(&self, check: &HealthCheck) -> Result<(Terms, Tolerance), Refused> {
        let probe = match check.r#type() {
            health_check::Type::Command => self.command(check.command.as_ref()),
            health_check::Type::Http => {
                self.health_http(check.http.as_ref().ok_or_else(|| self.lacks("'http'"))?)
            }
            health_check::Type::Tcp => {
                let tcp = check.tcp.as_ref().ok_or_else(|| self.lacks("'tcp'"))?;
                self.address(tcp.port, tcp.protocol()).map(Probe::Tcp)
            }
            health_check::Type::Unknown => Err(self.lacks("'type'")),
        };
        let times = [check.delay_seconds(), check.interval_seconds(), check.timeout_seconds()];
        let grace = self.duration("grace_period_seconds", check.grace_period_seconds())?;
        let consecutive_failures = check.consecutive_failures();
        Ok((self.terms(probe?, times)?, Tolerance { consecutive_failures, grace }))
    }

    fn command(&self, command: Option<&CommandInfo>) -> Result<Probe, Refused> {
        let command = command.ok_or_else(|| self.lacks("'command'"))?;
        launch::program_of(command.clone(), &self.0, &[]).map(Probe::Command)
    }

    fn health_http(&self, http: &HttpCheckInfo) -> Result<Probe, Refused> {
        let address = self.address(http.port, http.protocol())?;
        let path = self.path(http.path.as_deref())?;
        match http.scheme.as_deref() {
            None | Some("http") => Ok(Probe::Http { address, path }),
            Some("https") => Ok(Probe::Https { address, path }),
            Some(other) => Err(self.bad(format!("the scheme '{other}', neither http nor https"))),
        }
    }

    fn path(&self, path: Option<&str>) -> Result<String, Refused> {
        let path = path.filter(|path| !path.is_empty()).unwrap_or("/");
        // Anything else would end the request line early.
        if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(self.bad(format!(
                "the path '{}', which does not begin with '/' or holds more than plain ASCII",
                path.escape_default()
            )));
        }
        Ok(path.to_owned())
    }

    fn address(&self, port: u32, protocol: Protocol) -> Result<SocketAddr, Refused> {
        let number = u16::try_from(port).ok().filter(|&port| port > 0);
        let port = number.ok_or_else(|| self.bad(format!("the port {port}, not a TCP port")))?;
        Ok(match protocol {
            Protocol::IPv4 => (Ipv4Addr::LOCALHOST, port).into(),
            Protocol::IPv6 => (Ipv6Addr::LOCALHOST, port).into(),
        })
    }

    fn terms(&self, probe: Probe, times: [f64; 3]) -> Result<Terms, Refused> {
        let [delay, interval, timeout] = times;
        let timeout = self.duration("timeout_seconds", timeout)?;
        Ok(Terms {
            probe,
            delay: self.duration("delay_seconds", delay)?,
            interval: self.duration("interval_seconds", interval)?.max(MIN_INTERVAL),
            // Mesos docs: zero means no timeout.
            timeout: Some(timeout).filter(|timeout| !timeout.is_zero()),
        })
    }

    fn duration(&self, name: &str, seconds: f64) -> Result<Duration, Refused> {
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| self.bad(format!("{name} {seconds}, not a duration")))
    }

    fn lacks(&self, what: &str) -> Refused {
        self.bad(format!("no {what}"))
    }

    fn bad(&self, what: String) -> Refused {
        Refused::Check { owner: self.0.clone(), what }
    }
}
