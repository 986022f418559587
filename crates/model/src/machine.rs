//! Machines and when they are to be down (MN-1).

use std::cmp::Ordering;
use std::fmt;

use reeve_wire::v1;

use crate::WireError;

/// A machine as agents and operators name it: by host name and IP address. Both count, and names of
/// hosts are the same in capitals.
#[derive(Clone, Debug, Default)]
pub struct MachineId {
    /// Its host name; may be empty.
    pub hostname: String,
    /// Its IP address as text; may be empty.
    pub ip: String,
}

/// A time at which machines are to be down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailability {
    /// When it begins, in nanoseconds since 1970.
    pub start: i64,
    /// How long it lasts, in nanoseconds; none: until further notice.
    pub duration: Option<i64>,
}

/// Machines that are to be down together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The machines.
    pub machines: Vec<MachineId>,
    /// When.
    pub unavailability: Unavailability,
}

/// What a machine in the schedule is to the master; all others are up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineMode {
    /// It is to be down some time; until then its agents are offered.
    Draining,
    /// It is down: agents on it are sent away.
    Down,
}

/// A machine in the schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Which.
    pub id: MachineId,
    /// What it is to the master.
    pub mode: MachineMode,
    /// When it is to be down.
    pub unavailability: Option<Unavailability>,
}

impl Machine {
    /// As the wire carries it.
    pub fn to_wire(&self) -> v1::MachineInfo {
        let mode = match self.mode {
            MachineMode::Draining => v1::machine_info::Mode::Draining,
            MachineMode::Down => v1::machine_info::Mode::Down,
        };
        v1::MachineInfo {
            id: self.id.to_wire(),
            mode: Some(mode.into()),
            unavailability: self.unavailability.map(|time| time.to_wire()),
        }
    }

    /// Reads a machine; none if it is up, so that there is nothing to know of it.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn from_wire(wire: &v1::MachineInfo) -> Result<Option<Self>, WireError> {
        let mode = match wire.mode() {
            v1::machine_info::Mode::Up => return Ok(None),
            v1::machine_info::Mode::Draining => MachineMode::Draining,
            v1::machine_info::Mode::Down => MachineMode::Down,
        };
        let unavailability =
            wire.unavailability.as_ref().map(Unavailability::try_from).transpose()?;
        Ok(Some(Self { id: MachineId::try_from(&wire.id)?, mode, unavailability }))
    }
}

impl MachineId {
    fn name(&self) -> impl Iterator<Item = u8> + '_ {
        self.hostname.bytes().map(|byte| byte.to_ascii_lowercase())
    }

    /// As the wire carries it.
    pub fn to_wire(&self) -> v1::MachineId {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        v1::MachineId { hostname: given(&self.hostname), ip: given(&self.ip) }
    }
}

impl PartialEq for MachineId {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for MachineId {}

impl PartialOrd for MachineId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MachineId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name()).then_with(|| self.ip.cmp(&other.ip))
    }
}

impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.hostname.as_str(), self.ip.as_str()) {
            (hostname, "") => write!(f, "{hostname}"),
            ("", ip) => write!(f, "{ip}"),
            (hostname, ip) => write!(f, "{hostname} ({ip})"),
        }
    }
}

impl TryFrom<&v1::MachineId> for MachineId {
    type Error = WireError;

    fn try_from(wire: &v1::MachineId) -> Result<Self, WireError> {
        let (hostname, ip) = (wire.hostname().to_owned(), wire.ip().to_owned());
        if hostname.is_empty() && ip.is_empty() {
            return Err(WireError::new("machine", "has neither a 'hostname' nor an 'ip'"));
        }
        if !ip.is_empty() && ip.parse::<std::net::IpAddr>().is_err() {
            let why = format!("must be an IP address, and '{ip}' is none");
            return Err(WireError::new("machine.ip", why));
        }
        Ok(Self { hostname, ip })
    }
}

impl Unavailability {
    /// As the wire carries it.
    pub fn to_wire(&self) -> v1::Unavailability {
        v1::Unavailability {
            start: v1::TimeInfo { nanoseconds: self.start },
            duration: self.duration.map(|nanoseconds| v1::DurationInfo { nanoseconds }),
        }
    }
}

impl TryFrom<&v1::Unavailability> for Unavailability {
    type Error = WireError;

    fn try_from(wire: &v1::Unavailability) -> Result<Self, WireError> {
        let duration = wire.duration.map(|duration| duration.nanoseconds);
        if duration.is_some_and(|duration| duration < 0) {
            return Err(WireError::new("unavailability.duration", "must not be negative"));
        }
        Ok(Self { start: wire.start.nanoseconds, duration })
    }
}

impl Window {
    /// As the wire carries it.
    pub fn to_wire(&self) -> v1::maintenance::Window {
        v1::maintenance::Window {
            machine_ids: self.machines.iter().map(MachineId::to_wire).collect(),
            unavailability: self.unavailability.to_wire(),
        }
    }
}

impl TryFrom<&v1::maintenance::Window> for Window {
    type Error = WireError;

    fn try_from(wire: &v1::maintenance::Window) -> Result<Self, WireError> {
        if wire.machine_ids.is_empty() {
            return Err(WireError::new("window.machine_ids", "must name a machine"));
        }
        let machines = wire.machine_ids.iter().map(MachineId::try_from);
        Ok(Self {
            machines: machines.collect::<Result<_, _>>()?,
            unavailability: Unavailability::try_from(&wire.unavailability)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(hostname: &str, ip: &str) -> MachineId {
        MachineId { hostname: hostname.to_owned(), ip: ip.to_owned() }
    }

    #[test]
    fn host_names_are_the_same_in_capitals_and_addresses_count() {
        assert_eq!(id("Host-1", "10.0.0.1"), id("host-1", "10.0.0.1"));
        assert_ne!(id("host-1", "10.0.0.1"), id("host-1", "10.0.0.2"));
        assert_ne!(id("host-1", ""), id("host-1", "10.0.0.2"));
    }

    #[test]
    fn what_names_no_machine_is_refused() {
        let read = |hostname: &str, ip: &str| MachineId::try_from(&id(hostname, ip).to_wire());
        assert!(read("", "").unwrap_err().to_string().contains("neither a 'hostname' nor an 'ip'"));
        assert!(read("h", "10.0.0").unwrap_err().to_string().contains("'10.0.0'"));
        assert_eq!(read("H", "10.0.0.1").unwrap().hostname, "H", "shown as it was given");
    }

    #[test]
    fn windows_have_machines_and_do_not_last_less_than_nothing() {
        let mut window = Window {
            machines: vec![id("h", "")],
            unavailability: Unavailability { start: 5, duration: Some(7) },
        };
        assert_eq!(Window::try_from(&window.to_wire()).unwrap(), window);
        window.unavailability.duration = Some(-1);
        let why = Window::try_from(&window.to_wire()).unwrap_err().to_string();
        assert!(why.contains("duration' must not be negative"), "{why}");
        window.machines.clear();
        let why = Window::try_from(&window.to_wire()).unwrap_err().to_string();
        assert!(why.contains("must name a machine"), "{why}");
    }
}
