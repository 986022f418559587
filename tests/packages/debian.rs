//! The Debian packages on a booted Debian system.

use crate::cluster;
use crate::host::Host;

fn installed() -> Option<Host> {
    let host = Host::booted()?;
    host.run("dpkg -i /packages/deb/first/*.deb 2>&1");
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
        "dpkg -i --force-confold /packages/deb/second/*.deb",
        "dpkg -i --force-confold --force-downgrade /packages/deb/first/*.deb",
    );
    host.run("apt-get remove -y -q reeve-agent reeve-master 2>&1");
    cluster::has_no_task_left(&host);
    assert!(host.run("ls /etc/reeve").contains("master.toml"));
    host.run("apt-get purge -y -q 'reeve*' 2>&1");
    assert_eq!(cluster::files_left(&host), "", "purge leaves nothing");
}
