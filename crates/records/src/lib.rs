//! What the records of the registry say.
//!
//! - [`Kind`]: every kind of record, with its keys, its message and its rules
//! - [`Document`]: all records as one JSON text that people can read and change
//! - [`check`]: which records are not what they should be, and what is to be done about it
//! - [`mesos`]: the records that a registry of Apache Mesos comes to
//!
//! Does not live here: where records are kept (`reeve-registry`), and what a master makes of them.

#![forbid(unsafe_code)]

mod check;
mod document;
mod kind;
pub mod mesos;

use std::collections::BTreeMap;

pub use check::{Finding, check};
pub use document::{Document, DocumentError};
pub use kind::{Kind, LARGEST, Unreadable, check_size, machine_id, read};

/// Records by key, as a store loads them.
pub type Records = BTreeMap<String, Vec<u8>>;

/// What a master must know of to make sense of a registry, as far as this version does (MA-4).
pub const CAPABILITIES: [&str; 3] = ["AGENT_UPDATE", "AGENT_DRAINING", "QUOTA_V2"];

/// The capabilities that these records ask for and this version lacks.
pub fn lacking(records: &Records) -> Vec<&str> {
    let of_capability = |key| match Kind::of(key) {
        Some((Kind::Capabilities, name)) => Some(name),
        _ => None,
    };
    let asked = records.keys().filter_map(|key| of_capability(key.as_str()));
    asked.filter(|name| !CAPABILITIES.contains(name)).collect()
}
