//! Rules of the resources that a task, an executor or an operation names.

use std::collections::BTreeSet;

use reeve_wire::v1;

use crate::resources::{Reservation, Resource, ResourceName, Resources, Value};

/// Checks a list of resources.
///
/// # Errors
/// The first rule it breaks.
pub fn resources(wire: &[v1::Resource]) -> Result<(), String> {
    let all = Resources::try_from(wire).map_err(|error| error.to_string())?;
    overlaps(wire)?;
    for one in all.iter() {
        single(one)?;
    }
    for one in wire {
        disk(one)?;
    }
    together(&all)
}

/// Rules that hold for all that one task, or a task and its executor, use together.
///
/// # Errors
/// The first rule they break.
pub fn together(all: &Resources) -> Result<(), String> {
    let mut volumes = BTreeSet::new();
    let mut before: Option<&Resource> = None;
    let mut role = None;
    for one in all.iter() {
        let kept = one.disk.as_ref().and_then(|disk| disk.persistence.as_ref());
        if let Some(volume) = kept.filter(|_| !one.shared) {
            let name = (one.reservation_role(), &volume.id);
            if !volumes.insert(name) {
                return Err(format!("Persistence ID '{}' is not unique", volume.id));
            }
        }
        // Resources of one name stand side by side.
        if before.is_some_and(|last| last.name == one.name && last.revocable != one.revocable) {
            let name = &one.name;
            return Err(format!(
                "Cannot use both revocable and non-revocable '{name}' at the same time"
            ));
        }
        before = Some(one);
        // What is not marked is marked by the master, with the offer's role.
        let Some(own) = &one.allocation else { continue };
        if *role.get_or_insert(own) != own {
            return Err(format!(
                "The resources have multiple allocation roles ('{}', '{own}') but only one \
                 allocation role is allowed",
                role.map_or("", |role| role.as_str())
            ));
        }
    }
    Ok(())
}

/// Checks the volumes of a CREATE or DESTROY.
///
/// # Errors
/// The first rule they break.
pub fn volumes(wire: &[v1::Resource]) -> Result<(), String> {
    resources(wire).map_err(|rule| format!("Invalid resources: {rule}"))?;
    for one in wire {
        let kept = one.disk.as_ref().is_some_and(|disk| disk.persistence.is_some());
        if !kept {
            return Err(format!("'{}' is not a persistent volume", one.name));
        }
    }
    Ok(())
}

fn single(one: &Resource) -> Result<(), String> {
    if one.name == ResourceName::Gpus {
        match one.value {
            Value::Scalar(amount) if amount.is_whole() => {}
            _ => return Err("The 'gpus' resource must be an unsigned integer".to_owned()),
        }
    }
    if one.disk.is_some() && one.name != ResourceName::Disk {
        return Err(format!("DiskInfo should not be set for {} resource", one.name));
    }
    if one.shared && !one.is_persistent() {
        return Err("Only persistent volumes can be shared".to_owned());
    }
    if one.revocable && one.reservations.last().is_some_and(Reservation::is_dynamic) {
        let rule = "cannot be created from revocable resources";
        return Err(format!("Dynamically reserved resource {one} {rule}"));
    }
    Ok(())
}

fn disk(wire: &v1::Resource) -> Result<(), String> {
    let Some(disk) = &wire.disk else { return Ok(()) };
    let Some(persistence) = &disk.persistence else {
        return match &disk.volume {
            Some(_) => Err("Non-persistent volume not supported".to_owned()),
            None => Ok(()),
        };
    };
    #[allow(deprecated)]
    let open = wire.reservations.is_empty() && wire.role.as_deref().unwrap_or("*") == "*";
    if open {
        return Err("Persistent volumes cannot be created from unreserved resources".to_owned());
    }
    if wire.revocable.is_some() {
        return Err("Persistent volumes cannot be created from revocable resources".to_owned());
    }
    crate::ids::TaskId::parse(&persistence.id)
        .map_err(|error| format!("Persistence ID '{}' is invalid: {error}", persistence.id))?;
    let Some(volume) = &disk.volume else {
        return Err("Expecting 'volume' to be set for persistent volume".to_owned());
    };
    if volume.mode() == v1::volume::Mode::Ro {
        return Err("Read-only persistent volume not supported".to_owned());
    }
    if volume.host_path.is_some() {
        return Err("Expecting 'host_path' to be unset for persistent volume".to_owned());
    }
    let path = &volume.container_path;
    if path.is_empty() || path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Err(format!(
            "Expecting the 'container_path' of a persistent volume to be relative and to stay in \
             the sandbox, not '{path}'"
        ));
    }
    Ok(())
}

/// Ports given twice in one list.
fn overlaps(wire: &[v1::Resource]) -> Result<(), String> {
    for one in wire {
        let Some(ranges) = &one.ranges else { continue };
        let mut sorted: Vec<_> =
            ranges.range.iter().map(|range| (range.begin, range.end)).collect();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[1].0 <= pair[0].1) {
            return Err(format!("Ranges of '{}' overlap", one.name));
        }
    }
    Ok(())
}
