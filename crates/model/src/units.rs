//! Times as the wire carries them. Spans become [`Duration`]s; points in time are only passed on.

use std::time::Duration;

use reeve_wire::v1;

/// Seconds since 1970 as a double: a point in time on the wire, not for arithmetic.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Seconds(pub f64);

/// Longest span Mesos can hold: 2^63 nanoseconds.
const LONGEST: f64 = 9_223_372_036.0;

/// A span given in seconds, or the rule it breaks.
pub(crate) fn duration(seconds: f64) -> Result<Duration, &'static str> {
    if seconds.is_nan() {
        return Err("must be a number of seconds");
    }
    if seconds < 0.0 {
        return Err("must not be negative");
    }
    if seconds > LONGEST {
        return Err("is too long: at most 9223372036 seconds can be kept");
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// A span given in nanoseconds; `None` if it is negative.
pub(crate) fn span(wire: v1::DurationInfo) -> Option<Duration> {
    u64::try_from(wire.nanoseconds).ok().map(Duration::from_nanos)
}

/// A span as the wire carries it.
pub fn duration_to_wire(span: Duration) -> v1::DurationInfo {
    v1::DurationInfo { nanoseconds: i64::try_from(span.as_nanos()).unwrap_or(i64::MAX) }
}
