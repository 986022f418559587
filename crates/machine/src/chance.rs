//! Chance that can be replayed. Seeds come from outside; nothing here asks the host for one.

use std::ops::Range;
use std::time::Duration;

/// A stream of numbers that look random and follow from the seed alone (SplitMix64: public
/// domain constants of Steele, Lea and Flood, 2014). Not for secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Self {
        Chance { state: seed }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number in `0..n`, or 0 if `n` is 0. The bias is below 2^-64 · n, too small to matter
    /// for what a cluster does with it.
    pub fn below(&mut self, n: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(n);
        (wide >> 64) as u64
    }

    /// A duration in the range, to the nanosecond; its start if the range is empty. Ranges are
    /// capped at 584 years.
    pub fn duration(&mut self, range: Range<Duration>) -> Duration {
        let width = range.end.saturating_sub(range.start).as_nanos();
        let width = u64::try_from(width).unwrap_or(u64::MAX);
        range.start.saturating_add(Duration::from_nanos(self.below(width)))
    }

    /// True once in `n` times; never if `n` is 0.
    pub fn one_in(&mut self, n: u64) -> bool {
        n != 0 && self.below(n) == 0
    }

    /// A stream of its own, so that one part of a machine can draw without moving the others.
    pub fn fork(&mut self) -> Chance {
        Chance::new(self.next_u64())
    }
}

#[cfg(test)]
mod tests;
