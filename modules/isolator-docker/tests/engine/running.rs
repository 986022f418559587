//! What a task sees, says and ends with.

use nix::sys::signal::Signal;
use reeve_module_sdk::isolator::{Container, Fragment, Isolator};
use reeve_wire::v1::container_info::DockerInfo;
use reeve_wire::v1::{CommandInfo, Parameter, Volume, volume};

use crate::task::{Task, container, docker, isolator, refusal, shell};
use reeve_tests::Engine;

#[test]
fn a_task_has_its_output_sandbox_environment_and_exit_code() {
    let Some(engine) = Engine::start() else { return };
    let isolator = isolator(&engine, "agent");
    isolator.recover(&[]).unwrap();
    let script = "echo \"$GREETING\"; echo \"$MESOS_SANDBOX $MESOS_CONTAINER_NAME\"; \
                  echo written > $MESOS_SANDBOX/file; echo $PATH >&2; exit 7";
    let one = container(&engine, "one", docker(), &shell(script));
    let mut task = Task::start(&isolator, &one);
    assert_eq!(task.ends(), Some(7), "{}", task.read("stderr"));
    assert_eq!(task.read("stdout"), "hello  you\n/mnt/mesos/sandbox reeve-one\n");
    assert_eq!(task.read("file"), "written\n");
    // The host's PATH is the shim's, not the container's.
    assert!(!task.read("stderr").contains("/nowhere"));
    assert_eq!(isolator.check("one"), Ok(None));
    isolator.cleanup("one").unwrap();
    isolator.cleanup("one").unwrap();
    assert!(engine.containers().is_empty());
    assert!(!engine.room().join("agent/one").exists());

    // Without a command the image runs as it is; what is not there ends as shells have it.
    let plain = |value: Option<&str>| CommandInfo {
        shell: Some(false),
        value: value.map(str::to_owned),
        ..CommandInfo::default()
    };
    let mut task = Task::start(&isolator, &container(&engine, "two", docker(), &plain(None)));
    assert_eq!((task.ends(), task.read("stdout")), (Some(0), "by default\n".to_owned()));
    let absent = container(&engine, "three", docker(), &plain(Some("/absent")));
    let mut task = Task::start(&isolator, &absent);
    assert_eq!(task.ends(), Some(127));
    assert!(task.read("stderr").contains("/absent"), "{}", task.read("stderr"));
    isolator.cleanup("two").unwrap();
    isolator.cleanup("three").unwrap();
    assert!(engine.containers().is_empty());
}

#[test]
fn sigterm_reaches_the_task_and_cleanup_takes_what_is_left() {
    let Some(engine) = Engine::start() else { return };
    let isolator = isolator(&engine, "agent");
    let trap = "trap 'echo stopping; exit 3' TERM; echo ready; while :; do sleep 0.1; done";
    let mut task = Task::start(&isolator, &container(&engine, "a", docker(), &shell(trap)));
    task.says("ready");
    assert!(task.memory() < 8_192, "the shim uses {} kB", task.memory());
    task.signal(Signal::SIGTERM);
    assert_eq!(task.ends(), Some(3));
    assert_eq!(task.read("stdout"), "ready\nstopping\n");
    isolator.cleanup("a").unwrap();

    // One that does not listen is killed by its shim.
    let deaf = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
    let mut task = Task::start(&isolator, &container(&engine, "c", docker(), &shell(deaf)));
    task.says("ready");
    task.signal(Signal::SIGTERM);
    task.signal(Signal::SIGQUIT);
    assert_eq!(task.ends(), Some(137));
    assert_eq!(engine.inspect("reeve-c")["State"]["Running"], false);
    isolator.cleanup("c").unwrap();

    // What runs on when its shim is killed is removed.
    let mut task = Task::start(&isolator, &container(&engine, "b", docker(), &shell(deaf)));
    task.says("ready");
    task.signal(Signal::SIGTERM);
    task.signal(Signal::SIGKILL);
    assert_eq!(task.ends(), None);
    assert_eq!(engine.containers(), ["reeve-b"]);
    isolator.cleanup("b").unwrap();
    assert!(engine.containers().is_empty());
}

#[test]
fn another_command_runs_beside_the_task() {
    let Some(engine) = Engine::start() else { return };
    let isolator = isolator(&engine, "agent");
    let script = "echo inside > /tmp; echo ready; while :; do sleep 0.1; done";
    let task = Task::start(&isolator, &container(&engine, "a", docker(), &shell(script)));
    task.says("ready");
    let said = task.exec(&["-e", "WHO=me", "--", "/bin/sh", "-c", "cat /tmp; echo $WHO; exit 3"]);
    assert_eq!(said.status.code(), Some(3));
    assert_eq!(String::from_utf8_lossy(&said.stdout), "inside\nme\n");
    assert_ne!(task.exec(&["--", "/absent"]).status.code(), Some(0));
    isolator.cleanup("a").unwrap();
    assert_eq!(task.exec(&["--", "/bin/true"]).status.code(), Some(125));
}

#[test]
fn wishes_are_met_or_refused() {
    let Some(engine) = Engine::start() else { return };
    let isolator = isolator(&engine, "agent");
    // What is not Docker's is none of its business.
    assert_eq!(isolator.prepare(&Container::default()), Ok(Fragment::default()));
    let parameter = |key: &str, value: &str| Parameter { key: key.into(), value: value.into() };
    let parameters = vec![
        parameter("user", "1234"),
        parameter("device", "/dev/null:/dev/zilch"),
        parameter("ulimit", "nofile=77"),
        parameter("workdir", "/data"),
    ];
    let script = "id -u; pwd; ulimit -n; echo x > /dev/zilch && echo open; cat /data/seed";
    let mut one = container(&engine, "one", DockerInfo { parameters, ..docker() }, &shell(script));
    let volume = Volume {
        container_path: "/data".to_owned(),
        host_path: Some(engine.room().join("host").to_string_lossy().into_owned()),
        mode: volume::Mode::Ro.into(),
        ..Volume::default()
    };
    std::fs::create_dir(engine.room().join("host")).unwrap();
    std::fs::write(engine.room().join("host/seed"), "seen\n").unwrap();
    let mut info =
        <reeve_wire::v1::ContainerInfo as prost::Message>::decode(one.container_info.as_slice())
            .unwrap();
    info.volumes.push(volume);
    one.container_info = prost::Message::encode_to_vec(&info).into();
    let mut task = Task::start(&isolator, &one);
    assert_eq!(task.ends(), Some(0), "{}", task.read("stderr"));
    assert_eq!(task.read("stdout"), "1234\n/data\n77\nopen\nseen\n");
    isolator.cleanup("one").unwrap();

    let parameters = vec![parameter("colour", "red")];
    let odd = container(&engine, "odd", DockerInfo { parameters, ..docker() }, &shell("true"));
    assert!(refusal(&isolator, &odd).contains("'colour'"));
    // There is no registry: that the image cannot be had is what the engine says.
    let image = "localhost:1/absent:2".to_owned();
    let absent = container(&engine, "gone", DockerInfo { image, ..docker() }, &shell("true"));
    let why = refusal(&isolator, &absent);
    assert!(why.contains("image 'localhost:1/absent:2' cannot be pulled"), "{why}");
    isolator.cleanup("odd").unwrap();
    isolator.cleanup("gone").unwrap();
    assert!(engine.containers().is_empty());
}
