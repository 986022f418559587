//! What daemons write to standard error.

use nix::sys::signal::Signal;
use reeve_tests::{Cluster, Daemon, Room, Scheduler, until};

use crate::local::agents;

fn quiet(room: &Room, name: &str, flags: &[String]) -> Daemon {
    let mut command = room.tool("reeve");
    command.args([name, "--quiet", "--port=0"]).arg(format!("--ip={}", room.ip)).args(flags);
    Daemon::start(room, name, &mut command)
}

#[test]
fn quiet_daemons_log_nothing() {
    let room = Room::new();
    let mut master = quiet(&room, "master", &["--registry=in_memory".to_owned()]);
    let address = master.addresses(1)[0];
    let flags = [
        format!("--master={address}"),
        format!("--work_dir={}", room.join("agent").display()),
        format!("--runtime_dir={}", room.join("run").display()),
        "--registration_backoff_factor=10ms".to_owned(),
    ];
    let mut agent = quiet(&room, "agent", &flags);
    agents(address, 1);
    for daemon in [&mut agent, &mut master] {
        daemon.signal(Signal::SIGTERM);
        assert!(daemon.wait().success());
        assert_eq!(daemon.log(), "");
    }
}

/// What a log says of the task `failing` once it says that it failed, without times and modules.
fn story(log: impl Fn() -> String) -> Vec<String> {
    until("the task's end in the log", || {
        let log = log();
        let about = log.lines().filter(|line| line.contains(" task=failing "));
        let told = about.filter_map(|line| Some(line.split_once("::story: ")?.1.to_owned()));
        let told: Vec<String> = told.collect();
        told.last()?.contains("TASK_FAILED").then_some(told)
    })
}

#[test]
fn a_task_s_story_is_in_the_log_of_master_and_agent() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("failing", "exit 3");
    scheduler.state("failing", "TASK_FAILED");
    let mut master = story(|| cluster.master.log());
    let mut agent = story(|| cluster.agent.log());
    assert!(master.remove(0).starts_with("a task is launched"), "{master:#?}");
    assert!(agent.remove(0).starts_with("a task is to run"), "{agent:#?}");
    for told in [master, agent] {
        let states = ["TASK_STARTING", "TASK_RUNNING", "TASK_FAILED"];
        for (line, state) in told.iter().zip(states) {
            assert!(line.starts_with(&format!("a task is {state}")), "{told:#?}");
        }
        assert!(told[2].contains("Command exited with status 3"), "{told:#?}");
    }
}

#[test]
fn an_agent_that_starts_again_tells_no_story_twice() {
    let mut cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    scheduler.run("long", "sleep 1000");
    cluster.restart_agent();
    cluster.master.wait_agents(1);
    scheduler.kill("long");
    scheduler.state("long", "TASK_KILLED");
    let log = cluster.agent.log();
    let told = |what: &str| log.lines().filter(|line| line.contains(what)).count();
    for once in ["a task is to run", "a task is TASK_RUNNING", "an executor is started"] {
        assert_eq!(told(once), 1, "{once}:\n{log}");
    }
    let found = log.lines().find(|line| line.contains("a task is found on the disk"));
    assert!(found.is_some_and(|line| line.contains("state=TASK_RUNNING")), "{log}");
    assert_eq!(told("drained"), 0, "{log}");
}
