//! `mesos-execute`: what it says, and its exit status.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use reeve_tests::{Cluster, Daemon, Room, processes, until};

fn execute(room: &Room, words: &[&str]) -> Output {
    processes::run(command(room).args(words))
}

fn command(room: &Room) -> Command {
    room.tool("mesos-execute")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_failing_command_fails_the_tool() {
    let cluster = Cluster::start();
    let master = format!("--master={}", cluster.master.address);
    let plain = [master.as_str(), "--name=three", "--command=exit 3"];
    let output = execute(&cluster.room, &plain);
    let (out, log) = (text(&output.stdout), text(&output.stderr));
    assert!(!output.status.success());
    assert!(out.ends_with("Received status update TASK_FAILED for task three\n"), "{out}");
    assert!(log.contains("Command exited with status 3"), "{log}");

    let output = execute(&cluster.room, &[&plain[..], &["--verbose"]].concat());
    let out = text(&output.stdout);
    assert!(out.contains("message: 'Command exited with status 3'"), "{out}");
    assert!(out.contains("source: SOURCE_EXECUTOR"), "{out}");
}

#[test]
fn a_finished_command_speaks_json_as_well() {
    let cluster = Cluster::start();
    let master = format!("--master={}", cluster.master.address);
    let words = [
        &master,
        "--content_type=json",
        "--name=echo",
        "--command=echo $GREETING",
        "--env={\"GREETING\": \"hi\"}",
    ];
    let output = execute(&cluster.room, &words);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(cluster.agent.read_of("echo", "stdout"), "hi\n");
}

#[test]
fn a_task_is_killed_when_its_time_is_up() {
    let cluster = Cluster::start();
    let master = format!("--master={}", cluster.master.address);
    let words = [&master, "--kill_after=200ms", "--name=long", "--command=sleep 1000"];
    let output = execute(&cluster.room, &words);
    let out = text(&output.stdout);
    assert!(!output.status.success());
    assert!(out.ends_with("Received status update TASK_KILLED for task long\n"), "{out}");
    cluster.room.wait_empty();
}

#[test]
fn an_impossible_wish_is_explained() {
    let cluster = Cluster::start();
    let mut command = command(&cluster.room);
    command.arg(format!("--master={}", cluster.master.address));
    command.args(["--name=huge", "--command=true", "--resources=cpus:9999"]);
    let mut tool = Daemon::start(&cluster.room, "huge", &mut command);
    until("an explanation", || tool.log().contains("cpus:9999").then_some(()));
    let log = tool.log();
    assert!(log.contains("at most cpus:4 is offered"), "{log}");
    tool.signal(Signal::SIGINT);
    assert_eq!(tool.wait().code(), Some(130));
    cluster.master.until("the framework to be gone", "/frameworks", |answer| {
        let none = answer["frameworks"].as_array()?.is_empty();
        (none && answer["completed_frameworks"].as_array()?.len() == 1).then_some(())
    });
}

#[test]
fn a_master_that_is_not_there_is_told_at_once() {
    let room = Room::new();
    let started = Instant::now();
    let master = format!("{}:1", room.ip);
    let output = execute(&room, &[&format!("--master={master}"), "--name=a", "--command=true"]);
    assert!(!output.status.success());
    assert!(started.elapsed() < Duration::from_secs(20));
    let log = text(&output.stderr);
    assert!(log.contains(&master) && log.contains("refused"), "{log}");
}

#[test]
fn words_that_mean_nothing_are_refused_with_the_place() {
    let room = Room::new();
    let base = ["--master=127.0.0.1:1", "--name=a", "--command=true"];
    let refused = |flag: &str| {
        let output = execute(&room, &[&base[..], &[flag]].concat());
        assert!(!output.status.success(), "{flag}");
        text(&output.stderr)
    };
    let log = refused("--resources=cpus:1;mem:lots");
    assert!(log.contains("--resources=cpus:1;mem:lots") && log.contains("12"), "{log}");
    assert!(refused("--docker_image=busybox").contains("--containerizer=docker"));
    assert!(refused("--nonsense").contains("--nonsense"));
    assert!(refused("--content_type=xml").contains("`protobuf` or `json`"));
    let missing = execute(&room, &["--master=127.0.0.1:1", "--command=true"]);
    assert!(text(&missing.stderr).contains("--name is missing"), "{}", text(&missing.stderr));
}
