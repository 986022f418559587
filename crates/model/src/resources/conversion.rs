//! What an operation does to resources: some go, others come instead (mesos.md §1.5).

use std::sync::Arc;

use super::{Disk, Reservation, Reservations, Resource, Resources};

/// Resources that go and the ones that come instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversion {
    /// What must be there, and goes.
    pub consumed: Resources,
    /// What comes instead.
    pub converted: Resources,
}

/// Why an operation cannot be applied. Its text is meant for the framework.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConversionError {
    /// What is to go is not there.
    #[error("{held} does not contain {wanted}")]
    Missing {
        /// What is there.
        held: Resources,
        /// What is to go.
        wanted: Resources,
    },
    /// A resource an operation does not fit.
    #[error("resource '{resource}' {rule}")]
    Unfit {
        /// The resource.
        resource: Box<Resource>,
        /// What is wrong with it, to be read after it.
        rule: &'static str,
    },
}

impl Conversion {
    /// Pushes one reservation: `resources` are what they are to be. With a `source`, the resources
    /// change from that reservation to this one.
    ///
    /// # Errors
    /// If a resource does not end in a dynamic reservation.
    pub fn reserve(source: &Resources, resources: &Resources) -> Result<Self, ConversionError> {
        if !source.is_empty() {
            return Ok(Self { consumed: source.clone(), converted: resources.clone() });
        }
        Ok(Self { consumed: unreserved_once(resources)?, converted: resources.clone() })
    }

    /// Pops the innermost reservation of `resources`.
    ///
    /// # Errors
    /// If a resource does not end in a dynamic reservation.
    pub fn unreserve(resources: &Resources) -> Result<Self, ConversionError> {
        Ok(Self { consumed: resources.clone(), converted: unreserved_once(resources)? })
    }

    /// Makes persistent volumes of plain reserved disk.
    ///
    /// # Errors
    /// If a resource is no persistent volume.
    pub fn create(volumes: &Resources) -> Result<Self, ConversionError> {
        Ok(Self { consumed: plain_disk(volumes)?, converted: volumes.clone() })
    }

    /// Makes plain reserved disk of persistent volumes.
    ///
    /// # Errors
    /// If a resource is no persistent volume.
    pub fn destroy(volumes: &Resources) -> Result<Self, ConversionError> {
        Ok(Self { consumed: volumes.clone(), converted: plain_disk(volumes)? })
    }

    /// The same for resources marked as offered to somebody.
    #[must_use]
    pub fn unallocated(&self) -> Self {
        Self { consumed: self.consumed.unallocated(), converted: self.converted.unallocated() }
    }
}

impl Resources {
    /// What is here after `conversion`.
    ///
    /// # Errors
    /// If what is to go is not here.
    pub fn apply(&self, conversion: &Conversion) -> Result<Self, ConversionError> {
        let Some(rest) = self.checked_sub(&conversion.consumed) else {
            let (held, wanted) = (self.clone(), conversion.consumed.clone());
            return Err(ConversionError::Missing { held, wanted });
        };
        Ok(rest + &conversion.converted)
    }

    /// What an agent has, given what its flags say and what it has checkpointed: each checkpointed
    /// resource takes the place of the plain one it was made of.
    #[must_use]
    pub fn with_checkpointed(&self, checkpointed: &Resources) -> Self {
        let mut own = self.clone();
        for (resource, count) in checkpointed.iter_counted() {
            own -= &plain(resource);
            for _ in 0..count {
                own += resource;
            }
        }
        own
    }
}

/// The resource before any operation.
fn plain(resource: &Resource) -> Resource {
    let fixed: Vec<Reservation> =
        resource.reservations.iter().filter(|level| !level.is_dynamic()).cloned().collect();
    let source = resource.disk.as_ref().and_then(|disk| disk.source.clone());
    let disk = source.map(|source| Arc::new(Disk { source: Some(source), ..Disk::default() }));
    Resource { reservations: Reservations::new(&fixed), disk, shared: false, ..resource.clone() }
}

/// The resources with one level of reservation less.
fn unreserved_once(resources: &Resources) -> Result<Resources, ConversionError> {
    each(resources, |one| {
        if one.revocable {
            return Err("is revocable and cannot be reserved");
        }
        if one.is_persistent() {
            return Err("is a persistent volume; destroy it first");
        }
        match one.reservations.last() {
            Some(Reservation::Dynamic { .. }) => {
                let reservations: Reservations = one.reservations.pop();
                Ok(Resource { reservations, ..one.clone() })
            }
            _ => Err("has no dynamic reservation"),
        }
    })
}

/// The disk that volumes are made of.
fn plain_disk(volumes: &Resources) -> Result<Resources, ConversionError> {
    each(volumes, |one| {
        let Some(disk) = one.disk.as_ref().filter(|disk| disk.persistence.is_some()) else {
            return Err("is no persistent volume");
        };
        if !one.is_reserved() {
            return Err("is a persistent volume on disk that is not reserved");
        }
        let source = disk.source.clone();
        let disk = source.map(|source| {
            std::sync::Arc::new(super::Disk { source: Some(source), ..super::Disk::default() })
        });
        Ok(Resource { disk, shared: false, ..one.clone() })
    })
}

fn each(
    resources: &Resources,
    convert: impl Fn(&Resource) -> Result<Resource, &'static str>,
) -> Result<Resources, ConversionError> {
    let mut all = Resources::default();
    for one in resources.iter() {
        all += convert(one)
            .map_err(|rule| ConversionError::Unfit { resource: Box::new(one.clone()), rule })?;
    }
    Ok(all)
}
