//! What readers see: facts about changes, and the read model that is made of them.
//!
//! The core emits [`Change`]s and keeps nothing for readers. A [`View`] on a task of its own
//! takes them in and hands out [`Snapshot`]s, which share structure and cost nothing to copy.
//! JSON, paging and permissions do not live here; nor does anything the core decides by.

mod apply;
mod change;
mod counts;
mod record;
mod snapshot;
#[cfg(test)]
mod tests;

pub use crate::few::Few;
pub use apply::View;
pub use change::{Change, Departure, Leaving, OfferEnd, TaskEnd};
pub use counts::{Ended, OfferCounts, StateCounts};
pub use record::{
    AgentRecord, Answered, ExecutorRecord, FrameworkRecord, Statuses, TaskBody, TaskRecord,
};
pub use snapshot::{AgentView, Departures, FrameworkView, Snapshot, Tallies};
