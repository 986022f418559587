//! A task's life: launched, updated, acknowledged.

use reeve_model::TaskState;

use super::Cluster;
use super::cluster::Wish;

#[test]
fn a_task_lives_from_offer_to_acknowledged_end() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4;mem:1024");
    let (id, stream, lines) = c.subscribe(super::cluster::framework());
    assert_eq!(id.as_str(), "m-0000");
    assert_eq!(
        lines,
        ["#1 < subscribed m-0000", "#1 < heartbeat", "alloc: framework f0 active true"]
    );
    let f = (id, stream);
    let offers = c.grant(0, 0, "cpus:4;mem:1024");
    assert_eq!(offers[0].as_str(), "m-O0");
    let wish = Wish { id: "t", agent: &a, resources: "cpus:1;mem:24", executor: None };
    let launch = reeve_model::Operation::Launch(vec![Ok(super::cluster::task(wish))]);
    assert_eq!(
        c.accept(&f, offers, vec![launch]),
        ["a1 < run t cpus:1; mem:24 +executor", "alloc: f0 gives a0 cpus:3; mem:1000 for 5s"]
    );
    assert_eq!(
        c.update("a1", &a, &f.0, "t", TaskState::Running, 1),
        ["#1 < update t TASK_RUNNING (1)"]
    );
    assert_eq!(c.ack(&f, &a, "t", 1), ["a1 < ack t 1"]);
    assert_eq!(
        c.update("a1", &a, &f.0, "t", TaskState::Finished, 2),
        ["#1 < update t TASK_FINISHED (2)", "alloc: f0 gives a0 cpus:1; mem:24"],
        "resources are free before the end is acknowledged"
    );
    assert_eq!(c.view().frameworks[&f.0].tasks.len(), 1);
    assert_eq!(c.ack(&f, &a, "t", 2), ["a1 < ack t 2"]);
    let view = c.view();
    assert_eq!(view.frameworks[&f.0].tasks.len(), 0);
    assert_eq!(view.frameworks[&f.0].completed.len(), 1);
    assert!(view.agents[&a].used.is_empty());
}
