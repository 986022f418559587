//! What the `cgroups` isolator promises to users, held by a whole cluster on this host's own
//! kernel. Needs root, and cgroups of either version with cpu, memory and pids; elsewhere each
//! test says why it does nothing.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use reeve_tests::scheduler::scalar;
use reeve_tests::{Agent, Cluster, Master, Room, Scheduler, processes, until};
use serde_json::{Value, json};

use crate::has_keys;
use crate::kills::kill_again_and_again;

const TOP: &str = "/sys/fs/cgroup";

/// The hierarchies with cpu, memory and pids: several in version 1, one in version 2.
fn hierarchies() -> Option<Vec<PathBuf>> {
    let top = Path::new(TOP);
    if let Ok(names) = std::fs::read_to_string(top.join("cgroup.controllers")) {
        let has = |name| names.split_whitespace().any(|one| one == name);
        return ["cpu", "memory", "pids"].into_iter().all(has).then(|| vec![top.to_owned()]);
    }
    let all = ["cpu", "cpuacct", "memory", "pids"].map(|name| top.join(name));
    all.iter().all(|path| path.join("cgroup.procs").exists()).then(|| all.to_vec())
}

/// A cluster whose agent confines by cgroups below a root of its own.
struct Confined {
    cluster: Cluster,
    roots: Vec<PathBuf>,
}

impl Confined {
    /// None where the host cannot do it, which is told.
    fn start(isolation: &str, parameters: &str) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: only root may make cgroups");
            return None;
        }
        let Some(hierarchies) = hierarchies() else {
            eprintln!("skipped: '{TOP}' has not all of cpu, memory and pids");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root = format!("reeve-cluster-{}-{number}", std::process::id());
        let room = Room::new();
        let config = room.join("agent.toml");
        let text = format!(
            "isolation = {isolation}\n[modules.cgroups]\nroot = \"/{root}\"\n{parameters}\n"
        );
        std::fs::write(&config, text).expect("a file in the room");
        let master = Master::start(&room, &[]);
        let config = format!("--config={}", config.display());
        let agent = Agent::start(&room, master.address, &[&config]);
        master.wait_agents(1);
        let roots = hierarchies.iter().map(|top| top.join(&root)).collect();
        Some(Self { cluster: Cluster { master, agent, room }, roots })
    }

    fn scheduler(&self) -> Scheduler {
        Scheduler::new(self.cluster.master.address)
    }

    fn is_v2(&self) -> bool {
        self.roots.len() == 1
    }

    /// Every cgroup below the roots.
    fn cgroups(&self) -> Vec<PathBuf> {
        let inside = |root: &PathBuf| std::fs::read_dir(root).into_iter().flatten().flatten();
        let entries = self.roots.iter().flat_map(inside);
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    }

    /// A file of the one container, in the hierarchy that has it; text of the first that exists.
    fn read(&self, files: &[&str]) -> String {
        until(&format!("a container with {files:?}"), || {
            let all = self.cgroups();
            let paths = all.iter().flat_map(|cgroup| files.iter().map(|file| cgroup.join(file)));
            paths.flat_map(std::fs::read_to_string).next()
        })
    }

    /// The ids of all processes of the one container.
    fn processes(&self) -> Vec<i32> {
        self.read(&["cgroup.procs"]).lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// What `/monitor/statistics` says of the one container.
    fn statistics(&self) -> Value {
        let all = self.cluster.agent.get("/monitor/statistics");
        assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
        all[0]["statistics"].clone()
    }

    /// Nothing is left: no process of the room, no cgroup below the roots.
    fn wait_empty(&self) {
        self.cluster.room.wait_empty();
        until("all cgroups to be gone", || self.cgroups().is_empty().then_some(()));
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        self.cluster.agent.kill();
        for path in self.cgroups() {
            let text = std::fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
            for pid in text.lines().filter_map(|line| line.parse().ok()) {
                processes::signal(pid, nix::sys::signal::Signal::SIGKILL);
            }
            for _ in 0..100 {
                processes::reap_orphans();
                if std::fs::remove_dir(&path).is_ok() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
        for root in &self.roots {
            drop(std::fs::remove_dir(root));
        }
    }
}

fn task(id: &str, cpus: f64, mem: f64, command: &str) -> Value {
    json!({
        "name": id, "task_id": {"value": id}, "command": {"value": command},
        "resources": [scalar("cpus", cpus), scalar("mem", mem)],
    })
}

/// Takes 128 MB: a block of that size is filled before it is written.
const HOG: &str = "dd if=/dev/zero of=/dev/null bs=128M count=1";

#[test]
fn a_task_that_takes_more_memory_than_it_may_fails_and_says_why() {
    let shapes = [
        ("itself", "[\"cgroups\"]", format!("exec {HOG}")),
        ("child", "[\"cgroups\"]", format!("{HOG}; exit 3")),
        ("masked", "[\"posix\", \"cgroups\"]", format!("{HOG}; exit 0")),
        ("survived", "[\"cgroups\"]", format!("{HOG}; sleep 1000")),
    ];
    for (id, isolation, command) in shapes {
        let Some(confined) = Confined::start(isolation, "") else { return };
        let mut scheduler = confined.scheduler();
        scheduler.launch(task(id, 0.1, 64.0, &command));
        let failed = scheduler.state(id, "TASK_FAILED");
        assert_eq!(failed["reason"], "REASON_CONTAINER_LIMITATION_MEMORY", "{id}: {failed}");
        assert_eq!(failed["source"], "SOURCE_AGENT", "{id}: {failed}");
        let message = failed["message"].as_str().unwrap();
        // The executor's 32 MB are on top, as in Mesos.
        let words = "Memory limit exceeded: Requested: 96MB Maximum Used: 96MB";
        assert!(message.starts_with(words), "{id}: {message}");
        assert!(message.contains("MEMORY STATISTICS"), "{id}: {message}");
        confined.wait_empty();
    }
}

#[test]
fn why_a_task_was_killed_is_shown_where_people_look() {
    let Some(confined) = Confined::start("[\"cgroups\"]", "") else { return };
    let Cluster { master, agent, room } = &confined.cluster;
    let mut tool = room.tool("mesos-execute");
    tool.arg(format!("--master={}", master.address)).arg("--name=hog");
    tool.args(["--resources=cpus:0.1;mem:64", &format!("--command={HOG}")]);
    let output = processes::run(&mut tool);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("REASON_CONTAINER_LIMITATION_MEMORY"), "{said}");
    assert!(said.contains("Memory limit exceeded: Requested: 96MB"), "{said}");
    let told = |state: &Value| {
        let all = state["completed_frameworks"][0]["completed_tasks"][0]["statuses"].clone();
        let last = all.as_array()?.last()?.clone();
        (last["state"] == "TASK_FAILED").then_some(last)
    };
    let last = master.until("the task's end", "/state", told);
    assert_eq!(last["reason"], "REASON_CONTAINER_LIMITATION_MEMORY", "{last}");
    assert!(last["message"].as_str().unwrap().starts_with("Memory limit exceeded"), "{last}");
    let state = agent.get("/state");
    let text = state["completed_frameworks"].to_string();
    assert!(text.contains("REASON_CONTAINER_LIMITATION_MEMORY"), "{state}");
    confined.wait_empty();
}

#[test]
fn a_tenth_of_a_cpu_is_a_tenth() {
    let Some(confined) = Confined::start("[\"cgroups\"]", "enable_cfs = true") else { return };
    let mut scheduler = confined.scheduler();
    scheduler.launch(task("spin", 0.1, 64.0, "while :; do :; done"));
    scheduler.state("spin", "TASK_RUNNING");
    // Time of the kernel's counter, time of the statistics, on which clock.
    let look = || {
        let figures = confined.statistics();
        let number = |name: &str| figures[name].as_f64().unwrap_or_else(|| panic!("{figures}"));
        let time = number("cpus_user_time_secs") + number("cpus_system_time_secs");
        (used(&confined), time, std::time::Instant::now(), number("cpus_nr_throttled"))
    };
    until("throttling", || (look().3 > 0.0).then_some(()));
    // More than it may it never gets; all that it may, only while the host has it to give.
    until("4 seconds in which it gets its tenth", || {
        let (counted, told, begin, _) = look();
        std::thread::sleep(std::time::Duration::from_secs(4));
        let (counted_now, told_now, end, _) = look();
        let seconds = end.duration_since(begin).as_secs_f64();
        let shares = [(counted_now - counted) / seconds, (told_now - told) / seconds];
        assert!(shares.iter().all(|share| *share <= 0.11), "it used {shares:?} cpus");
        shares.iter().all(|share| *share >= 0.09).then_some(())
    });
    let figures = confined.statistics();
    assert!(figures["cpus_throttled_time_secs"].as_f64().unwrap() > 1.0, "{figures}");
    scheduler.kill("spin");
    scheduler.state("spin", "TASK_KILLED");
    confined.wait_empty();
}

/// Seconds of processor time, as the kernel counts them.
fn used(confined: &Confined) -> f64 {
    if confined.is_v2() {
        let text = confined.read(&["cpu.stat"]);
        let line = text.lines().find_map(|line| line.strip_prefix("usage_usec ")).unwrap();
        line.parse::<f64>().unwrap() / 1e6
    } else {
        confined.read(&["cpuacct.usage"]).trim().parse::<f64>().unwrap() / 1e9
    }
}

#[test]
fn a_fork_bomb_is_stopped_and_nothing_of_it_is_left() {
    let Some(confined) = Confined::start("[\"cgroups\"]", "pids_max = 32") else { return };
    let mut scheduler = confined.scheduler();
    // Bounded, should the limit not hold: 1,023 at most. A shell that cannot fork ends, so the
    // task's own turns into something that need not.
    let bomb = "bomb() { [ $1 -gt 9 ] || { bomb $(($1+1)) & bomb $(($1+1)) & }; sleep 1000; }; \
                bomb 1 & exec sleep 1000";
    scheduler.launch(task("bomb", 0.1, 256.0, bomb));
    scheduler.state("bomb", "TASK_RUNNING");
    until("a fork that fails", || {
        let events = confined.read(&["pids.events"]);
        events.lines().any(|line| line.starts_with("max ") && line != "max 0").then_some(())
    });
    assert!(confined.processes().len() <= 32);
    let figures = confined.statistics();
    assert!(figures["threads"].as_u64().is_some_and(|threads| threads <= 32), "{figures}");
    // The host goes on, and so does the agent.
    scheduler.launch(task("other", 0.1, 32.0, "true"));
    scheduler.state("other", "TASK_FINISHED");
    scheduler.kill("bomb");
    scheduler.state("bomb", "TASK_KILLED");
    confined.wait_empty();
}

#[test]
fn a_limit_above_the_request_is_the_ceiling() {
    let Some(mut confined) = Confined::start("[\"cgroups\"]", "") else { return };
    let mut scheduler = confined.scheduler();
    let mut burst = task("burst", 0.1, 64.0, "sleep 1000");
    burst["limits"] = json!({"cpus": {"value": 0.5}, "mem": {"value": 256.0}});
    scheduler.launch(burst);
    scheduler.state("burst", "TASK_RUNNING");
    // The executor's 32 MB are on top, as in Mesos.
    let holds = |confined: &Confined| {
        let hard = confined.read(&["memory.limit_in_bytes", "memory.max"]);
        assert_eq!(hard.trim(), (288 << 20).to_string());
        let soft = confined.read(&["memory.soft_limit_in_bytes", "memory.low"]);
        assert_eq!(soft.trim(), (96 << 20).to_string());
        let quota = confined.read(&["cpu.cfs_quota_us", "cpu.max"]);
        assert!(quota.starts_with("50000"), "{quota}");
        let figures = confined.statistics();
        assert_eq!(figures["cpus_limit"], 0.5, "{figures}");
        assert_eq!(figures["cpus_soft_limit"], 0.1, "{figures}");
        assert_eq!(figures["mem_limit_bytes"], 288 << 20, "{figures}");
        assert_eq!(figures["mem_soft_limit_bytes"], 96 << 20, "{figures}");
    };
    holds(&confined);
    confined.cluster.restart_agent();
    confined.cluster.master.wait_agents(1);
    until("the executor to be back", || {
        let back = &confined.cluster.agent.get("/state")["frameworks"][0]["executors"][0];
        back["tasks"][0]["id"].is_string().then_some(())
    });
    holds(&confined);
    scheduler.kill("burst");
    scheduler.state("burst", "TASK_KILLED");
    let infinite = json!({"mem": {"value": "Infinity"}});
    let mut free = task("free", 0.1, 32.0, HOG);
    free["limits"] = infinite;
    scheduler.launch(free);
    scheduler.state("free", "TASK_FINISHED");
    confined.wait_empty();
}

#[test]
fn statistics_have_the_names_of_mesos() {
    let Some(confined) = Confined::start("[\"cgroups\"]", "enable_cfs = true") else { return };
    let mut scheduler = confined.scheduler();
    scheduler.run("sleeper", "sleep 1000");
    let figures = confined.statistics();
    has_keys(
        "the statistics",
        &figures,
        "timestamp cpus_limit cpus_soft_limit cpus_user_time_secs cpus_system_time_secs \
         cpus_nr_periods cpus_nr_throttled cpus_throttled_time_secs mem_limit_bytes \
         mem_soft_limit_bytes mem_total_bytes mem_rss_bytes mem_anon_bytes mem_cache_bytes \
         mem_file_bytes mem_mapped_file_bytes mem_unevictable_bytes disk_limit_bytes \
         processes threads",
    );
    scheduler.kill("sleeper");
    scheduler.state("sleeper", "TASK_KILLED");
    confined.wait_empty();
}

/// A task that leaves its session, its parent and its environment behind.
const FUGITIVE: &str = "setsid env -i sh -c 'sleep 1000 & exit 0'; exec sleep 999";

#[test]
fn who_leaves_session_parent_and_environment_is_found_by_cgroup() {
    let Some(confined) = Confined::start("[\"cgroups\"]", "") else { return };
    let mut scheduler = confined.scheduler();
    scheduler.run("fugitive", FUGITIVE);
    // The executor, the task, and the daemon.
    until("three processes", || (confined.processes().len() == 3).then_some(()));
    let all = confined.processes();
    // Without the executor nobody knows of the daemon but its cgroup.
    confined.cluster.room.executor().kill();
    scheduler.state("fugitive", "TASK_FAILED");
    confined.wait_empty();
    until("all to be gone", || {
        all.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()).then_some(())
    });
}

#[test]
fn an_agent_that_comes_back_keeps_its_containers_and_removes_what_is_nobodys() {
    let Some(mut confined) = Confined::start("[\"cgroups\"]", "") else { return };
    let mut scheduler = confined.scheduler();
    scheduler.run("survivor", "sleep 1000");
    // The shell, which is there when its task is told to run, starts another process or becomes it.
    until("the command itself", || {
        let all = confined.cluster.room.processes();
        all.iter().any(|one| one.command.trim() == "sleep 1000").then_some(())
    });
    let before = confined.processes();
    confined.cluster.agent.kill();
    let orphans: Vec<PathBuf> =
        confined.roots.iter().map(|root| root.join("container-orphan")).collect();
    let stray = processes::spawn(std::process::Command::new("sleep").arg("1000"));
    for orphan in &orphans {
        std::fs::create_dir(orphan).unwrap();
        std::fs::write(orphan.join("cgroup.procs"), stray.id().to_string()).unwrap();
    }
    confined.cluster.restart_agent();
    confined.cluster.master.wait_agents(1);
    assert!(!processes::finished(stray).status.success());
    until("orphans to go", || orphans.iter().all(|orphan| !orphan.exists()).then_some(()));
    assert_eq!(confined.processes(), before);
    assert_eq!(confined.statistics()["processes"].as_u64(), Some(before.len() as u64));
    scheduler.kill("survivor");
    scheduler.state("survivor", "TASK_KILLED");
    confined.wait_empty();
}

#[test]
fn a_task_that_broke_its_limit_while_no_agent_looked_is_told_so() {
    let Some(mut confined) = Confined::start("[\"cgroups\"]", "") else { return };
    let mut scheduler = confined.scheduler();
    let go = confined.cluster.room.join("go");
    let wait = format!("until [ -e {} ]; do sleep 0.05; done", go.display());
    scheduler.run("late", &format!("{wait}; exec {HOG}"));
    confined.cluster.agent.kill();
    std::fs::write(go, "").unwrap();
    until("the task to end", || {
        confined.cluster.room.processes().iter().all(|one| one.is_executor()).then_some(())
    });
    confined.cluster.restart_agent();
    let failed = scheduler.state("late", "TASK_FAILED");
    assert_eq!(failed["reason"], "REASON_CONTAINER_LIMITATION_MEMORY", "{failed}");
    confined.wait_empty();
}

#[test]
fn kills_of_the_agent_leave_no_cgroup() {
    let Some(mut confined) = Confined::start("[\"cgroups\", \"posix\"]", "") else { return };
    let mut scheduler = confined.scheduler();
    confined.cluster.agent.set("executor_reregistration_timeout", "15secs");
    kill_again_and_again(&mut confined.cluster, &mut scheduler, reeve_tests::scheduler::task);
    confined.wait_empty();
}
