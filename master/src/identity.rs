//! Who this master is: its id, its addresses, its version.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use reeve_machine::Wall;
use reeve_model::{MasterInfo, Pid};

use crate::{Error, MasterSettings};

/// The id of the actor that masters are.
pub const ACTOR: &str = "master";

/// AGENT_UPDATE, AGENT_DRAINING, QUOTA_V2: what agents and tools ask of a 1.11 master.
pub const CAPABILITIES: [(i32, &str); 3] =
    [(1, "AGENT_UPDATE"), (2, "AGENT_DRAINING"), (3, "QUOTA_V2")];

/// Who this master is.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its id: new at each start, and the beginning of the ids it gives.
    pub id: Arc<str>,
    /// Where agents and frameworks reach it.
    pub pid: Pid,
    /// Its name.
    pub hostname: String,
    /// When it started.
    pub started: Wall,
    /// What it says of itself.
    pub info: MasterInfo,
}

impl Identity {
    /// Of a master that listens at `bound`.
    ///
    /// # Errors
    ///
    /// If no address is known that others could use.
    pub fn new(settings: &MasterSettings, bound: &[SocketAddr]) -> Result<Identity, Error> {
        let first = bound.first().copied().unwrap_or((Ipv4Addr::LOCALHOST, 5050).into());
        let ip = match settings.advertise_ip {
            Some(ip) => ip,
            None if first.ip().is_unspecified() => {
                primary_ip().ok_or(Error::NoAddress(first.ip()))?
            }
            None => first.ip(),
        };
        let port = settings.advertise_port.unwrap_or(first.port());
        let id: Arc<str> = uuid::Uuid::new_v4().to_string().into();
        let pid = Pid::new(ACTOR, SocketAddr::new(ip, port));
        let hostname = hostname(settings, ip);
        let info = MasterInfo {
            id: id.to_string(),
            ip,
            port,
            hostname: hostname.clone(),
            version: reeve_v0::MESOS_VERSION.to_owned(),
            pid: pid.to_string(),
            domain: None,
            capabilities: CAPABILITIES.iter().map(|(number, _)| *number).collect(),
        };
        Ok(Identity { id, pid, hostname, started: now(), info })
    }
}

/// The time of day.
pub fn now() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// The address this host would use to reach another one. Nothing is sent for that.
fn primary_ip() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // 192.0.2.1 is reserved for documentation (RFC 5737); only the route to it matters.
    let routed = socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).is_ok();
    let ip = routed.then(|| socket.local_addr().ok()).flatten().map(|address| address.ip());
    Some(ip.filter(|ip| !ip.is_unspecified()).unwrap_or(Ipv4Addr::LOCALHOST.into()))
}

fn hostname(settings: &MasterSettings, ip: IpAddr) -> String {
    if let Some(name) = &settings.hostname {
        return name.clone();
    }
    // A loopback address has no name that means this host to anybody else.
    if !settings.hostname_lookup || ip.is_loopback() {
        return ip.to_string();
    }
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| ip.to_string())
}
