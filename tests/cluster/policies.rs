//! What the bundled allocators do with real tasks.

use std::path::Path;
use std::time::{Duration, Instant};

use reeve_tests::policies::{self, Outcome};
use reeve_tests::scheduler::{framework, scalar, task};
use reeve_tests::{Agent, Cluster, Codec, Master, Room, Scheduler, until};
use serde_json::{Value, json};

/// A master with this configuration and an agent of 4 CPUs.
fn cluster(config: &str) -> Cluster {
    let room = Room::new();
    let file = room.join("master.toml");
    std::fs::write(&file, config).unwrap();
    let master = Master::start(&room, &[&format!("--config={}", file.display())]);
    let agent = Agent::start(&room, master.address, &[]);
    master.wait_agents(1);
    Cluster { master, agent, room }
}

fn in_class(class: &str, capabilities: Value) -> Value {
    let mut info = framework();
    info["labels"] = json!({"labels": [{"key": "priority", "value": class}]});
    info["capabilities"] = capabilities;
    info
}

fn sized(id: &str, cpus: f64, command: &str) -> Value {
    let mut task = task(id, command);
    task["resources"] = json!([scalar("cpus", cpus), scalar("mem", 64.0)]);
    task
}

fn metric(master: &Master, name: &str) -> f64 {
    master.get("/metrics/snapshot")[name].as_f64().unwrap()
}

#[test]
fn each_allocator_shares_in_its_own_way() {
    let all = policies::run_all();
    let tasks: Vec<[usize; 2]> = all.iter().map(|(_, outcome)| outcome.tasks).collect();
    // The paper's result; equal CPUs; equal tasks; the high class first; and with preemption.
    assert_eq!(tasks, [[3, 2], [6, 2], [3, 3], [0, 3], [4, 1], [4, 1], [0, 3]]);
    let preempted: Vec<usize> =
        all.iter().map(|(_, Outcome { preempted, .. })| *preempted).collect();
    assert_eq!(preempted, [0, 0, 0, 0, 0, 0, 4]);
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/allocators.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let table = policies::table(&all);
    assert!(docs.contains(&table), "docs/allocators.md needs what `make policies` says:\n{table}");
}

const PREEMPTING: &str = "allocator = \"priority\"\n[modules.priority]\npreemption = true\n\
    patience = \"500ms\"\ngrace = \"2secs\"\n";

#[test]
fn the_low_class_gives_way_within_the_grace() {
    // Also those frameworks that know nothing of partitions see one end, and why.
    for capabilities in [json!([{"type": "PARTITION_AWARE"}]), json!([])] {
        let cluster = cluster(PREEMPTING);
        let master = &cluster.master;
        let low = in_class("low", capabilities);
        let mut low = Scheduler::subscribe(master.address, Codec::Json, low);
        low.launch(sized("old", 1.0, "exec sleep 1000"));
        low.state("old", "TASK_RUNNING");
        let stubborn = "trap '' TERM; while :; do sleep 0.1; done";
        low.launch(sized("young", 3.0, stubborn));
        low.state("young", "TASK_RUNNING");
        cluster.room.task("sleep 0.1");

        let mut high = in_class("high", json!([{"type": "PARTITION_AWARE"}]));
        let least = json!({"cpus": {"value": 3.0}, "mem": {"value": 64.0}});
        high["offer_filters"] = json!({"*": {"min_allocatable_resources": {
            "quantities": [{"quantities": least}],
        }}});
        let mut high = Scheduler::subscribe(master.address, Codec::Protobuf, high);
        let begun = Instant::now();
        let killed = low.state("young", "TASK_KILLED");
        assert!(begun.elapsed() >= Duration::from_secs(2), "it had its grace");
        assert_eq!(killed["reason"], "REASON_CONTAINER_PREEMPTED");
        let message = killed["message"].as_str().unwrap();
        assert!(message.starts_with("preempted: class low gives way to class high"), "{message}");
        assert!(message.ends_with("(Command terminated with signal Killed)"), "{message}");
        high.launch(sized("wanted", 3.0, "exec sleep 1000"));
        high.state("wanted", "TASK_RUNNING");
        // It wants more of the same, for which the end of `old` would not be enough.
        assert_eq!(low.reconciled(&["old"], "old")["state"], "TASK_RUNNING");
        // After the last acknowledgement it is not known any more.
        let gone = low.reconciled(&["young"], "young");
        assert!(["TASK_UNKNOWN", "TASK_LOST"].contains(&gone["state"].as_str().unwrap()), "{gone}");
        assert_eq!(metric(master, "allocator/mesos/reclaims"), 1.0);
        assert_eq!(metric(master, "allocator/mesos/reclaimed_tasks"), 1.0);
        assert_eq!(metric(master, "allocator/mesos/unlawful_reclaims"), 0.0);
        let name = "master/task_killed/source_executor/reason_container_preempted";
        assert_eq!(metric(master, name), 1.0);
        let log = std::fs::read_to_string(cluster.room.join("master.log")).unwrap();
        assert!(log.contains("resources are taken back for others"), "{log}");
    }
}

/// Used CPUs as the master and its allocator count them.
fn used(master: &Master) -> Option<f64> {
    master.get("/slaves")["slaves"][0]["used_resources"]["cpus"].as_f64()
}

#[test]
fn another_allocator_takes_over_running_tasks() {
    let mut cluster = cluster("allocator = \"drf\"\n");
    let mut old = Scheduler::new(cluster.master.address);
    for id in ["one", "two"] {
        old.launch(sized(id, 1.0, "exec sleep 1000"));
        old.state(id, "TASK_RUNNING");
    }
    let id = old.id.clone();
    for (name, parameters) in
        [("fair", "resource = \"tasks\"\n"), ("priority", "preemption = true\n"), ("drf", "")]
    {
        let config = format!("allocator = \"{name}\"\n[modules.{name}]\n{parameters}");
        std::fs::write(cluster.room.join("master.toml"), config).unwrap();
        cluster.restart_master();
        cluster.master.wait_agents(1);
        assert_eq!(cluster.master.get("/modules")["modules"][0]["name"], name);
        let mut info = framework();
        info["id"] = json!({"value": id});
        let mut new = Scheduler::subscribe(cluster.master.address, Codec::Json, info);
        for task in ["one", "two"] {
            assert_eq!(new.reconciled(&[task], task)["state"], "TASK_RUNNING", "under {name}");
        }
        until("what the tasks hold to be known", || {
            (used(&cluster.master) == Some(2.0)).then_some(())
        });
        // What they hold is known to the allocator too: no more than the rest is offered.
        let offer = new.offer();
        let cpus = offer["resources"].as_array().unwrap().iter().find(|one| one["name"] == "cpus");
        assert_eq!(cpus.unwrap()["scalar"]["value"], 2.0, "under {name}");
        let third = format!("under-{name}");
        new.launch_on(&offer, &[sized(&third, 1.0, "exec sleep 1000")]);
        new.state(&third, "TASK_RUNNING");
        new.kill(&third);
        new.state(&third, "TASK_KILLED");
        assert_eq!(metric(&cluster.master, "allocator/mesos/unlawful_grants"), 0.0);
    }
}
