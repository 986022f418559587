//! The Debian packages on a booted Debian system.

use crate::cluster;
use crate::host::Host;

/// Settings that were edited stay.
const INSTALL: &str = "apt-get install -y -q --allow-downgrades -o Dpkg::Options::=--force-confold";

/// A cluster of one machine, from all packages.
pub fn installed() -> Option<Host> {
    let host = Host::booted()?;
    // Nothing of an earlier test, where the host is not a new one.
    host.run("dpkg-query -W -f '${Package}\\n' 'reeve*' | xargs -r apt-get purge -y -q 2>&1");
    host.run(&format!("{INSTALL} /packages/deb/first/*.deb 2>&1"));
    cluster::comes_up(&host);
    Some(host)
}

#[test]
fn a_cluster_of_one_machine_works_as_installed() {
    let Some(host) = installed() else { return };
    cluster::runs_a_task_and_tells_of_it(&host);
}

#[test]
fn tasks_outlive_restarts_and_upgrades_but_not_the_removal() {
    let Some(host) = installed() else { return };
    cluster::keeps_a_task_through(
        &host,
        &format!("{INSTALL} /packages/deb/second/*.deb 2>&1"),
        &format!("{INSTALL} /packages/deb/first/*.deb 2>&1"),
    );
    host.run("apt-get remove -y -q reeve-agent reeve-master 2>&1");
    cluster::has_no_task_left(&host);
    assert!(host.run("ls /etc/reeve").contains("master.toml"));
    host.run("apt-get purge -y -q 'reeve*' 2>&1");
    assert_eq!(cluster::files_left(&host), "", "purge leaves nothing");
}
