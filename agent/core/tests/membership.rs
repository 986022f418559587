//! How an agent joins its master, loses it and comes back.

// Tests may stop at what must not be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::time::Duration;

use reeve_agent_core::Refusal;
use reeve_agent_core::effect::{Effect, Record, ToExecutor, ToMaster};
use reeve_agent_core::event::{FromMaster, Kind, StreamId};
use reeve_agent_core::recovery::Recovered;
use reeve_agent_core::view::Phase;
use reeve_model::{AgentId, Capabilities, ExecutorId, Reason, TaskId, TaskState, TaskStatus};
use rig::{AGENT, Rig, custom, framework, framework_id, task};

#[test]
fn it_asks_again_and_again_until_it_is_admitted() {
    let mut rig = Rig::blank();
    rig.event(Kind::Recovered(Box::default()));
    rig.event(Kind::MasterDetected(Some(rig::master())));
    rig.pass(Duration::from_secs(1));
    assert!(rig.registrations() >= 1, "the first time within a second");
    rig.pass(Duration::from_secs(600));
    let asked = rig.registrations();
    assert!((10..100).contains(&asked), "{asked} times in ten minutes");
    rig.take();
    rig.master(FromMaster::Registered(AgentId::new(AGENT), None));
    let saved = |effect: &Effect| matches!(effect, Effect::Checkpoint(_, Record::Agent(_)));
    assert!(rig.has(saved));
    assert!(rig.has(|effect| matches!(effect, Effect::ToMaster(_, ToMaster::Update(..)))));
    assert_eq!(rig.view.standing.phase, Phase::Running);
    rig.pass(Duration::from_secs(70));
    assert_eq!(rig.registrations(), 0);
}

#[test]
fn without_pings_it_asks_again() {
    let mut rig = Rig::registered();
    for _ in 0..10 {
        rig.pass(Duration::from_secs(15));
        rig.master(FromMaster::Ping(rig::pid("slave-observer(3)"), true));
    }
    assert_eq!(rig.registrations(), 0);
    let pong = |effect: &Effect| matches!(effect, Effect::ToMaster(to, ToMaster::Pong) if &*to.id == "slave-observer(3)");
    assert!(rig.has(pong));
    rig.pass(Duration::from_secs(74));
    assert_eq!(rig.registrations(), 0);
    rig.pass(Duration::from_secs(2));
    assert!(rig.registrations() >= 1);
}

#[test]
fn a_master_that_takes_it_for_disconnected_is_asked_again() {
    let mut rig = Rig::registered();
    rig.master(FromMaster::Ping(rig::pid("slave-observer(3)"), false));
    rig.pass(Duration::from_secs(1));
    assert!(rig.registrations() >= 1);
}

#[test]
fn it_obeys_nobody_but_the_leader() {
    let mut rig = Rig::registered();
    let message = FromMaster::Run {
        framework: framework(true, Capabilities::none()),
        task: task("t", None),
        launch_executor: Some(true),
        scheduler: None,
    };
    rig.event(Kind::FromMaster(rig::pid("usurper"), message.clone()));
    rig.event(Kind::MasterDetected(None));
    rig.master(message);
    assert!(rig.launched().is_none());
}

#[test]
fn updates_wait_for_a_master_and_then_go_at_once() {
    let mut rig = Rig::registered();
    rig.run(&framework(true, Capabilities::none()), &task("t", None));
    rig.subscribe(1, "t", &[]);
    rig.event(Kind::MasterLinkBroken(rig::master()));
    rig.take();
    rig.report("t", "t", TaskState::Running);
    rig.pass(Duration::from_secs(300));
    assert!(rig.sent().is_empty());
    assert_eq!(rig.reports(), [(TaskId::new("t"), TaskState::Running, true)]);
    rig.master(FromMaster::Reregistered(AgentId::new(AGENT), None, Vec::new()));
    assert_eq!(rig.states(), [TaskState::Running]);
}

#[test]
fn what_is_acknowledged_while_it_seeks_its_master_is_not_sent_again() {
    let mut rig = Rig::registered();
    rig.run(&framework(true, Capabilities::none()), &task("t", None));
    rig.subscribe(1, "t", &[]);
    let uuid = rig.report("t", "t", TaskState::Running);
    rig.event(Kind::MasterLinkBroken(rig::master()));
    rig.acknowledge("t", uuid);
    rig.take();
    rig.pass(Duration::from_secs(2));
    assert_eq!(rig.reports(), [(TaskId::new("t"), TaskState::Running, false)]);
    rig.master(FromMaster::Reregistered(AgentId::new(AGENT), None, Vec::new()));
    assert!(rig.sent().is_empty());
}

#[test]
fn a_task_that_only_the_master_knows_is_reported_lost_once() {
    let mut rig = Rig::registered();
    rig.run(&framework(true, Capabilities::none()), &task("t", None));
    rig.event(Kind::MasterLinkBroken(rig::master()));
    rig.pass(Duration::from_secs(1));
    rig.take();
    let status = |id: &str| TaskStatus::new(TaskId::new(id), TaskState::Staging);
    let missing = vec![(framework_id(), vec![status("t"), status("ghost")])];
    let message = FromMaster::Reregistered(AgentId::new(AGENT), None, missing);
    rig.master(message.clone());
    rig.master(message);
    let lost = rig.sent();
    assert_eq!(lost.len(), 1);
    assert_eq!(lost[0].status.task, TaskId::new("ghost"));
    assert_eq!(lost[0].status.reason, Some(Reason::Reconciliation));
}

#[test]
fn an_executor_that_only_the_master_knows_is_told_to_be_gone_once() {
    let mut rig = Rig::registered();
    let own = task("t", Some(custom("here")));
    rig.run(&framework(true, Capabilities::none()), &own);
    rig.event(Kind::MasterLinkBroken(rig::master()));
    rig.pass(Duration::from_secs(1));
    rig.take();
    let status = |id: &str, executor: &str| TaskStatus {
        executor: Some(ExecutorId::new(executor)),
        ..TaskStatus::new(TaskId::new(id), TaskState::Staging)
    };
    let missing = [status("a", "gone"), status("b", "gone"), status("c", "here")];
    let missing = vec![(framework_id(), missing.to_vec())];
    rig.master(FromMaster::Reregistered(AgentId::new(AGENT), None, missing));
    assert_eq!(rig.exits(), [(ExecutorId::new("gone"), -1)]);
}

#[test]
fn an_answer_to_an_earlier_life_is_not_its_own() {
    let mut rig = rig::recovered(Recovered::default());
    let answer = || FromMaster::Registered(AgentId::new(AGENT), None);
    rig.master(answer());
    assert_eq!(rig.view.standing.phase, Phase::Disconnected);
    assert_eq!(rig.view.standing.id, None, "the master gave that id to another");
    rig.deadline();
    rig.master(answer());
    assert_eq!(rig.view.standing.phase, Phase::Running);
}

#[test]
fn an_answer_counts_though_its_connection_broke_meanwhile() {
    let mut rig = rig::recovered(Recovered::default());
    rig.deadline();
    rig.event(Kind::MasterDetected(Some(rig::master())));
    rig.master(FromMaster::Registered(AgentId::new(AGENT), None));
    assert_eq!(rig.view.standing.phase, Phase::Running, "the master counts on it from now on");
}

#[test]
fn a_later_answer_may_name_what_the_first_did_not() {
    let mut rig = Rig::registered();
    rig.event(Kind::MasterLinkBroken(rig::master()));
    rig.pass(Duration::from_secs(1));
    rig.take();
    rig.master(FromMaster::Reregistered(AgentId::new(AGENT), None, Vec::new()));
    let mut ghost = TaskStatus::new(TaskId::new("ghost"), TaskState::Running);
    ghost.executor = Some(ExecutorId::new("gone"));
    let missing = vec![(framework_id(), vec![ghost])];
    let message = FromMaster::Reregistered(AgentId::new(AGENT), None, missing);
    rig.master(message.clone());
    assert_eq!(rig.sent().len(), 1);
    assert_eq!(rig.exits(), [(ExecutorId::new("gone"), -1)]);
    rig.master(message);
    assert_eq!(rig.exits().len(), 1, "the master may have started the next one");
}

#[test]
fn it_exits_rather_than_take_another_name() {
    let mut rig = Rig::registered();
    rig.master(FromMaster::Registered(AgentId::new("m-S9"), None));
    assert!(rig.has(|effect| matches!(effect, Effect::Fail(_))));
}

#[test]
fn told_to_shut_down_it_ends_everything_and_then_itself() {
    let mut rig = Rig::registered();
    rig.run(&framework(true, Capabilities::none()), &task("t", None));
    rig.subscribe(1, "t", &[]);
    rig.take();
    rig.master(FromMaster::Shutdown("Agent has been marked gone".to_owned()));
    assert!(rig.has(|effect| matches!(effect, Effect::Checkpoint(_, Record::Forget(_)))));
    assert!(!rig.has(|effect| matches!(effect, Effect::Exit(_))));
    rig.pass(Duration::from_secs(5));
    let container = rig.destroyed().pop_first().unwrap();
    rig.ended(&container, Some(9));
    assert!(rig.has(|effect| matches!(effect, Effect::Exit(_))));
}

#[test]
fn a_stopping_daemon_leaves_its_executors_alone() {
    let mut rig = Rig::registered();
    rig.run(&framework(true, Capabilities::none()), &task("t", None));
    rig.subscribe(1, "t", &[]);
    rig.take();
    rig.event(Kind::Stops { unregister: false });
    assert!(matches!(rig.take()[..], [Effect::Exit(_)]));
}

#[test]
fn calls_of_executors_are_refused_as_mesos_refuses_them() {
    let rig = Rig::blank();
    let (framework, executor) = (framework_id(), ExecutorId::new("t"));
    let ask = |rig: &Rig, subscribes| rig.agent.admits(&framework, &executor, subscribes);
    assert_eq!(ask(&rig, true), Err(Refusal::Recovering));
    assert_eq!(Refusal::Recovering.status(), 503);
    let mut rig = Rig::registered();
    assert_eq!(ask(&rig, true), Err(Refusal::NoFramework));
    rig.run(&rig::framework(true, Capabilities::none()), &task("t", None));
    assert_eq!(rig.agent.admits(&framework, &ExecutorId::new("x"), true), Err(Refusal::NoExecutor));
    assert_eq!(ask(&rig, false), Err(Refusal::NotSubscribed));
    assert_eq!(Refusal::NotSubscribed.status(), 403);
    assert_eq!(ask(&rig, true), Ok(()));
    rig.subscribe(1, "t", &[]);
    assert_eq!(ask(&rig, false), Ok(()));
}

#[test]
fn a_second_stream_replaces_the_first() {
    let mut rig = Rig::registered();
    rig.run(&framework(true, Capabilities::none()), &task("t", None));
    rig.subscribe(1, "t", &[]);
    rig.take();
    rig.subscribe(2, "t", &[&task("t", None)]);
    assert!(rig.has(|effect| matches!(effect, Effect::CloseExecutor(StreamId(1)))));
    assert!(matches!(rig.to_executors()[0], ToExecutor::Subscribed { .. }));
    rig.event(Kind::ExecutorStreamClosed(StreamId(1)));
    rig.take();
    rig.report("t", "t", TaskState::Running);
    assert_eq!(rig.to_executors().len(), 1, "the end of the old one does not matter");
}
