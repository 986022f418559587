//! What a cluster of one machine must do, from whichever packages it comes.

use crate::host::Host;

/// Succeeds once the agent is offered to frameworks.
const OFFERED: &str = r#"curl -sf 127.0.0.1:5050/state-summary | grep -q '"active":true'"#;

/// Succeeds if a task runs, as far as the master knows.
const RUNNING: &str = r#"curl -sf 127.0.0.1:5050/tasks | grep -q '"state":"TASK_RUNNING"'"#;

/// The process of the task that `start_task` starts.
const TASK: &str = "pgrep -xf 'sleep 4321'";

/// What may happen to daemons while their task runs, whatever they were installed from. The last adds a
/// line to the settings of the master.
const HAPPENS: [&str; 5] = [
    "systemctl restart reeve-agent",
    "systemctl stop reeve-agent; systemctl daemon-reload; systemctl start reeve-agent",
    "systemctl kill --kill-who=main --signal=KILL reeve-agent",
    "systemctl restart reeve-master",
    "echo 'cluster = \"edited\"' >> /etc/reeve/master.toml; systemctl restart reeve-master",
];

/// Waits until the agent has joined its master.
pub fn comes_up(host: &Host) {
    host.until("the agent to be offered", OFFERED);
}

/// A task runs and ends, and its story is in the journal.
pub fn runs_a_task_and_tells_of_it(host: &Host) {
    assert_eq!(host.run("systemctl is-active reeve-master reeve-agent"), "active\nactive\n");
    let master = "stat -c %U /proc/$(systemctl show -P MainPID reeve-master)";
    assert_eq!(host.run(master), "reeve\n");
    // In tenths: what the service manager thinks of what the master may do.
    host.run("systemd-analyze --no-pager security --threshold=25 reeve-master");
    let said = host.run(
        "mesos-execute --master=127.0.0.1:5050 --name='cluster-test' \
         --command='echo hello world; sleep 1'",
    );
    assert!(said.contains("TASK_FINISHED"), "{said}");

    // Of both sides.
    let ends = "journalctl -o cat TASK_ID=cluster-test | grep -c TASK_FINISHED | grep -x 2";
    host.until("the task's end in the journal", ends);
    let units = host.run("journalctl -o json --output-fields=_SYSTEMD_UNIT TASK_ID=cluster-test");
    for unit in ["reeve-master.service", "reeve-agent.service"] {
        assert!(units.contains(unit), "{units}");
    }
}

/// A task goes on through all that happens to daemons: restarts, an edited setting, and then what is
/// done by a package manager. The setting counts at the end.
pub fn keeps_a_task_through(host: &Host, upgrade: &str, downgrade: &str) {
    host.run(
        "systemd-run --quiet --unit=client mesos-execute --master=127.0.0.1:5050 --name=long \
         --command='sleep 4321' --checkpoint",
    );
    let task = host.until("the task", TASK);
    // It is none of the agent's own unit.
    host.run(&format!("systemctl status reeve-containers | grep -qw {}", task.trim()));
    for act in HAPPENS {
        goes_on(host, &task, act);
    }
    for act in [upgrade, downgrade] {
        let daemons =
            "for unit in reeve-master reeve-agent; do systemctl show -P MainPID $unit; done";
        let before = host.run(daemons);
        goes_on(host, &task, act);
        let (before, after) = (before.lines(), host.run(daemons));
        assert!(before.zip(after.lines()).all(|(old, new)| old != new), "restarted by: {act}");
    }
    assert!(host.run("curl -sf 127.0.0.1:5050/state-summary").contains("\"edited\""));
}

fn goes_on(host: &Host, task: &str, act: &str) {
    host.run(act);
    host.until(&format!("the task to be known after: {act}"), RUNNING);
    assert_eq!(host.run(TASK), task, "{act}");
}

/// What an agent ran ends with its removal.
pub fn has_no_task_left(host: &Host) {
    assert!(!host.try_run(TASK).status.success(), "the task outlived its agent");
    let units = host.run("systemctl list-units --all --no-legend 'reeve*'");
    assert!(!units.contains("running"), "{units}");
}

/// The names of files that have to do with Reeve, but for logs and what the tests brought.
pub fn files_left(host: &Host) -> String {
    host.run(
        "set -f; find / -xdev \\( -path *reeve* -o -name mesos-* \\) -not -path /proc/* \
         -not -path /packages* -not -path /var/log/* -not -path /tmp/* | sort",
    )
}
