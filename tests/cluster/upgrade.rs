//! What this version leaves to later ones: `agent/tests/checkpoints` keeps work directories of
//! earlier agents. To add one:
//!
//! ```text
//! RECORD=agent/tests/checkpoints/reeve-VERSION cargo test -p reeve-tests --test cluster -- --ignored upgrade::record
//! ```

use std::path::{Path, PathBuf};
use std::process::Command;

use reeve_tests::scheduler::{framework, scalar, task};
use reeve_tests::{Cluster, Codec, Scheduler, processes, until};
use serde_json::{Value, json};

use crate::executors::{self, WAIT};

/// A task of a role.
fn of_role(mut task: Value, role: &str) -> Value {
    fn allocate(all: &mut Value, role: &str) {
        for one in all.as_array_mut().into_iter().flatten() {
            one["allocation_info"] = json!({"role": role});
        }
    }
    allocate(&mut task["resources"], role);
    if let Some(executor) = task.get_mut("executor") {
        allocate(&mut executor["resources"], role);
    }
    task
}

/// Killed while a command and a custom executor run, an ended task is not acknowledged, and memory
/// is reserved: as `mesos-1.11` was made.
#[test]
#[ignore = "writes files"]
fn record() {
    let to = PathBuf::from(std::env::var_os("RECORD").expect("RECORD=DIRECTORY"));
    // Tests run in the directory of their package.
    let to = Path::new("..").join(to);
    let mut cluster = Cluster::with(&[], &["--attributes=rack:r1"]);
    let mut info = framework();
    info["name"] = json!("recorded");
    info["roles"] = json!(["web"]);
    info["principal"] = json!("operator");
    for capability in ["MULTI_ROLE", "RESERVATION_REFINEMENT"] {
        let capability = json!({"type": capability});
        info["capabilities"].as_array_mut().expect("a list").push(capability);
    }
    let mut scheduler = Scheduler::subscribe(cluster.master.address, Codec::Json, info);
    let offer = scheduler.offer();
    let mut memory = scalar("mem", 100.0);
    memory["allocation_info"] = json!({"role": "web"});
    memory["reservations"] = json!([{"type": "DYNAMIC", "role": "web", "principal": "operator"}]);
    scheduler.accepted(json!({"type": "ACCEPT", "accept": {
        "offer_ids": [offer["id"]], "filters": {"refuse_seconds": 0.0},
        "operations": [{"type": "RESERVE", "reserve": {"resources": [memory]}}],
    }}));
    let meta = cluster.agent.work_dir().join("meta");
    until("the reservation", || meta.join("resources/resources.info").exists().then_some(()));
    // Where it was built is nobody's business.
    let program = cluster.room.join("executor");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_test-executor"), &program).expect("a link");
    let mut own = executors::task(&scheduler, "task", WAIT);
    own["executor"]["command"] = json!({"shell": false, "value": program, "arguments": [program]});
    for one in [task("command", "sleep 1000"), own] {
        let id = one["task_id"]["value"].as_str().expect("an id").to_owned();
        scheduler.launch(of_role(one, "web"));
        scheduler.state(&id, "TASK_RUNNING");
    }
    scheduler.launch(of_role(task("exits", "exit 3"), "web"));
    let of_end = |event: &Value| event["update"]["status"]["state"] == "TASK_FAILED";
    for state in ["TASK_STARTING", "TASK_RUNNING"] {
        assert_eq!(scheduler.status("exits")["state"], state);
    }
    scheduler.event_where("UPDATE", of_end);
    cluster.agent.kill();
    let copied =
        processes::run(Command::new("cp").arg("-a").arg(cluster.agent.work_dir()).arg(&to));
    assert!(copied.status.success(), "{copied:?}");
}
