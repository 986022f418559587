//! Who offers: an agent's description of itself, and where it stands.

use std::sync::Arc;

use reeve_wire::{SlaveInfo, v1};

use crate::attributes::Attributes;
use crate::error::WireError;
use crate::ids::AgentId;
use crate::resources::{Format, Resources};

/// Mesos's default port of an agent.
const PORT: u16 = 5051;

/// What an agent says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentInfo {
    /// Its id, once a master has admitted it.
    pub id: Option<AgentId>,
    /// The name others reach it by.
    pub hostname: String,
    /// Where it listens.
    pub port: u16,
    /// All that it has.
    pub resources: Resources,
    /// What kind of machine it is.
    pub attributes: Attributes,
    /// Where it stands.
    pub domain: Option<Domain>,
    /// Whether it keeps its state on disk; always so since Mesos 0.22.
    pub checkpoint: bool,
}

/// Where a machine stands: a zone of a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain {
    /// Far from others.
    pub region: Arc<str>,
    /// Fails apart from others of its region.
    pub zone: Arc<str>,
}

impl Domain {
    /// As the wire carries it.
    pub fn to_wire(&self) -> v1::DomainInfo {
        use v1::domain_info::FaultDomain;
        use v1::domain_info::fault_domain::{RegionInfo, ZoneInfo};
        let region = RegionInfo { name: self.region.to_string() };
        let zone = ZoneInfo { name: self.zone.to_string() };
        v1::DomainInfo { fault_domain: Some(FaultDomain { region, zone }) }
    }

    /// Reads the wire; a domain that says nothing is none.
    pub fn from_wire(wire: &v1::DomainInfo) -> Option<Self> {
        let domain = wire.fault_domain.as_ref()?;
        let region = domain.region.name.as_str().into();
        Some(Self { region, zone: domain.zone.name.as_str().into() })
    }
}

impl AgentInfo {
    /// As v1 carries it.
    ///
    /// # Errors
    /// If the format cannot express a reservation.
    pub fn to_wire(&self, format: Format) -> Result<v1::AgentInfo, WireError> {
        Ok(v1::AgentInfo {
            hostname: self.hostname.clone(),
            port: Some(self.port.into()),
            resources: self.resources.to_wire(format)?,
            attributes: self.attributes.to_wire(),
            id: self.id.as_ref().map(AgentId::to_wire),
            domain: self.domain.as_ref().map(Domain::to_wire),
        })
    }

    /// As agents and masters tell each other.
    ///
    /// # Errors
    /// If the format cannot express a reservation.
    pub fn to_slave_info(&self, format: Format) -> Result<SlaveInfo, WireError> {
        let v1::AgentInfo { hostname, port, resources, attributes, id, domain } =
            self.to_wire(format)?;
        let checkpoint = Some(self.checkpoint);
        Ok(SlaveInfo { hostname, port, resources, attributes, id, checkpoint, domain })
    }
}

impl TryFrom<v1::AgentInfo> for AgentInfo {
    type Error = WireError;

    fn try_from(wire: v1::AgentInfo) -> Result<Self, WireError> {
        let v1::AgentInfo { hostname, port, resources, attributes, id, domain } = wire;
        let checkpoint = Some(true);
        Self::try_from(SlaveInfo { hostname, port, resources, attributes, id, checkpoint, domain })
    }
}

impl TryFrom<SlaveInfo> for AgentInfo {
    type Error = WireError;

    fn try_from(wire: SlaveInfo) -> Result<Self, WireError> {
        let port = u16::try_from(wire.port.unwrap_or(PORT.into()))
            .map_err(|_| WireError::new("port", "must be from 0 to 65535"))?;
        Ok(Self {
            id: wire.id.map(AgentId::from),
            hostname: wire.hostname,
            port,
            resources: Resources::try_from(&wire.resources)?,
            attributes: Attributes::try_from(wire.attributes.as_slice())?,
            domain: wire.domain.as_ref().and_then(Domain::from_wire),
            checkpoint: wire.checkpoint.unwrap_or(true),
        })
    }
}
