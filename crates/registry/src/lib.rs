//! What a leader must not forget: records by key, durable, written in groups.
//!
//! [`Store`] holds the records (a redb file, or memory for clusters that live in one process);
//! [`Registry`] is the thread that owns it. Writes that queue up while one transaction is
//! being synced go into the next one together, so that ten thousand agents that register at
//! once cost tens of syncs. Keys are paths (`agents/<id>`); what a record means is its
//! owner's business.
//!
//! Does not live here: ZooKeeper as a store (a later issue); any knowledge of agents.

#![forbid(unsafe_code)]

mod error;
mod registry;
mod store;

pub use error::Error;
pub use registry::{Group, Registry};
pub use store::{Store, Write};
