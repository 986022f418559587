//! The command executor against an agent over real sockets, with real tasks.

use std::time::Duration;

use reeve_wire::v1::environment::Variable;
use reeve_wire::v1::{CommandInfo, Environment, TaskState};

use crate::rig::{Agent, Executor, gone, shell};
use TaskState::{TaskFailed, TaskFinished, TaskKilled, TaskRunning, TaskStarting};

#[test]
fn a_task_runs_and_its_end_is_told_in_order() {
    let mut agent = Agent::start(None);
    let mut executor = Executor::command(&agent, &[], &[]);
    let subscribe = agent.subscribed();
    assert!(subscribe.unacknowledged_updates.is_empty());
    agent.launch(shell("echo hello world"));
    let last = agent.expect(&[TaskStarting, TaskRunning, TaskFinished]);
    assert_eq!(last.message.as_deref(), Some("Command exited with status 0"));
    assert!(executor.wait().success());
    assert_eq!(executor.read("stdout"), "hello world\n");
    assert_eq!(executor.read("status"), "0\n");
    assert_eq!(executor.read("stderr"), "");
}

#[test]
fn a_task_that_fails_says_how() {
    let mut agent = Agent::start(None);
    let _executor = Executor::command(&agent, &[], &[]);
    agent.subscribed();
    agent.launch(shell("exit 3"));
    let last = agent.expect(&[TaskStarting, TaskRunning, TaskFailed]);
    assert_eq!(last.message.as_deref(), Some("Command exited with status 3"));
}

#[test]
fn arguments_are_given_as_they_are_and_so_is_the_environment() {
    let mut agent = Agent::start(None);
    let token = ("MESOS_EXECUTOR_AUTHENTICATION_TOKEN", "secret");
    let mut executor = Executor::command(&agent, &[], &[token, ("FROM_AGENT", "a")]);
    agent.subscribed();
    let script = "echo \"$0|$1|$FROM_AGENT|$FROM_TASK|$MESOS_EXECUTOR_AUTHENTICATION_TOKEN\"";
    let variable =
        Variable { name: "FROM_TASK".into(), value: Some("t".into()), ..Variable::default() };
    agent.launch(CommandInfo {
        shell: Some(false),
        value: Some("sh".into()),
        arguments: ["odd name", "-c", script, "zero", "a b; exit 1"].map(String::from).into(),
        environment: Some(Environment { variables: vec![variable] }),
        ..CommandInfo::default()
    });
    agent.expect(&[TaskStarting, TaskRunning, TaskFinished]);
    assert!(executor.wait().success());
    assert_eq!(executor.read("stdout"), "zero|a b; exit 1|a|t|\n");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let mut agent = Agent::start(None);
    let mut executor = Executor::command(&agent, &[], &[]);
    agent.subscribed();
    let value = Some("no-such-program".into());
    agent.launch(CommandInfo { shell: Some(false), value, ..CommandInfo::default() });
    let last = agent.expect(&[TaskStarting, TaskFailed]);
    assert!(last.message.unwrap().contains("no-such-program"));
    assert!(executor.wait().success());
}

#[test]
fn a_stubborn_task_is_killed_after_its_grace_and_takes_everything_along() {
    let mut agent = Agent::start(None);
    let mut executor = Executor::command(&agent, &[], &[]);
    agent.subscribed();
    // One process of a session of its own, which no signal to the group reaches.
    let script = "trap '' TERM; setsid sh -c 'echo $$ > stray; exec sleep 1000' & \
                  echo $$ > pid; while true; do sleep 1; done";
    agent.launch(shell(script));
    agent.expect(&[TaskStarting, TaskRunning]);
    let pids = [executor.line("pid"), executor.line("stray")];
    agent.kill(Duration::from_millis(100));
    let last = agent.expect(&[TaskKilled]);
    // Nothing is left at the time of the update, not a little later.
    for pid in &pids {
        assert!(!std::path::Path::new("/proc").join(pid).exists(), "{pid}");
    }
    assert_eq!(last.message.as_deref(), Some("Command terminated with signal Killed"));
    assert!(executor.wait().success());
}

#[test]
fn a_task_that_listens_ends_by_sigterm() {
    let mut agent = Agent::start(None);
    let _executor = Executor::command(&agent, &[], &[]);
    agent.subscribed();
    agent.launch(shell("sleep 1000"));
    agent.expect(&[TaskStarting, TaskRunning]);
    agent.kill(Duration::from_secs(600));
    let last = agent.expect(&[TaskKilled]);
    assert_eq!(last.message.as_deref(), Some("Command terminated with signal Terminated"));
}

#[test]
fn no_signal_is_held_back_from_a_program() {
    let mut agent = Agent::start(None);
    let mut executor = Executor::command(&agent, &[], &[]);
    agent.subscribed();
    agent.launch(CommandInfo {
        shell: Some(false),
        value: Some("cat".into()),
        arguments: ["cat", "/proc/self/status"].map(String::from).into(),
        ..CommandInfo::default()
    });
    agent.expect(&[TaskStarting, TaskRunning, TaskFinished]);
    executor.wait();
    let status = executor.read("stdout");
    let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
    assert_eq!(mask.trim(), "0000000000000000");
}

#[test]
// What the task itself started is the agent's to find: see the containers of the runtime.
fn a_killed_executor_takes_its_task_along() {
    let mut agent = Agent::start(None);
    let mut executor = Executor::command(&agent, &[], &[]);
    agent.subscribed();
    agent.launch(shell("echo $$ > pid; exec sleep 1000"));
    agent.expect(&[TaskStarting, TaskRunning]);
    let pid = executor.line("pid");
    executor.child.kill().unwrap();
    executor.wait();
    gone(&pid);
    assert_eq!(executor.read("status"), "", "it had no time for last words");
}

#[test]
fn a_checkpointed_executor_outlives_its_agent_and_tells_the_next_one() {
    let mut agent = Agent::start(None);
    let address = agent.address;
    let environment = [("MESOS_CHECKPOINT", "1"), ("MESOS_SUBSCRIPTION_BACKOFF_MAX", "20ms")];
    let mut executor = Executor::command(&agent, &[], &environment);
    agent.subscribed();
    agent.launch(shell("while [ ! -e go ]; do sleep 0.01; done; exit 4"));
    agent.expect(&[TaskStarting]);
    let running = agent.update();
    agent.die();
    std::fs::write(executor.path("go"), "").unwrap();

    let mut agent = Agent::start(Some(address));
    let subscribe = agent.subscribed();
    let mut updates = subscribe.unacknowledged_updates.into_iter().map(|update| update.status);
    assert_eq!(updates.next(), Some(running.clone()), "the same update, with the same uuid");
    agent.acknowledge(&running);
    // The end may have come before the new agent or after it.
    let last = updates.next().unwrap_or_else(|| agent.update());
    assert_eq!(last.state, TaskFailed as i32);
    assert_eq!(last.message.as_deref(), Some("Command exited with status 4"));
    agent.acknowledge(&last);
    assert!(executor.wait().success());
}

#[test]
fn without_checkpointing_the_task_ends_with_the_agent() {
    let mut agent = Agent::start(None);
    let mut executor = Executor::command(&agent, &[], &[("MESOS_CHECKPOINT", "0")]);
    agent.subscribed();
    agent.launch(shell("echo $$ > pid; exec sleep 1000"));
    agent.expect(&[TaskStarting, TaskRunning]);
    let pid = executor.line("pid");
    agent.die();
    executor.wait();
    gone(&pid);
}

#[test]
fn the_task_runs_within_its_limits_and_as_its_user() {
    let mut agent = Agent::start(None);
    let mut plan = vec!["rlimit=7:77:77"];
    // Only root may become another.
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| {
        use std::os::unix::fs::MetadataExt;
        me.uid() == 0
    });
    if root {
        plan.push("user=65534:65534:65534,4");
    } else {
        println!("not root: the change of user is not tested");
    }
    let mut executor = Executor::command(&agent, &plan, &[]);
    agent.subscribed();
    agent.launch(shell("ulimit -n; id -u; id -G; umask"));
    agent.expect(&[TaskStarting, TaskRunning, TaskFinished]);
    assert!(executor.wait().success());
    let out = executor.read("stdout");
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some("77"));
    if root {
        assert_eq!(lines.next(), Some("65534"));
        assert_eq!(lines.next(), Some("65534 4"));
        assert_eq!(lines.next(), Some("0022"));
    }
}
