//! An agent that is emptied: what it kills, how, what it says of that, and when it is done.

// Tests may stop at what must not be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::sync::Arc;
use std::time::Duration;

use reeve_agent_core::effect::{Effect, Record, ToExecutor, ToMaster};
use reeve_agent_core::event::{FromMaster, Kind};
use reeve_agent_core::recovery::{
    Fate, Recovered, RecoveredExecutor, RecoveredFramework, RecoveredTask,
};
use reeve_model::{
    AgentId, AgentInfo, Capabilities, ContainerId, DrainConfig, Reason, TaskId, TaskInfo, TaskState,
};
use rig::{AGENT, Rig, custom, framework, task};

const KILLS: Capabilities = Capabilities::PARTITION_AWARE;

fn drain(max_grace: Option<u64>, mark_gone: bool) -> FromMaster {
    let max_grace = max_grace.map(Duration::from_secs);
    FromMaster::Drain(DrainConfig { max_grace, mark_gone })
}

/// A registered agent with task `t`, its executor having got it.
fn running(capabilities: Capabilities, info: &Arc<TaskInfo>) -> Rig {
    let mut rig = Rig::registered();
    rig.run(&framework(true, capabilities), info);
    let container = rig.launched().unwrap();
    rig.event(Kind::ContainerStarted(container, 7));
    rig.subscribe(1, info.executor.as_ref().map_or("t", |executor| executor.id.as_str()), &[]);
    rig.take();
    rig
}

/// The kills that executors were told of, with the seconds they allow.
fn kills(rig: &Rig) -> Vec<(TaskId, Option<u64>)> {
    let kill = |message: ToExecutor| match message {
        ToExecutor::Kill(task, policy) => {
            Some((task, policy.and_then(|policy| policy.grace).map(|grace| grace.as_secs())))
        }
        _ => None,
    };
    rig.to_executors().into_iter().filter_map(kill).collect()
}

fn records(rig: &Rig) -> Vec<Option<DrainConfig>> {
    let drain = |effect: &Effect| match effect {
        Effect::Checkpoint(_, Record::Drain(drain)) => Some(*drain),
        _ => None,
    };
    rig.effects.iter().filter_map(drain).collect()
}

#[test]
fn a_drain_is_durable_before_it_kills_and_over_when_all_is_acknowledged() {
    let mut rig = running(KILLS, &task("t", None));
    rig.prompt = false;
    rig.master(drain(Some(5), false));
    assert!(kills(&rig).is_empty(), "nobody would know why");
    assert!(rig.view.draining.is_some());
    rig.commit_all();
    assert_eq!(kills(&rig), [(TaskId::new("t"), Some(5))]);
    rig.prompt = true;
    let container = rig.launched();
    assert!(container.is_none());

    let uuid = rig.report("t", "t", TaskState::Killed);
    let sent = rig.sent();
    assert_eq!(sent[0].status.state, TaskState::Killed);
    assert_eq!(sent[0].status.reason, Some(Reason::AgentDraining));
    assert!(rig.view.draining.is_some(), "the framework does not know it yet");
    rig.take();
    rig.acknowledge("t", uuid);
    assert_eq!(records(&rig), [None]);
    assert!(rig.view.draining.is_none());
}

#[test]
fn a_drain_only_shortens_the_time_that_a_task_has() {
    for (own, most, told) in
        [(Some(9), Some(5), Some(5)), (Some(3), Some(5), None), (None, None, None)]
    {
        let kill_grace = own.map(Duration::from_secs);
        let info = TaskInfo { kill_grace, ..TaskInfo::clone(&task("t", None)) };
        let mut rig = running(KILLS, &Arc::new(info));
        rig.master(drain(most, false));
        assert_eq!(kills(&rig), [(TaskId::new("t"), told)], "{own:?} against {most:?}");
    }
}

#[test]
fn tasks_of_an_agent_that_goes_for_good_are_gone_for_those_who_know_the_word() {
    for (capabilities, end) in
        [(KILLS, TaskState::GoneByOperator), (Capabilities::none(), TaskState::Killed)]
    {
        let mut rig = running(capabilities, &task("t", None));
        rig.master(drain(None, true));
        let uuid = rig.report("t", "t", TaskState::Killing);
        rig.acknowledge("t", uuid);
        rig.report("t", "t", TaskState::Killed);
        assert_eq!(rig.states(), [TaskState::Killing, end]);
        let reasons = rig.sent().iter().all(|one| one.status.reason == Some(Reason::AgentDraining));
        assert!(reasons, "both say why");
    }
}

#[test]
fn a_task_that_ends_by_itself_meanwhile_keeps_its_own_reason() {
    let mut rig = running(KILLS, &task("t", None));
    rig.master(drain(None, true));
    rig.report("t", "t", TaskState::Finished);
    let sent = rig.sent();
    assert_eq!((sent[0].status.state, sent[0].status.reason), (TaskState::Finished, None));
}

#[test]
fn what_its_executor_never_got_is_killed_at_once() {
    let mut rig = Rig::registered();
    rig.run(&framework(true, KILLS), &task("t", Some(custom("e"))));
    rig.master(drain(None, false));
    let sent = rig.sent();
    assert_eq!(sent[0].status.state, TaskState::Killed);
    assert_eq!(sent[0].status.reason, Some(Reason::AgentDraining));
}

#[test]
fn a_task_that_comes_too_late_is_dropped() {
    let mut rig = running(KILLS, &task("t", None));
    rig.master(drain(None, false));
    rig.take();
    rig.run(&framework(true, KILLS), &task("late", Some(custom("e"))));
    let sent = rig.sent();
    assert_eq!(sent[0].status.state, TaskState::Dropped);
    assert_eq!(sent[0].status.reason, Some(Reason::AgentDraining));
    let exited = |effect: &Effect| matches!(effect, Effect::ToMaster(_, ToMaster::ExecutorExited(_, id, _)) if id.as_str() == "e");
    assert!(rig.has(exited), "the master counts on an executor");
}

#[test]
fn an_empty_agent_has_nothing_to_drain() {
    let mut rig = Rig::registered();
    rig.master(drain(None, false));
    assert!(rig.effects.is_empty(), "{:?}", rig.effects);
    // Nor has one whose executor has no task.
    let mut rig = running(KILLS, &task("t", Some(custom("e"))));
    let uuid = rig.report("e", "t", TaskState::Finished);
    rig.acknowledge("t", uuid);
    rig.take();
    rig.master(drain(None, false));
    assert!(records(&rig).is_empty());
    rig.run(&framework(true, KILLS), &task("t2", Some(custom("e"))));
    assert_eq!(rig.deliveries(), [TaskId::new("t2")], "it may be used again");
}

#[test]
fn a_restarted_agent_goes_on_with_it_once_survivors_are_back() {
    let info = task("t", Some(custom("e")));
    let agent = AgentInfo { id: Some(AgentId::new(AGENT)), ..rig::agent_info() };
    let executor = RecoveredExecutor {
        driver: None,
        info: custom("e"),
        container: ContainerId::new("c1"),
        over: false,
        fate: Fate::Alive(7),
        tasks: vec![RecoveredTask { info: info.clone(), log: Vec::new() }],
        strangers: Vec::new(),
    };
    let frameworks = vec![RecoveredFramework {
        info: framework(true, KILLS),
        pid: None,
        executors: vec![executor],
    }];
    let config = DrainConfig { max_grace: Some(Duration::from_secs(4)), mark_gone: false };
    let found = |frameworks| Recovered {
        agent: Some(Arc::new(agent.clone())),
        drain: Some(config),
        frameworks,
        ..Recovered::default()
    };
    let mut rig = rig::recovered(found(frameworks));
    assert!(rig.sent().is_empty(), "whether its executor has the task is not known yet");
    rig.subscribe(1, "e", &[&info]);
    assert_eq!(kills(&rig), [(TaskId::new("t"), Some(4))]);
    rig.report("e", "t", TaskState::Killed);
    rig.pass(Duration::from_secs(1));
    rig.master(FromMaster::Reregistered(AgentId::new(AGENT), None, Vec::new()));
    assert_eq!(rig.sent()[0].status.reason, Some(Reason::AgentDraining));

    let rig = rig::recovered(found(Vec::new()));
    assert_eq!(records(&rig), [None], "nothing was left to be emptied");
}
