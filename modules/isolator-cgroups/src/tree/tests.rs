use super::*;
use crate::kernel::Linux;
use crate::kernel::fake::{Fake, TOP};

fn cgroup(path: &str) -> PathBuf {
    Path::new(TOP).join(path)
}

/// A cgroup with a process and a child with another.
fn family(fake: &Fake, path: &str) -> PathBuf {
    let top = cgroup(path);
    for cgroup in [top.clone(), top.join("child")] {
        fake.make(&cgroup).unwrap();
        fake.write(&cgroup.join("cgroup.procs"), "7").unwrap();
    }
    fake.log();
    top
}

const PATIENCE: Duration = Duration::from_millis(50);

#[test]
fn version_2_kills_all_at_a_stroke_and_removes_children_first() {
    let fake = Fake::v2("/");
    let top = family(&fake, "c");
    destroy(&fake, vec![top.clone()], PATIENCE).unwrap();
    assert_eq!(fake.log(), ["c/pids.max = 0", "c/cgroup.kill = 1", "remove c/child", "remove c"]);
    destroy(&fake, vec![top], PATIENCE).unwrap();
    assert_eq!(fake.log(), [""; 0]);
}

#[test]
fn version_1_stops_forks_before_it_kills_one_by_one() {
    let fake = Fake::v1();
    let all = ["memory/c", "pids/c"].map(|path| family(&fake, path));
    destroy(&fake, all.to_vec(), PATIENCE).unwrap();
    let expected = [
        "pids/c/pids.max = 0",
        "kill memory/c",
        "kill memory/c/child",
        "remove memory/c/child",
        "remove memory/c",
        "kill pids/c",
        "kill pids/c/child",
        "remove pids/c/child",
        "remove pids/c",
    ];
    assert_eq!(fake.log(), expected);
}

#[test]
fn what_stays_is_tried_again_and_then_told() {
    let fake = Fake::v1();
    let top = family(&fake, "cpu/c");
    fake.fail(&format!("{TOP}/cpu/c"), io::ErrorKind::ResourceBusy, 3);
    destroy(&fake, vec![top], PATIENCE).unwrap();
    assert_eq!(fake.log().iter().filter(|line| *line == "wait").count(), 3);
    let top = family(&fake, "cpu/d");
    fake.fail(&format!("{TOP}/cpu/d"), io::ErrorKind::ResourceBusy, 99);
    let error = destroy(&fake, vec![top], PATIENCE).unwrap_err().to_string();
    assert!(
        error.contains("/cpu/d' cannot be removed, the kernel holds its processes 7"),
        "{error}"
    );
    assert_eq!(fake.log().iter().filter(|line| *line == "wait").count(), 5);
}

#[test]
fn of_several_files_the_first_that_is_there_is_written() {
    let fake = Fake::v1();
    let top = cgroup("blkio/c");
    fake.make(&top).unwrap();
    let writes = [
        Write::new(&["blkio.weight", "blkio.bfq.weight"], 5),
        Write::optional(&["blkio.absent"], 6),
    ];
    apply(&fake, &top, &writes).unwrap();
    assert_eq!(fake.log(), ["make blkio/c", "blkio/c/blkio.bfq.weight = 5"]);
    let error = apply(&fake, &top, &[Write::new(&["blkio.absent"], 6)]).unwrap_err().to_string();
    assert!(error.contains("cannot write '6' to '") && error.contains("blkio.absent'"), "{error}");
}

/// A cgroup of version 2 on this host, if one can be made; it needs no controllers.
fn of_this_host() -> Option<PathBuf> {
    let mountinfo = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let line = mountinfo.lines().find(|line| line.contains(" - cgroup2 "))?;
    let name = format!("reeve-test-{}-kill", std::process::id());
    let path = Path::new(line.split(' ').nth(4)?).join(name);
    std::fs::create_dir(&path).ok().map(|()| path)
}

#[test]
fn the_kernel_itself_kills_and_removes_a_cgroup_of_version_2() {
    let Some(top) = of_this_host() else {
        println!("skipped: no cgroup of version 2 can be made here");
        return;
    };
    let child = top.join("child");
    Linux.make(&child).unwrap();
    let mut ends = Vec::new();
    for cgroup in [&top, &child] {
        let process = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        write(&Linux, cgroup.join("cgroup.procs"), &process.id().to_string()).unwrap();
        ends.push(process);
    }
    assert!(Linux.lock(&top).is_ok() && !Linux.is_delegated(&top));
    // As systemd marks what it hands over.
    let plain = rustix::fs::XattrFlags::empty();
    if rustix::fs::setxattr(&top, "trusted.delegate", b"1", plain).is_ok() {
        assert!(Linux.is_delegated(&top));
    }
    destroy(&Linux, vec![top.clone()], Duration::from_secs(60)).unwrap();
    assert!(!top.exists());
    for mut process in ends {
        assert!(!process.wait().unwrap().success());
    }
}
