//! Engines that are not there, do not answer, or go away.

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use reeve_module_sdk::isolator::{Container, Isolator};
use reeve_wire::v1::ContainerInfo;
use reeve_wire::v1::container_info::Type;

use crate::task::{Task, container, docker, isolator, isolator_of, refusal, shell};
use reeve_tests::Engine;
use reeve_tests::until;

/// A container without an engine.
fn prepared() -> Container {
    let docker = Some(docker());
    let info = ContainerInfo { r#type: Type::Docker.into(), docker, ..ContainerInfo::default() };
    let container_info = prost::Message::encode_to_vec(&info).into();
    Container { id: "c".into(), sandbox: "/tmp".into(), container_info, ..Container::default() }
}

#[test]
fn an_engine_that_is_not_there_fails_the_task_at_once() {
    let room = tempfile::tempdir().unwrap();
    let socket = room.path().join("absent.sock");
    let isolator = isolator_of(socket, room.path().join("run"), 600_000);
    isolator.recover(&[]).unwrap();
    let why = refusal(&isolator, &prepared());
    assert!(why.contains("absent.sock") && why.contains("No such file"), "{why}");
    // The engine cannot have anything of it, so it is not asked.
    isolator.cleanup("c").unwrap();
}

#[test]
fn an_engine_that_does_not_answer_is_given_up() {
    let room = tempfile::tempdir().unwrap();
    let socket = room.path().join("docker.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    let isolator = isolator_of(socket, room.path().join("run"), 100);
    let begin = Instant::now();
    let why = refusal(&isolator, &prepared());
    assert!(why.contains("in time"), "{why}");
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_task_goes_on_without_its_engine_and_its_output_arrives() {
    let Some(engine) = Engine::start() else { return };
    let isolator = isolator(&engine, "agent");
    let script = "echo ready; while ! [ -e $MESOS_SANDBOX/away ]; do sleep 0.1; done; \
                  echo meanwhile; while ! [ -e $MESOS_SANDBOX/back ]; do sleep 0.1; done; \
                  echo back; exit 5";
    let one = container(&engine, "one", docker(), &shell(script));
    let mut task = Task::start(&isolator, &one);
    task.says("ready");
    // The task may speak before the engine has written down that it runs.
    until("the engine to know that the task runs", || {
        (engine.inspect("reeve-one")["State"]["Running"] == true).then_some(())
    });
    engine.kill_daemon();
    std::fs::write(format!("{}/away", one.sandbox), "").unwrap();
    engine.start_daemon();
    task.says("meanwhile");
    assert!(task.runs());
    std::fs::write(format!("{}/back", one.sandbox), "").unwrap();
    assert_eq!(task.ends(), Some(5));
    assert_eq!(task.read("stdout"), "ready\nmeanwhile\nback\n");
    isolator.cleanup("one").unwrap();
    assert!(engine.containers().is_empty());
}
