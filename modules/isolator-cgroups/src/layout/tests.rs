use super::*;
use crate::controller::tests::settings;
use crate::kernel::fake::{Fake, TOP};

fn roots(hierarchies: &[Hierarchy]) -> Vec<String> {
    let short = |path: &Path| path.strip_prefix(TOP).unwrap().display().to_string();
    hierarchies.iter().map(|one| short(&one.root)).collect()
}

fn refused(fake: &Fake, all: &[(&str, &str)]) -> String {
    prepare(fake, &settings(all)).unwrap_err().to_string()
}

#[test]
fn in_version_1_there_is_a_root_below_the_top_of_each_hierarchy() {
    let fake = Fake::v1();
    let found = prepare(&fake, &settings(&[])).unwrap();
    let names = ["cpu/reeve", "cpuacct/reeve", "memory/reeve", "pids/reeve"];
    assert_eq!(roots(&found), names);
    assert!(found[1].accounts && found[1].controllers.is_empty());
    let log = fake.log();
    assert!(log.contains(&"memory/reeve/memory.use_hierarchy = 1".to_owned()), "{log:?}");
    // Again, as after a restart of the agent: nothing is left to make.
    assert_eq!(roots(&prepare(&fake, &settings(&[])).unwrap()), names);
    assert_eq!(fake.log(), [""; 0]);
}

#[test]
fn in_version_1_a_new_cpuset_is_filled_from_above() {
    let fake = Fake::v1();
    prepare(&fake, &settings(&[("controllers", "cpuset"), ("root", "a/b")])).unwrap();
    let expected = [
        "make cpuset/a",
        "cpuset/a/cpuset.cpus = 0-7",
        "cpuset/a/cpuset.mems = 0",
        "make cpuset/a/b",
        "cpuset/a/b/cpuset.cpus = 0-7",
        "cpuset/a/b/cpuset.mems = 0",
    ];
    assert_eq!(fake.log(), expected);
}

#[test]
fn in_version_2_controllers_are_handed_down_to_the_root() {
    let fake = Fake::v2("/system.slice/ssh.service");
    let found = prepare(&fake, &settings(&[])).unwrap();
    assert_eq!(roots(&found), ["reeve"]);
    let expected = [
        "cgroup.subtree_control = +cpu +memory +pids",
        "make reeve",
        "reeve/cgroup.subtree_control = +cpu +memory +pids",
    ];
    assert_eq!(fake.log(), expected);
    prepare(&fake, &settings(&[])).unwrap();
    assert_eq!(fake.log(), [""; 0]);
}

/// An agent in its unit's own cgroup, or in a subgroup of it, as systemd starts it.
fn under_systemd(subgroup: bool) -> Fake {
    let unit = "system.slice/reeve-agent.service";
    let own = if subgroup { format!("/{unit}/agent") } else { format!("/{unit}") };
    let fake = Fake::v2(&own);
    let set =
        |path: &str| fake.set(&format!("{TOP}/{path}cgroup.subtree_control"), "cpu memory pids");
    set("");
    for path in ["system.slice", unit] {
        fake.make(&Path::new(TOP).join(path)).unwrap();
        set(&format!("{path}/"));
    }
    fake.set(&format!("{TOP}/{unit}/cgroup.subtree_control"), "");
    fake.delegate(&format!("{TOP}/{unit}"));
    fake.log();
    fake
}

#[test]
fn a_delegated_cgroup_above_the_agents_own_is_the_base() {
    let fake = under_systemd(true);
    let found = prepare(&fake, &settings(&[])).unwrap();
    assert_eq!(roots(&found), ["system.slice/reeve-agent.service/reeve"]);
    let base = "system.slice/reeve-agent.service";
    let expected = [
        format!("{base}/cgroup.subtree_control = +cpu +memory +pids"),
        format!("make {base}/reeve"),
        format!("{base}/reeve/cgroup.subtree_control = +cpu +memory +pids"),
    ];
    assert_eq!(fake.log(), expected);
}

#[test]
fn a_delegated_cgroup_with_the_agent_in_it_is_left_alone() {
    let found = prepare(&under_systemd(false), &settings(&[])).unwrap();
    assert_eq!(roots(&found), ["reeve"]);
    let absolute = settings(&[("root", "/system.slice/mine")]);
    assert_eq!(roots(&prepare(&under_systemd(true), &absolute).unwrap()), ["system.slice/mine"]);
}

#[test]
fn an_agent_in_the_way_moves_aside() {
    let fake = Fake::v2("/");
    let control = format!("{TOP}/cgroup.subtree_control");
    fake.fail(&control, io::ErrorKind::ResourceBusy, 1);
    prepare(&fake, &settings(&[("controllers", "cpu")])).unwrap();
    let expected = [
        "cgroup.subtree_control = +cpu",
        "make agent",
        "agent/cgroup.procs = 0",
        "cgroup.subtree_control = +cpu",
        "make reeve",
        "reeve/cgroup.subtree_control = +cpu",
    ];
    assert_eq!(fake.log(), expected);
    let fake = Fake::v2("/");
    fake.fail(&control, io::ErrorKind::ResourceBusy, 2);
    let error = refused(&fake, &[]);
    assert!(error.contains("holds processes itself") && error.contains("'root'"), "{error}");
}

#[test]
fn on_a_hybrid_host_each_controller_is_taken_where_it_is() {
    let fake = Fake::v1();
    let mountinfo = "1 1 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                     1 1 0:1 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                     1 1 0:1 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    fake.proc(mountinfo, "0::/\n");
    fake.set(&format!("{TOP}/unified/cgroup.controllers"), "pids hugetlb\n");
    fake.mount(&format!("{TOP}/cpu,cpuacct"), Vec::new());
    fake.mount(&format!("{TOP}/unified"), Vec::new());
    let found = prepare(&fake, &settings(&[])).unwrap();
    assert_eq!(roots(&found), ["cpu,cpuacct/reeve", "memory/reeve", "unified/reeve"]);
    assert!(found[0].accounts && found[0].has(Controller::Cpu));
    assert_eq!(
        (found[2].version, found[2].controllers.as_slice()),
        (Version::V2, [Controller::Pids].as_slice())
    );
}

#[test]
fn what_the_host_lacks_is_named() {
    let fake = Fake::v2("/");
    fake.set(&format!("{TOP}/cgroup.controllers"), "cpu pids\n");
    let error = refused(&fake, &[]);
    assert!(error.contains("'memory'") && error.contains("version 2 has cpu, pids"), "{error}");
    assert!(refused(&fake, &[("controllers", "devices")]).contains("version 1 only"));
    // All that there is means just that.
    let all = prepare(&fake, &settings(&[("controllers", "all")])).unwrap();
    assert_eq!(all[0].controllers, [Controller::Cpu, Controller::Pids]);
    let bare = Fake::default();
    bare.proc("1 1 0:1 / / rw - ext4 /dev/sda rw\n", "0::/\n");
    assert!(refused(&bare, &[]).contains("no cgroup hierarchy is mounted"));
    assert!(refused(&bare, &[("controllers", "all")]).contains("no cgroup controller"));
}

#[test]
fn who_may_not_write_is_told_what_to_do() {
    let fake = Fake::v1();
    fake.fail(&format!("{TOP}/cpu/reeve"), io::ErrorKind::PermissionDenied, 1);
    let error = refused(&fake, &[]);
    assert!(error.contains("'/sys/fs/cgroup/cpu/reeve'") && error.contains("as root"), "{error}");
    // A controller that the top has but a delegated cgroup was not given.
    let fake = under_systemd(true);
    let base = format!("{TOP}/system.slice/reeve-agent.service");
    fake.set(&format!("{base}/cgroup.controllers"), "cpu pids");
    let error = refused(&fake, &[]);
    assert!(error.contains("'memory'") && error.contains("Delegate=yes"), "{error}");
}

#[test]
fn mounts_are_read_as_the_kernel_writes_them() {
    let text = "30 23 0:26 / /sys/fs/cgroup/a\\040b rw,nosuid shared:9 - cgroup cgroup rw,memory\n\
                31 23 0:26 / /again rw - cgroup cgroup rw,memory\n\
                32 23 0:27 /docker/x /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n\
                broken\n33 23 0:27 / / rw - ext4 x rw\n34 23";
    let mounts = mounts::mounts(text);
    assert_eq!(mounts.len(), 2);
    assert_eq!(mounts[0].top, Path::new("/sys/fs/cgroup/a b"));
    assert!(mounts[0].has_v1("memory") && !mounts[0].has_v1("mem"));
    let own = |text| mounts::own(text, &mounts[1]);
    assert_eq!(own("4:memory:/x\n0::/docker/x/y\n"), Some("/sys/fs/cgroup/unified/y".into()));
    assert_eq!(own("0::/docker/x\n"), Some("/sys/fs/cgroup/unified".into()));
    assert_eq!(own("0::/elsewhere\n"), None);
    assert_eq!(own("4:memory:/x\n"), None);
}
