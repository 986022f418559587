//! How tasks in containers end, and what their framework is told.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use reeve_tests::until;
use serde_json::json;

use super::{Dock, task};
use crate::kills::{docker, kill_again_and_again};

const DEAF: &str = "trap '' TERM; echo ready; while :; do sleep 0.1; done";

#[test]
fn failures_say_what_failed() {
    let Some(mut dock) = Dock::start("posix,docker") else { return };
    let (_, message) = dock.failure(task("seven", "exit 7", json!({})));
    assert_eq!(message, "Container exited with status 7");

    // `tail` keeps what it reads until a line ends, which these never do.
    let (reason, message) = dock.failure(task("hog", "exec tail /dev/zero", json!({})));
    assert_eq!(reason, "REASON_CONTAINER_LIMITATION_MEMORY");
    assert!(message.contains("Limit: 64MB"), "{message}");

    let mut absent = task("absent", "true", json!({}));
    absent["container"]["docker"]["image"] = json!("localhost:1/absent:2");
    let (reason, message) = dock.failure(absent);
    assert_eq!(reason, "REASON_CONTAINER_LAUNCH_FAILED");
    assert!(message.contains("image 'localhost:1/absent:2' cannot be pulled"), "{message}");

    let mut odd = task("odd", "true", json!({}));
    odd["container"]["docker"]["parameters"] = json!([{"key": "colour", "value": "red"}]);
    assert!(dock.failure(odd).1.contains("parameter 'colour', which is not known here"));

    let mut lost = task("lost", "", json!({}));
    lost["command"] = json!({"shell": false, "value": "/absent"});
    let (reason, message) = dock.failure(lost);
    assert_eq!(reason, "REASON_CONTAINER_LAUNCH_FAILED");
    assert!(message.contains("/absent"), "{message}");
    dock.wait_empty();

    dock.engine.kill_daemon();
    let begin = Instant::now();
    let (_, message) = dock.failure(task("away", "true", json!({})));
    assert!(message.contains("docker.sock"), "{message}");
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    // Others do not need it.
    dock.scheduler.launch(reeve_tests::scheduler::task("other", "true"));
    dock.scheduler.state("other", "TASK_FINISHED");
}

#[test]
fn a_killed_task_is_gone_when_that_is_told() {
    let Some(mut dock) = Dock::start("posix,docker") else { return };
    let mut deaf = task("deaf", DEAF, json!({}));
    deaf["kill_policy"] = json!({"grace_period": {"nanoseconds": 300_000_000}});
    dock.run(deaf);
    dock.says("deaf", "ready");
    let name = dock.engine.containers().remove(0);
    dock.kill("deaf");
    assert_ne!(dock.engine.inspect(&name)["State"]["Running"], true);
    dock.wait_empty();

    let polite = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done";
    dock.run(task("polite", polite, json!({})));
    dock.says("polite", "ready");
    dock.kill("polite");
    assert_eq!(dock.cluster.agent.read_of("polite", "stdout"), "ready\nbye\n");
    dock.wait_empty();
}

#[test]
fn a_pull_holds_nobody_up_and_can_be_killed() {
    let Some(mut dock) = Dock::start("posix,docker") else { return };
    // A registry that takes connections and says nothing.
    let registry = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = registry.local_addr().unwrap().port();
    let mut slow = task("slow", "true", json!({}));
    slow["container"]["docker"]["image"] = json!(format!("127.0.0.1:{port}/slow:1"));
    dock.scheduler.launch(slow);
    let (held, _) = registry.accept().unwrap();
    dock.scheduler.launch(task("other", "true", json!({})));
    dock.scheduler.state("other", "TASK_FINISHED");
    let begin = Instant::now();
    let killed = {
        dock.scheduler.kill("slow");
        dock.scheduler.state("slow", "TASK_KILLED")
    };
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    assert_eq!(killed["reason"], "REASON_TASK_KILLED_DURING_LAUNCH");
    until("the engine to give the registry up", || {
        let containers = dock.cluster.agent.get("/containers");
        containers.as_array()?.is_empty().then_some(())
    });
    drop(held);
    dock.wait_empty();
}

#[test]
fn kills_of_the_agent_leave_no_container() {
    let Some(mut dock) = Dock::start("docker,posix") else { return };
    dock.cluster.agent.set("executor_reregistration_timeout", "15secs");
    let task = docker(dock.cluster.room.path());
    kill_again_and_again(&mut dock.cluster, &mut dock.scheduler, task);
    until("all containers to be gone", || dock.engine.containers().is_empty().then_some(()));
}
