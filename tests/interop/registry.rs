//! The registry of a real master: `recorded/registry/replicated_log.tar.gz` is its replicated log as
//! it lay on disk, `holds.json` says what is in it. Both are written anew by
//! `cargo test -p reeve-tests --test interop -- --ignored registry`.

use std::fs::File;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use reeve_tests::{Agent, Room, processes};
use serde_json::{Value, json};

use crate::real::{RealAgent, RealMaster};

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/recorded/registry")
}

/// What `reeve registry` says.
fn tool(room: &Room, words: &[&str]) -> String {
    let mut command = room.tool("reeve");
    command.arg("registry").args(words).arg("--work_dir").arg(room.join("ours"));
    let output = processes::run(&mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn what_a_real_master_kept_is_taken_over() {
    let room = Room::new();
    let archive = File::open(recorded().join("replicated_log.tar.gz")).expect("the log");
    tar::Archive::new(GzDecoder::new(archive)).unpack(room.path()).expect("unpacked");
    let holds = std::fs::read(recorded().join("holds.json")).expect("what it holds");
    let holds: Value = serde_json::from_slice(&holds).expect("JSON");

    tool(&room, &["import", &room.path().to_string_lossy()]);
    let records: Value = serde_json::from_str(&tool(&room, &["export"])).expect("JSON");
    let records = &records["records"];
    let keys = |kind: &str| -> Vec<&String> {
        records[kind].as_object().into_iter().flat_map(serde_json::Map::keys).collect()
    };
    let listed =
        |name: &str| holds[name].as_array().cloned().unwrap_or_else(|| vec![holds[name].clone()]);
    for (kind, name) in [
        ("agents", "admitted"),
        ("unreachable", "unreachable"),
        ("gone", "gone"),
        ("drain", "deactivated"),
    ] {
        assert_eq!(json!(keys(kind)), json!(listed(name)), "{kind}");
    }
    let drained = holds["drained"].as_str().expect("an id");
    assert_eq!(records["drain"][drained]["info"]["state"], "DRAINED");
    assert_eq!(records["maintenance"]["windows"], holds["windows"]);
    assert_eq!(records["machines"]["db.example|10.0.0.7"]["mode"], "DOWN");
    for part in ["guarantees", "limits"] {
        assert_eq!(records["quota"]["web"][part], holds["quota"][part], "{part}");
    }
    for weight in listed("weights") {
        let role = weight["role"].as_str().expect("a role");
        let kept = &records["weights"][role];
        assert_eq!(kept["weight"], weight["weight"], "{kept}");
    }
}

/// An agent joins; its id.
fn join(room: &Room, master: &RealMaster, name: &str) -> (Agent, String) {
    let flags = [format!("--attributes=name:{name}")];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let agent = Agent::named(room, name, None, &master.address.to_string(), &flags);
    let id = known(master, name);
    (agent, id)
}

/// The id of an agent by its attribute.
fn known(master: &RealMaster, name: &str) -> String {
    master.until("the agent to join", |state| {
        let slaves = state["slaves"].as_array()?;
        let own = slaves.iter().find(|slave| slave["attributes"]["name"] == name)?;
        Some(own["id"].as_str()?.to_owned())
    })
}

/// Waits until an agent is in one of the lists of the master's state.
fn wait_in(master: &RealMaster, list: &str, id: &str) {
    master.until(list, |state| {
        let all = state[list].as_array()?;
        all.iter().any(|slave| slave["id"] == id).then_some(())
    });
}

#[test]
#[ignore = "writes the files that other tests read"]
fn record_registry() {
    let room = Room::new();
    let flags = [("MESOS_AGENT_PING_TIMEOUT", "1secs"), ("MESOS_MAX_AGENT_PING_TIMEOUTS", "2")];
    let Some(mut master) = RealMaster::named(&room, "real-master", &flags) else { return };
    let (_stays, stays) = join(&room, &master, "stays");
    // Ours can't be drained by that master.
    let flags = [("MESOS_ATTRIBUTES", "name:drains")];
    let Some(_drains) = RealAgent::start(&room, master.address, &flags) else { return };
    let drains = known(&master, "drains");
    let (_off, off) = join(&room, &master, "off");
    let (mut lost, unreachable) = join(&room, &master, "lost");
    let (_gone, gone) = join(&room, &master, "gone");

    let value = |id: &str| json!({"value": id});
    let quota = json!({
        "role": "web", "guarantees": {"cpus": {"value": 1.5}, "mem": {"value": 512.0}},
        "limits": {"cpus": {"value": 3.0}, "mem": {"value": 2048.0}, "disk": {"value": 4096.0}},
    });
    let weights = json!([{"role": "web", "weight": 2.5}, {"role": "batch/nightly", "weight": 0.5}]);
    let down = json!({"hostname": "db.example", "ip": "10.0.0.7"});
    let window = json!({
        "machine_ids": [{"hostname": "localhost"}, down],
        "unavailability": {
            "start": {"nanoseconds": 1_893_456_000_000_000_000_i64},
            "duration": {"nanoseconds": 3_600_000_000_000_i64},
        },
    });
    for call in [
        json!({"type": "UPDATE_QUOTA", "update_quota": {"force": true, "quota_configs": [quota]}}),
        json!({"type": "UPDATE_WEIGHTS", "update_weights": {"weight_infos": weights}}),
        json!({"type": "UPDATE_MAINTENANCE_SCHEDULE", "update_maintenance_schedule": {
            "schedule": {"windows": [window]},
        }}),
        json!({"type": "START_MAINTENANCE", "start_maintenance": {"machines": [down]}}),
        json!({"type": "DRAIN_AGENT", "drain_agent": {
            "agent_id": value(&drains), "mark_gone": false,
            "max_grace_period": {"seconds": 30},
        }}),
        json!({"type": "DEACTIVATE_AGENT", "deactivate_agent": {"agent_id": value(&off)}}),
        json!({"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": value(&gone)}}),
    ] {
        master.operate(&call);
    }
    lost.kill();
    master.until("one agent to be unreachable", |state| {
        (state["slaves"].as_array()?.len() == 3).then_some(())
    });
    // A master that begins anew has read what was written.
    master.restart(&room);
    for id in [&stays, &drains, &off] {
        wait_in(&master, "recovered_slaves", id);
    }
    let holds = json!({
        "admitted": [stays, drains, off], "drained": drains, "deactivated": [drains, off],
        "unreachable": unreachable, "gone": gone, "quota": quota, "weights": weights,
        "windows": [window], "down": [down],
    });
    drop(master);
    write(&room.join("real-master/master/replicated_log"), &holds);
}

fn write(log: &Path, holds: &Value) {
    let to = recorded();
    std::fs::create_dir_all(&to).expect("a directory");
    let text = serde_json::to_string_pretty(holds).expect("JSON");
    std::fs::write(to.join("holds.json"), text + "\n").expect("written");
    let file = File::create(to.join("replicated_log.tar.gz")).expect("a file");
    let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::best()));
    archive.mode(tar::HeaderMode::Deterministic);
    archive.append_dir_all("replicated_log", log).expect("the log");
    archive.into_inner().and_then(GzEncoder::finish).expect("written");
}
