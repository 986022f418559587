//! Quota on the wire: what a role's name and amounts must keep to by themselves. What the
//! cluster can bear is the core's to say.

use std::collections::BTreeMap;

use reeve_master_core::roles::Quota;
use reeve_model::{Quantities, Quantity, ResourceName, Resources, Role};
use reeve_wire::v1;
use reeve_wire::v1::quota::{QuotaConfig, QuotaInfo, QuotaStatus};
use reeve_wire::v1::value::Scalar;

/// The most that can be asked for, as in Mesos: an exabyte, in megabytes, and a trillion of all
/// else.
const MOST_MEGABYTES: f64 = (1_u64 << 40) as f64;
const MOST_OTHERS: f64 = 1e12;

/// Reads what UPDATE_QUOTA sets for a role.
///
/// # Errors
///
/// The rule that is broken.
pub fn parse(wire: &QuotaConfig) -> Result<(Role, Quota), String> {
    let role =
        Role::parse(&wire.role).map_err(|why| format!("Invalid 'QuotaConfig.role': {why}"))?;
    check_sizes("guarantees", &wire.guarantees)?;
    check_sizes("limits", &wire.limits)?;
    let guarantees = amounts("guarantee", &wire.guarantees)?;
    let limits = amounts("limit", &wire.limits)?;
    let guarantees: Quantities = guarantees.into_iter().collect();
    let quota = Quota { guarantees, limits };
    if let Some((name, most)) = quota.exceeded(&quota.guarantees) {
        return Err(format!(
            "'QuotaConfig.guarantees' {} is not contained within the 'QuotaConfig.limits', \
             {name}:{most}",
            quota.guarantees
        ));
    }
    Ok((role, quota))
}

/// Refuses roles that are not at the top: their quota is not supported, as in Mesos.
///
/// # Errors
///
/// Words for it, after what was tried.
pub fn check_top(role: &str, tried: &str) -> Result<(), String> {
    if role.contains('/') {
        return Err(format!("{tried} quota on nested role '{role}' is not supported yet"));
    }
    Ok(())
}

fn check_sizes(part: &str, amounts: &BTreeMap<String, Scalar>) -> Result<(), String> {
    for (name, scalar) in amounts {
        let (most, words) = match name.as_str() {
            "mem" | "disk" => (MOST_MEGABYTES, "1 exabyte"),
            _ => (MOST_OTHERS, "1 trillion"),
        };
        if scalar.value > most {
            return Err(format!(
                "Invalid 'QuotaConfig.{part}': {{'{name}': {}}} is invalid: values greater than \
                 {words} ({most}) are not supported",
                scalar.value
            ));
        }
    }
    Ok(())
}

fn amounts(
    part: &str,
    amounts: &BTreeMap<String, Scalar>,
) -> Result<Vec<(ResourceName, Quantity)>, String> {
    let read = |(name, scalar): (&String, &Scalar)| {
        let wrong = |rule: &str| {
            let value = scalar.value;
            format!("Invalid {part} configuration {{'{name}': {value}}}: {rule}")
        };
        if !scalar.value.is_finite() {
            return Err(wrong("Value is not a number"));
        }
        if scalar.value < 0.0 {
            return Err(wrong("Value is negative"));
        }
        Ok((ResourceName::from(name.as_str()), Quantity::from_f64(scalar.value)))
    };
    amounts.iter().map(read).collect()
}

/// Reads what SET_QUOTA guarantees.
///
/// # Errors
///
/// The rule that is broken.
pub fn guarantee(wire: Vec<v1::Resource>) -> Result<Quantities, String> {
    if wire.is_empty() {
        return Err("QuotaInfo with empty 'guarantee'".to_owned());
    }
    let mut all = Quantities::new();
    for one in wire {
        let resources = Resources::try_from(std::slice::from_ref(&one))
            .map_err(|why| format!("QuotaInfo with invalid resource: {why}"))?;
        let Some(resource) = resources.iter().next() else { continue };
        let rule = if !resource.reservations.is_empty() {
            "must not contain any ReservationInfo"
        } else if resource.disk.is_some() {
            "must not contain DiskInfo"
        } else if resource.revocable {
            "must not contain RevocableInfo"
        } else if resources.quantities().is_empty() {
            "must not include non-scalar resources"
        } else if all.get(&resource.name) > Quantity::ZERO {
            return Err(format!("QuotaInfo contains duplicate resource name '{}'", resource.name));
        } else {
            all += &resources.quantities();
            continue;
        };
        return Err(format!("QuotaInfo {rule}"));
    }
    Ok(all)
}

/// A role's quota as the wire and the registry carry it.
pub fn to_wire(role: &Role, quota: &Quota) -> QuotaConfig {
    let scalar = |name: &ResourceName, amount: Quantity| {
        (name.to_string(), Scalar { value: amount.to_f64() })
    };
    QuotaConfig {
        role: role.to_string(),
        guarantees: quota.guarantees.iter().map(|(name, least)| scalar(name, least)).collect(),
        limits: quota.limits.iter().map(|(name, most)| scalar(name, *most)).collect(),
    }
}

/// All quota, in the form of today and in the older one.
pub fn status<'a>(quotas: impl Iterator<Item = (&'a Role, &'a Quota)> + Clone) -> QuotaStatus {
    let info = |(role, quota): (&Role, &Quota)| QuotaInfo {
        role: Some(role.to_string()),
        guarantee: quota.guarantees.iter().map(|(name, least)| scalar(name, least)).collect(),
        ..QuotaInfo::default()
    };
    #[allow(deprecated)]
    QuotaStatus {
        infos: quotas.clone().map(info).collect(),
        configs: quotas.map(|(role, quota)| to_wire(role, quota)).collect(),
    }
}

#[allow(deprecated)]
fn scalar(name: &ResourceName, amount: Quantity) -> v1::Resource {
    v1::Resource {
        name: name.to_string(),
        r#type: v1::value::Type::Scalar.into(),
        scalar: Some(Scalar { value: amount.to_f64() }),
        role: Some("*".to_owned()),
        ..v1::Resource::default()
    }
}

#[cfg(test)]
mod tests;
