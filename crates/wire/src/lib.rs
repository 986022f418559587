//! The Mesos wire: message types, their JSON, RecordIO.

#![forbid(unsafe_code)]

#[allow(missing_docs, clippy::all, clippy::pedantic)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/reeve_wire.rs"));
}

pub use generated::mesos::v1;
pub use generated::mesos::{SlaveInfo, internal};
