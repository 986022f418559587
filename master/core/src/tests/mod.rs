//! The master's core by scripts: what goes in, and what comes out, a line per effect.

mod agents;
mod cluster;
mod draining;
mod frameworks;
mod inverse_offers;
mod laws;
mod maintenance;
mod offers;
mod reclaims;
mod reconcile;
mod records;
mod removals;
mod render;
mod repeats;
mod roles;
mod tasks;

use cluster::Cluster;
