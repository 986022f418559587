//! What tools that look at a master rely on: paths, keys, and words.

#![allow(clippy::unwrap_used)]

mod support;

use prost::Message;
use reeve_wire::v1;
use serde_json::{Value, json};
use support::agent::Agent;
use support::http::{get, post, request, subscribe};
use support::{Master, master, master_with};

const JSON: &str = "application/json";

/// Whether an object has all of these keys.
fn has(object: &Value, keys: &[&str]) {
    for key in keys {
        assert!(object.get(key).is_some(), "no {key} in {object}");
    }
}

/// A cluster with one agent and one framework that holds one offer.
async fn busy() -> (Master, Agent, support::http::Events) {
    let master = master_with(&[("cluster", "test")]).await;
    let agent = Agent::registered(master.address).await;
    let info = json!({"user": "root", "name": "f", "role": "web", "webui_url": "http://f",
        "labels": {"labels": [{"key": "a", "value": "b"}]}});
    let call = json!({"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}).to_string();
    let mut events = subscribe(master.address, JSON, call.as_bytes()).await;
    events.expect("SUBSCRIBED").await;
    events.expect("OFFERS").await;
    let offered = |state: &Value| state["frameworks"][0]["offers"][0].is_object();
    master.json_when("/state", offered).await;
    (master, agent, events)
}

#[tokio::test(flavor = "multi_thread")]
async fn state_has_the_keys_of_mesos() {
    let (master, agent, _events) = busy().await;
    let state = master.json("/master/state").await;
    has(
        &state,
        &[
            "version",
            "build_date",
            "build_time",
            "build_user",
            "start_time",
            "elected_time",
            "id",
            "pid",
            "hostname",
            "capabilities",
            "activated_slaves",
            "deactivated_slaves",
            "unreachable_slaves",
            "leader",
            "leader_info",
            "cluster",
            "flags",
            "slaves",
            "recovered_slaves",
            "frameworks",
            "completed_frameworks",
            "orphan_tasks",
            "unregistered_frameworks",
        ],
    );
    assert_eq!(state["version"], "1.11.0");
    assert_eq!(state["capabilities"], json!(["AGENT_UPDATE", "AGENT_DRAINING", "QUOTA_V2"]));
    has(&state["leader_info"], &["id", "pid", "port", "hostname"]);
    assert_eq!(state["flags"]["agent_ping_timeout"], "15secs");

    let slave = &state["slaves"][0];
    has(
        slave,
        &[
            "id",
            "hostname",
            "port",
            "attributes",
            "pid",
            "registered_time",
            "resources",
            "used_resources",
            "offered_resources",
            "reserved_resources",
            "unreserved_resources",
            "active",
            "deactivated",
            "version",
            "capabilities",
        ],
    );
    assert_eq!(slave["pid"], agent.pid.to_string());
    assert_eq!(slave["attributes"], json!({"level": 3.0, "rack": "r7"}));
    let resources = json!({"cpus": 4.0, "gpus": 0.0, "mem": 1024.0, "disk": 2048.0,
        "ports": "[31000-31009]"});
    assert_eq!(slave["resources"], resources);
    assert_eq!(slave["offered_resources"], resources);

    let framework = &state["frameworks"][0];
    has(
        framework,
        &[
            "id",
            "name",
            "used_resources",
            "offered_resources",
            "capabilities",
            "hostname",
            "webui_url",
            "active",
            "connected",
            "recovered",
            "user",
            "failover_timeout",
            "checkpoint",
            "registered_time",
            "unregistered_time",
            "resources",
            "role",
            "tasks",
            "unreachable_tasks",
            "completed_tasks",
            "offers",
            "executors",
            "labels",
        ],
    );
    assert_eq!(framework["labels"], json!([{"key": "a", "value": "b"}]));
    assert_eq!(framework["role"], "web");
    has(&framework["offers"][0], &["id", "framework_id", "slave_id", "resources"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_smaller_views_have_their_keys() {
    let (master, agent, _events) = busy().await;
    let summary = master.json("/state-summary").await;
    has(&summary, &["hostname", "cluster", "slaves", "frameworks"]);
    has(
        &summary["slaves"][0],
        &["id", "framework_ids", "TASK_STAGING", "TASK_RUNNING", "TASK_LOST"],
    );
    has(&summary["frameworks"][0], &["id", "slave_ids", "TASK_FINISHED", "TASK_UNREACHABLE"]);
    assert_eq!(summary["slaves"][0]["id"], agent.id.as_str());
    // An offer alone does not put a framework on an agent.
    assert_eq!(summary["frameworks"][0]["slave_ids"], json!([]));

    let slaves = master.json("/slaves").await;
    has(&slaves, &["slaves", "recovered_slaves"]);
    has(
        &slaves["slaves"][0],
        &[
            "reserved_resources_full",
            "unreserved_resources_full",
            "used_resources_full",
            "offered_resources_full",
        ],
    );
    let full = slaves["slaves"][0]["unreserved_resources_full"].as_array().unwrap().clone();
    assert!(full.iter().all(|one| one["role"] == "*"), "{full:?}");
    assert_eq!(master.json("/slaves?slave_id=nobody").await["slaves"], json!([]));

    has(
        &master.json("/frameworks").await,
        &["frameworks", "completed_frameworks", "unregistered_frameworks"],
    );
    assert_eq!(master.json("/frameworks?framework_id=x").await["frameworks"], json!([]));
    assert_eq!(master.json("/tasks").await, json!({"tasks": []}));

    let roles = master.json("/roles").await;
    assert_eq!(roles["roles"][0]["name"], "*", "everybody has it");
    let role = &roles["roles"][1];
    has(
        role,
        &["name", "weight", "quota", "resources", "allocated", "offered", "reserved", "frameworks"],
    );
    assert_eq!((&role["name"], &role["weight"]), (&json!("web"), &json!(1.0)));
    assert_eq!(role["offered"], json!({"cpus": 4.0, "disk": 2048.0, "mem": 1024.0}));
    has(&role["quota"], &["role", "guarantee", "limit", "consumed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_master_says_of_itself() {
    let master = master().await;
    let health = get(master.address, "/health").await;
    assert_eq!((health.status, health.body.len()), (200, 0));
    has(&master.json("/version").await, &["version", "reeve_version", "build_date", "build_time"]);
    assert_eq!(master.json("/master/flags").await["flags"]["port"], "0");
    let redirect = get(master.address, "/redirect").await;
    let there = format!("//127.0.0.1:{}", master.address.port());
    assert_eq!((redirect.status, redirect.header("Location")), (307, Some(there.as_str())));
    assert_eq!(get(master.address, "/redirect/x").await.status, 404);
    assert_eq!(get(master.address, "/state/foo").await.status, 200);
    assert_eq!(get(master.address, "/no-such").await.status, 404);
    assert_eq!(master.json("/quota").await, json!({}));
    assert_eq!(master.json("/weights").await, json!([]));
    let page = get(master.address, "/").await;
    assert!(page.text().contains("<h2>Agents</h2>"), "{}", page.text());
    let script = get(master.address, "/state-summary?jsonp=cb").await;
    assert_eq!(script.header("Content-Type"), Some("text/javascript"));
    assert!(script.text().starts_with("cb({") && script.text().trim_end().ends_with(");"));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_the_names_of_mesos() {
    let (master, _agent, _events) = busy().await;
    let metrics = master.json("/metrics/snapshot").await;
    has(
        &metrics,
        &[
            "master/cpus_total",
            "master/cpus_used",
            "master/cpus_percent",
            "master/mem_revocable_total",
            "master/elected",
            "master/uptime_secs",
            "master/slaves_active",
            "master/slave_registrations",
            "master/frameworks_connected",
            "master/tasks_running",
            "master/tasks_lost",
            "master/tasks_gone_by_operator",
            "master/messages_register_slave",
            "master/messages_update_slave",
            "master/outstanding_offers",
            "master/dropped_messages",
            "allocator/mesos/allocation_runs",
            "registrar/state_store_ms",
            "system/cpus_total",
            "system/mem_total_bytes",
        ],
    );
    assert_eq!(metrics["master/cpus_total"], 4.0);
    assert_eq!(metrics["master/slaves_active"], 1.0);
    assert_eq!(metrics["master/messages_register_slave"], 1.0);
    assert_eq!(metrics["master/outstanding_offers"], 1.0);
    let text = get(master.address, "/metrics").await.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert!(text.contains("master_slaves_active"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_framework_has_metrics_of_its_own() {
    let master = master().await;
    let agent = Agent::registered(master.address).await;
    let info = json!({"user": "root", "name": "my shop/till", "role": "web"});
    let call = json!({"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}).to_string();
    let mut events = subscribe(master.address, JSON, call.as_bytes()).await;
    let subscribed = events.expect("SUBSCRIBED").await;
    let id = subscribed["subscribed"]["framework_id"]["value"].as_str().unwrap().to_owned();
    let offers = events.expect("OFFERS").await;
    let offer = &offers["offers"]["offers"][0]["id"];
    let task = json!({"name": "t", "task_id": {"value": "t"}, "agent_id": {"value": agent.id},
        "command": {"value": "true"}, "resources": [
            {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1.0}},
            {"name": "mem", "type": "SCALAR", "scalar": {"value": 32.0}}]});
    let launch = json!({"type": "LAUNCH", "launch": {"task_infos": [task]}});
    let accept = json!({"type": "ACCEPT", "framework_id": {"value": id},
        "accept": {"offer_ids": [offer], "operations": [launch]}});
    let stream = events.id.clone();
    let headers = [("Mesos-Stream-Id", stream.as_str())];
    let path = "/api/v1/scheduler";
    assert_eq!(post(master.address, path, &headers, &accept.to_string()).await.status, 202);
    let stale = [("Mesos-Stream-Id", "another")];
    assert_eq!(post(master.address, path, &stale, &accept.to_string()).await.status, 400);

    let prefix = format!("master/frameworks/my%20shop%2Ftill/{id}");
    let staging = format!("{prefix}/tasks/active/task_staging");
    let metrics = master.json_when("/metrics/snapshot", |all| all[&staging] == 1.0).await;
    for (name, value) in [
        ("subscribed", 1.0),
        ("calls", 2.0),
        ("calls/subscribe", 1.0),
        ("calls/accept", 1.0),
        ("calls/decline_inverse_offers", 0.0),
        ("events/subscribed", 1.0),
        ("events/update_operation_status", 0.0),
        ("offers/accepted", 1.0),
        ("offers/declined", 0.0),
        ("offers/rescinded", 0.0),
        ("operations", 1.0),
        ("operations/launch", 1.0),
        ("operations/destroy_disk", 0.0),
        ("tasks/active/task_unreachable", 0.0),
        ("tasks/terminal/task_finished", 0.0),
        ("roles/web/suppressed", 0.0),
    ] {
        assert_eq!(metrics[format!("{prefix}/{name}")], value, "{name}");
    }
    assert!(metrics[format!("{prefix}/offers/sent")].as_f64().unwrap() >= 1.0);
    assert!(metrics[format!("{prefix}/events/heartbeat")].as_f64().unwrap() >= 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_frameworks_can_be_left_out() {
    let master = master_with(&[("publish_per_framework_metrics", "false")]).await;
    let call = json!({"type": "SUBSCRIBE", "subscribe": {
        "framework_info": {"user": "root", "name": "f"}}});
    let mut events = subscribe(master.address, JSON, call.to_string().as_bytes()).await;
    events.expect("SUBSCRIBED").await;
    let metrics = master.json("/metrics/snapshot").await;
    let all = metrics.as_object().unwrap();
    assert!(!all.keys().any(|name| name.starts_with("master/frameworks/")), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_call_in_json_and_protobuf() {
    let (master, agent, _events) = busy().await;
    let call = async |kind: &str| -> Value {
        let body = json!({"type": kind}).to_string();
        let answer = post(master.address, "/api/v1", &[], &body).await;
        assert_eq!(answer.status, 200, "{kind}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap()
    };
    assert_eq!(call("GET_HEALTH").await["get_health"]["healthy"], true);
    assert_eq!(call("GET_VERSION").await["get_version"]["version_info"]["version"], "1.11.0");
    let agents = call("GET_AGENTS").await;
    assert_eq!(agents["get_agents"]["agents"][0]["agent_info"]["id"]["value"], agent.id.as_str());
    let info = &call("GET_MASTER").await["get_master"]["master_info"];
    assert_eq!(info["ip"], 16_777_343);
    has(
        &call("GET_STATE").await["get_state"],
        &["get_tasks", "get_executors", "get_frameworks", "get_agents"],
    );
    for kind in [
        "GET_FLAGS",
        "GET_METRICS",
        "GET_FRAMEWORKS",
        "GET_EXECUTORS",
        "GET_TASKS",
        "GET_ROLES",
        "GET_WEIGHTS",
        "GET_OPERATIONS",
        "GET_QUOTA",
        "GET_MAINTENANCE_STATUS",
        "GET_MAINTENANCE_SCHEDULE",
    ] {
        assert_eq!(call(kind).await["type"], kind);
    }
    let wanted = v1::master::Call {
        r#type: Some(v1::master::call::Type::GetHealth.into()),
        ..Default::default()
    };
    let binary = "application/x-protobuf";
    let headers = [("Content-Type", binary), ("Accept", binary)];
    let body = wanted.encode_to_vec();
    let answer = request(master.address, "POST", "/master/api/v1", &headers, &body).await;
    let answer = v1::master::Response::decode(&answer.body[..]).unwrap();
    assert!(answer.get_health.unwrap().healthy);

    let answer = post(master.address, "/api/v1", &[], r#"{"type":"MARK_AGENT_GONE"}"#).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    let answer = post(master.address, "/api/v1", &[], r#"{"type":"DRAIN_AGENT"}"#).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    let answer = post(master.address, "/api/v1", &[], r#"{"type":"LIST_FILES"}"#).await;
    assert_eq!(answer.status, 501, "{}", answer.text());
    let answer = post(master.address, "/api/v1", &[], r#"{"type":"TEARDOWN"}"#).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_explains_why_nothing_is_offered() {
    let master = master().await;
    let call =
        json!({"type": "SUBSCRIBE", "subscribe": {"framework_info": {"user": "u", "name": "n"}}});
    let mut events = subscribe(master.address, JSON, call.to_string().as_bytes()).await;
    let subscribed = events.expect("SUBSCRIBED").await;
    let id = subscribed["subscribed"]["framework_id"]["value"].as_str().unwrap();
    // The allocator may not have heard of it yet.
    let path = format!("/explain?framework_id={id}");
    while get(master.address, &path).await.status == 404 {
        tokio::task::yield_now().await;
    }
    let explained = master.json(&path).await;
    assert_eq!(explained["framework_id"], id);
    assert!(!explained["reasons"].as_array().unwrap().is_empty(), "{explained}");
    assert_eq!(get(master.address, "/explain?framework_id=nobody").await.status, 404);
    assert_eq!(get(master.address, "/explain").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_can_be_read_where_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    std::fs::write(&path, "one line\n").unwrap();
    let master = master_with(&[("external_log_file", path.to_str().unwrap())]).await;
    let read = master.json("/files/read?path=/master/log&offset=0&length=3").await;
    assert_eq!(read, json!({"data": "one", "offset": 0}));
    let size = master.json("/files/read?path=/master/log&offset=-1&length=-1").await;
    assert_eq!(size["offset"], 9);
    assert_eq!(get(master.address, "/files/read?path=/etc/passwd").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_remembered_by_the_next_master() {
    let folder = tempfile::tempdir().unwrap();
    let durable = [("registry", "replicated_log"), ("work_dir", folder.path().to_str().unwrap())];
    let mut first = master_with(&durable).await;
    let agent = Agent::registered(first.address).await;
    first.end().await;
    let second = master_with(&durable).await;
    let awaited = second.json_when("/slaves", |s| s["recovered_slaves"] != json!([])).await;
    assert_eq!(awaited["recovered_slaves"][0]["id"], agent.id.as_str());
    let mut again = Agent::start(second.address).await;
    again.id.clone_from(&agent.id);
    again.reregister().await;
    let slaves = second.json_when("/slaves", |slaves| slaves["slaves"] != json!([])).await;
    assert_eq!(slaves["slaves"][0]["id"], agent.id.as_str());
    assert_eq!(slaves["recovered_slaves"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_why_it_cannot_start() {
    let master = master().await;
    let start = async |settings: &[(&'static str, &str)]| {
        let layers = settings.iter().fold(reeve_config::Layers::new(), |l, (k, v)| l.set(k, *v));
        let stop = tokio_util::sync::CancellationToken::new();
        let error = reeve_master::start(layers.build().unwrap(), stop).await.unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error}: {}", source.unwrap_or_default())
    };
    let port = master.address.port().to_string();
    let local = [("ip", "127.0.0.1"), ("registry", "in_memory")];
    let taken = start(&[local[0], local[1], ("port", &port)]).await;
    assert!(taken.contains(&master.address.to_string()), "{taken}");
    assert!(taken.contains("choose another --ip or --port"), "{taken}");
    let nowhere = start(&[local[0], ("port", "0")]).await;
    assert!(nowhere.contains("give --work_dir=DIR"), "{nowhere}");
    let rules = [local[0], local[1], ("port", "0"), ("min_allocatable_resources", "cpus")];
    let broken = start(&rules).await;
    assert!(broken.contains("min_allocatable_resources"), "{broken}");
}
