//! The lives of tasks on one agent, from the master's word to the last acknowledgement.

// Tests may stop at what must not be.
#![allow(clippy::unwrap_used)]

mod rig;

use std::sync::Arc;
use std::time::Duration;

use reeve_agent_core::effect::{Effect, Record, ToExecutor, ToMaster};
use reeve_agent_core::event::{Ending, FromMaster, Kind, LaunchFailure, StreamId};
use reeve_agent_core::view::{ExecutorPhase, Stage};
use reeve_model::{
    Capabilities, ExecutorId, KillPolicy, Limits, Quantity, Reason, Source, TaskId, TaskInfo,
    TaskState,
};
use rig::{Rig, custom, framework, framework_id, task};

fn plain() -> std::sync::Arc<reeve_model::FrameworkInfo> {
    framework(true, Capabilities::none())
}

/// A registered agent whose command task `t` runs on stream 1.
fn running() -> Rig {
    let mut rig = Rig::registered();
    rig.run(&plain(), &task("t", None));
    let container = rig.launched().unwrap();
    rig.event(Kind::ContainerStarted(container, 42));
    rig.subscribe(1, "t", &[]);
    rig
}

#[test]
fn a_command_task_lives_from_launch_to_the_last_acknowledgement() {
    let mut rig = running();
    assert_eq!(rig.deliveries(), [TaskId::new("t")]);
    for state in [TaskState::Starting, TaskState::Running, TaskState::Finished] {
        rig.take();
        let uuid = rig.report("t", "t", state);
        assert_eq!(rig.states(), [state]);
        rig.acknowledge("t", uuid);
    }
    let container = rig.agent.live_containers().pop_first().unwrap();
    rig.ended(&container, Some(0));
    assert!(rig.has(|effect| matches!(effect, Effect::Checkpoint(_, Record::Sentinel(..)))));
    assert!(rig.agent.is_idle(), "nothing is left of a task that is over");
    let over = &rig.view.completed_frameworks[0].completed_executors[0];
    assert_eq!(over.completed[0].stage, Stage::Completed);
    assert_eq!(over.completed[0].state(), TaskState::Finished);
}

#[test]
fn a_command_executor_has_its_own_small_needs_on_top() {
    let mut rig = Rig::registered();
    rig.run(&plain(), &task("t", None));
    let effects = rig.take();
    let launch = effects.iter().find_map(|effect| match effect {
        Effect::Launch(launch) => Some(launch),
        _ => None,
    });
    let launch = launch.unwrap();
    assert_eq!(launch.executor.resources, rig::resources("cpus:0.1;mem:32"));
    assert!(launch.sandbox.starts_with("slaves/m-S0/frameworks/m-0000/executors/t/runs/"));
    assert_eq!(launch.executor.details().source(), "t");
    assert!(launch.task.is_some());
}

#[test]
fn nothing_is_started_before_its_record_is_durable() {
    let mut rig = Rig::registered();
    rig.prompt = false;
    rig.run(&plain(), &task("t", None));
    while !matches!(rig.writes.front(), Some((_, Record::Executor(..)))) {
        assert_eq!(rig.launched(), None);
        rig.commit();
    }
    rig.commit();
    assert!(rig.launched().is_some());
    rig.subscribe(1, "t", &[]);
    assert!(rig.deliveries().is_empty(), "the task's own record is not durable yet");
    rig.commit_all();
    assert_eq!(rig.deliveries(), [TaskId::new("t")]);
}

#[test]
fn an_update_is_durable_before_anybody_sees_it() {
    let mut rig = running();
    rig.prompt = false;
    rig.take();
    rig.report("t", "t", TaskState::Running);
    assert!(rig.sent().is_empty() && rig.to_executors().is_empty());
    rig.commit();
    assert_eq!(rig.states(), [TaskState::Running]);
    assert!(matches!(rig.to_executors()[..], [ToExecutor::Acknowledged(..)]));
}

#[test]
fn an_update_that_could_not_be_written_is_written_again() {
    let mut rig = running();
    rig.prompt = false;
    rig.take();
    rig.report("t", "t", TaskState::Running);
    let (id, _) = rig.writes.pop_front().unwrap();
    rig.event(Kind::CommitFailed(id, "no space left".to_owned()));
    assert!(rig.sent().is_empty());
    rig.pass(Duration::from_secs(1));
    rig.commit();
    assert_eq!(rig.states(), [TaskState::Running]);
}

#[test]
fn updates_go_one_at_a_time_in_order_and_say_how_far_the_task_is() {
    let mut rig = running();
    rig.take();
    let first = rig.report("t", "t", TaskState::Starting);
    let second = rig.report("t", "t", TaskState::Running);
    assert_eq!(rig.states(), [TaskState::Starting]);
    rig.take();
    rig.acknowledge("t", second);
    assert!(rig.states().is_empty(), "only what is in flight can be acknowledged");
    rig.acknowledge("t", first);
    assert_eq!(rig.states(), [TaskState::Running]);
    rig.take();
    rig.report("t", "t", TaskState::Finished);
    rig.pass(Duration::from_secs(10));
    let again = rig.sent();
    assert_eq!(again[0].status.state, TaskState::Running);
    assert_eq!(again[0].latest_state, Some(TaskState::Finished));
}

#[test]
fn an_update_follows_when_the_acknowledgement_of_the_one_before_is_durable() {
    let mut rig = running();
    rig.take();
    let first = rig.report("t", "t", TaskState::Starting);
    let second = rig.report("t", "t", TaskState::Running);
    rig.report("t", "t", TaskState::Finished);
    rig.take();
    rig.prompt = false;
    rig.acknowledge("t", first);
    assert!(rig.states().is_empty(), "a crash would turn the order round");
    rig.commit();
    assert_eq!(rig.states(), [TaskState::Running]);
    rig.take();
    rig.acknowledge("t", second);
    let (id, _) = rig.writes.pop_front().unwrap();
    rig.event(Kind::CommitFailed(id, "no space left".to_owned()));
    assert_eq!(rig.states(), [TaskState::Finished], "news do not wait for space on the disk");
}

#[test]
fn an_update_is_repeated_ever_more_slowly_until_it_is_acknowledged() {
    let mut rig = running();
    let uuid = rig.report("t", "t", TaskState::Running);
    rig.take();
    let mut waits = Vec::new();
    let mut last = rig.now;
    while waits.len() < 8 {
        rig.pass(Duration::from_secs(1));
        let ping = FromMaster::Ping(rig::pid("slave-observer(1)"), true);
        rig.master(ping);
        if !rig.sent().is_empty() {
            waits.push(rig.now.since(last).as_secs());
            last = rig.now;
        }
        rig.take();
    }
    assert_eq!(waits, [10, 20, 40, 80, 160, 320, 600, 600]);
    rig.acknowledge("t", uuid);
    for _ in 0..700 {
        rig.pass(Duration::from_secs(1));
        rig.master(FromMaster::Ping(rig::pid("slave-observer(1)"), true));
    }
    assert!(rig.sent().is_empty());
}

#[test]
fn a_repeated_update_is_taken_once_and_confirmed_twice() {
    let mut rig = running();
    let status = rig.status("t", TaskState::Running);
    rig.repeat("t", status.clone());
    rig.take();
    rig.repeat("t", status);
    assert!(rig.sent().is_empty());
    assert!(matches!(rig.to_executors()[..], [ToExecutor::Acknowledged(..)]));
}

#[test]
fn nothing_follows_a_terminal_update() {
    let mut rig = running();
    let uuid = rig.report("t", "t", TaskState::Finished);
    rig.report("t", "t", TaskState::Failed);
    rig.take();
    rig.acknowledge("t", uuid);
    rig.report("t", "t", TaskState::Killed);
    assert!(rig.sent().is_empty());
    assert_eq!(rig.agent.counters().late_status_updates, 2);
}

#[test]
fn a_message_that_arrives_twice_runs_one_task() {
    let mut rig = running();
    rig.take();
    rig.run(&plain(), &task("t", None));
    assert!(rig.effects.is_empty(), "{:?}", rig.effects);
}

#[test]
fn executors_are_shared_and_grow_with_their_tasks() {
    let mut rig = Rig::registered();
    rig.run(&plain(), &task("a", Some(custom("e"))));
    rig.subscribe(1, "e", &[]);
    rig.take();
    let message = FromMaster::Run {
        framework: plain(),
        task: task("b", Some(custom("e"))),
        launch_executor: Some(false),
        scheduler: None,
    };
    rig.master(message);
    assert_eq!(rig.launched(), None);
    assert_eq!(rig.deliveries(), [TaskId::new("b")]);
    let grown = rig::resources("cpus:2.5;mem:320");
    assert!(rig.has(|effect| matches!(effect, Effect::Update(_, to) if to.resources == grown)));
    rig.take();
    rig.report("e", "a", TaskState::Finished);
    let shrunk = rig::resources("cpus:1.5;mem:192");
    assert!(rig.has(|effect| matches!(effect, Effect::Update(_, to) if to.resources == shrunk)));
}

#[test]
fn a_container_may_use_what_its_tasks_may() {
    let limited =
        |id, executor, limits| Arc::new(TaskInfo { limits, ..(*task(id, executor)).clone() });
    let mut rig = Rig::registered();
    let cpus = Some(Quantity::from_units(3));
    let one = limited("one", Some(custom("e")), Limits { cpus, mem: None });
    rig.run(&plain(), &one);
    let allowance = rig.allowance().unwrap();
    // Half a cpu is the executor's own.
    let together = Some(Quantity::from_thousandths(3_500));
    assert_eq!(allowance.limits, Limits { cpus: together, mem: None });
    let mem = Some(Quantity::MAX);
    rig.run(&plain(), &limited("command", None, Limits { cpus, mem }));
    let allowance = rig.allowance().unwrap();
    assert_eq!(allowance.limits, Limits { cpus, mem });
    // To what a command asked for no cpus are added, but memory is.
    assert_eq!(allowance.resources, rig::resources("cpus:1;mem:160"));
    // A Docker container holds the task alone; the bytes say `container { type: DOCKER }`.
    let rest = bytes::Bytes::from_static(&[0x4a, 2, 0x08, 1]);
    let docker = TaskInfo { rest, ..(*task("docker", None)).clone() };
    rig.run(&plain(), &Arc::new(docker));
    assert_eq!(rig.allowance().unwrap().resources, rig::resources("cpus:1;mem:128"));
}

#[test]
fn a_group_comes_and_goes_together() {
    let mut rig = Rig::registered();
    let message = FromMaster::RunGroup {
        framework: plain(),
        executor: custom("e"),
        tasks: vec![task("a", None), task("b", None)],
        launch_executor: Some(true),
    };
    rig.master(message.clone());
    rig.subscribe(1, "e", &[]);
    let groups = rig.to_executors();
    let grouped =
        |one: &ToExecutor| matches!(one, ToExecutor::LaunchGroup(tasks) if tasks.len() == 2);
    assert!(groups.iter().any(grouped));

    let mut rig = Rig::registered();
    rig.master(message);
    rig.take();
    rig.master(FromMaster::Kill(framework_id(), TaskId::new("a"), None));
    assert_eq!(rig.states(), [TaskState::Killed, TaskState::Killed]);
}

#[test]
fn a_group_does_not_forget_where_the_driver_listens() {
    let mut rig = Rig::registered();
    let scheduler = Some(rig::pid("scheduler-1"));
    rig.master(FromMaster::Run {
        framework: plain(),
        task: task("t", None),
        launch_executor: Some(true),
        scheduler,
    });
    rig.commit_all();
    rig.take();
    rig.master(FromMaster::RunGroup {
        framework: plain(),
        executor: custom("e"),
        tasks: vec![task("a", None)],
        launch_executor: Some(true),
    });
    let forgets =
        |effect: &Effect| matches!(effect, Effect::Checkpoint(_, Record::Framework(_, None)));
    assert!(!rig.has(forgets), "groups do not say where it is");
}

#[test]
fn a_task_killed_in_the_queue_never_starts() {
    let mut rig = Rig::registered();
    rig.run(&plain(), &task("t", None));
    let container = rig.launched().unwrap();
    rig.take();
    rig.master(FromMaster::Kill(framework_id(), TaskId::new("t"), None));
    let killed = rig.sent();
    assert_eq!(killed[0].status.state, TaskState::Killed);
    assert_eq!(killed[0].status.reason, Some(Reason::TaskKilledDuringLaunch));
    assert_eq!(killed[0].status.source, Some(Source::Agent));
    assert!(rig.destroyed().contains(&container), "its executor has nothing to do");
    rig.ended(&container, None);
    rig.acknowledge("t", killed[0].uuid.unwrap());
    assert!(rig.agent.is_idle());
}

#[test]
fn a_commands_executor_that_never_got_its_task_does_not_wait_for_one() {
    let mut rig = Rig::registered();
    rig.run(&framework(true, Capabilities::none()), &task("t", None));
    // What was sent on the first stream is lost with it, and the kill overtakes what is sent again.
    rig.subscribe(1, "t", &[]);
    rig.master(FromMaster::Kill(framework_id(), TaskId::new("t"), None));
    rig.take();
    rig.subscribe(2, "t", &[]);
    assert!(rig.to_executors().iter().any(|said| matches!(said, ToExecutor::Shutdown(_))));
    rig.commit_all();
    assert_eq!(rig.states(), [TaskState::Killed]);
}

#[test]
fn a_running_task_is_its_executors_to_kill() {
    let mut rig = running();
    rig.take();
    let policy = Some(KillPolicy { grace: Some(Duration::from_secs(9)) });
    rig.master(FromMaster::Kill(framework_id(), TaskId::new("t"), policy));
    let kill = |one: &ToExecutor| matches!(one, ToExecutor::Kill(_, with) if *with == policy);
    assert!(rig.to_executors().iter().any(kill));
    assert!(rig.sent().is_empty());
    // While the executor cannot hear, the kill waits for it.
    rig.event(Kind::ExecutorStreamClosed(StreamId(1)));
    rig.take();
    rig.subscribe(2, "t", &[&task("t", None)]);
    assert!(rig.to_executors().iter().any(kill));
    assert!(rig.deliveries().is_empty());
}

#[test]
fn the_death_of_an_unknown_task_is_reported() {
    let mut rig = Rig::registered();
    rig.master(FromMaster::Kill(framework_id(), TaskId::new("ghost"), None));
    assert_eq!(rig.states(), [TaskState::Lost]);
    rig.take();
    rig.master(FromMaster::Kill(framework_id(), TaskId::new("ghost"), None));
    assert!(rig.sent().is_empty(), "it is on its way already");
}

#[test]
fn a_killed_executor_fails_its_task() {
    let mut rig = running();
    let uuid = rig.report("t", "t", TaskState::Running);
    rig.acknowledge("t", uuid);
    rig.take();
    let container = rig.agent.live_containers().pop_first().unwrap();
    rig.ended(&container, Some(9));
    let failed = rig.sent();
    assert_eq!(failed[0].status.state, TaskState::Failed);
    assert_eq!(failed[0].status.reason, Some(Reason::ExecutorTerminated));
    let message = failed[0].status.message.as_deref().unwrap();
    assert_eq!(message, "Abnormal executor termination: terminated by signal 9");
    let row = &rig.view.frameworks[&framework_id()].executors[&ExecutorId::new("t")];
    assert_eq!(row.facts.state, ExecutorPhase::Terminated);
    rig.acknowledge("t", failed[0].uuid.unwrap());
    assert!(rig.agent.is_idle());
}

#[test]
fn the_end_of_a_custom_executor_reaches_the_master() {
    let mut rig = Rig::registered();
    rig.run(&plain(), &task("a", Some(custom("e"))));
    rig.subscribe(1, "e", &[]);
    let container = rig.launched().unwrap();
    rig.take();
    rig.ended(&container, Some(0x100));
    assert_eq!(rig.sent()[0].status.message.as_deref(), Some("Executor terminated"));
    assert!(rig.has(|effect| matches!(
        effect,
        Effect::ToMaster(_, ToMaster::ExecutorExited(_, _, 0x100))
    )));
}

#[test]
fn a_limit_that_was_broken_is_named() {
    let cases = [
        ("mem", Reason::ContainerLimitationMemory),
        ("disk", Reason::ContainerLimitationDisk),
        ("ports", Reason::ContainerLimitation),
    ];
    for (resource, reason) in cases {
        let mut rig = running();
        rig.take();
        let container = rig.agent.live_containers().pop_first().unwrap();
        let limitation = Some((resource.to_owned(), "too much".to_owned()));
        let ending = Ending { status: Some(9), limitation };
        rig.event(Kind::ContainerEnded(container, ending));
        let failed = rig.sent();
        assert_eq!(failed[0].status.reason, Some(reason));
        assert_eq!(failed[0].status.message.as_deref(), Some("too much"));
    }
}

#[test]
fn a_container_that_cannot_be_made_fails_its_task() {
    let mut rig = Rig::registered();
    rig.run(&plain(), &task("t", None));
    let container = rig.launched().unwrap();
    rig.take();
    let failure = LaunchFailure { message: "Failed to fetch all URIs".to_owned() };
    rig.event(Kind::ContainerFailed(container, failure));
    let failed = rig.sent();
    assert_eq!(failed[0].status.state, TaskState::Failed);
    assert_eq!(failed[0].status.reason, Some(Reason::ContainerLaunchFailed));
    let message = failed[0].status.message.as_deref().unwrap();
    assert_eq!(message, "Failed to launch container: Failed to fetch all URIs");
}

/// What the last status that was sent says of its task's container.
fn place(rig: &Rig) -> (Option<String>, Option<u32>, Option<String>) {
    let last = rig.sent().pop().unwrap();
    let Some(there) = last.status.details().container_status else { return (None, None, None) };
    let address = there.network_infos.first().and_then(|network| network.ip_addresses.first());
    let address = address.and_then(|address| address.ip_address.clone());
    (there.container_id.map(|id| id.value), there.executor_pid, address)
}

#[test]
fn statuses_say_where_their_task_runs() {
    let mut rig = running();
    let container = rig.agent.live_containers().pop_first().unwrap();
    let name = Some(container.to_string());
    let uuid = rig.report("t", "t", TaskState::Running);
    assert_eq!(place(&rig), (name.clone(), Some(42), Some("10.0.0.9".to_owned())));
    rig.acknowledge("t", uuid);
    rig.take();
    rig.ended(&container, Some(9));
    assert_eq!(rig.states(), [TaskState::Failed]);
    assert_eq!(place(&rig), (name, None, None), "its process and its address are gone");
}

#[test]
fn a_task_that_reached_no_executor_runs_nowhere() {
    let mut rig = Rig::registered();
    rig.run(&plain(), &task("t", None));
    rig.master(FromMaster::Kill(framework_id(), TaskId::new("t"), None));
    assert_eq!(rig.states(), [TaskState::Killed]);
    assert_eq!(place(&rig), (None, None, None));
}

#[test]
fn an_executor_that_does_not_come_is_destroyed() {
    let mut rig = Rig::registered();
    rig.run(&plain(), &task("t", None));
    let container = rig.launched().unwrap();
    // The container may have had to wait for its image.
    rig.pass(Duration::from_secs(14));
    rig.event(Kind::ContainerStarted(container.clone(), 42));
    rig.take();
    rig.pass(Duration::from_secs(50));
    assert!(rig.destroyed().is_empty());
    rig.pass(Duration::from_secs(10));
    assert!(rig.destroyed().contains(&container));
    rig.ended(&container, Some(9));
    let failed = rig.sent();
    assert_eq!(failed[0].status.reason, Some(Reason::ExecutorRegistrationTimeout));
    let message = failed[0].status.message.as_deref().unwrap();
    assert_eq!(message, "Executor did not register within 1mins");
}

#[test]
fn an_executor_that_is_shut_down_has_its_grace_and_no_more() {
    let mut rig = running();
    rig.take();
    rig.master(FromMaster::ShutdownExecutor(framework_id(), ExecutorId::new("t")));
    let grace = Duration::from_secs(5);
    assert!(matches!(rig.to_executors()[..], [ToExecutor::Shutdown(given)] if given == grace));
    rig.pass(Duration::from_millis(4999));
    assert!(rig.destroyed().is_empty());
    rig.report("t", "t", TaskState::Killed);
    assert_eq!(rig.states(), [TaskState::Killed], "its last words are heard");
    rig.pass(Duration::from_millis(1));
    assert_eq!(rig.destroyed().len(), 1);
}

#[test]
fn a_framework_that_is_ended_is_told_nothing_more() {
    let mut rig = running();
    rig.report("t", "t", TaskState::Running);
    rig.take();
    rig.master(FromMaster::ShutdownFramework(framework_id()));
    rig.report("t", "t", TaskState::Killed);
    let container = rig.agent.live_containers().pop_first().unwrap();
    rig.ended(&container, Some(0));
    rig.pass(Duration::from_secs(30));
    assert!(rig.sent().is_empty());
    assert!(rig.agent.is_idle());
}

#[test]
fn tasks_for_an_executor_that_is_not_there_are_dropped() {
    let mut rig = Rig::registered();
    let aware = framework(true, Capabilities::PARTITION_AWARE);
    let message = FromMaster::Run {
        framework: aware,
        task: task("a", Some(custom("e"))),
        launch_executor: Some(false),
        scheduler: None,
    };
    rig.master(message);
    let dropped = rig.sent();
    assert_eq!(dropped[0].status.state, TaskState::Dropped);
    assert_eq!(dropped[0].status.reason, Some(Reason::ExecutorTerminated));
}

#[test]
fn streams_of_frameworks_that_do_not_checkpoint_stay_in_memory() {
    let mut rig = Rig::registered();
    rig.run(&framework(false, Capabilities::none()), &task("t", None));
    rig.subscribe(1, "t", &[]);
    rig.report("t", "t", TaskState::Running);
    assert_eq!(rig.states(), [TaskState::Running]);
    assert!(!rig.has(|effect| matches!(effect, Effect::Checkpoint(..))));
}

#[test]
fn the_past_is_deleted_in_time_and_sooner_when_the_disk_is_full() {
    let mut rig = Rig::registered();
    rig.run(&plain(), &task("t", None));
    let container = rig.launched().unwrap();
    rig.subscribe(1, "t", &[]);
    let uuid = rig.report("t", "t", TaskState::Finished);
    rig.acknowledge("t", uuid);
    rig.ended(&container, Some(0));
    rig.take();
    let day = Duration::from_secs(24 * 3600);
    rig.event(Kind::DiskUsage(400));
    rig.pass(3 * day);
    let removed = |effect: &Effect| matches!(effect, Effect::Remove(_));
    assert!(!rig.has(removed));
    // 7 days × (1 − 0.1 − 0.5) are 2.8 days.
    rig.event(Kind::DiskUsage(500));
    assert!(rig.has(|effect| matches!(effect, Effect::Remove(path) if path.contains("/runs/"))));
}

#[test]
fn a_directory_that_is_used_again_is_kept() {
    let mut rig = Rig::registered();
    rig.run(&plain(), &task("a", Some(custom("e"))));
    let container = rig.launched().unwrap();
    rig.subscribe(1, "e", &[]);
    let uuid = rig.report("e", "a", TaskState::Finished);
    rig.acknowledge("a", uuid);
    rig.ended(&container, Some(0));
    rig.run(&plain(), &task("b", Some(custom("e"))));
    rig.take();
    rig.event(Kind::DiskUsage(1000));
    let path = "slaves/m-S0/frameworks/m-0000/executors/e";
    assert!(!rig.has(|effect| matches!(effect, Effect::Remove(gone) if gone == path)));
    assert!(rig.has(|effect| matches!(effect, Effect::Remove(gone) if gone.starts_with(path))));
}
