//! Resources on the wire, in both of its formats: before reservation refinement a role and at
//! most one reservation, after it a stack.

use std::sync::Arc;

use reeve_wire::v1;
use reeve_wire::v1::resource::reservation_info;

use super::{Disk, Quantity, Ranges, Reservation, Reservations, Resource, Resources, Set, Value};
use crate::error::WireError;
use crate::ids::{Principal, ResourceProviderId, Role};
use crate::labels::Labels;

/// How reservations are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `role` and `reservation`: for frameworks without RESERVATION_REFINEMENT.
    PreRefinement,
    /// `reservations`, a stack.
    PostRefinement,
}

impl TryFrom<&[v1::Resource]> for Resources {
    type Error = WireError;

    /// Takes both formats, also mixed. Empty resources are left out.
    fn try_from(wire: &[v1::Resource]) -> Result<Self, WireError> {
        let mut read = Vec::<Resource>::with_capacity(wire.len());
        for resource in wire {
            // Mostly all are given to one role; they share its text.
            let role = read.last().and_then(|last| last.allocation.clone());
            read.push(Resource::read(resource, role)?);
        }
        Ok(read.into_iter().collect())
    }
}

impl TryFrom<&Vec<v1::Resource>> for Resources {
    type Error = WireError;

    fn try_from(wire: &Vec<v1::Resource>) -> Result<Self, WireError> {
        Self::try_from(wire.as_slice())
    }
}

impl Resources {
    /// As the wire carries them; a volume shared by several is written that often.
    ///
    /// # Errors
    /// If the format cannot express a reservation.
    pub fn to_wire(&self, format: Format) -> Result<Vec<v1::Resource>, WireError> {
        let mut wire = Vec::with_capacity(self.len());
        for (resource, count) in self.iter_counted() {
            let one = resource.to_wire(format)?;
            wire.extend((1..count).map(|_| one.clone()));
            wire.push(one);
        }
        Ok(wire)
    }
}

impl TryFrom<&v1::Resource> for Resource {
    type Error = WireError;

    fn try_from(wire: &v1::Resource) -> Result<Self, WireError> {
        Self::read(wire, None)
    }
}

impl Resource {
    /// Reads a resource that is likely given to `role`.
    fn read(wire: &v1::Resource, role: Option<Role>) -> Result<Self, WireError> {
        let named = |error: WireError| error.inside("resources");
        if wire.name.is_empty() {
            return Err(named(WireError::new("name", "must not be empty")));
        }
        let disk = wire.disk.as_ref().map_or(Ok(None), Disk::from_wire).map_err(named)?;
        Ok(Self {
            name: wire.name.as_str().into(),
            value: value(wire).map_err(named)?,
            reservations: reservations(wire).map_err(named)?,
            allocation: allocation(wire, role).map_err(named)?,
            disk: disk.map(Arc::new),
            provider: wire.provider_id.as_ref().map(ResourceProviderId::from),
            revocable: wire.revocable.is_some(),
            shared: wire.shared.is_some(),
        })
    }
}

fn value(wire: &v1::Resource) -> Result<Value, WireError> {
    let missing = |part: &str| {
        WireError::new(format!("{}.{part}", wire.name), "must be set for a resource of this type")
    };
    match v1::value::Type::try_from(wire.r#type) {
        Ok(v1::value::Type::Scalar) => {
            let amount = wire.scalar.ok_or_else(|| missing("scalar"))?.value;
            Quantity::named(amount)
                .map(Value::Scalar)
                .map_err(|rule| WireError::new(format!("{}.scalar", wire.name), rule))
        }
        Ok(v1::value::Type::Ranges) => {
            let ranges = wire.ranges.as_ref().ok_or_else(|| missing("ranges"))?;
            if ranges.range.iter().any(|range| range.begin > range.end) {
                let field = format!("{}.ranges", wire.name);
                return Err(WireError::new(field, "must not end before they begin"));
            }
            Ok(Value::Ranges(Ranges::from(ranges)))
        }
        Ok(v1::value::Type::Set) => {
            let set = wire.set.as_ref().ok_or_else(|| missing("set"))?;
            Ok(Value::Set(set.item.iter().map(String::as_str).collect()))
        }
        _ => Err(WireError::new(format!("{}.type", wire.name), "must be SCALAR, RANGES or SET")),
    }
}

fn role(text: &str, field: &str) -> Result<Role, WireError> {
    if text == "*" {
        return Ok(Role::any());
    }
    Role::parse(text).map_err(|error| WireError::new(field, format!("is refused: {error}")))
}

fn allocation(wire: &v1::Resource, likely: Option<Role>) -> Result<Option<Role>, WireError> {
    let text = wire.allocation_info.as_ref().and_then(|info| info.role.as_deref());
    match (text, likely) {
        (None, _) => Ok(None),
        (Some(text), Some(likely)) if likely.as_str() == text => Ok(Some(likely)),
        (Some(text), _) => role(text, "allocation_info.role").map(Some),
    }
}

fn reservations(wire: &v1::Resource) -> Result<Reservations, WireError> {
    #[allow(deprecated)]
    let outer = wire.role.as_deref().unwrap_or("*");
    if wire.reservations.is_empty() {
        return old_reservation(wire, outer);
    }
    if wire.reservation.is_some() {
        return Err(WireError::new("reservation", "must not be set together with 'reservations'"));
    }
    let mut levels = Vec::<Reservation>::with_capacity(wire.reservations.len());
    for info in &wire.reservations {
        let level = refined(info)?;
        if levels.last().is_some_and(|last| !last.role().is_ancestor_of(level.role())) {
            let rule = format!(
                "must each be a role below the one before, but '{}' is not below '{}'",
                level.role(),
                levels.last().map_or("", |last| last.role().as_str())
            );
            return Err(WireError::new("reservations", rule));
        }
        if !level.is_dynamic() && !levels.is_empty() {
            return Err(WireError::new(
                "reservations",
                "may be STATIC at the outermost level only",
            ));
        }
        levels.push(level);
    }
    if outer != "*" && levels.last().is_some_and(|last| last.role().as_str() != outer) {
        return Err(WireError::new("role", "must not be set together with 'reservations'"));
    }
    Ok(Reservations::new(&levels))
}

fn old_reservation(wire: &v1::Resource, outer: &str) -> Result<Reservations, WireError> {
    let Some(info) = &wire.reservation else {
        if outer == "*" {
            return Ok(Reservations::default());
        }
        return Ok(Reservations::new(&[Reservation::Static { role: role(outer, "role")? }]));
    };
    if outer == "*" {
        return Err(WireError::new("role", "must not be '*' for a dynamic reservation"));
    }
    Ok(Reservations::new(&[dynamic(info, role(outer, "role")?)]))
}

fn refined(info: &v1::resource::ReservationInfo) -> Result<Reservation, WireError> {
    let Some(text) = info.role.as_deref() else {
        return Err(WireError::new("reservations.role", "must be set"));
    };
    let role = role(text, "reservations.role")?;
    if role.is_any() {
        return Err(WireError::new("reservations.role", "must not be '*'"));
    }
    match info.r#type.map(reservation_info::Type::try_from) {
        Some(Ok(reservation_info::Type::Static)) => Ok(Reservation::Static { role }),
        Some(Ok(reservation_info::Type::Dynamic)) => Ok(dynamic(info, role)),
        _ => Err(WireError::new("reservations.type", "must be STATIC or DYNAMIC")),
    }
}

fn dynamic(info: &v1::resource::ReservationInfo, role: Role) -> Reservation {
    Reservation::Dynamic {
        role,
        principal: info.principal.as_deref().map(Principal::new),
        labels: info.labels.as_ref().map(Labels::from).unwrap_or_default(),
    }
}

impl Resource {
    /// As the wire carries it.
    ///
    /// # Errors
    /// If the format cannot express its reservations.
    pub fn to_wire(&self, format: Format) -> Result<v1::Resource, WireError> {
        let mut wire = v1::Resource {
            provider_id: self.provider.as_ref().map(ResourceProviderId::to_wire),
            name: self.name.to_string(),
            allocation_info: self
                .allocation
                .as_ref()
                .map(|role| v1::resource::AllocationInfo { role: Some(role.to_string()) }),
            disk: self.disk.as_ref().map(|disk| disk.to_wire()),
            revocable: self.revocable.then(v1::resource::RevocableInfo::default),
            shared: self.shared.then(v1::resource::SharedInfo::default),
            ..v1::Resource::default()
        };
        match &self.value {
            Value::Scalar(amount) => {
                wire.r#type = v1::value::Type::Scalar.into();
                wire.scalar = Some(v1::value::Scalar { value: amount.to_f64() });
            }
            Value::Ranges(ranges) => {
                wire.r#type = v1::value::Type::Ranges.into();
                wire.ranges = Some(ranges.into());
            }
            Value::Set(set) => {
                wire.r#type = v1::value::Type::Set.into();
                wire.set = Some(set.into());
            }
        }
        match format {
            Format::PostRefinement => {
                wire.reservations = self.reservations.iter().map(level_to_wire).collect();
            }
            Format::PreRefinement => self.write_old_reservation(&mut wire)?,
        }
        Ok(wire)
    }

    fn write_old_reservation(&self, wire: &mut v1::Resource) -> Result<(), WireError> {
        if self.reservations.len() > 1 {
            let rule = "hold a refined reservation, which the old format cannot express";
            return Err(WireError::new("resources", rule));
        }
        let level = self.reservations.first();
        #[allow(deprecated)]
        {
            wire.role = Some(level.map_or("*", |level| level.role().as_str()).to_owned());
        }
        wire.reservation = level.filter(|level| level.is_dynamic()).map(|level| {
            v1::resource::ReservationInfo { role: None, r#type: None, ..level_to_wire(level) }
        });
        Ok(())
    }
}

fn level_to_wire(level: &Reservation) -> v1::resource::ReservationInfo {
    let (kind, principal, labels) = match level {
        Reservation::Static { .. } => (reservation_info::Type::Static, None, None),
        Reservation::Dynamic { principal, labels, .. } => {
            (reservation_info::Type::Dynamic, principal.as_ref(), labels.to_wire())
        }
    };
    v1::resource::ReservationInfo {
        r#type: Some(kind.into()),
        role: Some(level.role().to_string()),
        principal: principal.map(Principal::to_string),
        labels,
    }
}

impl From<&v1::value::Ranges> for Ranges {
    fn from(wire: &v1::value::Ranges) -> Self {
        wire.range.iter().map(|range| (range.begin, range.end)).collect()
    }
}

impl From<&Ranges> for v1::value::Ranges {
    fn from(ranges: &Ranges) -> Self {
        let range = ranges.iter().map(|(begin, end)| v1::value::Range { begin, end }).collect();
        Self { range }
    }
}

impl From<&Set> for v1::value::Set {
    fn from(set: &Set) -> Self {
        Self { item: set.iter().map(str::to_owned).collect() }
    }
}
