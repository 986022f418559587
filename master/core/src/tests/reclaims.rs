//! Resources that are taken from a framework for others.

use std::time::Duration;

use reeve_model::{AgentId, Capabilities, Filters, FrameworkInfo, Quantities, TaskState};

use super::Cluster;
use super::cluster::{Session, Wish, framework, pid, reregistration};
use crate::allocation::{AgentIx, FrameworkIx, Reclaimed};
use crate::effect::{Effect, ToScheduler};
use crate::event::{Call, Kind};

const WHY: &str = "batch gives way to web";

fn reclaim(amounts: &str, held: &str) -> Kind {
    Kind::Reclaimed(vec![Reclaimed {
        framework: FrameworkIx(0),
        role: "*".into(),
        agent: AgentIx(0),
        amounts: Quantities::parse(amounts).unwrap(),
        held: Quantities::parse(held).unwrap(),
        grace: Duration::from_secs(3),
        reason: WHY.into(),
    }])
}

/// An agent of 8 CPUs, on which a framework runs `old`, `mid` and `young` with a CPU each.
fn cluster(info: FrameworkInfo) -> (Cluster, Session, AgentId) {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:8;mem:1024");
    let (id, stream, _) = c.subscribe(info);
    let f = (id, stream);
    for id in ["old", "mid", "young"] {
        c.run(&f, 0, &a, id);
        c.update("a1", &a, &f.0, id, TaskState::Running, 1);
        c.ack(&f, &a, id, 1);
    }
    (c, f, a)
}

/// The last status that the framework was told: state, reason, message.
fn told(c: &Cluster) -> (TaskState, String, String) {
    let status = c.effects.iter().find_map(|effect| match effect {
        Effect::ToScheduler(_, ToScheduler::Update(update)) => Some(&update.status),
        _ => None,
    });
    let status = status.unwrap();
    let reason = status.reason.map(|reason| reason.name().to_owned()).unwrap_or_default();
    (status.state, reason, status.message.clone().unwrap_or_default())
}

#[test]
fn offers_go_first_then_the_youngest_tasks() {
    let (mut c, _, _) = cluster(framework());
    c.grant(0, 0, "cpus:2");
    assert_eq!(
        c.step(reclaim("cpus:2", "cpus:5")),
        ["alloc: f0 gives a0 cpus:2", "#1 < rescind m-O3", "took back [m-O3] [], missing "]
    );
    assert_eq!(
        c.step(reclaim("cpus:1.5", "cpus:3")),
        ["a1 < kill young in 3s", "a1 < kill mid in 3s", "took back [] [young mid], missing "]
    );
}

#[test]
fn only_what_helps_is_ended_and_what_cannot_be_had_is_told() {
    let (mut c, f, a) = cluster(framework());
    c.launch(&f, 0, Wish { id: "mem", agent: &a, resources: "mem:512", executor: None });
    c.grant(0, 0, "mem:256");
    assert_eq!(
        c.step(reclaim("cpus:9", "cpus:3;mem:768")),
        [
            "a1 < kill young in 3s",
            "a1 < kill mid in 3s",
            "a1 < kill old in 3s",
            "took back [] [young mid old], missing cpus:6"
        ]
    );
}

#[test]
fn what_came_meanwhile_or_is_about_to_come_is_not_taken_twice() {
    let (mut c, _, _) = cluster(framework());
    // The machine knows of an offer of 2 CPUs that was declined since.
    assert_eq!(c.step(reclaim("cpus:2", "cpus:5")), ["took back [] [], missing "]);
    c.step(reclaim("cpus:1", "cpus:3"));
    assert_eq!(c.step(reclaim("cpus:1", "cpus:3")), ["took back [] [], missing "]);
    assert_eq!(
        c.step(reclaim("cpus:2", "cpus:3")),
        ["a1 < kill mid in 3s", "took back [] [mid], missing "]
    );
    // Tasks that do not end in time cannot be killed: others must.
    c.now += Duration::from_secs(60);
    assert_eq!(
        c.step(reclaim("cpus:1", "cpus:3")),
        ["a1 < kill old in 3s", "took back [] [old], missing "]
    );
}

#[test]
fn a_task_that_gives_way_ends_once_and_says_why() {
    for capabilities in [Capabilities::PARTITION_AWARE, Capabilities::none()] {
        let (mut c, f, a) = cluster(FrameworkInfo { capabilities, ..framework() });
        c.step(reclaim("cpus:1", "cpus:3"));
        let killed = (TaskState::Killed, "REASON_CONTAINER_PREEMPTED".into(), WHY.into());
        c.update("a1", &a, &f.0, "young", TaskState::Killed, 2);
        assert_eq!(told(&c), killed);
        // Until it is acknowledged, it comes again, and says the same.
        c.update("a1", &a, &f.0, "young", TaskState::Killed, 2);
        assert_eq!(told(&c), killed);
        c.ack(&f, &a, "young", 2);
        let view = c.view();
        let done = view.frameworks[&f.0].completed.iter().next().unwrap();
        let last = done.statuses.last().unwrap();
        assert_eq!(last.message.as_deref(), Some(WHY));
        assert_eq!(
            c.pass(Duration::from_secs(600)).iter().filter(|l| l.contains("young")).count(),
            0
        );
    }
}

#[test]
fn a_task_that_ended_otherwise_says_so() {
    let (mut c, f, a) = cluster(framework());
    c.step(reclaim("cpus:3", "cpus:3"));
    c.update("a1", &a, &f.0, "old", TaskState::Finished, 2);
    assert_eq!(told(&c), (TaskState::Finished, String::new(), String::new()));
    c.update("a1", &a, &f.0, "mid", TaskState::Failed, 2);
    assert_eq!(told(&c), (TaskState::Failed, String::new(), WHY.into()));
}

#[test]
fn an_agent_that_is_away_is_told_when_it_is_back() {
    let (mut c, _, a) = cluster(framework());
    c.step(Kind::LinkBroken(pid("a1")));
    assert_eq!(c.step(reclaim("cpus:1", "cpus:3")), ["took back [] [young], missing "]);
    let back = reregistration(&a, "cpus:8;mem:1024");
    let lines = c.step(Kind::AgentReregisters(pid("a1"), Box::new(back)));
    assert!(lines.contains(&"a1 < kill young in 3s".to_owned()), "{lines:?}");
}

#[test]
fn who_is_gone_has_nothing_to_give_back() {
    let (mut c, f, _) = cluster(framework());
    let offers = c.grant(0, 0, "cpus:1");
    c.call(&f, Call::Decline { offers, filters: Filters::default() });
    c.call(&f, Call::Teardown);
    assert!(c.step(reclaim("cpus:1", "cpus:3")).is_empty());
}
