use proptest::prelude::*;

use super::*;

#[test]
fn the_stream_is_that_of_splitmix64() {
    let mut chance = Chance::new(1_234_567);
    let first: Vec<u64> = (0..3).map(|_| chance.next_u64()).collect();
    assert_eq!(
        first,
        [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
    );
}

#[test]
fn all_of_a_small_range_comes_up_about_equally_often() {
    let mut chance = Chance::new(7);
    let mut counts = [0u32; 10];
    for _ in 0..100_000 {
        counts[chance.below(10) as usize] += 1;
    }
    assert!(counts.iter().all(|n| (9_500..10_500).contains(n)), "{counts:?}");
}

#[test]
fn nothing_is_drawn_from_an_empty_range() {
    let mut chance = Chance::new(1);
    assert_eq!(chance.below(0), 0);
    assert!(!chance.one_in(0));
    assert!(chance.one_in(1));
    let second = Duration::from_secs(1);
    assert_eq!(chance.duration(second..second), second);
}

proptest! {
    #[test]
    fn draws_stay_in_range(seed: u64, n in 1..u64::MAX, a in 0..u64::MAX / 2, b in 1..u64::MAX / 2) {
        let mut chance = Chance::new(seed);
        prop_assert!(chance.below(n) < n);
        let range = Duration::from_nanos(a)..Duration::from_nanos(a + b);
        prop_assert!(range.contains(&chance.duration(range.clone())));
    }

    #[test]
    fn equal_seeds_give_equal_streams(seed: u64) {
        let (mut one, mut other) = (Chance::new(seed), Chance::new(seed));
        prop_assert_eq!(one.fork().next_u64(), other.fork().next_u64());
        prop_assert_eq!(one.next_u64(), other.next_u64());
    }
}
