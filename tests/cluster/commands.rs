//! Command tasks: arguments, environment, user, limits, and what they find around them.

use reeve_tests::scheduler::task;
use reeve_tests::{Cluster, Scheduler};
use serde_json::{Value, json};

/// Runs a command to its end and gives what it wrote to standard output.
fn stdout(command: Value) -> String {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let mut it = task("it", "");
    it["command"] = command;
    scheduler.launch(it);
    scheduler.state("it", "TASK_FINISHED");
    cluster.agent.read_of("it", "stdout")
}

#[test]
fn a_program_gets_its_arguments_as_they_are() {
    let words = json!({"shell": false, "value": "printf", "arguments": ["printf", "%s|", "a b", "$HOME", "*"]});
    assert_eq!(stdout(words), "a b|$HOME|*|");
}

#[test]
fn a_command_sees_its_environment_and_sandbox() {
    let variables = json!({"variables": [{"name": "GREETING", "value": "hello  you"}]});
    let command = json!({
        "value": "echo \"$GREETING\"; [ \"$PWD\" = \"$MESOS_SANDBOX\" ] && echo at home",
        "environment": variables,
    });
    assert_eq!(stdout(command), "hello  you\nat home\n");
}

#[test]
fn a_command_runs_as_the_user_it_names() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("left out: only root can run tasks as others");
        return;
    }
    let command =
        json!({"value": "id -un; echo mine > file; ls -l file | cut -d' ' -f3", "user": "nobody"});
    assert_eq!(stdout(command), "nobody\nnobody\n");
}

#[test]
fn a_user_that_does_not_exist_is_told() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let mut it = task("it", "true");
    it["command"]["user"] = json!("nosuchuser");
    scheduler.launch(it);
    let failed = scheduler.state("it", "TASK_FAILED");
    assert!(failed["message"].to_string().contains("nosuchuser"), "{failed}");
}

#[test]
fn a_program_that_does_not_exist_is_told() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let mut it = task("it", "");
    it["command"] = json!({"shell": false, "value": "/no/such/program", "arguments": ["x"]});
    scheduler.launch(it);
    let failed = scheduler.state("it", "TASK_FAILED");
    assert!(!failed["message"].as_str().unwrap_or_default().is_empty(), "{failed}");
}

#[test]
fn limits_hold_for_a_command() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let mut it = task("it", "ulimit -n");
    it["container"] = json!({"type": "MESOS", "rlimit_info": {
        "rlimits": [{"type": "RLMT_NOFILE", "soft": 123, "hard": 123}],
    }});
    scheduler.launch(it);
    scheduler.state("it", "TASK_FINISHED");
    assert_eq!(cluster.agent.read_of("it", "stdout"), "123\n");
}
