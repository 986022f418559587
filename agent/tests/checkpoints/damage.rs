//! Files damaged in any way: nobody panics, what is not touched is recovered, each damage is told,
//! and the start after that finds none.

use std::path::{Path, PathBuf};

use reeve_agent::checkpoint::damage::{Damage, Lost};
use reeve_agent::checkpoint::layout::Layout;
use reeve_agent::checkpoint::read::{self, Found};
use reeve_agent_core::recovery::RecoveredExecutor;
use reeve_agent_runtime::checkpoint::Store;
use reeve_machine::Chance;

use crate::world::World;

const BOOT: &str = "boot 1";

/// An agent with two frameworks' worth of everything, dead.
fn tree() -> World {
    let mut world = World::new();
    world.start(None);
    world.run("command", None);
    world.run("one", Some("custom"));
    world.run("two", Some("custom"));
    world.say(reeve_agent_core::event::FromMaster::CheckpointResources(crate::world::resources(
        "disk:10;mem:5",
    )));
    world
}

fn files(room: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(room).unwrap().map(|one| one.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_symlink() || path.is_file() {
            found.push(path);
        } else {
            files(&path, found);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let new = to.join(path.file_name().unwrap());
        if path.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(&path).unwrap(), new).unwrap();
        } else if path.is_dir() {
            copy(&path, &new);
        } else {
            std::fs::copy(&path, new).unwrap();
        }
    }
}

fn executors(found: &Found) -> Vec<&RecoveredExecutor> {
    found.recovered.frameworks.iter().flat_map(|one| &one.executors).collect()
}

fn tasks(found: &Found) -> Vec<String> {
    let tasks = executors(found).into_iter().flat_map(|one| &one.tasks);
    tasks.map(|task| task.info.id.to_string()).collect()
}

/// Does something to a copy of the tree; returns what is found then.
fn after(world: &World, change: impl FnOnce(&Layout)) -> (tempfile::TempDir, Found) {
    let room = tempfile::tempdir().unwrap();
    copy(&world.work_dir(), room.path());
    let layout = Layout::new(room.path());
    change(&layout);
    let found = read::read(&layout, BOOT);
    (room, found)
}

/// Puts the damage away; the next look finds the same and no damage.
fn repaired(room: &Path, found: &Found) {
    let layout = Layout::new(room);
    for damage in &found.damage {
        let to = damage.put_away(&layout, &Store::default()).unwrap();
        assert!(to.starts_with(layout.damaged()), "{damage}");
    }
    let again = read::read(&layout, BOOT);
    assert_eq!(again.damage, [], "after {:?}", found.damage);
    assert_eq!(tasks(&again), tasks(found));
}

fn real(found: &Found) -> Vec<&Damage> {
    found.damage.iter().filter(|damage| damage.lost != Lost::Nothing).collect()
}

#[test]
fn nothing_is_damaged_where_nothing_happened() {
    let world = tree();
    let (_room, found) = after(&world, |_| ());
    assert_eq!(found.damage, []);
    assert_eq!(tasks(&found), ["command", "one", "two"]);
}

/// The path of the only file of this name below the task, executor or framework of that name.
fn file(layout: &Layout, owner: &str, name: &str) -> PathBuf {
    let mut all = Vec::new();
    files(&layout.meta(), &mut all);
    let fits = |path: &PathBuf| {
        path.ends_with(name) && path.parent().unwrap().file_name().unwrap() == owner
    };
    all.into_iter().find(fits).unwrap_or_else(|| panic!("no {name} of {owner}"))
}

#[test]
fn a_damaged_file_costs_what_it_describes() {
    let world = tree();
    for (owner, name, left, id) in [
        ("S0", "slave.info", &["command", "one", "two"][..], true),
        ("F", "framework.info", &[], true),
        ("F", "framework.pid", &["command", "one", "two"], true),
        ("custom", "executor.info", &["command"], true),
        ("two", "task.info", &["command", "one"], true),
        ("two", "task.updates", &["command", "one", "two"], true),
        ("meta", "boot_id", &["command", "one", "two"], true),
        ("resources", "resources.info", &["command", "one", "two"], true),
        ("slaves", "latest", &[], false),
    ] {
        // A directory where a file should be.
        let (room, found) = after(&world, |layout| {
            let path = file(layout, owner, name);
            std::fs::remove_file(&path).unwrap();
            std::fs::create_dir(&path).unwrap();
        });
        let damage = real(&found);
        assert_eq!(damage.len(), 1, "{name}: {damage:?}");
        assert!(damage[0].path.ends_with(name), "{damage:?}");
        assert_eq!(tasks(&found), left, "{name}");
        assert_eq!(found.id.is_some(), id, "{name}");
        repaired(room.path(), &found);
    }
}

#[test]
fn files_of_zeros_and_empty_ones_are_damaged() {
    let world = tree();
    for name in ["slave.info", "framework.info", "executor.info", "task.info"] {
        let owner = match name {
            "slave.info" => "S0",
            "framework.info" => "F",
            "executor.info" => "custom",
            _ => "two",
        };
        for bytes in [&[][..], &[0; 64], &[255; 64]] {
            let (room, found) =
                after(&world, |layout| std::fs::write(file(layout, owner, name), bytes).unwrap());
            assert_eq!(real(&found).len(), 1, "{name}");
            repaired(room.path(), &found);
        }
    }
}

#[test]
fn a_task_that_cannot_be_read_is_a_stranger_unless_it_has_ended() {
    let mut world = tree();
    let damaged = |layout: &Layout| {
        std::fs::write(file(layout, "two", "task.info"), b"?").unwrap();
    };
    let (_room, found) = after(&world, damaged);
    let strangers: Vec<_> = executors(&found).into_iter().flat_map(|one| &one.strangers).collect();
    assert_eq!(strangers.len(), 1);
    // Its last words are delivered though nothing else is known of it.
    world.deaf(true);
    world.finish("two");
    let (_room, found) = after(&world, damaged);
    assert_eq!(tasks(&found), ["command", "one", "two"]);
    assert!(executors(&found).into_iter().all(|one| one.strangers.is_empty()));
}

#[test]
fn a_link_to_nowhere_costs_no_more_than_it_must() {
    let world = tree();
    // Which of one run is the latest is clear.
    let (room, found) = after(&world, |layout| {
        let run = file(layout, "two", "task.info");
        let link = run.ancestors().nth(4).unwrap().join("latest");
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
    });
    assert_eq!(real(&found).len(), 1);
    assert_eq!(tasks(&found), ["command", "one", "two"]);
    repaired(room.path(), &found);
    let (room, found) = after(&world, |layout| {
        std::fs::remove_file(layout.latest_agent()).unwrap();
        std::os::unix::fs::symlink("S9", layout.latest_agent()).unwrap();
    });
    assert_eq!(found.id, None, "nothing tells that it is the same agent");
    assert_eq!(found.recovered.leftovers, ["meta/slaves/S0"]);
    repaired(room.path(), &found);
}

#[test]
fn what_a_dying_writer_left_costs_nothing() {
    let world = tree();
    let (room, found) = after(&world, |layout| {
        let path = file(layout, "two", "task.updates");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend([77, 0, 0, 0, 1, 2, 3]);
        std::fs::write(path, bytes).unwrap();
    });
    assert_eq!(found.damage.len(), 1);
    assert_eq!(real(&found).len(), 0);
    repaired(room.path(), &found);
}

#[test]
fn a_lost_executor_leaves_nothing_behind() {
    let world = tree();
    let (_room, found) = after(&world, |layout| {
        std::fs::write(file(layout, "custom", "executor.info"), b"?").unwrap();
    });
    let path = "slaves/S0/frameworks/F/executors/custom";
    assert_eq!(found.recovered.leftovers, [path.to_owned(), format!("meta/{path}")]);
    assert_eq!(found.runs.len(), 1, "its container is an orphan");
}

/// Two thousand times one file of the tree is cut, or a bit of it changed.
#[test]
fn no_damage_to_a_file_harms_the_rest() {
    let world = tree();
    let layout = Layout::new(world.work_dir());
    let mut all = Vec::new();
    files(&layout.meta(), &mut all);
    all.retain(|path| !path.is_symlink() && path.metadata().unwrap().len() > 0);
    let mut chance = Chance::new(4);
    let mut pick = |below: usize| usize::try_from(chance.below(below as u64)).unwrap();
    for number in 0..2_000 {
        let hit = &all[pick(all.len())];
        let whole = std::fs::read(hit).unwrap();
        let mut bytes = whole.clone();
        let place = pick(bytes.len());
        if number % 2 == 0 {
            bytes.truncate(place);
        } else {
            bytes[place] ^= 1 << pick(8);
        }
        std::fs::write(hit, &bytes).unwrap();
        let found = read::read(&layout, BOOT);
        let told = format!("{number}: {} at {place}: {:?}", hit.display(), found.damage);
        assert!(found.damage.iter().all(|damage| damage.path == *hit), "another is blamed: {told}");
        let name = hit.file_name().unwrap().to_string_lossy();
        // All but the checksum is what Mesos would have written.
        let is_whole = number % 2 == 0 && place + 8 == whole.len();
        let sealed = ["slave.info", "framework.info", "executor.info", "task.info"];
        let sealed = sealed.contains(&&*name) && !is_whole;
        assert!(!sealed || !found.damage.is_empty(), "missed: {told}");
        let lost: &[&str] = match &*name {
            "framework.info" => &["command", "one", "two"],
            "executor.info" | "task.info" => {
                let owner = hit.parent().unwrap().file_name().unwrap();
                if owner == "custom" { &["one", "two"] } else { &[owner.to_str().unwrap()] }
            }
            _ => &[],
        };
        let left = tasks(&found);
        for task in ["command", "one", "two"] {
            assert!(lost.contains(&task) || left.iter().any(|one| one == task), "{task}: {told}");
        }
        if number % 200 == 0 {
            let room = tempfile::tempdir().unwrap();
            copy(&world.work_dir(), room.path());
            repaired(room.path(), &read::read(&Layout::new(room.path()), BOOT));
        }
        std::fs::write(hit, whole).unwrap();
    }
}
