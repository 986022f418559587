use super::*;
use crate::controller::tests::{grants, settings};
use crate::kernel::fake::{Fake, TOP};
use reeve_module_sdk::isolator::Value;

fn isolator(fake: Fake, all: &[(&str, &str)]) -> (Arc<Fake>, Cgroups) {
    let fake = Arc::new(fake);
    let kernel: Arc<dyn Kernel> = fake.clone();
    let cgroups = Cgroups::new(kernel, settings(all)).unwrap();
    fake.log();
    (fake, cgroups)
}

fn container(id: &str, requests: &[(&str, i64)], limits: &[(&str, i64)]) -> Container {
    Container { id: id.into(), grants: grants(requests, limits), ..Container::default() }
}

fn survivor(id: &str) -> Survivor {
    Survivor { id: id.into(), pid: 1, sandbox: "/tmp".into() }
}

const REQUEST: [(&str, i64); 2] = [("cpus", 500), ("mem", 64_000)];

#[test]
fn version_1_from_prepare_to_cleanup() {
    let (fake, cgroups) = isolator(Fake::v1(), &[("enable_cfs", "true"), ("limit_swap", "true")]);
    cgroups.prepare(&container("c", &REQUEST, &[])).unwrap();
    let expected = [
        "make cpu/reeve/container-c",
        "cpu/reeve/container-c/cpu.shares = 512",
        "cpu/reeve/container-c/cpu.cfs_period_us = 100000",
        "cpu/reeve/container-c/cpu.cfs_quota_us = 50000",
        "make cpuacct/reeve/container-c",
        "make memory/reeve/container-c",
        "memory/reeve/container-c/memory.soft_limit_in_bytes = 67108864",
        "memory/reeve/container-c/memory.limit_in_bytes = 67108864",
        "memory/reeve/container-c/memory.memsw.limit_in_bytes = 67108864",
        "make pids/reeve/container-c",
        "pids/reeve/container-c/pids.max = 4096",
    ];
    assert_eq!(fake.log(), expected);
    cgroups.isolate("c", 42).unwrap();
    let joined = ["cpu", "cpuacct", "memory", "pids"]
        .map(|name| format!("{name}/reeve/container-c/cgroup.procs = 42"));
    assert_eq!(fake.log(), joined);
    cgroups.cleanup("c").unwrap();
    cgroups.cleanup("c").unwrap();
    assert!(!fake.is_there(&format!("{TOP}/memory/reeve/container-c")));
    assert!(cgroups.usage("c").is_err() && cgroups.isolate("c", 1).is_err());
}

#[test]
fn version_2_from_prepare_to_cleanup() {
    let (fake, cgroups) = isolator(Fake::v2("/"), &[]);
    cgroups.prepare(&container("c", &REQUEST, &[("cpus", 2_000), ("mem", 128_000)])).unwrap();
    let expected = [
        "make reeve/container-c",
        "reeve/container-c/cpu.weight = 50",
        "reeve/container-c/cpu.max = 200000 100000",
        "reeve/container-c/memory.low = 67108864",
        "reeve/container-c/memory.max = 134217728",
    ];
    let mut log = fake.log();
    let pids = log.iter().position(|line| line == "reeve/container-c/pids.max = 4096");
    log.remove(pids.unwrap());
    assert_eq!(log, expected);
    cgroups.isolate("c", 42).unwrap();
    // More is allowed than was asked for: 64 MB of 1 GB are requested.
    let expected = ["reeve/container-c/cgroup.procs = 42", "/proc/42/oom_score_adj = 938"];
    assert_eq!(fake.log(), expected);
    cgroups.cleanup("c").unwrap();
    assert!(!fake.is_there(&format!("{TOP}/reeve/container-c")));
}

#[test]
fn an_update_changes_limits_and_spares_what_is_in_use() {
    let (fake, cgroups) = isolator(Fake::v2("/"), &[]);
    cgroups.prepare(&container("c", &REQUEST, &[])).unwrap();
    fake.set(&format!("{TOP}/reeve/container-c/memory.current"), "50000000\n");
    fake.log();
    cgroups.update("c", &grants(&[("cpus", 1_000), ("mem", 32_000)], &[])).unwrap();
    let spared = [
        "reeve/container-c/cpu.weight = 100",
        "reeve/container-c/cpu.max = max 100000",
        "reeve/container-c/memory.low = 33554432",
    ];
    assert_eq!(fake.log(), spared);
    cgroups.update("c", &grants(&[("mem", 96_000)], &[])).unwrap();
    assert_eq!(fake.log()[1], "reeve/container-c/memory.max = 100663296");
    assert_eq!(cgroups.usage("c").unwrap().get("mem_limit_bytes"), Some(Value::Count(100_663_296)));
    assert!(cgroups.update("other", &Grants::default()).is_err());
}

#[test]
fn a_prepare_that_fails_names_the_file_and_is_cleaned_up_after() {
    let (fake, cgroups) = isolator(Fake::v1(), &[]);
    let file = format!("{TOP}/memory/reeve/container-c/memory.limit_in_bytes");
    fake.fail(&file, std::io::ErrorKind::InvalidInput, 1);
    let error = cgroups.prepare(&container("c", &REQUEST, &[])).unwrap_err().to_string();
    assert!(error.contains(&file) && error.contains("67108864"), "{error}");
    assert!(fake.is_there(&format!("{TOP}/cpu/reeve/container-c")));
    cgroups.cleanup("c").unwrap();
    assert!(!fake.is_there(&format!("{TOP}/cpu/reeve/container-c")));
}

#[test]
fn an_id_does_not_lead_out_of_the_root() {
    let (fake, cgroups) = isolator(Fake::v2("/"), &[]);
    assert!(cgroups.prepare(&container("x/../../y", &REQUEST, &[])).is_err());
    cgroups.cleanup("x/../../y").unwrap();
    assert_eq!(fake.log(), [""; 0]);
}

#[test]
fn a_kill_for_want_of_memory_is_told_once() {
    for (fake, path, text) in [
        (Fake::v1(), "memory/reeve", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"),
        (Fake::v2("/"), "reeve", "oom 1\noom_kill 1\n"),
    ] {
        let (fake, cgroups) = isolator(fake, &[]);
        cgroups.prepare(&container("c", &REQUEST, &[])).unwrap();
        assert_eq!(cgroups.check("c"), Ok(None));
        let cgroup = format!("{TOP}/{path}/container-c");
        let v1 = path.starts_with("memory");
        fake.set(
            &format!("{cgroup}/{}", if v1 { "memory.oom_control" } else { "memory.events" }),
            text,
        );
        fake.set(
            &format!("{cgroup}/{}", if v1 { "memory.max_usage_in_bytes" } else { "memory.peak" }),
            "67108864\n",
        );
        fake.set(&format!("{cgroup}/memory.failcnt"), "5\n");
        let message = cgroups.check("c").unwrap().unwrap().message;
        let words =
            "Memory limit exceeded: Requested: 64MB Maximum Used: 64MB\n\nMEMORY STATISTICS: ";
        assert!(message.starts_with(words), "{message}");
        assert_eq!(cgroups.check("c"), Ok(None));
    }
}

#[test]
fn survivors_are_adopted_and_orphans_go() {
    let (fake, cgroups) = isolator(Fake::v1(), &[]);
    for id in ["stays", "goes"] {
        cgroups.prepare(&container(id, &REQUEST, &[])).unwrap();
        cgroups.isolate(id, 42).unwrap();
    }
    let foreign = format!("{TOP}/cpu/reeve/somebody-elses");
    fake.make(Path::new(&foreign)).unwrap();
    let kernel: Arc<dyn Kernel> = fake.clone();
    let again = Cgroups::new(kernel, settings(&[])).unwrap();
    again.recover(&[survivor("stays"), survivor("older")]).unwrap();
    for name in ["cpu", "cpuacct", "memory", "pids"] {
        assert!(fake.is_there(&format!("{TOP}/{name}/reeve/container-stays")), "{name}");
        assert!(!fake.is_there(&format!("{TOP}/{name}/reeve/container-goes")), "{name}");
    }
    assert!(fake.is_there(&foreign));
    fake.log();
    again.update("stays", &grants(&[("mem", 128_000)], &[])).unwrap();
    assert!(fake.log().iter().any(|line| line.ends_with("limit_in_bytes = 134217728")));
    // One that began without cgroups: there is nothing to hold or to tell.
    again.update("older", &grants(&REQUEST, &[])).unwrap();
    assert_eq!((fake.log(), again.check("older")), (Vec::new(), Ok(None)));
    assert_eq!(again.usage("older").unwrap().get("processes"), None);
}

#[test]
fn figures_come_from_every_hierarchy() {
    let (fake, cgroups) = isolator(Fake::v1(), &[]);
    cgroups.prepare(&container("c", &REQUEST, &[])).unwrap();
    cgroups.isolate("c", 42).unwrap();
    let set = |path: &str, text| fake.set(&format!("{TOP}/{path}"), text);
    set("cpuacct/reeve/container-c/cpuacct.stat", "user 150\nsystem 50\n");
    set("memory/reeve/container-c/memory.usage_in_bytes", "4096\n");
    set("pids/reeve/container-c/pids.current", "3\n");
    let usage = cgroups.usage("c").unwrap();
    for (name, value) in [
        ("cpus_user_time_secs", Value::Number(1.5)),
        ("cpus_limit", Value::Number(0.5)),
        ("cpus_soft_limit", Value::Number(0.5)),
        ("mem_total_bytes", Value::Count(4096)),
        ("mem_limit_bytes", Value::Count(64 << 20)),
        ("mem_soft_limit_bytes", Value::Count(64 << 20)),
        ("processes", Value::Count(1)),
        ("threads", Value::Count(3)),
    ] {
        assert_eq!(usage.get(name), Some(value), "{name}");
    }
}

#[test]
fn devices_are_denied_first_and_then_allowed_one_by_one() {
    let parameters = [("controllers", "devices"), ("allowed_devices", "/dev/fuse rw")];
    let (fake, cgroups) = isolator(Fake::v1(), &parameters);
    cgroups.prepare(&container("c", &[], &[])).unwrap();
    let log = fake.log();
    assert_eq!(log[1], "devices/reeve/container-c/devices.deny = a");
    assert!(log[2..].iter().all(|line| line.contains("devices.allow = ")));
    assert_eq!(log.last().unwrap(), "devices/reeve/container-c/devices.allow = c 10:229 rw");
    let absent = settings(&[("controllers", "devices"), ("allowed_devices", "/dev/absent")]);
    let error = Cgroups::new(Arc::new(Fake::v1()), absent).unwrap_err().to_string();
    assert!(error.contains("'allowed_devices': '/dev/absent'"), "{error}");
}

#[test]
fn what_the_kernel_cannot_do_is_refused_at_the_start() {
    let fake = Fake::v1();
    Cgroups::new(Arc::new(Fake::v1()), settings(&[("limit_swap", "true")])).unwrap();
    let old: Vec<_> = vec![("memory.limit_in_bytes", "0".to_owned())];
    fake.mount(&format!("{TOP}/memory"), old);
    let error = Cgroups::new(Arc::new(fake), settings(&[("limit_swap", "true")])).unwrap_err();
    assert!(error.to_string().starts_with("parameter 'limit_swap': "), "{error}");
}
