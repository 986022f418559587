//! The RPMs, installed by dnf from repositories.
//!
//! The system is Debian with dnf and rpm, since no EL system can be had from packages of Debian: a
//! package without files stands in for the C library, the shell and systemd (`packaging/rpm/stand-in`).
//! So scriptlets, units, files, settings and upgrades are tried as they are. That programs start with EL's
//! older C library is for `packaging/glibc` to say, and nothing here tells of SELinux.

use crate::cluster;
use crate::host::Host;

/// rpm's database where EL has it, no unit enabled unless asked for, and the repositories.
const AS_ON_EL: &str = "
    mkdir -p /etc/rpm /etc/yum.repos.d /etc/systemd/system-preset
    echo '%_dbpath /var/lib/rpm' > /etc/rpm/macros
    echo 'disable *' > /etc/systemd/system-preset/99-default-disable.preset
    echo 8 > /etc/dnf/vars/releasever
    for name in system first second; do
        printf '[%s]\\nname=%s\\nbaseurl=file:///packages/rpm/%s\\ngpgcheck=0\\n' $name $name $name
    done > /etc/yum.repos.d/packages.repo";

const UNITS: &str = "reeve-master reeve-agent";

/// What rpm finds changed of what was installed.
const CHANGED: &str = "rpm -V reeve-master reeve-agent reeve-modules reeve-cli reeve-module-dev";

fn installed() -> Option<Host> {
    let host = Host::booted()?;
    host.run(AS_ON_EL);
    host.run("dnf -y --disablerepo=second install reeve reeve-module-dev 2>&1");
    Some(host)
}

#[test]
fn a_cluster_of_one_machine_works_once_it_is_started() {
    let Some(host) = installed() else { return };
    assert_eq!(host.run(CHANGED), "");
    let states = |verb| host.run(&format!("systemctl {verb} {UNITS} || true"));
    assert_eq!(states("is-enabled"), "disabled\ndisabled\n");
    assert_eq!(states("is-active"), "inactive\ninactive\n");

    host.run(&format!("systemctl enable --now {UNITS}"));
    cluster::comes_up(&host);
    cluster::runs_a_task_and_tells_of_it(&host);
    assert_eq!(host.run(CHANGED), "", "running changes nothing that was installed");
}

#[test]
fn tasks_outlive_restarts_and_upgrades_but_not_the_removal() {
    let Some(host) = installed() else { return };
    host.run(&format!("systemctl enable --now {UNITS}"));
    cluster::comes_up(&host);
    cluster::keeps_a_task_through(
        &host,
        "dnf -y upgrade 2>&1",
        "dnf -y --disablerepo=second downgrade 'reeve*' 2>&1",
    );
    let changed = host.run(&format!("{CHANGED} || true"));
    assert_eq!(changed, "S.5....T.  c /etc/reeve/master.toml\n");

    host.run("dnf -y remove 'reeve*' 2>&1");
    cluster::has_no_task_left(&host);
    // What was edited and what was stored is kept.
    for line in cluster::files_left(&host).lines() {
        let kept = ["/etc/reeve", "/etc/reeve/master.toml.rpmsave"].contains(&line)
            || line.starts_with("/var/lib/reeve");
        assert!(kept, "left: {line}");
    }
    host.run("test -e /etc/reeve/master.toml.rpmsave");
}
