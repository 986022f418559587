//! Time as numbers: [`Tick`] for deciding, [`Wall`] for people and the wire.
//! No clock is read here.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A moment on the monotonic clock of one process: nanoseconds since its start.
///
/// Arithmetic saturates at both ends: 2^64 ns are 584 years, so an end is only reached by an
/// absurd duration from outside, which must not bring a core down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(pub u64);

impl Tick {
    /// The start of the process, or of a simulated run.
    pub const ZERO: Tick = Tick(0);
    /// Later than anything that happens.
    pub const MAX: Tick = Tick(u64::MAX);

    /// The moment that lies this long after the start.
    pub fn after_start(elapsed: Duration) -> Tick {
        Tick::ZERO + elapsed
    }

    /// `self + duration`, or `None` past the end of time.
    pub fn checked_add(self, duration: Duration) -> Option<Tick> {
        let nanos = u64::try_from(duration.as_nanos()).ok()?;
        self.0.checked_add(nanos).map(Tick)
    }

    /// `self - duration`, or `None` before the start.
    pub fn checked_sub(self, duration: Duration) -> Option<Tick> {
        let nanos = u64::try_from(duration.as_nanos()).ok()?;
        self.0.checked_sub(nanos).map(Tick)
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Tick) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Tick {
    type Output = Tick;
    fn add(self, duration: Duration) -> Tick {
        self.checked_add(duration).unwrap_or(Tick::MAX)
    }
}

impl AddAssign<Duration> for Tick {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for Tick {
    type Output = Tick;
    fn sub(self, duration: Duration) -> Tick {
        self.checked_sub(duration).unwrap_or(Tick::ZERO)
    }
}

impl Sub for Tick {
    type Output = Duration;
    fn sub(self, earlier: Tick) -> Duration {
        self.since(earlier)
    }
}

/// Seconds with nine decimals.
impl fmt::Display for Tick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        write!(f, "{seconds}.{nanos:09}s")
    }
}

/// A moment as people date it: nanoseconds since 1970-01-01 00:00 UTC. For timestamps on the
/// wire and on disk; it can jump, so nothing is ever decided by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(pub i64);

impl Wall {
    /// The moment this many whole seconds after the epoch (saturating).
    pub fn from_seconds(seconds: i64) -> Wall {
        Wall(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// As Mesos writes times in `/state` and `TaskStatus.timestamp`: seconds, with a fraction.
    /// A double keeps about 200 ns of precision for today's dates.
    pub fn to_seconds(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND as f64
    }

    /// Whole seconds since the epoch, rounded down.
    pub fn whole_seconds(self) -> i64 {
        self.0.div_euclid(NANOS_PER_SECOND)
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Wall) -> Duration {
        let nanos = i128::from(self.0) - i128::from(earlier.0);
        Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
    }
}

impl Add<Duration> for Wall {
    type Output = Wall;
    fn add(self, duration: Duration) -> Wall {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Wall(self.0.saturating_add(nanos))
    }
}

#[cfg(test)]
mod tests;
