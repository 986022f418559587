//! Between what the core says and what goes over sockets: libprocess messages to and from the
//! master, messages, calls and events of executors. Nothing here decides.

pub mod driver;
pub mod executor;
pub mod incoming;
pub mod outgoing;

use reeve_model::{Format, Resources};
use reeve_wire::v1;

/// Resources in the older format where it can say them, so that an older master understands; in
/// the newer one otherwise.
pub(crate) fn resources(resources: &Resources) -> Vec<v1::Resource> {
    resources
        .to_wire(Format::PreRefinement)
        .or_else(|_| resources.to_wire(Format::PostRefinement))
        .unwrap_or_default()
}
