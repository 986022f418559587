//! A work directory that a real Apache Mesos 1.11 agent wrote (`mesos-1.11`): the library of the
//! Python package `mesos.scheduler` 1.11.0, master and agent in one process, killed while a command
//! and a custom executor ran, an ended task was not acknowledged, and memory was reserved.

use std::path::Path;

use reeve_agent::checkpoint::layout::Layout;
use reeve_agent::checkpoint::read;
use reeve_agent_core::recovery::Logged;
use reeve_model::{ExecutorKind, Role, TaskState};

const BOOT: &str = "97266a11-aa2c-44fa-a5ee-bf11a37f84fc";

fn found() -> read::Found {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checkpoints/mesos-1.11");
    read::read(&Layout::new(room), BOOT)
}

#[test]
fn its_agent_is_the_same_one() {
    let found = found();
    assert_eq!(found.damage, []);
    let agent = found.recovered.agent.as_ref().unwrap();
    assert_eq!(agent.id, found.id);
    assert_eq!(found.id.unwrap().as_str(), "769d24d7-b67b-44fa-bfbe-900699c14d6f-S0");
    assert_eq!((agent.hostname.as_str(), agent.port), ("localhost", 15951));
    assert_eq!(agent.attributes.to_string(), "rack:r1");
    assert_eq!(agent.resources.scalar("cpus").to_string(), "2");
    assert!(!found.recovered.rebooted);
    assert_eq!(found.recovered.leftovers, [""; 0]);
}

#[test]
fn what_was_reserved_stays_so() {
    let found = found();
    let reserved: Vec<_> = found.recovered.resources.iter().collect();
    assert_eq!(reserved.len(), 1);
    assert_eq!(found.recovered.resources.scalar("mem").to_string(), "100");
    assert_eq!(reserved[0].reservation_role(), Role::parse("web").ok().as_ref());
}

#[test]
fn its_executors_and_tasks_are_known() {
    let found = found();
    let [framework] = &found.recovered.frameworks[..] else { panic!("one framework") };
    assert_eq!(framework.info.name, "recorded");
    assert!(framework.info.checkpoint && framework.info.capabilities.partition_aware());
    assert!(framework.pid.as_ref().unwrap().id.starts_with("scheduler-"));
    let kinds: Vec<_> =
        framework.executors.iter().map(|one| (one.info.id.to_string(), one.info.kind)).collect();
    let expected = [
        ("command", ExecutorKind::Command),
        ("custom", ExecutorKind::Custom),
        ("exits", ExecutorKind::Command),
    ];
    assert_eq!(kinds, expected.map(|(id, kind)| (id.to_owned(), kind)));
    let tasks = framework.executors.iter().flat_map(|one| &one.tasks);
    let tasks: Vec<_> = tasks.map(|task| (task.info.id.to_string(), task.log.len())).collect();
    let expected = [("command", 0), ("task", 0), ("exits", 1)];
    assert_eq!(tasks, expected.map(|(id, log)| (id.to_owned(), log)));
    assert_eq!(found.runs.len(), 3);
}

#[test]
fn what_was_not_acknowledged_is_to_be_delivered() {
    let found = found();
    let log = &found.recovered.frameworks[0].executors[2].tasks[0].log;
    let [Logged::Update(update)] = &log[..] else { panic!("one update: {log:?}") };
    assert_eq!(update.status.state, TaskState::Failed);
    assert_eq!(update.status.message.as_deref(), Some("Executor terminated"));
}
