//! Finding things by id: hashed, but always in the same order.

use foldhash::fast::FixedState;

/// A map by id whose order depends on what was put in and taken out alone, so that a run can be
/// repeated. (The hasher's key is fixed; ids come from schedulers that are authenticated, and an
/// attacker among them gains no more than slow calls of his own.)
pub(crate) type Lookup<K, V> = indexmap::IndexMap<K, V, FixedState>;
