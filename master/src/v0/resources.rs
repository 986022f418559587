//! Resources, attributes and labels as the older endpoints show them.

use reeve_model::{Attributes, Quantities, Resources};
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
    w.view(&reeve_v0::full(resources));
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
