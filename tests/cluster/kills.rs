//! An agent that is killed again and again while it launches: every container that it had begun is
//! found, every exit status is told, and nothing is left behind. `KILLS=100` makes it a hundred.

use std::path::Path;
use std::time::Duration;

use reeve_tests::engine::IMAGE;
use reeve_tests::scheduler::scalar;
use reeve_tests::{Cluster, Scheduler, until};
use serde_json::{Value, json};

/// Executors may be slow to come back where the machine has too much to do.
pub(crate) const FLAGS: &[&str] = &["--executor_reregistration_timeout=15secs"];

fn rounds() -> u32 {
    std::env::var("KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

/// What tells a task to leave a line when it begins.
fn mark(room: &Path, id: &str) -> String {
    format!("echo {id} >> {}", room.join(format!("ran-{id}")).display())
}

/// How often a task began.
fn runs(room: &Path, id: &str) -> usize {
    let text = std::fs::read_to_string(room.join(format!("ran-{id}"))).unwrap_or_default();
    text.lines().count()
}

/// The end of a task, as its framework is told; what comes before is taken in.
pub(crate) fn end(scheduler: &mut Scheduler, id: &str) -> Value {
    loop {
        let status = scheduler.status(id);
        let state = status["state"].as_str().expect("a state");
        if !["STAGING", "STARTING", "RUNNING", "KILLING", "UNREACHABLE"]
            .contains(&state.trim_start_matches("TASK_"))
        {
            return status;
        }
    }
}

/// Kills the agent at another moment of a launch in each round.
pub(crate) fn kill_again_and_again(
    cluster: &mut Cluster,
    scheduler: &mut Scheduler,
    task: impl Fn(&str, &str) -> Value,
) {
    let room = cluster.room.path().to_owned();
    let latest = cluster.agent.work_dir().join("meta/slaves/latest");
    until("the agent's id to be safe", || latest.exists().then_some(()));
    let id = cluster.agent.get("/state")["id"].clone();
    let rounds = rounds();
    for round in 0..rounds {
        let (short, long) = (format!("short-{round}"), format!("long-{round}"));
        let tasks = [
            task(&short, &format!("{}; exit 3", mark(&room, &short))),
            task(&long, &format!("{}; exec sleep 1000", mark(&room, &long))),
        ];
        let offer = scheduler.offer();
        scheduler.launch_on(&offer, &tasks);
        // Any moment will do; these differ.
        std::thread::sleep(Duration::from_millis(u64::from(round * 37 % 200)));
        cluster.restart_agent();
        cluster.master.wait_agents(1);
        assert_eq!(cluster.agent.get("/state")["id"], id, "it is another agent");
        if let Some(earlier) = round.checked_sub(3) {
            scheduler.kill(&format!("long-{earlier}"));
        }
    }
    for round in 0..rounds {
        let short = format!("short-{round}");
        let status = end(scheduler, &short);
        if runs(&room, &short) > 0 {
            assert_eq!(status["state"], "TASK_FAILED", "{short} ran: {status}");
            let message = status["message"].as_str().unwrap_or_default();
            assert!(message.contains("exited with status 3"), "{short}: {status}");
        }
        let long = format!("long-{round}");
        scheduler.kill(&long);
        let status = end(scheduler, &long);
        let ran = runs(&room, &long) > 0;
        assert!(!ran || status["state"] == "TASK_KILLED", "{long} ran: {status}");
        assert!(runs(&room, &short) <= 1 && runs(&room, &long) <= 1, "round {round} ran twice");
    }
    cluster.room.wait_empty();
    let left = || std::fs::read_dir(room.join("agent-run/containers")).map_or(0, Iterator::count);
    until("the runtime directory to be empty", || (left() == 0).then_some(()));
}

#[test]
fn no_container_is_lost_to_kills() {
    let mut cluster = Cluster::with(&[], FLAGS);
    let mut scheduler = Scheduler::new(cluster.master.address);
    kill_again_and_again(&mut cluster, &mut scheduler, reeve_tests::scheduler::task);
}

/// A command in a container of an engine that sees the directory of the marks.
pub(crate) fn docker(room: &Path) -> impl Fn(&str, &str) -> Value + use<> {
    let room = room.to_string_lossy().into_owned();
    move |id, command| {
        let volume = json!({"host_path": room, "container_path": room, "mode": "RW"});
        json!({
            "name": id, "task_id": {"value": id}, "command": {"value": command},
            "container": {
                "type": "DOCKER", "volumes": [volume], "docker": {"image": IMAGE, "network": "HOST"},
            },
            "resources": [scalar("cpus", 0.1), scalar("mem", 32.0)],
        })
    }
}
