//! Who leads: a master's description of itself, as frameworks and ZooKeeper see it (ZK-3).

use std::net::{IpAddr, Ipv4Addr};

use reeve_wire::v1;

use crate::agent::Domain;
use crate::error::WireError;

/// What a master says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterInfo {
    /// Its id; new at each start, and the beginning of every id it gives out.
    pub id: String,
    /// Where it is reached.
    pub ip: IpAddr,
    /// Where it listens.
    pub port: u16,
    /// The name others reach it by.
    pub hostname: String,
    /// Which version it is, such as `1.11.0`.
    pub version: String,
    /// Its libprocess address: `master@10.0.0.1:5050`.
    pub pid: String,
    /// Where it stands.
    pub domain: Option<Domain>,
    /// What it can do, as numbers on the wire: AGENT_UPDATE 1, AGENT_DRAINING 2, QUOTA_V2 3.
    pub capabilities: Vec<i32>,
}

impl MasterInfo {
    /// As the wire carries it. `ip` holds the address's bytes in network order, read as a
    /// little-endian number: 127.0.0.1 is 16777343. An IPv6 address stands in `address` alone.
    pub fn to_wire(&self) -> v1::MasterInfo {
        let ip = match self.ip {
            IpAddr::V4(ip) => u32::from_le_bytes(ip.octets()),
            IpAddr::V6(_) => 0,
        };
        let address = v1::Address {
            hostname: Some(self.hostname.clone()),
            ip: Some(self.ip.to_string()),
            port: self.port.into(),
        };
        v1::MasterInfo {
            id: self.id.clone(),
            ip,
            port: self.port.into(),
            pid: Some(self.pid.clone()),
            hostname: Some(self.hostname.clone()),
            version: Some(self.version.clone()),
            address: Some(address),
            domain: self.domain.as_ref().map(Domain::to_wire),
            capabilities: self
                .capabilities
                .iter()
                .map(|number| v1::master_info::Capability { r#type: Some(*number) })
                .collect(),
        }
    }
}

impl TryFrom<v1::MasterInfo> for MasterInfo {
    type Error = WireError;

    /// Prefers `address`, which knows IPv6, to `ip` and `port`.
    fn try_from(wire: v1::MasterInfo) -> Result<Self, WireError> {
        let old = IpAddr::V4(Ipv4Addr::from(wire.ip.to_le_bytes()));
        let address = wire.address.as_ref();
        let ip = match address.and_then(|address| address.ip.as_deref()) {
            None => old,
            Some(text) => text.parse().map_err(|_| {
                WireError::new("master_info.address.ip", format!("is '{text}', not an address"))
            })?,
        };
        let port = match address {
            Some(address) => u16::try_from(address.port).ok(),
            None => u16::try_from(wire.port).ok(),
        };
        let port =
            port.ok_or_else(|| WireError::new("master_info.port", "must be from 0 to 65535"))?;
        Ok(Self {
            ip,
            port,
            hostname: wire.hostname.unwrap_or_else(|| ip.to_string()),
            version: wire.version.unwrap_or_default(),
            pid: wire.pid.unwrap_or_default(),
            domain: wire.domain.as_ref().and_then(Domain::from_wire),
            capabilities: wire.capabilities.iter().filter_map(|one| one.r#type).collect(),
            id: wire.id,
        })
    }
}
