//! The life that is cut short at every point: what an agent does, once each.

use reeve_agent_core::event::FromMaster;
use reeve_model::{DrainConfig, ExecutorId, FrameworkId, TaskId};

use crate::world::{World, framework, resources};

/// What happens, in order.
const STEPS: &[fn(&mut World)] = &[
    |world| world.run("command", None),
    |world| world.run("one", Some("custom")),
    |world| world.run("two", Some("custom")),
    |world| world.say(FromMaster::CheckpointResources(resources("disk:10"))),
    |world| world.finish("command"),
    |world| world.kill(&TaskId::new("one")),
    |world| {
        let info = framework("renamed");
        world.say(FromMaster::UpdateFramework(FrameworkId::new("F"), Some(info), None));
    },
    |world| world.run("three", None),
    |world| {
        let (framework, executor) = (FrameworkId::new("F"), ExecutorId::new("custom"));
        world.say(FromMaster::ShutdownExecutor(framework, executor));
    },
    World::fill_disk,
    |world| world.run("four", Some("custom")),
    |world| world.say(FromMaster::CheckpointResources(resources("disk:20"))),
    |world| world.finish("four"),
    World::fill_disk,
    |world| world.run("five", None),
    |world| world.say(FromMaster::Drain(DrainConfig::default())),
];

/// Goes through the steps that are left, or as far as the agent lives. Returns how far that is.
pub fn live(world: &mut World, from: usize) -> usize {
    for (number, step) in STEPS.iter().enumerate().skip(from) {
        if !world.lives() {
            return number;
        }
        step(world);
    }
    STEPS.len()
}

/// Kills what is left.
pub fn wind_down(world: &mut World) {
    let tasks: Vec<TaskId> = world.tasks.keys().cloned().collect();
    for task in tasks {
        world.kill(&task);
    }
    world.say(FromMaster::ShutdownExecutor(FrameworkId::new("F"), ExecutorId::new("custom")));
}
