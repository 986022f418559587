//! The clock of elections.

use reeve_machine::Tick;
use rustix::time::{ClockId, clock_gettime};

/// Now, counted from the host's boot. It goes on while the process is stopped and while the host
/// is suspended, because other hosts' clocks do.
pub(crate) fn now() -> Tick {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u64::try_from(time.tv_nsec).unwrap_or_default();
    Tick(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
}
