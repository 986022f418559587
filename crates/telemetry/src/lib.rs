//! What Reeve says about itself: log lines and metrics.
//!
//! Lives here: the set-up of `tracing` for daemons and tools, the glog shape of lines, the
//! registry of metrics with Mesos's names, and both of its outputs. Does not live here: what is
//! counted or logged, and the HTTP endpoints that serve it.
//!
//! - [`log`]: where log lines go and what they look like.
//! - [`metrics`]: counters, gauges and timers; `/metrics/snapshot` and OpenMetrics.
//! - [`system`]: the metrics of the host.

#![forbid(unsafe_code)]

pub mod log;
pub mod metrics;
pub mod system;

pub use log::{Format, LogError};
pub use metrics::{Counter, Gauge, Metrics, Timer};
