//! An agent that dies at any point of its life: the next one goes on from there. No task is lost
//! or started twice, each ends once, what was said to be safe is, and nothing is left running.

use reeve_agent::checkpoint::layout::Layout;
use reeve_agent::checkpoint::read;
use reeve_machine::Chance;

use crate::journal::Crash;
use crate::life::{live, wind_down};
use crate::world::World;

/// How many things an agent asks of its disk in its life.
fn points() -> usize {
    let mut world = World::new();
    world.start(None);
    live(&mut world, 0);
    wind_down(&mut world);
    world.check("a life without a crash");
    assert_eq!(world.ids.len(), 1);
    world.written()
}

/// Lives until a point, and then on.
fn cut_short(at: usize, crash: Crash) {
    let context = format!("{crash:?} at {at}");
    let mut world = World::new();
    world.start(Some((at, crash)));
    let done = live(&mut world, 0);
    if world.lives() {
        wind_down(&mut world);
    }
    if crash == Crash::Power {
        world.power_fails();
    }
    world.start(None);
    live(&mut world, done);
    wind_down(&mut world);
    world.check(&context);
    if world.ids.len() > 1 {
        assert!(world.ids.len() == 2 && done == 0, "{context}: the agent lost its name");
    }
}

#[test]
fn killed_before_any_write() {
    for at in 0..points() {
        cut_short(at, Crash::Killed);
    }
}

#[test]
fn killed_in_the_middle_of_any_write() {
    for at in 0..points() {
        cut_short(at, Crash::Torn);
    }
}

#[test]
fn killed_again_while_it_recovers() {
    let (points, mut chance) = (points() as u64, Chance::new(11));
    let mut pick = |below| usize::try_from(chance.below(below)).unwrap();
    for number in 0..300 {
        let (first, second) = (pick(points), pick(60));
        let mut world = World::new();
        world.start(Some((first, Crash::Torn)));
        let done = live(&mut world, 0);
        world.start(Some((second, if number % 2 == 0 { Crash::Killed } else { Crash::Torn })));
        let done = live(&mut world, done);
        world.start(None);
        live(&mut world, done);
        wind_down(&mut world);
        world.check(&format!("killed at {first} and at {second}"));
    }
}

/// Or the test below would tell nothing.
#[test]
fn what_is_not_flushed_does_not_survive_the_power() {
    for flushed in [true, false] {
        let mut world = World::new();
        world.start(None);
        world.run("command", None);
        if !flushed {
            world.journal.forget_flushes();
        }
        world.power_fails();
        let found = read::read(&Layout::new(world.work_dir()), "boot 1");
        assert_eq!(found.runs.len(), usize::from(flushed));
    }
}

#[test]
fn the_power_fails_at_any_write() {
    for at in 0..points() {
        cut_short(at, Crash::Power);
    }
}
