//! The monotonic clock that the machines' ticks count on.

use std::time::{Duration, Instant};

use reeve_machine::Tick;

/// Ticks since the daemon started.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Clock { start: Instant::now() }
    }

    /// Now.
    pub fn now(&self) -> Tick {
        Tick::after_start(self.start.elapsed())
    }

    /// How long until `tick`.
    pub fn until(&self, tick: Tick) -> Duration {
        tick.since(self.now())
    }
}
