//! Amounts, ranges and sets by themselves.

use std::collections::BTreeSet;

use super::*;

/// The numbers one by one.
fn numbers(ranges: &Ranges) -> BTreeSet<u64> {
    ranges.iter().flat_map(|(begin, end)| begin..=end).collect()
}

/// The numbers as intervals, made in the plainest way.
fn intervals(numbers: &BTreeSet<u64>) -> Ranges {
    numbers.iter().map(|number| (*number, *number)).collect()
}

proptest! {
    #[test]
    fn ranges_are_sets_of_numbers(a in ranges(), b in ranges(), number in 0..70_u64) {
        let (one, two) = (numbers(&a), numbers(&b));
        prop_assert_eq!(&intervals(&one), &a);
        prop_assert_eq!(numbers(&a.union(&b)), &one | &two);
        prop_assert_eq!(numbers(&a.intersect(&b)), &one & &two);
        prop_assert_eq!(numbers(&a.subtract(&b)), &one - &two);
        prop_assert_eq!(a.union(&b), intervals(&(&one | &two)));
        prop_assert_eq!(a.subtract(&b), intervals(&(&one - &two)));
        prop_assert_eq!(a.contains(&b), one.is_superset(&two));
        prop_assert_eq!(a.intersects(&b), !one.is_disjoint(&two));
        prop_assert_eq!(a.has(number), one.contains(&number));
        prop_assert_eq!(a.count(), one.len() as u64);
    }

    #[test]
    fn taking_gives_the_lowest(a in ranges(), count in 0..70_u64) {
        let lowest: BTreeSet<u64> =
            numbers(&a).into_iter().take(usize::try_from(count).unwrap()).collect();
        prop_assert_eq!(numbers(&a.take(count)), lowest);
    }

    #[test]
    fn thousandths_survive_the_wire(thousandths in -(1_i64 << 50)..=1 << 50) {
        let amount = Quantity::from_thousandths(thousandths);
        prop_assert_eq!(Quantity::from_f64(amount.to_f64()), amount);
    }

    #[test]
    fn amounts_survive_text(amount in amounts()) {
        prop_assert_eq!(parse_quantity(&amount.to_string()), Some(amount));
    }

    #[test]
    fn amounts_saturate(one in any::<i64>(), two in any::<i64>()) {
        let (one, two) = (Quantity::from_thousandths(one), Quantity::from_thousandths(two));
        prop_assert!(one.saturating_sub(two) >= Quantity::ZERO);
        prop_assert!(one >= two || one.checked_sub(two).is_none());
        prop_assert!(two < Quantity::ZERO || one.saturating_add(two) >= one);
    }
}

#[test]
fn ranges_reach_the_largest_number() {
    let all = Ranges::of(0, u64::MAX);
    assert_eq!(all.count(), u64::MAX);
    assert_eq!(all.union(&all), all);
    assert!(all.subtract(&all).is_empty());
    assert_eq!(all.subtract(&Ranges::of(0, u64::MAX - 1)), Ranges::of(u64::MAX, u64::MAX));
    assert_eq!(all.take(1), Ranges::of(0, 0));
    assert_eq!(Ranges::of(5, 4), Ranges::new());
}

#[test]
fn neighbours_become_one_interval() {
    let ranges: Ranges = [(7, 9), (1, 3), (4, 5)].into_iter().collect();
    assert_eq!(ranges.to_string(), "[1-5, 7-9]");
}

#[test]
fn doubles_are_rounded_to_thousandths() {
    assert_eq!(Quantity::from_f64(0.1 + 0.2), Quantity::from_f64(0.3));
    assert_eq!(Quantity::from_f64(1.0005).thousandths(), 1001);
    assert_eq!(Quantity::from_f64(f64::INFINITY), Quantity::MAX);
    assert_eq!(Quantity::from_f64(f64::NAN), Quantity::ZERO);
    assert!(Quantity::MAX.to_f64().is_infinite());
    assert_eq!(Quantity::from_thousandths(-1500).to_string(), "-1.5");
    assert_eq!(Quantity::from_thousandths(2050).to_string(), "2.05");
}

#[test]
fn rules_of_least_offers_are_alternatives() {
    let rules = MinAllocatable::parse("cpus:0.01|mem:32;disk:10").unwrap();
    let allows = |text: &str| rules.allows(&Quantities::parse(text).unwrap());
    assert!(allows("cpus:0.01"));
    assert!(allows("mem:32;disk:10"));
    assert!(!allows("mem:32;disk:9.999"));
    assert!(!allows(""));
    assert!(MinAllocatable::default().allows(&Quantities::default()));
    assert_eq!(MinAllocatable::from(&rules.to_wire()), rules);
}
