//! The Debian packages on a booted Debian system.

use std::path::PathBuf;

use crate::host::Host;

/// The root of a Debian system, and the packages: `first/` and, of a higher version, `second/`.
fn given() -> Option<(PathBuf, PathBuf)> {
    let given = |name| std::env::var_os(name).map(PathBuf::from);
    let found = given("REEVE_ROOT").zip(given("REEVE_DEBS"));
    if found.is_none() {
        eprintln!("left out: `make test-packages` makes packages and tests them");
    }
    found
}

const INSTALL: &str = "dpkg -i /packages/first/*.deb 2>&1";

/// Succeeds once the agent is offered to frameworks.
const OFFERED: &str = r#"curl -sf localhost:5050/state-summary | grep -q '"active":true'"#;

/// Succeeds if a task runs, as far as the master knows.
const RUNNING: &str = r#"curl -sf localhost:5050/tasks | grep -q '"state":"TASK_RUNNING"'"#;

/// Names of files that have to do with Reeve, but for logs and what this test brought.
const LEFT: &str = "find / -xdev \\( -path *reeve* -o -name mesos-* \\) -not -path /proc/* \
                    -not -path /packages* -not -path /var/log/* -not -path /tmp/*";

fn installed() -> Option<Host> {
    let (root, packages) = given()?;
    let host = Host::boot(&root, &packages);
    host.run(INSTALL);
    host.until("the agent to be offered", OFFERED);
    Some(host)
}

#[test]
fn a_cluster_of_one_machine_works_as_installed() {
    let Some(host) = installed() else { return };
    assert_eq!(host.run("systemctl is-active reeve-master reeve-agent"), "active\nactive\n");
    let master = "stat -c %U /proc/$(systemctl show -P MainPID reeve-master)";
    assert_eq!(host.run(master), "reeve\n");
    let said = host.run(
        "mesos-execute --master=127.0.0.1:5050 --name='cluster-test' \
         --command='echo hello world; sleep 1'",
    );
    assert!(said.contains("TASK_FINISHED"), "{said}");

    // The story of the task is in the journal, on both sides.
    let ends = "journalctl -o cat TASK_ID=cluster-test | grep -c TASK_FINISHED | grep -x 2";
    host.until("the task's end in the journal", ends);
    let units = host.run("journalctl -o json --output-fields=_SYSTEMD_UNIT TASK_ID=cluster-test");
    for unit in ["reeve-master.service", "reeve-agent.service"] {
        assert!(units.contains(unit), "{units}");
    }
}

#[test]
fn tasks_outlive_restarts_and_upgrades_but_not_the_removal() {
    let Some(host) = installed() else { return };
    host.run(
        "systemd-run --quiet --unit=client mesos-execute --master=127.0.0.1:5050 --name=long \
         --command='sleep 4321' --checkpoint",
    );
    let task = host.until("the task", "pgrep -xf 'sleep 4321'");
    let unit = "/reeve.slice/reeve-containers.service";
    host.run(&format!("grep -q name=systemd:.*{unit} /proc/{}/cgroup", task.trim()));
    host.run(&format!("systemctl status reeve-containers | grep -q {}", task.trim()));
    for act in [
        "systemctl restart reeve-agent",
        "systemctl stop reeve-agent; systemctl daemon-reload; systemctl start reeve-agent",
        "systemctl kill --kill-who=main --signal=KILL reeve-agent",
        "systemctl restart reeve-master",
        "echo 'cluster = \"edited\"' >> /etc/reeve/master.toml; systemctl restart reeve-master",
        "dpkg -i --force-confold /packages/second/*.deb",
        "dpkg -i --force-confold --force-downgrade /packages/first/*.deb",
    ] {
        host.run(act);
        host.until(&format!("the task to be known after: {act}"), RUNNING);
        assert_eq!(host.run("pgrep -xf 'sleep 4321'"), task, "{act}");
    }
    // What was edited is kept, and counts.
    assert!(host.run("curl -sf localhost:5050/state-summary").contains("\"edited\""));

    host.run("apt-get remove -y -q reeve-agent reeve-master 2>&1");
    assert!(!host.try_run("pgrep -xf 'sleep 4321'").status.success(), "the task outlived it");
    let kept = host.run("systemctl list-units --all --no-legend 'reeve*'");
    assert!(!kept.contains("running"), "{kept}");
    assert!(host.run("ls /etc/reeve").contains("master.toml"));
    host.run("apt-get purge -y -q 'reeve*' 2>&1");
    assert_eq!(host.run(&format!("set -f; {LEFT}")), "", "purge leaves nothing");
}
