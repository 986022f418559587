//! Work directories that earlier agents of ours wrote, which every later one takes up.
//!
//! `reeve-0.1`: killed while a command and a custom executor ran, an ended task was not
//! acknowledged, and memory was reserved. `tests/cluster/upgrade.rs` wrote it, and writes one for
//! another version; what is here is never written anew.

use std::path::Path;

use reeve_agent::checkpoint::layout::Layout;
use reeve_agent::checkpoint::read;
use reeve_agent_core::recovery::Logged;
use reeve_model::{ExecutorKind, Role, TaskState};

#[test]
fn what_version_0_1_left_is_taken_up() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checkpoints/reeve-0.1");
    let boot = std::fs::read_to_string(room.join("meta/boot_id")).unwrap();
    let found = read::read(&Layout::new(room), &boot);
    assert_eq!(found.damage, []);
    assert_eq!(found.recovered.leftovers, [""; 0]);
    assert!(!found.recovered.rebooted);

    let agent = found.recovered.agent.as_ref().unwrap();
    assert_eq!((&agent.id, agent.hostname.as_str()), (&found.id, "localhost"));
    assert_eq!(agent.attributes.to_string(), "rack:r1");
    assert_eq!(agent.resources.scalar("cpus").to_string(), "4");
    let reserved: Vec<_> = found.recovered.resources.iter().collect();
    assert_eq!(found.recovered.resources.scalar("mem").to_string(), "100");
    assert_eq!(reserved[0].reservation_role(), Role::parse("web").ok().as_ref());

    let [framework] = &found.recovered.frameworks[..] else { panic!("one framework") };
    assert_eq!(framework.info.name, "recorded");
    assert!(framework.info.checkpoint && framework.info.capabilities.partition_aware());
    let executors: Vec<_> = framework
        .executors
        .iter()
        .map(|one| {
            let tasks: Vec<_> = one.tasks.iter().map(|task| task.info.id.as_str()).collect();
            (one.info.id.as_str(), one.info.kind, tasks)
        })
        .collect();
    let expected = [
        ("command", ExecutorKind::Command, vec!["command"]),
        ("exits", ExecutorKind::Command, vec!["exits"]),
        ("own", ExecutorKind::Custom, vec!["task"]),
    ];
    assert_eq!(executors, expected);
    assert_eq!(found.runs.len(), 3);

    // What was reported, and how much of it was acknowledged.
    let told = |number: usize| {
        let log = &framework.executors[number].tasks[0].log;
        let state = |one: &Logged| match one {
            Logged::Update(update) => Some(update.status.state),
            Logged::Acknowledged(_) => None,
        };
        let states: Vec<_> = log.iter().filter_map(state).collect();
        let acknowledged = log.len() - states.len();
        (states, acknowledged)
    };
    let (starting, running, failed) = (TaskState::Starting, TaskState::Running, TaskState::Failed);
    assert_eq!(told(0), (vec![starting, running], 2));
    assert_eq!(told(1), (vec![starting, running, failed], 2));
    assert_eq!(told(2), (vec![running], 1));
}
