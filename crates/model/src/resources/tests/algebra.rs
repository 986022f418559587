//! The laws of adding, subtracting and containing.

use super::*;

/// Whether every entry is there for something, and stands where it belongs.
fn is_normal(all: &Resources) -> bool {
    let ordered = all.0.windows(2).all(|pair| pair[0].resource.place(&pair[1].resource).is_lt());
    ordered && all.0.iter().all(|entry| entry.count > 0 && !entry.resource.value.is_empty())
}

/// Some part of `all`: of each entry, all or about half or nothing, as `choices` say.
fn part(all: &Resources, choices: &[u8]) -> Resources {
    let mut part = Resources::default();
    for ((resource, count), choice) in all.iter_counted().zip(choices.iter().cycle()) {
        let mut one = resource.clone();
        if resource.is_atom() {
            for _ in 0..count.min(u32::from(*choice)) {
                part += &one;
            }
            continue;
        }
        match (&mut one.value, choice % 3) {
            (_, 0) => continue,
            (_, 1) => {}
            (Value::Scalar(amount), _) => {
                *amount = Quantity::from_thousandths(amount.thousandths() / 2);
            }
            (Value::Ranges(ranges), _) => *ranges = ranges.take(ranges.count() / 2),
            (Value::Set(set), _) => *set = set.take(set.len() / 2),
        }
        part += one;
    }
    part
}

/// The same with other numbers and names, so that nothing of ranges and sets is in both.
fn moved(all: &Resources) -> Resources {
    let moved = all.iter().map(|one| {
        let value = match &one.value {
            Value::Scalar(amount) => Value::Scalar(*amount),
            Value::Ranges(ranges) => {
                Value::Ranges(ranges.iter().map(|(begin, end)| (begin + 100, end + 100)).collect())
            }
            Value::Set(set) => {
                Value::Set(set.iter().map(|item| Arc::from(format!("+{item}"))).collect())
            }
        };
        Resource { value, ..one.clone() }
    });
    moved.collect()
}

proptest! {
    #[test]
    fn order_of_adding_does_not_matter(a in collections(2), b in collections(2)) {
        prop_assert_eq!(&a + &b, &b + &a);
    }

    #[test]
    fn grouping_of_adding_does_not_matter(
        a in collections(2), b in collections(2), c in collections(2),
    ) {
        prop_assert_eq!(&(&a + &b) + &c, &a + &(&b + &c));
    }

    #[test]
    fn a_sum_contains_its_parts(a in collections(2), b in collections(2)) {
        let sum = &a + &b;
        prop_assert!(sum.contains(&a) && sum.contains(&b));
        prop_assert!(is_normal(&sum));
    }

    #[test]
    fn what_was_added_can_be_taken_away(a in collections(2), b in collections(2)) {
        let b = moved(&b);
        prop_assert_eq!(&(&a + &b) - &b, a);
    }

    #[test]
    fn a_part_taken_away_and_put_back_changes_nothing(
        a in collections(2), choices in vec(0..3_u8, 1..8),
    ) {
        let part = part(&a, &choices);
        prop_assert!(a.contains(&part));
        let rest = a.checked_sub(&part).unwrap();
        prop_assert_eq!(rest + part, a);
    }

    #[test]
    fn nothing_is_ever_negative(a in collections(2), b in collections(2)) {
        let rest = &a - &b;
        prop_assert!(is_normal(&rest));
        prop_assert!(a.contains(&rest));
        prop_assert_eq!(a.checked_sub(&b).is_some(), a.contains(&b));
    }

    #[test]
    fn all_less_all_is_nothing(a in collections(2)) {
        prop_assert!((&a - &a).is_empty());
    }

    #[test]
    fn parts_of_a_collection_make_it_up(a in collections(2)) {
        prop_assert_eq!(a.reserved(None) + a.unreserved(), a.clone());
        prop_assert_eq!(a.revocable() + a.non_revocable(), a.clone());
        prop_assert_eq!(a.shared() + a.non_shared(), a.clone());
        let unmarked = a.filter(|one| one.allocation.is_none());
        prop_assert_eq!(a.allocations().values().sum::<Resources>() + unmarked, a);
    }

    #[test]
    fn marks_of_allocation_come_and_go(a in collections(2)) {
        let role = Role::new("a/b");
        let plain = a.unallocated();
        let marked = plain.allocated_to(&role);
        prop_assert!(is_normal(&plain) && is_normal(&marked));
        prop_assert_eq!(marked.allocations().len(), usize::from(!a.is_empty()));
        prop_assert_eq!(marked.unallocated(), plain);
        prop_assert_eq!(marked.quantities(), a.unallocated().quantities());
    }

    #[test]
    fn shrinking_keeps_within_the_bound(a in collections(2), most in amounts()) {
        let mut small = a.clone();
        small.shrink("mem", most);
        prop_assert!(is_normal(&small) && a.contains(&small));
        prop_assert_eq!(small.scalar("mem"), a.scalar("mem").min(most));
        prop_assert_eq!(small.scalar("cpus"), a.scalar("cpus"));
    }

    #[test]
    fn quantities_follow_sums(a in collections(2), b in collections(2)) {
        // What is shared counts once, however often it is there.
        let (a, b) = (a.non_shared(), b.non_shared());
        let atoms = |all: &Resources| all.filter(|one| !one.is_atom());
        let (a, b) = (atoms(&a), atoms(&b));
        prop_assert_eq!((&a + &b).quantities(), a.quantities() + &b.quantities());
        prop_assert_eq!(a.quantities() + &b.quantities() - &b.quantities(), a.quantities());
        prop_assert!((a.quantities() + &b.quantities()).contains(&a.quantities()));
    }
}

#[test]
fn what_differs_in_more_than_amount_stays_apart() {
    let all = parse("cpus:1;cpus(prod):2;cpus(dev):4;mem:8");
    assert_eq!(all.len(), 4);
    assert!(!all.contains(&parse("cpus:2")));
    assert!(all.contains(&parse("cpus(dev):3")));
    assert_eq!(all.scalar("cpus"), Quantity::from_units(7));
    assert_eq!(all.reserved(Some(&Role::new("dev"))), parse("cpus(dev):4"));
}

#[test]
fn tenths_add_up_exactly() {
    let tenth = parse("cpus:0.1");
    let one: Resources = std::iter::repeat_n(&tenth, 10).sum();
    assert_eq!(one, parse("cpus:1"));
    assert!((one - parse("cpus:0.3") - parse("cpus:0.7")).is_empty());
}

#[test]
fn a_role_may_use_what_is_kept_for_the_roles_above_it() {
    let all = parse("cpus:1;cpus(eng):2;cpus(eng/web):4;cpus(ops):8");
    let of = |role: &str| all.allocatable_to(&Role::new(role)).scalar("cpus");
    assert_eq!(of("eng"), Quantity::from_units(3));
    assert_eq!(of("eng/web"), Quantity::from_units(7));
    assert_eq!(of("eng/webber"), Quantity::from_units(3));
    assert_eq!(all.allocatable_to(&Role::any()), parse("cpus:1"));
}

#[test]
fn a_shared_volume_is_counted_not_summed() {
    let disk = Disk {
        persistence: Some(Persistence { id: "data".into(), principal: None }),
        ..Disk::default()
    };
    let volume = Resource {
        disk: Some(Arc::new(disk)),
        shared: true,
        ..Resource::scalar("disk", Quantity::from_units(10))
    };
    let one = Resources::from(volume.clone());
    let two = &one + &one;
    assert_eq!((two.count(&volume), two.len()), (2, 1));
    assert_eq!(two.scalar("disk"), Quantity::from_units(10));
    assert_eq!(&two - &one, one);
    assert!(!one.contains(&two));
    assert_eq!(two.to_wire(Format::PostRefinement).unwrap().len(), 2);
}

#[test]
fn a_mount_is_used_as_a_whole() {
    let disk = |kind| {
        let source = DiskSource {
            kind,
            root: Some(Some("/mnt".into())),
            vendor: None,
            id: None,
            metadata: Labels::default(),
            profile: None,
        };
        Some(Arc::new(Disk { source: Some(source), ..Disk::default() }))
    };
    let of = |kind, amount| {
        let plain = Resource::scalar("disk", Quantity::from_units(amount));
        Resources::from(Resource { disk: disk(kind), ..plain })
    };
    assert!(of(DiskKind::Path, 10).contains(&of(DiskKind::Path, 4)));
    assert!(!of(DiskKind::Mount, 10).contains(&of(DiskKind::Mount, 4)));
    assert!(of(DiskKind::Mount, 10).contains(&of(DiskKind::Mount, 10)));
    let mut small = of(DiskKind::Mount, 10);
    small.shrink("disk", Quantity::from_units(4));
    assert!(small.is_empty());
}
