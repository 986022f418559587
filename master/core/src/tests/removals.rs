//! Agents that are given up no faster than allowed (AGM-4, AGM-5), and agents that are gone.

use std::time::Duration;

use reeve_machine::Wall;
use reeve_model::{AgentId, Capabilities, FrameworkInfo, TaskId, TaskState};

use super::Cluster;
use super::cluster::{framework, pid, registration, reregistration};
use crate::Options;
use crate::event::{Ask, Call, Kind, Recovered, RequestId, WriteId};

const MINUTE: Duration = Duration::from_secs(60);

fn limited() -> Options {
    Options { agent_removal_spacing: Some(10 * MINUTE), ..Options::default() }
}

fn old(count: usize) -> Recovered {
    let id = |number| AgentId::new(format!("old-S{number}"));
    let agents = (0..count).map(|number| registration(Some(&id(number)), "cpus:4").info);
    Recovered { agents: agents.collect(), ..Recovered::default() }
}

fn writes(lines: Vec<String>) -> Vec<String> {
    let written = lines.into_iter().filter(|line| line.starts_with("persist"));
    written.map(|line| line.split(": ").skip(1).collect()).collect()
}

fn returns(name: &str, id: &str) -> Kind {
    Kind::AgentReregisters(pid(name), Box::new(reregistration(&id.into(), "cpus:4")))
}

#[test]
fn agents_become_unreachable_one_after_another_where_that_is_limited() {
    let mut c = Cluster::with(limited(), Recovered::default());
    for name in ["a1", "a2", "a3"] {
        c.agent(name, "cpus:4");
    }
    assert_eq!(writes(c.pass(MINUTE * 3 / 2)), ["unreachable m-S0"]);
    let view = c.view();
    assert_eq!((view.tallies.departures.scheduled, view.agents.len()), (3, 2));
    assert!(c.pass(9 * MINUTE).contains(&"a2 < ping true".to_owned()), "it may answer yet");
    assert_eq!(writes(c.pass(MINUTE)), ["unreachable m-S1"]);
    assert_eq!(writes(c.pass(10 * MINUTE)), ["unreachable m-S2"]);
}

#[test]
fn an_agent_that_answers_before_its_turn_stays() {
    let mut c = Cluster::with(limited(), Recovered::default());
    for name in ["a1", "a2", "a3"] {
        c.agent(name, "cpus:4");
    }
    c.pass(2 * MINUTE);
    c.step(Kind::AgentPonged(pid("a2")));
    assert_eq!(c.view().tallies.departures.canceled, 1);
    assert_eq!(writes(c.pass(9 * MINUTE + MINUTE / 2)), ["unreachable m-S2"]);
}

#[test]
fn a_pong_does_not_bring_back_who_must_register_again() {
    let mut c = Cluster::with(limited(), Recovered::default());
    for name in ["a1", "a2"] {
        c.agent(name, "cpus:4");
        c.step(Kind::LinkBroken(pid(name)));
    }
    for _ in 0..41 {
        c.pass(MINUTE / 4);
        c.step(Kind::AgentPonged(pid("a1")));
        c.step(Kind::AgentPonged(pid("a2")));
    }
    assert_eq!(c.view().unreachable.len(), 1);
    assert_eq!(c.view().tallies.departures.canceled, 0);
    c.step(returns("a2", "m-S1"));
    assert_eq!(c.view().tallies.departures.canceled, 1);
}

#[test]
fn after_a_failover_agents_may_return_while_they_wait_to_be_given_up() {
    let mut c = Cluster::with(limited(), old(3));
    assert_eq!(writes(c.pass(10 * MINUTE)), ["unreachable old-S0"]);
    c.step(returns("a1", "old-S1"));
    let left = c.view().tallies.departures;
    assert_eq!((left.scheduled, left.canceled, left.after_failover), (3, 1, 1));
    for _ in 0..40 {
        c.pass(MINUTE / 4);
        c.step(Kind::AgentPonged(pid("a1")));
    }
    assert_eq!(c.view().unreachable.len(), 2);
    assert_eq!(c.view().agents.len(), 1);
}

#[test]
fn a_master_that_misses_too_many_agents_gives_up_the_lead_instead() {
    let limit = |percent| Options { recovery_agent_removal_limit: percent, ..Options::default() };
    let mut c = Cluster::with(limit(50.0), old(4));
    c.step(returns("a1", "old-S0"));
    let lines: Vec<String> = c.pass(10 * MINUTE);
    let last = lines.iter().find(|line| line.starts_with("step down")).expect("it steps down");
    assert!(last.contains("3 of 4 agents (75.0%) did not re-register within 600secs"), "{last}");
    assert!(last.contains("allows 50%") && last.contains("old-S1, old-S2, old-S3"), "{last}");
    assert_eq!(c.view().unreachable.len(), 1, "the silent one alone");

    let mut c = Cluster::with(limit(75.0), old(4));
    c.step(returns("a1", "old-S0"));
    assert_eq!(writes(c.pass(10 * MINUTE)).len(), 4, "as many as allowed, and a silent one");
}

fn gone(c: &mut Cluster, id: &str) -> Vec<String> {
    c.step(Kind::Asks(RequestId(3), Ask::MarkGone(id.into())))
}

#[test]
fn a_gone_agent_is_shut_down_and_its_tasks_are_gone() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    c.grant(0, 0, "cpus:3");
    assert_eq!(
        gone(&mut c, "m-S0"),
        [
            "alloc: a0 active false",
            "alloc: f0 gives a0 cpus:3",
            "#1 < rescind m-O1",
            "persist 2: gone m-S0",
            "a1 < shutdown: Agent has been marked gone",
            "#1 < update t TASK_GONE_BY_OPERATOR REASON_AGENT_REMOVED_BY_OPERATOR",
            "alloc: f0 gives a0 cpus:1",
            "unlink a1",
            "alloc: a0 removed",
            "#1 < lost m-S0",
            "answer 3: Done",
        ]
    );
    assert_eq!(gone(&mut c, "m-S0"), ["answer 3: Done"], "asking twice is no mistake");
    assert_eq!(c.step(returns("a1", "m-S0")), ["a1 < shutdown: Agent has been marked gone"]);
    let late = c.update("a1", &a, &f.0, "t", TaskState::Running, 1);
    assert!(late.is_empty(), "{late:?}");
    let ask = Call::Reconcile(vec![(TaskId::new("t"), Some(a))]);
    assert_eq!(c.call(&f, ask), ["#1 < update t TASK_GONE_BY_OPERATOR REASON_RECONCILIATION"]);
}

#[test]
fn nobody_hears_that_an_agent_is_gone_before_that_is_durable() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    c.commits = false;
    assert_eq!(gone(&mut c, "m-S0"), ["alloc: a0 active false", "persist 1: gone m-S0"]);
    assert_eq!(gone(&mut c, "m-S0"), ["answer 3: Refused(AgentBusy(m-S0))"]);
    assert!(c.step(returns("a1", "m-S0")).is_empty());
    let lines = c.step(Kind::Committed(WriteId(1)));
    assert_eq!(lines[0], "a1 < shutdown: Agent has been marked gone");
    assert!(lines.contains(&"answer 3: Done".to_owned()));
    let told = lines.iter().filter(|line| line.contains("shutdown")).count();
    assert_eq!(told, 2, "it asked meanwhile, so it is answered");
}

#[test]
fn who_knows_no_partitions_is_told_lost_of_a_gone_agent() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let capabilities = Capabilities::none();
    let (id, stream, _) = c.subscribe(FrameworkInfo { capabilities, ..framework() });
    c.run(&(id, stream), 0, &a, "t");
    let lines = gone(&mut c, "m-S0");
    assert!(lines.contains(&"#1 < update t TASK_LOST REASON_AGENT_REMOVED".to_owned()));
}

#[test]
fn unreachable_tasks_are_gone_with_their_agent() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    c.pass(2 * MINUTE);
    assert_eq!(c.view().frameworks[&f.0].unreachable.len(), 1);
    assert_eq!(
        gone(&mut c, "m-S0"),
        [
            "persist 3: gone m-S0",
            "#1 < update t TASK_GONE_BY_OPERATOR REASON_AGENT_REMOVED_BY_OPERATOR",
            "answer 3: Done",
        ],
        "that it is lost, everybody knows"
    );
    let view = c.view();
    let framework = &view.frameworks[&f.0];
    assert!(framework.unreachable.is_empty() && view.unreachable.is_empty());
    assert_eq!(framework.completed[0].state, TaskState::GoneByOperator);
}

#[test]
fn an_awaited_agent_can_be_gone_and_a_stranger_cannot() {
    let mut c = Cluster::with(limited(), old(2));
    c.framework();
    assert_eq!(
        gone(&mut c, "old-S1"),
        ["persist 1: gone old-S1", "#1 < lost old-S1", "answer 3: Done"]
    );
    assert_eq!(c.step(returns("a1", "old-S1")), ["a1 < shutdown: Agent has been marked gone"]);
    assert_eq!(gone(&mut c, "old-S9"), ["answer 3: Refused(UnknownAgent(old-S9))"]);
    // One that waits to be given up need not wait any longer.
    c.pass(10 * MINUTE);
    assert_eq!(c.view().unreachable.len(), 1);
}

#[test]
fn gone_agents_are_forgotten_like_unreachable_ones() {
    let recovered = Recovered {
        gone: vec![("old-S1".into(), Wall(0)), ("old-S2".into(), Wall(1_699_999_000_000_000_000))],
        ..Recovered::default()
    };
    let mut c = Cluster::with(Options::default(), recovered);
    assert_eq!(writes(c.pass(15 * MINUTE)), ["remove old-S1"]);
    let back = reregistration(&"old-S1".into(), "cpus:4");
    c.step(Kind::AgentReregisters(pid("a1"), Box::new(back)));
    assert_eq!(c.view().agents.len(), 1);
}
