use std::time::Duration;

use super::{Arrival, Network, Node, World};
use crate::Tick;

fn world(seed: u64) -> (World<u32>, Node, Node) {
    let mut world = World::new(seed, Network::default());
    let (a, b) = (world.add_node(), world.add_node());
    (world, a, b)
}

fn messages(world: &mut World<u32>, end: Tick) -> Vec<u32> {
    let mut all = Vec::new();
    while let Some(arrival) = world.next(end) {
        if let Arrival::Message { message, .. } = arrival {
            all.push(message);
        }
    }
    all
}

#[test]
fn messages_arrive_in_order() {
    let (mut world, a, b) = world(1);
    (0..50).for_each(|number| world.send(a, b, number));
    assert_eq!(messages(&mut world, Tick::MAX), (0..50).collect::<Vec<_>>());
}

#[test]
fn a_cut_loses_what_is_under_way_and_is_told_once() {
    let (mut world, a, b) = world(1);
    world.watch(a, b);
    world.send(a, b, 1);
    world.cut(a, b, true);
    world.send(a, b, 2);
    let mut broken = 0;
    let mut got = Vec::new();
    while let Some(arrival) = world.next(Tick::MAX) {
        match arrival {
            Arrival::Broken { .. } => broken += 1,
            Arrival::Message { message, .. } => got.push(message),
            _ => {}
        }
    }
    assert_eq!((broken, got), (1, vec![2]));
}

#[test]
fn what_repeats_comes_twice_in_a_row_until_it_is_healed() {
    let (mut world, a, b) = world(1);
    world.repeat(a, b);
    (1..3).for_each(|number| world.send(a, b, number));
    assert_eq!(world.under_way(a, b).copied().collect::<Vec<_>>(), [1, 1, 2, 2]);
    world.heal(a, b);
    world.send(a, b, 3);
    assert_eq!(messages(&mut world, Tick::MAX), [1, 1, 2, 2, 3]);
}

#[test]
fn a_partition_that_heals_in_time_loses_nothing() {
    let (mut world, a, b) = world(1);
    world.block(a, b);
    world.send(a, b, 1);
    let soon = world.now() + Duration::from_secs(1);
    assert!(messages(&mut world, soon).is_empty());
    world.heal(a, b);
    assert_eq!(messages(&mut world, Tick::MAX), [1]);
}

#[test]
fn a_partition_that_lasts_breaks_the_connection() {
    let (mut world, a, b) = world(1);
    world.watch(a, b);
    world.block(a, b);
    world.send(a, b, 1);
    assert!(matches!(world.next(Tick::MAX), Some(Arrival::Broken { .. })));
    world.heal(a, b);
    assert!(messages(&mut world, Tick::MAX).is_empty());
}

#[test]
fn a_crash_loses_what_was_meant_for_the_dead() {
    let (mut world, a, b) = world(1);
    world.watch(a, b);
    world.send(a, b, 1);
    world.local(b, Duration::from_secs(1), 2);
    world.crash(b);
    world.restart(b);
    world.send(a, b, 3);
    assert_eq!(messages(&mut world, Tick::MAX), [3]);
}

#[test]
fn a_paused_node_hears_everything_later() {
    let (mut world, a, b) = world(1);
    world.pause(b, Duration::from_secs(5));
    world.send(a, b, 1);
    assert!(messages(&mut world, Tick::after_start(Duration::from_secs(4))).is_empty());
    assert_eq!(messages(&mut world, Tick::MAX), [1]);
}

#[test]
fn a_fast_clock_is_early() {
    let (mut world, a, b) = world(1);
    world.set_rate(a, 1250);
    for node in [a, b] {
        world.local(node, Duration::from_secs(10), 1);
    }
    let mut seen = Vec::new();
    while let Some(Arrival::Local { node, .. }) = world.next(Tick::MAX) {
        seen.push((node, world.now().since(Tick::ZERO).as_secs(), world.clock(node)));
    }
    let ten = Tick::after_start(Duration::from_secs(10));
    assert_eq!(seen, [(a, 8, ten), (b, 10, ten)]);
}

#[test]
fn one_seed_is_one_history() {
    let run = |seed| {
        let (mut world, a, b) = world(seed);
        (0..50).for_each(|number| world.send(a, b, number));
        messages(&mut world, Tick::MAX);
        world.trace()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
