//! Resources, attributes and labels as the older endpoints show them.

use std::collections::BTreeMap;

use reeve_model::{Attributes, Format, Quantities, Quantity, Resources};
use reeve_v0::{AttributesView, LabelsView, Reserved, ResourcesView};
use reeve_wire::v1;

use super::json::Writer;

/// Amounts by name.
pub fn resources(w: &mut Writer, resources: &Resources) {
    w.view(&ResourcesView(resources));
}

/// What is reserved, by role.
pub fn reserved(w: &mut Writer, total: &Resources) {
    w.view(&Reserved(total));
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

/// Attributes by name.
pub fn attributes(w: &mut Writer, attributes: &Attributes) {
    w.view(&AttributesView(attributes));
}

/// Labels as an array, which is how the older endpoints show them.
pub fn labels(w: &mut Writer, labels: &v1::Labels) {
    w.view(&LabelsView(labels));
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
