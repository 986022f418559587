//! What a task may use, and what it does.

use reeve_module_sdk::isolator::{Isolator, Value};

use crate::task::{Task, container, docker, isolator, shell};
use reeve_tests::Engine;
use reeve_tests::until;

#[test]
fn a_task_that_uses_up_its_memory_is_ended_with_the_reason() {
    let Some(engine) = Engine::start() else { return };
    let isolator = isolator(&engine, "agent");
    // `tail` keeps what it reads until a line ends, which these never do.
    let hog = shell("exec tail /dev/zero");
    let mut task = Task::start(&isolator, &container(&engine, "hog", docker(), &hog));
    assert_eq!(task.ends(), Some(137));
    assert!(task.read("stderr").contains("Limit: 64MB"), "{}", task.read("stderr"));
    let limitation = isolator.check("hog").unwrap().expect("a limitation");
    assert_eq!(limitation.resource, "mem");
    assert!(limitation.message.contains("64MB"), "{}", limitation.message);
    isolator.cleanup("hog").unwrap();
    assert!(engine.containers().is_empty());
}

#[test]
fn use_is_told_and_limits_can_be_changed() {
    let Some(engine) = Engine::start() else { return };
    let isolator = isolator(&engine, "agent");
    assert_eq!(isolator.usage("unknown"), Ok(<_>::default()));
    let busy = shell("echo ready; while :; do :; done");
    let mut spec = container(&engine, "busy", docker(), &busy);
    let task = Task::start(&isolator, &spec);
    task.says("ready");
    until("the use of some CPU time", || {
        let usage = isolator.usage("busy").unwrap();
        let Some(Value::Number(seconds)) = usage.get("cpus_user_time_secs") else { return None };
        assert_eq!(usage.get("mem_limit_bytes"), Some(Value::Count(64 << 20)));
        (seconds > 0.05).then_some(())
    });
    for (cpus, mem) in [(1_000, 128_000), (500, 96_000)] {
        spec.grants.requests[0].thousandths = cpus;
        spec.grants.requests[1].thousandths = mem;
        isolator.update("busy", &spec.grants).unwrap();
        let host = &engine.inspect("reeve-busy")["HostConfig"];
        assert_eq!(host["CpuShares"].as_i64(), Some(cpus * 1_024 / 1_000));
        assert_eq!(host["Memory"].as_i64(), Some((mem / 1_000) << 20));
    }
    // No limit at all.
    let none = reeve_module_sdk::isolator::Scalar { name: "mem".into(), thousandths: i64::MAX };
    spec.grants.limits.push(none);
    isolator.update("busy", &spec.grants).unwrap();
    let limit = isolator.usage("busy").unwrap().get("mem_limit_bytes");
    assert!(matches!(limit, Some(Value::Count(limit)) if limit > 1 << 30), "{limit:?}");
    // And one again.
    spec.grants.limits.clear();
    isolator.update("busy", &spec.grants).unwrap();
    let limit = isolator.usage("busy").unwrap().get("mem_limit_bytes");
    assert_eq!(limit, Some(Value::Count(96 << 20)));
    isolator.cleanup("busy").unwrap();
}
