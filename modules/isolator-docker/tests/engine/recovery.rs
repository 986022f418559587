//! An agent that comes back.

use reeve_module_sdk::isolator::{Isolator, Survivor};

use crate::task::{Task, container, docker, isolator, shell};
use reeve_tests::Engine;

#[test]
fn a_restarted_agent_keeps_its_tasks_and_removes_its_orphans_alone() {
    let Some(engine) = Engine::start() else { return };
    let first = isolator(&engine, "agent");
    let other = isolator(&engine, "other");
    first.recover(&[]).unwrap();
    other.recover(&[]).unwrap();
    let forever = shell("echo ready; while :; do sleep 0.1; done");
    let mut kept = Task::start(&first, &container(&engine, "kept", docker(), &forever));
    let mut orphan = Task::start(&first, &container(&engine, "orphan", docker(), &forever));
    let mut foreign = Task::start(&other, &container(&engine, "foreign", docker(), &forever));
    [&kept, &orphan, &foreign].into_iter().for_each(|task| task.says("ready"));

    // Two agents do not share a runtime directory.
    let second = isolator(&engine, "agent");
    assert!(second.recover(&[]).unwrap_err().to_string().contains("'runtime_dir'"));
    drop(first);
    let survivor = Survivor { id: "kept".into(), pid: 1, sandbox: "/nowhere".into() };
    second.recover(&[survivor]).unwrap();
    assert_eq!(engine.containers(), ["reeve-foreign", "reeve-kept"]);
    assert_eq!(orphan.ends(), Some(137));
    assert!(kept.runs() && foreign.runs());
    assert!(second.usage("kept").unwrap().get("mem_total_bytes").is_some());
    second.cleanup("kept").unwrap();
    other.cleanup("foreign").unwrap();
    assert_eq!((kept.ends(), foreign.ends()), (Some(137), Some(137)));
    assert!(engine.containers().is_empty());
}
