//! How long to wait before trying again.

use std::time::Duration;

use crate::Chance;

/// The wait before retry number `attempt` (0 for the first): somewhere between nothing and
/// `base · 2^attempt`, never more than `cap`. The spread keeps thousands of agents that lost
/// one master from coming back in the same instant (Mesos docs: `--registration_backoff_factor`
/// draws in the same way).
pub fn backoff(attempt: u32, base: Duration, cap: Duration, chance: &mut Chance) -> Duration {
    let factor = 1u32.checked_shl(attempt).unwrap_or(u32::MAX);
    let ceiling = base.saturating_mul(factor).min(cap);
    chance.duration(Duration::ZERO..ceiling)
}

#[cfg(test)]
mod tests;
