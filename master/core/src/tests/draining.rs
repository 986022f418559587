//! Agents that operators take out of use, empty, and bring back (MN-3, MN-4).

use std::time::Duration;

use reeve_model::{AgentId, Deactivation, DrainConfig, DrainInfo, TaskState};

use super::Cluster;
use super::cluster::{Session, known, pid, registration, reregistration};
use crate::Options;
use crate::event::{Ask, Kind, Recovered, RequestId, Reregistration, WriteId};

fn asks(c: &mut Cluster, ask: Ask) -> Vec<String> {
    c.step(Kind::Asks(RequestId(3), ask))
}

fn drain(c: &mut Cluster, id: &AgentId, mark_gone: bool) -> Vec<String> {
    let config = DrainConfig { max_grace: Some(Duration::from_secs(5)), mark_gone };
    asks(c, Ask::Drain(id.clone(), config))
}

fn deactivate(c: &mut Cluster, id: &AgentId) -> Vec<String> {
    asks(c, Ask::Deactivate(id.clone()))
}

fn reactivate(c: &mut Cluster, id: &AgentId) -> Vec<String> {
    asks(c, Ask::Reactivate(id.clone()))
}

fn told(lines: Vec<String>) -> String {
    lines.last().cloned().unwrap_or_default()
}

/// An agent that can be drained.
fn agent(c: &mut Cluster, name: &str) -> AgentId {
    let mut wanted = registration(None, "cpus:4");
    wanted.capabilities = vec![7];
    c.step(Kind::AgentRegisters(pid(name), Box::new(wanted)));
    let agents = c.view().agents;
    let found = agents.values().find(|agent| agent.record.pid == pid(name));
    found.map(|agent| agent.record.id.clone()).unwrap()
}

fn back(id: &AgentId) -> Reregistration {
    let mut back = reregistration(id, "cpus:4");
    back.registration.capabilities = vec![7];
    back
}

fn state(c: &Cluster, id: &AgentId) -> (bool, Option<bool>) {
    let record = c.view().agents[id].record.clone();
    let drain = record.deactivated.and_then(|deactivation| deactivation.drain);
    (record.active, drain.map(|drain| drain.drained))
}

/// A cluster whose agent runs a task.
fn busy() -> (Cluster, AgentId, Session) {
    let mut c = Cluster::new();
    let a = agent(&mut c, "a1");
    let f = c.framework();
    c.run(&f, 0, &a, "t");
    (c, a, f)
}

#[test]
fn a_deactivated_agent_is_not_offered_until_it_is_reactivated() {
    let (mut c, a, _f) = busy();
    c.grant(0, 0, "cpus:3");
    assert_eq!(
        deactivate(&mut c, &a),
        [
            "persist 2: deactivate m-S0",
            "alloc: a0 active false",
            "alloc: f0 gives a0 cpus:3",
            "#1 < rescind m-O1",
            "answer 3: Done",
        ]
    );
    assert_eq!(state(&c, &a), (false, None));
    assert!(c.grant(0, 0, "cpus:3").is_empty(), "a grant that was on its way goes back");
    assert_eq!(deactivate(&mut c, &a), ["answer 3: Done"], "asking twice is no mistake");
    assert_eq!(c.view().agents[&a].counts.get(TaskState::Staging), 1, "what runs there stays");
    assert_eq!(
        reactivate(&mut c, &a),
        ["persist 3: reactivate m-S0", "alloc: a0 active true", "answer 3: Done"]
    );
    assert!(told(reactivate(&mut c, &a)).contains("Agent is not deactivated"));
    assert_eq!(c.grant(0, 0, "cpus:3").len(), 1);
}

#[test]
fn nobody_hears_of_a_drain_before_it_is_durable() {
    let (mut c, a, _f) = busy();
    c.grant(0, 0, "cpus:3");
    c.commits = false;
    assert_eq!(drain(&mut c, &a, false), ["persist 2: drain m-S0"]);
    assert_eq!(told(deactivate(&mut c, &a)), "answer 3: Refused(Conflict(m-S0))");
    assert_eq!(state(&c, &a), (true, None));
    assert_eq!(
        c.step(Kind::Committed(WriteId(2))),
        [
            "alloc: a0 active false",
            "alloc: f0 gives a0 cpus:3",
            "#1 < rescind m-O1",
            "a1 < drain in 5s",
            "answer 3: Done",
        ]
    );
    assert_eq!(state(&c, &a), (false, Some(false)));
    assert!(c.view().agents[&a].record.drain_told.is_some());
}

#[test]
fn an_agent_is_drained_when_its_last_task_is_acknowledged() {
    let (mut c, a, f) = busy();
    drain(&mut c, &a, false);
    assert!(told(reactivate(&mut c, &a)).contains("still in the DRAINING state"));
    c.update("a1", &a, &f.0, "t", TaskState::Killed, 1);
    assert_eq!(state(&c, &a), (false, Some(false)), "its framework does not know yet");
    assert_eq!(c.ack(&f, &a, "t", 1), ["a1 < ack t 1", "persist 3: drained m-S0"]);
    assert_eq!(state(&c, &a), (false, Some(true)));
    assert_eq!(deactivate(&mut c, &a), ["answer 3: Done"]);
    assert!(told(reactivate(&mut c, &a)).contains("Done"));
    assert_eq!(state(&c, &a), (true, None));
}

#[test]
fn an_empty_agent_is_drained_at_once_and_may_be_drained_again() {
    let mut c = Cluster::new();
    let a = agent(&mut c, "a1");
    let lines = drain(&mut c, &a, false);
    assert_eq!(
        lines,
        [
            "persist 1: drain m-S0",
            "alloc: a0 active false",
            "a1 < drain in 5s",
            "persist 2: drained m-S0",
            "answer 3: Done",
        ]
    );
    assert_eq!(drain(&mut c, &a, false).len(), 4);
    assert_eq!(state(&c, &a), (false, Some(true)));
}

#[test]
fn an_agent_that_is_to_be_gone_is_so_when_it_is_drained() {
    let (mut c, a, f) = busy();
    drain(&mut c, &a, true);
    c.update("a1", &a, &f.0, "t", TaskState::GoneByOperator, 1);
    assert_eq!(
        c.ack(&f, &a, "t", 1),
        [
            "a1 < ack t 1",
            "persist 3: gone m-S0",
            "answer 7: Accepted",
            "a1 < shutdown: Agent has been marked gone",
            "unlink a1",
            "alloc: a0 removed",
            "#1 < lost m-S0",
        ]
    );
    assert!(told(drain(&mut c, &a, false)).contains("Unknown agent 'm-S0'"));
    assert!(told(reactivate(&mut c, &a)).contains("Agent is not deactivated"));
}

#[test]
fn who_cannot_be_drained_is_not() {
    let mut c = Cluster::new();
    let old = c.agent("a1", "cpus:4");
    let answer = told(drain(&mut c, &old, false));
    assert!(answer.contains("Agent m-S0 is not capable of draining"), "{answer}");
    assert!(told(deactivate(&mut c, &old)).contains("Done"), "which every agent can be");
    let stranger = AgentId::new("nobody");
    assert!(told(drain(&mut c, &stranger, false)).contains("Unknown agent 'nobody'"));
    assert!(told(deactivate(&mut c, &stranger)).contains("Unknown agent 'nobody'"));
}

#[test]
fn an_agent_that_comes_back_is_told_again() {
    let (mut c, a, f) = busy();
    drain(&mut c, &a, false);
    c.step(Kind::LinkBroken(pid("a1")));
    let mut returns = back(&a);
    returns.tasks = vec![known("t", &f.0, TaskState::Running, "cpus:1")];
    let lines = c.step(Kind::AgentReregisters(pid("a1"), Box::new(returns)));
    assert_eq!(told(lines), "a1 < drain in 5s", "and it stays out of use");
    assert_eq!(state(&c, &a), (false, Some(false)));
}

#[test]
fn an_unreachable_agent_is_drained_when_it_is_back() {
    let (mut c, a, f) = busy();
    c.pass(Duration::from_secs(120));
    assert_eq!(c.view().unreachable.len(), 1);
    let lines = drain(&mut c, &a, false);
    assert_eq!(lines, ["persist 3: drain m-S0", "answer 3: Done"]);
    let mut returns = back(&a);
    returns.tasks = vec![known("t", &f.0, TaskState::Running, "cpus:1")];
    let lines = c.step(Kind::AgentReregisters(pid("a1"), Box::new(returns)));
    assert!(lines.iter().any(|line| line.ends_with("used [f0 cpus:1] inactive")), "{lines:?}");
    assert_eq!(told(lines), "a1 < drain in 5s");
    c.update("a1", &a, &f.0, "t", TaskState::Killed, 1);
    assert!(c.ack(&f, &a, "t", 1).contains(&"persist 5: drained m-S0".to_owned()));
}

#[test]
fn the_next_leader_goes_on_with_it() {
    let ids = ["old-S0", "old-S1", "old-S2"].map(AgentId::new);
    let config = DrainConfig::default();
    let drain = |drained| Deactivation { drain: Some(DrainInfo { drained, config }) };
    let deactivated = [Deactivation::default(), drain(false), drain(true)];
    let agents = ids.iter().map(|id| back(id).registration.info);
    let recovered = Recovered {
        agents: agents.collect(),
        deactivated: ids.iter().cloned().zip(deactivated).collect(),
        ..Recovered::default()
    };
    let mut c = Cluster::with(Options::default(), recovered);
    for (name, id) in ["a0", "a1", "a2"].iter().zip(&ids) {
        let lines = c.step(Kind::AgentReregisters(pid(name), Box::new(back(id))));
        assert!(lines.iter().any(|line| line.ends_with("inactive")), "{lines:?}");
        let is_told = lines.iter().any(|line| line.ends_with("< drain"));
        assert_eq!(is_told, *name != "a0", "{lines:?}");
        assert_eq!(lines.iter().any(|line| line.contains("drained")), *name == "a1", "{lines:?}");
    }
    assert_eq!(ids.map(|id| state(&c, &id).1), [None, Some(true), Some(true)]);
}

#[test]
fn one_that_waits_for_its_agent_may_be_reactivated_and_is_forgotten_with_it() {
    let (mut c, a, _f) = busy();
    deactivate(&mut c, &a);
    c.pass(Duration::from_secs(120));
    assert_eq!(reactivate(&mut c, &a), ["persist 4: reactivate m-S0", "answer 3: Done"]);
    deactivate(&mut c, &a);
    c.pass(Duration::from_secs(15 * 24 * 3600));
    assert!(told(reactivate(&mut c, &a)).contains("Agent is not deactivated"));
}

#[test]
fn a_new_allocator_hears_who_is_out_of_use() {
    let (mut c, a, _f) = busy();
    deactivate(&mut c, &a);
    let lines = c.step(Kind::AllocatorReplaced(1));
    let agent = lines.iter().find(|line| line.starts_with("alloc: agent a0")).unwrap();
    assert!(agent.ends_with("inactive"), "{agent}");
}
