//! The isolator on this host's own kernel: what a cgroup is for. Needs root, and cgroups of either
//! version with cpu, memory and pids; elsewhere each test says why it does nothing.

// The steps of a test fail by panicking, also where they are functions of their own.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::print_stderr)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reeve_isolator_cgroups::Cgroups;
use reeve_module_sdk::export::v2::{Parameter, ParameterValue};
use reeve_module_sdk::isolator::{
    Container, Grants, Isolator, Limitation, Scalar, Survivor, Usage, Value,
};
use reeve_module_sdk::{Failed, Module, Parameters};

const TOP: &str = "/sys/fs/cgroup";

/// The hierarchies in use, as directories: one each in version 1, one in version 2.
fn hierarchies() -> Option<Vec<PathBuf>> {
    let top = Path::new(TOP);
    if let Ok(names) = std::fs::read_to_string(top.join("cgroup.controllers")) {
        let has = |name| names.split_whitespace().any(|one| one == name);
        return ["cpu", "memory", "pids"].into_iter().all(has).then(|| vec![top.to_owned()]);
    }
    let all = ["cpu", "cpuacct", "memory", "pids"].map(|name| top.join(name));
    all.iter().all(|path| path.join("cgroup.procs").exists()).then(|| all.to_vec())
}

/// How long what must happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn parameters(root: &str, more: &[(&str, ParameterValue)]) -> Parameters {
    let root = ("root", ParameterValue::Text(root.into()));
    let all = [root].into_iter().chain(more.iter().cloned());
    Parameters::new(all.map(|(name, value)| Parameter { name: name.into(), value }))
}

/// An isolator with a root of its own, of which nothing is left at the end.
struct Bench {
    root: String,
    hierarchies: Vec<PathBuf>,
    cgroups: Option<Cgroups>,
}

impl Bench {
    /// None where the host cannot do it.
    fn new(name: &str, more: &[(&str, ParameterValue)]) -> Option<Self> {
        let root = format!("/reeve-test-{}-{name}", std::process::id());
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root may make cgroups");
            return None;
        }
        let Some(hierarchies) = hierarchies() else {
            eprintln!("skipped: '{TOP}' has not all of cpu, memory and pids");
            return None;
        };
        let cgroups = Cgroups::create(&parameters(&root, more)).unwrap();
        cgroups.recover(&[]).unwrap();
        Some(Self { root, hierarchies, cgroups: Some(cgroups) })
    }

    fn cgroups(&self) -> &Cgroups {
        self.cgroups.as_ref().unwrap()
    }

    fn is_v2(&self) -> bool {
        self.hierarchies.len() == 1
    }

    fn roots(&self) -> Vec<PathBuf> {
        self.hierarchies.iter().map(|top| top.join(self.root.trim_start_matches('/'))).collect()
    }

    /// The container's cgroup in the hierarchy that has a file.
    fn cgroup(&self, file: &str) -> PathBuf {
        let mut all = self.roots().into_iter().map(|root| root.join("container-c"));
        all.find(|path| path.join(file).exists()).expect("a controller has its files")
    }

    /// Starts a shell that runs a script once it is isolated.
    fn start(&self, requests: &[(&str, i64)], script: &str) -> Running {
        let scalar = |(name, thousandths): &(&str, i64)| Scalar {
            name: (*name).into(),
            thousandths: *thousandths,
        };
        let requests = requests.iter().map(scalar).collect();
        let grants = Grants { requests, ..Grants::default() };
        let container = Container { id: "c".into(), grants, ..Container::default() };
        self.cgroups().prepare(&container).unwrap();
        let mut child = Command::new("/bin/sh")
            .args(["-c", &format!("read go; {script}")])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.cgroups().isolate("c", child.id()).unwrap();
        child.stdin.take().unwrap().write_all(b"\n").unwrap();
        Running(child)
    }

    fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        for root in self.roots() {
            for entry in std::fs::read_dir(&root).unwrap().flatten() {
                if entry.file_type().unwrap().is_dir() {
                    left.push(entry.path().display().to_string());
                }
            }
        }
        left
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(cgroups) = &self.cgroups {
            drop(cgroups.cleanup("c"));
        }
        for root in self.roots() {
            drop(std::fs::remove_dir(root));
        }
    }
}

/// A process that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn number(usage: &Usage, name: &str) -> f64 {
    match usage.get(name) {
        Some(Value::Number(number)) => number,
        Some(Value::Count(count)) => count as f64,
        None => panic!("no figure {name} in {usage:?}"),
    }
}

#[test]
fn a_container_that_takes_more_memory_than_it_may_is_killed_and_told_why() {
    for (name, swap) in [("oom", false), ("oom-swap", true)] {
        let swap = ("limit_swap", ParameterValue::Switch(swap));
        if let Some(bench) = Bench::new(name, &[swap]) {
            is_killed_and_told_why(&bench);
        }
    }
}

fn is_killed_and_told_why(bench: &Bench) {
    // Without a newline to be found, tail keeps all of it.
    let script = "head -c 134217728 /dev/zero | tail > /dev/null";
    let mut running = bench.start(&[("cpus", 1_000), ("mem", 64_000)], script);
    let Limitation { resource, message } =
        until("the kill", || bench.cgroups().check("c").unwrap());
    assert_eq!(resource, "mem");
    let words =
        "Memory limit exceeded: Requested: 64MB Maximum Used: 64MB\n\nMEMORY STATISTICS: \n";
    assert!(message.starts_with(words), "{message}");
    let rss = if bench.is_v2() { "\nanon " } else { "\nrss " };
    assert!(message.contains(rss), "{message}");
    running.0.wait().unwrap();
    // After the end nothing new is to be told.
    assert_eq!(bench.cgroups().check("c"), Ok(None));
    bench.cgroups().cleanup("c").unwrap();
    assert_eq!(bench.left(), [""; 0]);
}

#[test]
fn a_container_that_stays_within_its_memory_lives() {
    let Some(bench) = Bench::new("fits", &[]) else { return };
    let script = "head -c 16777216 /dev/zero | tail > /dev/null";
    let mut running = bench.start(&[("cpus", 1_000), ("mem", 64_000)], script);
    assert!(running.0.wait().unwrap().success());
    assert_eq!(bench.cgroups().check("c"), Ok(None));
    assert_eq!(number(&bench.cgroups().usage("c").unwrap(), "mem_limit_bytes"), 67_108_864.0);
}

#[test]
fn a_tenth_of_a_cpu_is_a_tenth() {
    let Some(bench) = Bench::new("cfs", &[("enable_cfs", ParameterValue::Switch(true))]) else {
        return;
    };
    let _running = bench.start(&[("cpus", 100), ("mem", 64_000)], "while :; do :; done");
    let look = || {
        let usage = bench.cgroups().usage("c").unwrap();
        let time = number(&usage, "cpus_user_time_secs") + number(&usage, "cpus_system_time_secs");
        (Instant::now(), time, number(&usage, "cpus_nr_throttled"))
    };
    // From the first throttled period on, so that the start of the shell does not count.
    let first = until("throttling", || Some(look()).filter(|(_, _, throttled)| *throttled > 0.0));
    std::thread::sleep(Duration::from_secs(4));
    let last = look();
    let share = (last.1 - first.1) / last.0.duration_since(first.0).as_secs_f64();
    assert!((0.09..=0.11).contains(&share), "it used {share} cpus");
    assert!(number(&bench.cgroups().usage("c").unwrap(), "cpus_throttled_time_secs") > 1.0);
    bench.cgroups().cleanup("c").unwrap();
    assert_eq!(bench.left(), [""; 0]);
}

#[test]
fn a_fork_bomb_is_stopped_and_nothing_of_it_is_left() {
    let Some(bench) = Bench::new("bomb", &[("pids_max", ParameterValue::Integer(24))]) else {
        return;
    };
    // Bounded, should the limit not hold: 1,023 at most.
    let script =
        "bomb() { [ $1 -gt 9 ] || { bomb $(($1+1)) & bomb $(($1+1)) & }; sleep 600; }; bomb 1";
    let _running = bench.start(&[("cpus", 1_000), ("mem", 256_000)], script);
    let events = bench.cgroup("pids.events").join("pids.events");
    until("a fork that fails", || {
        let text = std::fs::read_to_string(&events).unwrap();
        text.lines().any(|line| line.starts_with("max ") && line != "max 0").then_some(())
    });
    let usage = bench.cgroups().usage("c").unwrap();
    assert!(number(&usage, "threads") <= 24.0 && number(&usage, "processes") > 1.0, "{usage:?}");
    assert_eq!(bench.cgroups().check("c"), Ok(None), "the limit of processes is no reason to kill");
    bench.cgroups().cleanup("c").unwrap();
    bench.cgroups().cleanup("c").unwrap();
    assert_eq!(bench.left(), [""; 0]);
}

#[test]
fn a_second_agent_with_the_same_root_is_refused() {
    let Some(bench) = Bench::new("twice", &[]) else { return };
    let Failed(error) = Cgroups::create(&parameters(&bench.root, &[])).unwrap_err();
    assert!(error.contains("two values of the parameter 'root'"), "{error}");
}

#[test]
fn after_a_restart_survivors_stay_and_orphans_are_killed() {
    let Some(mut bench) = Bench::new("restart", &[]) else { return };
    let mut running = bench.start(&[("cpus", 100), ("mem", 64_000)], "sleep 600 & exec sleep 600");
    // As a container may make cgroups of its own.
    std::fs::create_dir(bench.cgroup("memory.stat").join("own")).unwrap();
    until("the processes", || {
        let usage = bench.cgroups().usage("c").unwrap();
        (number(&usage, "processes") == 2.0).then_some(())
    });
    let restart = |bench: &mut Bench, survivors: &[Survivor]| {
        bench.cgroups = None;
        let again = Cgroups::create(&parameters(&bench.root, &[])).unwrap();
        again.recover(survivors).unwrap();
        bench.cgroups = Some(again);
    };
    let survivor = Survivor { id: "c".into(), pid: running.0.id(), sandbox: "/".into() };
    restart(&mut bench, &[survivor]);
    assert_eq!(number(&bench.cgroups().usage("c").unwrap(), "processes"), 2.0);
    restart(&mut bench, &[]);
    assert_eq!(bench.left(), [""; 0]);
    assert!(!running.0.wait().unwrap().success());
}

#[test]
fn every_controller_of_the_host_can_be_used_at_once() {
    let all = ParameterValue::List(vec!["all".into()].into());
    let Some(bench) = Bench::new("all", &[("controllers", all)]) else { return };
    // Kernel messages are not among the usual devices.
    let script = if bench.is_v2() { "true" } else { "cat /dev/null && ! cat /dev/kmsg" };
    let mut running = bench.start(&[("cpus", 100), ("mem", 64_000)], script);
    let status = running.0.wait().unwrap();
    bench.cgroups().cleanup("c").unwrap();
    for name in ["blkio", "cpuset", "devices"] {
        drop(std::fs::remove_dir(
            Path::new(TOP).join(name).join(bench.root.trim_start_matches('/')),
        ));
    }
    assert!(status.success());
}
