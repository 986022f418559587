//! Resources, attributes and labels as the older endpoints show them.

use std::collections::BTreeMap;

use reeve_model::{
    AttributeValue, Attributes, Format, Quantities, Quantity, Ranges, Resources, Set, Value,
};
use reeve_wire::v1;

use super::json::Writer;

/// Names that are shown even where there is nothing of them.
const ALWAYS: [&str; 4] = ["disk", "mem", "gpus", "cpus"];

/// Amounts by name: numbers, `[1-5]` for ranges, `{a,b}` for sets. Revocable resources are
/// shown beside the others, as `cpus_revocable`.
pub fn resources(w: &mut Writer, resources: &Resources) {
    let mut sums: BTreeMap<String, Value> = BTreeMap::new();
    for (resource, count) in resources.iter_counted() {
        let name = resource.name.as_str();
        let name = if resource.revocable { format!("{name}_revocable") } else { name.to_owned() };
        for _ in 0..count {
            add(&mut sums, &name, &resource.value);
        }
    }
    w.object(|w| {
        for name in ALWAYS {
            if !sums.contains_key(name) {
                w.field(name, 0.0);
            }
        }
        for (name, value) in &sums {
            match value {
                Value::Scalar(amount) => w.field(name, amount.to_f64()),
                other => w.field(name, spaced(&other.to_string())),
            }
        }
    });
}

/// Mesos writes a space behind the commas of ranges and sets: `[1-5, 7-9]`.
fn spaced(text: &str) -> String {
    text.replace(',', ", ")
}

fn add(sums: &mut BTreeMap<String, Value>, name: &str, value: &Value) {
    let Some(sum) = sums.get_mut(name) else {
        sums.insert(name.to_owned(), value.clone());
        return;
    };
    match (sum, value) {
        (Value::Scalar(sum), Value::Scalar(more)) => *sum = sum.saturating_add(*more),
        (Value::Ranges(sum), Value::Ranges(more)) => *sum = Ranges::union(sum, more),
        (Value::Set(sum), Value::Set(more)) => *sum = Set::union(sum, more),
        // One name with two types is refused when an agent registers.
        _ => {}
    }
}

/// What is reserved, by role.
pub fn reserved(w: &mut Writer, total: &Resources) {
    w.object(|w| {
        for (role, reserved) in total.reservations() {
            resources(w.key(role.as_str()), &reserved);
        }
    });
}

/// All there is to say of what is reserved, by role.
pub fn reserved_full(w: &mut Writer, total: &Resources) {
    w.object(|w| {
        for (role, reserved) in total.reservations() {
            full(w.key(role.as_str()), &reserved);
        }
    });
}

/// All there is to say of resources.
pub fn full(w: &mut Writer, resources: &Resources) {
    w.array(endpoint_format(resources), |w, one| w.message(&one));
}

/// Resources as endpoints show them: with the stack of reservations, and with `role` and
/// `reservation` as well where these can say it, so that old and new tools both find what
/// they know.
pub fn endpoint_format(resources: &Resources) -> Vec<v1::Resource> {
    let both = resources.to_wire(Format::PostRefinement).unwrap_or_default();
    both.into_iter().map(with_old_fields).collect()
}

#[allow(deprecated)]
fn with_old_fields(mut wire: v1::Resource) -> v1::Resource {
    use v1::resource::ReservationInfo;
    use v1::resource::reservation_info::Type;
    match wire.reservations.as_slice() {
        [] => wire.role = Some("*".to_owned()),
        [only] => {
            wire.role = only.role.clone();
            if only.r#type == Some(Type::Dynamic.into()) {
                wire.reservation = Some(ReservationInfo {
                    principal: only.principal.clone(),
                    labels: only.labels.clone(),
                    ..ReservationInfo::default()
                });
            }
        }
        _ => {}
    }
    wire
}

/// Scalars by name.
pub fn quantities(w: &mut Writer, quantities: &Quantities) {
    w.object(|w| {
        for (name, amount) in quantities.iter() {
            w.field(name.as_str(), amount.to_f64());
        }
    });
}

/// Attributes by name; of several of one name the last is seen, as in Mesos.
pub fn attributes(w: &mut Writer, attributes: &Attributes) {
    let by_name: BTreeMap<&str, &AttributeValue> =
        attributes.iter().map(|one| (&*one.name, &one.value)).collect();
    w.object(|w| {
        for (name, value) in by_name {
            match value {
                AttributeValue::Scalar(amount) => w.field(name, amount.to_f64()),
                AttributeValue::Text(text) => w.field(name, &**text),
                other => w.field(name, spaced(&other.to_string())),
            }
        }
    });
}

/// Labels as an array, which is how the older endpoints show them.
pub fn labels(w: &mut Writer, labels: &v1::Labels) {
    w.array(&labels.labels, |w, label| w.message(label));
}

/// Limits of a task: numbers, or the text `Infinity`.
pub fn limits(w: &mut Writer, limits: &BTreeMap<String, v1::value::Scalar>) {
    w.object(|w| {
        for (name, limit) in limits {
            if limit.value.is_infinite() {
                w.field(name, "Infinity");
            } else {
                w.field(name, Quantity::from_f64(limit.value).to_f64());
            }
        }
    });
}
