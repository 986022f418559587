//! Resources and attributes as objects with a key per name.

use std::collections::BTreeMap;
use std::iter::repeat_n;

use reeve_model::{AttributeValue, Attributes, Format, Quantity, Resources, Value};
use reeve_wire::{json, v1};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The kinds that are always there, if only as zero.
const ALWAYS: [&str; 4] = ["cpus", "gpus", "mem", "disk"];

/// Resources as `{"cpus":4.0,"gpus":0.0,"mem":…,"disk":…,"ports":"[31000-32000]"}`, over all roles.
/// Revocable ones have keys of their own, such as `cpus_revocable`.
#[derive(Clone, Copy, Debug)]
pub struct ResourcesView<'a>(pub &'a Resources);

impl Serialize for ResourcesView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut scalars: BTreeMap<String, Quantity> = BTreeMap::new();
        let mut texts: BTreeMap<String, Resources> = BTreeMap::new();
        for resource in self.0.iter() {
            let suffix = if resource.revocable { "_revocable" } else { "" };
            let key = format!("{}{suffix}", resource.name.as_str());
            match &resource.value {
                Value::Scalar(amount) => {
                    let sum = scalars.entry(key).or_default();
                    *sum = sum.checked_add(*amount).unwrap_or(*sum);
                }
                Value::Ranges(_) | Value::Set(_) => {
                    let mut plain = resource.clone();
                    plain.allocation = None;
                    plain.reservations = reeve_model::Reservations::default();
                    *texts.entry(key).or_default() += plain;
                }
            }
        }
        let mut map = serializer.serialize_map(None)?;
        for key in ALWAYS {
            map.serialize_entry(key, &scalars.remove(key).unwrap_or_default().to_f64())?;
        }
        for (key, amount) in scalars {
            map.serialize_entry(&key, &amount.to_f64())?;
        }
        for (key, resources) in texts {
            let values: Vec<String> = resources.iter().map(|one| text(&one.value)).collect();
            map.serialize_entry(&key, &values.join(","))?;
        }
        map.end()
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Scalar(amount) => amount.to_string(),
        Value::Ranges(ranges) => {
            let parts: Vec<String> = ranges.iter().map(|(a, b)| format!("{a}-{b}")).collect();
            format!("[{}]", parts.join(", "))
        }
        Value::Set(items) => format!("{{{}}}", items.iter().collect::<Vec<_>>().join(", ")),
    }
}

/// Reserved resources as an object with a key per role.
#[derive(Clone, Copy, Debug)]
pub struct Reserved<'a>(pub &'a Resources);

impl Serialize for Reserved<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let by_role = self.0.reservations();
        serializer
            .collect_map(by_role.iter().map(|(role, all)| (role.as_str(), ResourcesView(all))))
    }
}

/// Resources as endpoints show them: with the stack of reservations, and with `role` and
/// `reservation` as well where these can say the same, so that old and new tools both find what
/// they know.
#[allow(deprecated)]
pub fn endpoint_format(resources: &Resources) -> Vec<v1::Resource> {
    let mut all = Vec::with_capacity(resources.len());
    for (resource, count) in resources.iter_counted() {
        let mut wire = resource.to_wire(Format::PostRefinement).unwrap_or_default();
        if let Ok(older) = resource.to_wire(Format::PreRefinement) {
            wire.role = older.role.or_else(|| Some("*".to_owned()));
            wire.reservation = older.reservation;
        }
        all.extend(repeat_n(wire, count as usize));
    }
    all
}

/// The same as JSON, for `…_full` keys.
pub fn full(resources: &Resources) -> Vec<serde_json::Value> {
    let all = endpoint_format(resources);
    all.iter().map(|one| json::to_value_in(json::Words::V0, one)).collect()
}

/// Attributes as `{"rack":"r7","cores":4.0}`; of a name that comes more than once the last stands.
#[derive(Clone, Copy, Debug)]
pub struct AttributesView<'a>(pub &'a Attributes);

impl Serialize for AttributesView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let all: BTreeMap<&str, &AttributeValue> =
            self.0.iter().map(|one| (one.name.as_ref(), &one.value)).collect();
        let mut map = serializer.serialize_map(Some(all.len()))?;
        for (name, value) in all {
            match value {
                AttributeValue::Scalar(number) => map.serialize_entry(name, &number.to_f64())?,
                AttributeValue::Ranges(ranges) => {
                    map.serialize_entry(name, &text(&Value::Ranges(ranges.clone())))?;
                }
                AttributeValue::Text(text) => map.serialize_entry(name, text.as_ref())?,
                AttributeValue::Set(items) => {
                    map.serialize_entry(name, &text(&Value::Set(items.clone())))?;
                }
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests;
