use proptest::prelude::*;

use super::*;

#[test]
fn waits_grow_until_the_cap() {
    let (base, cap) = (Duration::from_secs(1), Duration::from_secs(60));
    let mut chance = Chance::new(3);
    let mut longest = |attempt| {
        (0..1000).map(|_| backoff(attempt, base, cap, &mut chance)).max().unwrap_or_default()
    };
    assert!(longest(0) > Duration::from_millis(900));
    assert!(longest(2) > Duration::from_millis(3500));
    assert!(longest(200) > Duration::from_secs(55));
}

#[test]
fn only_the_first_attempt_may_come_at_once() {
    let (base, cap) = (Duration::from_secs(1), Duration::from_secs(60));
    let mut chance = Chance::new(3);
    let mut shortest = |attempt| {
        (0..1000).map(|_| backoff(attempt, base, cap, &mut chance)).min().unwrap_or_default()
    };
    assert!(shortest(0) < Duration::from_millis(100));
    assert!(shortest(1) >= Duration::from_secs(1));
    assert!(shortest(200) >= Duration::from_secs(30));
}

proptest! {
    #[test]
    fn never_longer_than_cap_or_doubling(seed: u64, attempt: u32, base_ms in 0..10_000u64, cap_ms in 0..100_000u64) {
        let (base, cap) = (Duration::from_millis(base_ms), Duration::from_millis(cap_ms));
        let wait = backoff(attempt, base, cap, &mut Chance::new(seed));
        prop_assert!(wait <= cap);
        prop_assert!(wait <= base.saturating_mul(1u32.checked_shl(attempt).unwrap_or(u32::MAX)));
    }
}
