//! What operators set and end, and what the next master still knows of it.

#![allow(clippy::unwrap_used)]

mod support;

use reeve_wire::internal::{ReregisterSlaveMessage, ShutdownMessage};
use serde_json::{Value, json};
use support::agent::Agent;
use support::http::{Answer, Events, request, subscribe};
use support::{Master, master, master_with};

const JSON: &str = "application/json";

async fn call(master: &Master, call: Value) -> Answer {
    master.call(&call).await
}

async fn done(master: &Master, wanted: Value) {
    master.done(wanted).await;
}

async fn read(master: &Master, kind: &str) -> Value {
    let answer = call(master, json!({ "type": kind })).await;
    assert_eq!(answer.status, 200, "{kind}: {}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// A scheduler's stream and the id it was given.
async fn framework(master: &Master, id: Option<&str>) -> (Events, String) {
    let mut info = json!({"user": "root", "name": "f", "failover_timeout": 3600.0});
    let mut call = json!({"type": "SUBSCRIBE"});
    if let Some(id) = id {
        info["id"] = json!({ "value": id });
        call["framework_id"] = json!({ "value": id });
    }
    call["subscribe"] = json!({ "framework_info": info });
    let mut events = subscribe(master.address, JSON, call.to_string().as_bytes()).await;
    let event = events.json().await;
    let id = event["subscribed"]["framework_id"]["value"].as_str().unwrap_or_default().to_owned();
    if id.is_empty() {
        return (events, event["error"]["message"].as_str().unwrap_or_default().to_owned());
    }
    (events, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gone_agent_is_shut_down_and_sent_away() {
    let master = master().await;
    let mut agent = Agent::registered(master.address).await;
    let gone = |id: &str| json!({"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": {"value": id}}});
    let stranger = call(&master, gone("nobody")).await;
    assert_eq!((stranger.status, &*stranger.text()), (404, "Agent 'nobody' not found"));
    done(&master, gone(&agent.id)).await;
    let word: ShutdownMessage = agent.expect().await;
    assert_eq!(word.message.as_deref(), Some("Agent has been marked gone"));
    done(&master, gone(&agent.id)).await;
    let slaves = master.json_when("/slaves", |slaves| slaves["slaves"] == json!([])).await;
    assert_eq!(slaves["recovered_slaves"], json!([]));

    let back = ReregisterSlaveMessage {
        slave: agent.info(Some(&agent.id)),
        version: Some("1.11.0".to_owned()),
        ..Default::default()
    };
    agent.send(&back);
    let _: ShutdownMessage = agent.expect().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quota_and_weights_outlive_the_master() {
    let folder = tempfile::tempdir().unwrap();
    let durable = [("registry", "durable"), ("work_dir", folder.path().to_str().unwrap())];
    let mut first = master_with(&durable).await;
    let _agent = Agent::registered(first.address).await;
    let quota = |force: bool, cpus: f64| {
        let config = json!({"role": "eng", "guarantees": {"cpus": {"value": cpus}},
            "limits": {"cpus": {"value": cpus}}});
        json!({"type": "UPDATE_QUOTA", "update_quota": {"force": force, "quota_configs": [config]}})
    };
    let much = call(&first, quota(false, 5.0)).await;
    assert_eq!(much.status, 400);
    assert!(much.text().contains("exceed cluster capacity"), "{}", much.text());
    done(&first, quota(true, 5.0)).await;
    done(&first, quota(false, 3.0)).await;
    let weights = json!([{"role": "eng", "weight": 2.5}]);
    done(&first, json!({"type": "UPDATE_WEIGHTS", "update_weights": {"weight_infos": weights}}))
        .await;
    first.end().await;

    let second = master_with(&durable).await;
    second.json_when("/weights", |all| *all != json!([])).await;
    let known = read(&second, "GET_QUOTA").await;
    let config = &known["get_quota"]["status"]["configs"][0];
    assert_eq!((&config["role"], &config["limits"]["cpus"]["value"]), (&json!("eng"), &json!(3.0)));
    assert_eq!(read(&second, "GET_WEIGHTS").await["get_weights"]["weight_infos"], weights);
    let roles = second.json("/roles").await;
    let eng = roles["roles"].as_array().unwrap().iter().find(|role| role["name"] == "eng").unwrap();
    assert_eq!((&eng["weight"], &eng["quota"]["guarantee"]["cpus"]), (&json!(2.5), &json!(3.0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_registry_takes_the_weights_of_the_settings_and_an_old_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let work_dir = ("work_dir", folder.path().to_str().unwrap());
    for weights in ["a=2.5,b/c=0.5", "a=7"] {
        let mut master =
            master_with(&[("registry", "durable"), work_dir, ("weights", weights)]).await;
        let first = json!([{"role": "a", "weight": 2.5}, {"role": "b/c", "weight": 0.5}]);
        master.json_when("/weights", |all| *all == first).await;
        master.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_endpoints_set_and_remove_too() {
    let master = master().await;
    let _agent = Agent::registered(master.address).await;
    let send = async |method: &str, path: &str, body: Value| {
        let answer = request(master.address, method, path, &[], body.to_string().as_bytes()).await;
        (answer.status, answer.text())
    };
    assert_eq!(master.json("/quota").await, json!({}));
    let cpus = |amount: f64| {
        json!({"role": "eng", "guarantee": [
            {"name": "cpus", "type": "SCALAR", "scalar": {"value": amount}}]})
    };
    assert_eq!(send("POST", "/quota", cpus(9.0)).await.0, 409);
    assert_eq!(send("POST", "/quota", cpus(2.0)).await.0, 200);
    assert_eq!(send("POST", "/quota", cpus(1.0)).await.0, 400);
    master.json_when("/quota", |all| all["infos"][0]["role"] == "eng").await;
    assert_eq!(send("DELETE", "/quota/eng", json!({})).await.0, 200);
    assert_eq!(send("DELETE", "/quota/eng", json!({})).await.0, 400);
    master.json_when("/quota", |all| *all == json!({})).await;

    assert_eq!(send("PUT", "/weights", json!([{"role": "a", "weight": 3.0}])).await.0, 200);
    let weights = json!([{"role": "a", "weight": 3.0}]);
    master.json_when("/weights", |all| *all == weights).await;
    let (status, text) = send("PUT", "/weights", json!([{"role": "a", "weight": -1.0}])).await;
    assert_eq!(status, 400);
    assert!(text.contains("Weights must be positive"), "{text}");
    assert_eq!(send("PUT", "/weights", json!({"role": "a"})).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn frameworks_and_their_ends_outlive_the_master() {
    let folder = tempfile::tempdir().unwrap();
    let durable = [("registry", "durable"), ("work_dir", folder.path().to_str().unwrap())];
    let mut first = master_with(&durable).await;
    let (_kept, kept) = framework(&first, None).await;
    let (_ended, ended) = framework(&first, None).await;
    done(&first, json!({"type": "TEARDOWN", "teardown": {"framework_id": {"value": ended}}})).await;
    first.end().await;

    let second = master_with(&durable).await;
    let known = second.json_when("/frameworks", |all| all["frameworks"] != json!([])).await;
    assert_eq!(known["frameworks"][0]["id"], *kept);
    assert_eq!(known["frameworks"][0]["recovered"], true);
    assert_eq!(known["completed_frameworks"][0]["id"], *ended);
    let (_refused, words) = framework(&second, Some(&ended)).await;
    assert_eq!(words, "Framework has been removed");
    let (_back, id) = framework(&second, Some(&kept)).await;
    assert_eq!(id, kept);
    let back = |all: &Value| all["frameworks"][0]["connected"] == true;
    let known = second.json_when("/frameworks", back).await;
    assert_eq!(known["frameworks"][0]["recovered"], false);
}
