//! What a leader must not forget: records by key, durable, written in groups.
//!
//! [`Store`] holds the records: a redb file, ZooKeeper for ensembles of masters, or memory for
//! clusters that live in one process. [`Registry`] is the thread that owns it. Writes that queue up
//! while one transaction is under way go into the next one together, so that ten thousand agents
//! that register at once cost tens of syncs. Keys are paths (`agents/<id>`).
//!
//! Does not live here: what a record means (`reeve-records`); who leads.

#![forbid(unsafe_code)]

mod error;
mod file;
mod registry;
mod store;
mod zookeeper;

pub use error::Error;
pub use file::Salvage;
pub use registry::{Group, Registry};
pub use store::{Store, Write};
pub use zookeeper::{Ensemble, Term};
