//! The v0 endpoints of the master (V0-1 … V0-21), rendered from a snapshot of the read model.
//!
//! What they share with the agent's stands in `reeve-v0` (crates/v0): resources, attributes, tasks
//! and statuses as JSON, and `/version`; `/files/*` is `reeve_transport::files::Files`.
