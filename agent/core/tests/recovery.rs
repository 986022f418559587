//! What an agent does after a restart about the one before it.

// Tests may stop at what must not be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::sync::Arc;
use std::time::Duration;

use reeve_agent_core::effect::{Effect, Record, ToExecutor};
use reeve_agent_core::event::{Ending, FromMaster, Kind};
use reeve_agent_core::recovery::{
    Fate, Logged, Recovered, RecoveredExecutor, RecoveredFramework, RecoveredTask,
};
use reeve_agent_core::{Options, Reconfiguration, Recover};
use reeve_model::{
    AgentId, AgentInfo, Attributes, Capabilities, ContainerId, ExecutorId, Reason, Resources, Role,
    Seconds, StatusUpdate, TaskId, TaskInfo, TaskState, TaskStatus, Uuid,
};
use rig::{AGENT, Rig, custom, framework, framework_id, task};

fn container() -> ContainerId {
    ContainerId::new("c1")
}

fn logged(state: TaskState, uuid: u8) -> Logged {
    let uuid = Some(Uuid([uuid; 16]));
    let status = TaskStatus { uuid, ..TaskStatus::new(TaskId::new("t"), state) };
    Logged::Update(Arc::new(StatusUpdate {
        framework: framework_id(),
        executor: Some(ExecutorId::new("t")),
        agent: Some(AgentId::new(AGENT)),
        status,
        timestamp: Seconds(1.0),
        uuid,
        latest_state: Some(state),
    }))
}

fn acknowledged(uuid: u8) -> Logged {
    Logged::Acknowledged(Uuid([uuid; 16]))
}

/// An agent that had executor `e`, on which task `t` is, with these records.
fn found(info: &Arc<TaskInfo>, log: Vec<Logged>, fate: Fate) -> Recovered {
    let agent = AgentInfo { id: Some(AgentId::new(AGENT)), ..rig::agent_info() };
    let executor = RecoveredExecutor {
        driver: None,
        info: custom("e"),
        container: container(),
        over: false,
        fate,
        tasks: vec![RecoveredTask { info: info.clone(), log }],
        strangers: Vec::new(),
    };
    let framework = RecoveredFramework {
        info: framework(true, Capabilities::none()),
        pid: None,
        executors: vec![executor],
    };
    Recovered { agent: Some(Arc::new(agent)), frameworks: vec![framework], ..Recovered::default() }
}

#[test]
fn executors_that_outlived_the_agent_come_back_with_their_tasks() {
    let info = task("t", Some(custom("e")));
    let log = vec![logged(TaskState::Starting, 1), acknowledged(1), logged(TaskState::Running, 2)];
    let mut rig = rig::recovered(found(&info, log, Fate::Alive(7)));
    assert_eq!(rig.registrations(), 0);
    let needs = rig::resources("cpus:1.5;mem:192");
    let reminds =
        |effect: &Effect| matches!(effect, Effect::Remind(_, to) if to.resources == needs);
    assert!(rig.has(reminds), "its limits are known again");
    rig.subscribe(1, "e", &[&info]);
    assert!(rig.deliveries().is_empty(), "it has the task");
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.reports(), [(TaskId::new("t"), TaskState::Running, true)]);
    rig.take();
    rig.master(FromMaster::Reregistered(AgentId::new(AGENT), None, Vec::new()));
    let again = rig.sent();
    assert_eq!(again[0].uuid, Some(Uuid([2; 16])), "what was not acknowledged is sent again");
    assert_eq!(rig.agent.live_containers().len(), 1);
}

#[test]
fn a_task_its_executor_never_got_is_delivered_after_the_restart() {
    let info = task("t", Some(custom("e")));
    let mut rig = rig::recovered(found(&info, Vec::new(), Fate::Alive(7)));
    rig.subscribe(1, "e", &[]);
    assert_eq!(rig.deliveries(), [TaskId::new("t")]);
}

#[test]
fn a_survivor_that_does_not_come_back_is_destroyed() {
    let info = task("t", Some(custom("e")));
    let log = vec![logged(TaskState::Running, 1), acknowledged(1)];
    let mut rig = rig::recovered(found(&info, log, Fate::Alive(7)));
    rig.pass(Duration::from_secs(2));
    assert!(rig.destroyed().contains(&container()));
    rig.ended(&container(), Some(9));
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.reports(), [(TaskId::new("t"), TaskState::Failed, true)]);
    rig.take();
    rig.master(FromMaster::Reregistered(AgentId::new(AGENT), None, Vec::new()));
    let failed = rig.sent();
    assert_eq!(failed[0].status.reason, Some(Reason::ExecutorReregistrationTimeout));
}

#[test]
fn an_executor_that_died_meanwhile_fails_its_tasks() {
    let info = task("t", Some(custom("e")));
    let log = vec![logged(TaskState::Running, 1), acknowledged(1)];
    let ended = Fate::Ended(Ending { status: Some(9), limitation: None });
    let mut rig = rig::recovered(found(&info, log, ended));
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.reports(), [(TaskId::new("t"), TaskState::Failed, true)]);
    rig.take();
    rig.master(FromMaster::Reregistered(AgentId::new(AGENT), None, Vec::new()));
    assert_eq!(rig.exits(), [(ExecutorId::new("e"), 9)], "or the master counts on it for ever");
}

#[test]
fn a_reboot_loses_the_tasks_and_keeps_the_name() {
    let info = task("t", Some(custom("e")));
    let log = vec![logged(TaskState::Running, 1), acknowledged(1)];
    // Whether or not something is left that says that there was a container.
    let gone = Fate::Ended(Ending { status: None, limitation: None });
    let found = |fate| Recovered { rebooted: true, ..found(&info, log.clone(), fate) };
    let start = |fate| {
        let mut rig = rig::recovered(found(fate));
        rig.pass(Duration::from_secs(1));
        assert_eq!(rig.reports(), [(TaskId::new("t"), TaskState::Lost, true)]);
        rig
    };
    start(gone);
    let rig = start(Fate::Unknown);
    assert_eq!(rig.agent.info().id, Some(AgentId::new(AGENT)));
    // Or the next start would take the machine for booted again.
    assert!(rig.has(|effect| matches!(effect, Effect::Checkpoint(_, Record::Agent(_)))));
}

#[test]
fn what_was_over_stays_over() {
    let info = task("t", Some(custom("e")));
    let log = vec![logged(TaskState::Finished, 1), acknowledged(1)];
    let mut rig = rig::recovered(found(&info, log, Fate::Unknown));
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.reports(), []);
    assert!(rig.agent.is_idle());
}

#[test]
fn an_acknowledgement_tells_of_those_before_it() {
    let info = task("t", Some(custom("e")));
    // The acknowledgement of the first one could not be read.
    let log = vec![logged(TaskState::Starting, 1), logged(TaskState::Running, 2), acknowledged(2)];
    let mut rig = rig::recovered(found(&info, log, Fate::Alive(7)));
    rig.subscribe(1, "e", &[&info]);
    rig.pass(Duration::from_secs(1));
    rig.master(FromMaster::Reregistered(AgentId::new(AGENT), None, Vec::new()));
    assert!(rig.sent().is_empty());
    let log = vec![logged(TaskState::Starting, 1), logged(TaskState::Finished, 2), acknowledged(2)];
    let mut rig = rig::recovered(found(&info, log, Fate::Unknown));
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.reports(), [], "the end is told once");
}

#[test]
fn what_nobody_knows_an_executor_to_run_is_killed() {
    let info = task("t", Some(custom("e")));
    let mut found = found(&info, vec![logged(TaskState::Running, 1)], Fate::Alive(7));
    found.frameworks[0].executors[0].strangers.push(TaskId::new("stranger"));
    let mut rig = rig::recovered(found);
    rig.subscribe(1, "e", &[&info]);
    let kills = |message: &ToExecutor| matches!(message, ToExecutor::Kill(task, _) if task.as_str() == "stranger");
    assert_eq!(rig.to_executors().iter().filter(|message| kills(message)).count(), 1);
}

/// An agent that starts with these options where another was that `change`d since.
fn restarted(options: Options, change: impl FnOnce(&mut AgentInfo)) -> Rig {
    let info = task("t", Some(custom("e")));
    let log = vec![logged(TaskState::Running, 1), acknowledged(1)];
    let mut found = found(&info, log, Fate::Alive(7));
    change(Arc::make_mut(found.agent.as_mut().unwrap()));
    let mut rig = Rig::with(options);
    rig.event(Kind::MasterDetected(Some(rig::master())));
    rig.event(Kind::Recovered(Box::new(found)));
    rig
}

fn had(text: &str) -> impl FnOnce(&mut AgentInfo) {
    let resources = Resources::parse(text, &Role::any()).unwrap();
    |info| info.resources = resources
}

fn exit(rig: &Rig) -> Option<String> {
    rig.effects.iter().find_map(|effect| match effect {
        Effect::Exit(why) | Effect::Fail(why) => Some(why.clone()),
        _ => None,
    })
}

fn notices(rig: &Rig) -> Vec<String> {
    let notice = |effect: &Effect| match effect {
        Effect::Notice(text) => Some(text.clone()),
        _ => None,
    };
    rig.effects.iter().filter_map(notice).collect()
}

fn policy(reconfiguration: Reconfiguration) -> Options {
    Options { reconfiguration, ..Options::default() }
}

#[test]
fn the_policy_says_what_may_have_changed() {
    use Reconfiguration::{Additive, Any, Equal};
    type Change = fn(&mut AgentInfo);
    let cases: [(Change, &[Reconfiguration]); 6] = [
        (|_| (), &[Equal, Additive, Any]),
        (|info| had("cpus:2;mem:4096;disk:10000")(info), &[Additive, Any]),
        (|info| had("cpus:8;mem:4096;disk:10000")(info), &[Any]),
        (|info| info.attributes = Attributes::parse("rack:r1").unwrap(), &[Any]),
        (|info| info.hostname = "old".to_owned(), &[Any]),
        (|info| info.port = 1, &[Any]),
    ];
    for (number, (change, allowed)) in cases.into_iter().enumerate() {
        for one in [Equal, Additive, Any] {
            let starts = exit(&restarted(policy(one), change)).is_none();
            assert_eq!(starts, allowed.contains(&one), "change {number} under {one:?}");
        }
    }
}

#[test]
fn what_must_not_change_is_named_with_the_ways_out() {
    let rig = restarted(policy(Reconfiguration::Additive), |info| {
        info.port = 1;
        info.attributes = Attributes::parse("rack:r1").unwrap();
    });
    let why = exit(&rig).unwrap();
    for part in [
        "Incompatible agent info detected: port was '1' and is '5051'; attributes was 'rack:r1' \
         and is ''",
        "--reconfiguration_policy=any",
        "--recover=cleanup",
    ] {
        assert!(why.contains(part), "{why}");
    }
}

#[test]
fn what_may_change_is_told_and_kept() {
    let mut rig = restarted(policy(Reconfiguration::Any), had("cpus:8;mem:4096;disk:10000"));
    assert!(notices(&rig)[0].contains("resources was 'cpus:8;"), "{:?}", notices(&rig));
    rig.subscribe(1, "e", &[]);
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.reports().len(), 1, "its task runs on");
    assert_eq!(rig.agent.info().id, Some(AgentId::new(AGENT)));
}

#[test]
fn a_machine_too_small_for_what_it_runs_says_so() {
    let info = task("t", Some(custom("e")));
    let mut found = found(&info, vec![logged(TaskState::Running, 1)], Fate::Alive(7));
    let large = TaskInfo { resources: rig::resources("cpus:6;mem:128"), ..(*info).clone() };
    found.frameworks[0].executors[0].tasks[0].info = Arc::new(large);
    let mut rig = Rig::with(policy(Reconfiguration::Any));
    rig.event(Kind::Recovered(Box::new(found)));
    let told = notices(&rig);
    assert!(told[0].contains("no more than 'cpus:4;"), "{told:?}");
    // What has ended uses nothing, though its end is not acknowledged.
    let mut found = self::found(&info, vec![logged(TaskState::Finished, 1)], Fate::Unknown);
    Arc::make_mut(&mut found.frameworks[0].executors[0].info).resources =
        rig::resources("cpus:6;mem:128");
    let mut rig = Rig::with(policy(Reconfiguration::Any));
    rig.event(Kind::Recovered(Box::new(found)));
    assert_eq!(notices(&rig), [""; 0]);
}

#[test]
fn a_cleanup_ends_what_is_left_and_then_the_agent() {
    let options = Options { recover: Recover::Cleanup, ..Options::default() };
    // That it is described otherwise does not keep it.
    let mut rig = restarted(options.clone(), had("cpus:8;mem:4096;disk:10000"));
    assert!(rig.destroyed().contains(&container()));
    assert_eq!(exit(&rig), None);
    rig.ended(&container(), Some(9));
    assert!(exit(&rig).is_some());
    assert!(rig.has(|effect| matches!(effect, Effect::Checkpoint(_, Record::Forget(_)))));
    assert_eq!(rig.registrations(), 0);
    // There may be nothing to clean up.
    let mut rig = Rig::with(options);
    rig.event(Kind::Recovered(Box::default()));
    assert!(exit(&rig).is_some());
}
