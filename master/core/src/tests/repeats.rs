//! Agents that say a thing again: because nobody answered, or because they began anew meanwhile.

use std::time::Duration;

use reeve_model::{AgentId, TaskState};

use super::Cluster;
use super::cluster::{
    known, parse, pid, registers, registers_in_life, registration, reregistration, returns,
};
use crate::event::{Ask, Kind, RequestId, WriteId};

/// Pings go unanswered until the agent is given up.
fn silence(c: &mut Cluster) {
    c.pass(Duration::from_secs(90));
}

#[test]
fn an_agent_whose_answer_and_connection_got_lost_keeps_its_id() {
    let mut c = Cluster::new();
    c.step(registers_in_life("a1", 1));
    for _ in 0..3 {
        c.step(Kind::LinkBroken(pid("a1")));
        let lines = ["link a1", "alloc: a0 active true", "a1 < registered m-S0, 75s"];
        assert_eq!(c.step(registers_in_life("a1", 1)), lines);
    }
    c.pass(Duration::from_secs(60));
    c.step(Kind::AgentPonged(pid("a1")));
    let later = c.pass(Duration::from_secs(14));
    assert!(!later.iter().any(|line| line.contains("persist")), "it is not awaited: {later:?}");
    // Tasks that were sent to it are lost, and so is the agent that they were sent to.
    let (id, f) = (AgentId::new("m-S0"), c.framework());
    c.run(&f, 0, &id, "t");
    c.step(Kind::LinkBroken(pid("a1")));
    let lines = c.step(registers_in_life("a1", 1));
    assert!(lines.contains(&"a1 < registered m-S1, 75s".to_owned()), "{lines:#?}");
}

#[test]
fn what_a_returning_agent_says_last_counts() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    silence(&mut c);
    c.commits = false;
    let mut before = reregistration(&a, "cpus:4");
    before.tasks.push(known("t", &f.0, TaskState::Running, "cpus:1"));
    assert_eq!(c.step(returns("a1", before)), ["persist 3: reachable m-S0"]);
    assert!(c.step(returns("a1", reregistration(&a, "cpus:4"))).is_empty());
    assert_eq!(
        c.step(Kind::Committed(WriteId(3))),
        [
            "link a1",
            "#1 < update t TASK_GONE REASON_AGENT_REREGISTERED",
            "alloc: agent a1 cpus:4 used []",
            "a1 < reregistered m-S0 []",
        ],
        "its earlier life had the task"
    );
}

#[test]
fn a_returning_agent_that_changes_once_more_is_written_once_more() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    c.commits = false;
    assert_eq!(c.step(returns("a1", reregistration(&a, "cpus:8"))), ["persist 1: admit m-S0"]);
    assert!(c.step(returns("a1", reregistration(&a, "cpus:6"))).is_empty());
    let lines = c.step(Kind::Committed(WriteId(1)));
    assert_eq!(lines.last().map(String::as_str), Some("persist 2: admit m-S0"), "{lines:#?}");
    c.step(Kind::Committed(WriteId(2)));
    assert_eq!(c.view().agents[&a].record.total, parse("cpus:6"));
}

#[test]
fn an_agent_that_returns_while_something_is_written_about_it_is_answered_then() {
    let mut c = Cluster::new();
    let a = c.agent("a1", "cpus:4");
    c.commits = false;
    silence(&mut c);
    assert!(c.step(returns("a1", reregistration(&a, "cpus:4"))).is_empty());
    let lines = c.step(Kind::Committed(WriteId(1)));
    assert_eq!(lines.last().map(String::as_str), Some("persist 2: reachable m-S0"));
    let lines = c.step(Kind::Committed(WriteId(2)));
    assert_eq!(lines.last().map(String::as_str), Some("a1 < reregistered m-S0 []"));
    // One that registers as new at its address has taken its place.
    let deactivates = Kind::Asks(RequestId(3), Ask::Deactivate(a.clone()));
    assert_eq!(c.step(deactivates), ["persist 3: deactivate m-S0"]);
    assert!(c.step(returns("a1", reregistration(&a, "cpus:4"))).is_empty());
    c.step(registers("a1", registration(None, "cpus:4")));
    let lines = c.step(Kind::Committed(WriteId(3)));
    assert!(!lines.iter().any(|line| line.contains("reregistered")), "{lines:#?}");
}
