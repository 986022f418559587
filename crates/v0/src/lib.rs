//! The JSON objects that the v0 endpoints of master and agent share (V0-1 … V0-6): resources,
//! attributes, tasks, statuses, in the keys that tools have read for years.
//!
//! Everything here is a view that serialises straight from the model, without building a tree.
//! What an endpoint consists of is its daemon's; the objects of the v1 API are `reeve-wire`'s.

#![forbid(unsafe_code)]

mod build;
mod resources;
mod task;

pub use build::{MESOS_VERSION, Version, version};
pub use resources::{AttributesView, Reserved, ResourcesView, endpoint_format, full};
pub use task::{LabelsView, StatusView, TaskRecord, TaskView, v0};
