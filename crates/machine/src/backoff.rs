//! How long to wait before trying again.

use std::time::Duration;

use crate::Chance;

/// The wait before attempt number `attempt` (0 for the first): up to `base · 2^attempt`, never
/// more than `cap`. The spread keeps thousands of agents that lost one master from coming back in
/// the same instant (Mesos docs: `--registration_backoff_factor` draws in the same way).
///
/// The first attempt may come at once; later ones wait at least half as long as they may. When all
/// come at once an answer takes its time, and who asks again too soon only makes it later.
pub fn backoff(attempt: u32, base: Duration, cap: Duration, chance: &mut Chance) -> Duration {
    let factor = 1u32.checked_shl(attempt).unwrap_or(u32::MAX);
    let ceiling = base.saturating_mul(factor).min(cap);
    let least = if attempt == 0 { Duration::ZERO } else { ceiling / 2 };
    chance.duration(least..ceiling)
}

#[cfg(test)]
mod tests;
