//! Agents that operators take out of use, empty and bring back, over the wire.

#![allow(clippy::unwrap_used)]

mod support;

use reeve_wire::internal::{
    DrainSlaveMessage, FrameworkRegisteredMessage, InverseOffersMessage,
    RescindInverseOfferMessage, RescindResourceOfferMessage, ResourceOffersMessage,
    ShutdownMessage,
};
use reeve_wire::v0::scheduler;
use reeve_wire::v1;
use serde_json::{Value, json};
use support::agent::Agent;
use support::{Master, master, master_with};

fn on(agent: &Agent, verb: &str) -> Value {
    let name = format!("{}_agent", verb.to_lowercase());
    json!({"type": format!("{verb}_AGENT"), name: {"agent_id": {"value": agent.id}}})
}

fn drain(agent: &Agent, more: &Value) -> Value {
    let mut call = on(agent, "DRAIN");
    for (key, value) in more.as_object().unwrap() {
        call["drain_agent"][key] = value.clone();
    }
    call
}

/// What `/slaves` says of the only agent once it is in this state.
async fn slave_when(master: &Master, done: impl Fn(&Value) -> bool) -> Value {
    let all = master.json_when("/slaves", |all| done(&all["slaves"][0])).await;
    all["slaves"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_agent_is_told_shown_and_brought_back() {
    let master = master().await;
    let mut agent = Agent::registered(master.address).await;
    let fresh = slave_when(&master, |slave| slave["active"] == true).await;
    assert_eq!((&fresh["deactivated"], &fresh["drain_info"]), (&json!(false), &Value::Null));

    master.done(drain(&agent, &json!({"max_grace_period": "90.5s"}))).await;
    let told: DrainSlaveMessage = agent.expect().await;
    assert_eq!(told.config.max_grace_period.unwrap().nanoseconds, 90_500_000_000);
    assert!(!told.config.mark_gone());
    let shown = slave_when(&master, |slave| slave["drain_info"]["state"] == "DRAINED").await;
    assert_eq!((&shown["active"], &shown["deactivated"]), (&json!(false), &json!(true)));
    let grace = &shown["drain_info"]["config"]["max_grace_period"]["nanoseconds"];
    assert_eq!(grace, &json!(90_500_000_000_i64));
    let since = shown["estimated_drain_start_time_seconds"].as_f64().unwrap();
    assert_eq!(since.fract(), 0.0);

    let agents = master.call(&json!({"type": "GET_AGENTS"})).await;
    let agents: Value = serde_json::from_slice(&agents.body).unwrap();
    let one = &agents["get_agents"]["agents"][0];
    assert_eq!((&one["deactivated"], &one["active"]), (&json!(true), &json!(false)));
    assert_eq!(one["drain_info"]["state"], "DRAINED");
    assert!(one["estimated_drain_start_time"]["nanoseconds"].is_number(), "{one}");

    agent.reregister().await;
    let _: DrainSlaveMessage = agent.expect().await;
    master.done(on(&agent, "REACTIVATE")).await;
    let back = slave_when(&master, |slave| slave["active"] == true).await;
    assert_eq!((&back["deactivated"], &back["drain_info"]), (&json!(false), &Value::Null));
    let again = master.call(&on(&agent, "REACTIVATE")).await;
    assert_eq!((again.status, &*again.text()), (400, "Agent is not deactivated"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_refused() {
    let master = master().await;
    let agent = Agent::registered(master.address).await;
    for (call, words) in [
        (json!({"type": "DRAIN_AGENT"}), "'drain_agent'"),
        (json!({"type": "DEACTIVATE_AGENT"}), "'deactivate_agent'"),
        (json!({"type": "REACTIVATE_AGENT"}), "'reactivate_agent'"),
        (drain(&agent, &json!({"max_grace_period": "-1s"})), "between 0 and"),
        (drain(&agent, &json!({"agent_id": {"value": "nobody"}})), "Unknown agent 'nobody'"),
    ] {
        let answer = master.call(&call).await;
        assert_eq!(answer.status, 400, "{call}");
        assert!(answer.text().contains(words), "{call}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_gone_when_drained_is_sent_away() {
    let master = master().await;
    let mut agent = Agent::registered(master.address).await;
    master.done(drain(&agent, &json!({"mark_gone": true}))).await;
    let told: DrainSlaveMessage = agent.expect().await;
    assert!(told.config.mark_gone());
    let word: ShutdownMessage = agent.expect().await;
    assert_eq!(word.message.as_deref(), Some("Agent has been marked gone"));
    master.json_when("/slaves", |slaves| slaves["slaves"] == json!([])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_master_knows_who_is_out_of_use() {
    let folder = tempfile::tempdir().unwrap();
    let durable = [("registry", "durable"), ("work_dir", folder.path().to_str().unwrap())];
    let mut first = master_with(&durable).await;
    let (one, two) =
        (Agent::registered(first.address).await, Agent::registered(first.address).await);
    first.done(on(&one, "DEACTIVATE")).await;
    first.done(drain(&two, &json!({}))).await;
    let drained = |all: &Value| {
        all["slaves"].as_array().unwrap().iter().any(|one| one["drain_info"]["state"] == "DRAINED")
    };
    first.json_when("/slaves", drained).await;
    let ids = [one.id.clone(), two.id.clone()];
    first.end().await;

    let second = master_with(&durable).await;
    let mut returned = Vec::new();
    for id in ids {
        let mut agent = Agent::start(second.address).await;
        agent.id = id;
        agent.reregister().await;
        returned.push(agent);
    }
    let _: DrainSlaveMessage = returned[1].expect().await;
    let all = second.json_when("/slaves", |all| all["slaves"][1].is_object()).await;
    for slave in all["slaves"].as_array().unwrap() {
        assert_eq!((&slave["active"], &slave["deactivated"]), (&json!(false), &json!(true)));
    }
    let records = reeve_registry_of(&mut [second], folder.path()).await;
    assert!(records.iter().any(|key| key == "capabilities/AGENT_DRAINING"), "{records:?}");
}

/// The keys of what a master left.
async fn reeve_registry_of(masters: &mut [Master], folder: &std::path::Path) -> Vec<String> {
    for master in masters {
        master.end().await;
    }
    let mut store = reeve_registry::Store::open(&folder.join("registry.redb")).unwrap();
    store.load().unwrap().into_keys().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn marking_gone_takes_a_permission_of_its_own() {
    let rules = json!({
        "drain_agents": [{"principals": {"type": "ANY"}, "agents": {"type": "ANY"}}],
        "mark_agents_gone": [{"principals": {"type": "NONE"}, "agents": {"type": "ANY"}}],
        "deactivate_agents": [{"principals": {"type": "NONE"}, "agents": {"type": "ANY"}}],
    });
    let master = master_with(&[("acls", rules.to_string().leak())]).await;
    let agent = Agent::registered(master.address).await;
    assert_eq!(master.call(&drain(&agent, &json!({"mark_gone": true}))).await.status, 403);
    assert_eq!(master.call(&on(&agent, "DEACTIVATE")).await.status, 403);
    master.done(drain(&agent, &json!({}))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_register_agents_is_not_answered() {
    let refused = json!({"register_agents": [
        {"principals": {"type": "NONE"}, "agents": {"type": "ANY"}}]});
    let master = master_with(&[("acls", refused.to_string().leak())]).await;
    let agent = Agent::start(master.address).await;
    agent.ask_to_join();
    // What comes after it is answered, so it was looked at by then.
    let state = json!({"type": "GET_AGENTS"});
    for _ in 0..50 {
        agent.ask_to_join();
        assert_eq!(master.call(&state).await.text().matches("agent_info").count(), 0);
    }
    let anybody = json!({"register_agents": [
        {"principals": {"type": "ANY"}, "agents": {"type": "ANY"}}]});
    let master = master_with(&[("acls", anybody.to_string().leak())]).await;
    Agent::registered(master.address).await;
}

fn host() -> Value {
    json!({"hostname": "agent.example", "ip": "127.0.0.1"})
}

fn window(machines: &[Value]) -> Value {
    let unavailability = json!({"start": {"nanoseconds": 1_000}, "duration": {"nanoseconds": 3_600_000_000_000_i64}});
    json!({"machine_ids": machines, "unavailability": unavailability})
}

async fn send(master: &Master, path: &str, body: &Value) -> (u16, String) {
    let answer =
        support::http::request(master.address, "POST", path, &[], body.to_string().as_bytes())
            .await;
    (answer.status, answer.text())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_goes_down_with_its_agents_and_comes_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let durable = [("registry", "durable"), ("work_dir", folder.path().to_str().unwrap())];
    let mut first = master_with(&durable).await;
    let mut agent = Agent::registered(first.address).await;
    let schedule = json!({"windows": [window(&[host()])]});
    let update = json!({"type": "UPDATE_MAINTENANCE_SCHEDULE",
        "update_maintenance_schedule": {"schedule": schedule}});
    first.done(update).await;
    assert_eq!(first.json_when("/maintenance/schedule", |now| *now != json!({})).await, schedule);
    let status = first.json("/maintenance/status").await;
    assert_eq!(status, json!({"draining_machines": [{"id": host()}]}));
    let drain = first.call(&drain(&agent, &json!({}))).await;
    assert!(drain.text().contains("part of a maintenance schedule"), "{}", drain.text());

    let machines = json!({"machines": [host()]});
    first.done(json!({"type": "START_MAINTENANCE", "start_maintenance": machines})).await;
    let word: ShutdownMessage = agent.expect().await;
    assert_eq!(word.message.as_deref(), Some("Operator initiated 'Machine DOWN'"));
    first.json_when("/slaves", |all| all["slaves"] == json!([])).await;
    agent.ask_to_join();
    let word: ShutdownMessage = agent.expect().await;
    assert_eq!(word.message.as_deref(), Some("Machine is `DOWN`"));
    first.end().await;

    let second = master_with(&durable).await;
    let down = json!({"down_machines": [host()]});
    second.json_when("/maintenance/status", |now| *now == down).await;
    second.done(json!({"type": "STOP_MAINTENANCE", "stop_maintenance": machines})).await;
    second.json_when("/maintenance/status", |now| *now == json!({})).await;
    let answer = second.call(&json!({"type": "GET_MAINTENANCE_SCHEDULE"})).await;
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer["get_maintenance_schedule"]["schedule"], json!({}));
    Agent::registered(second.address).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_endpoints_do_maintenance_too() {
    let master = master().await;
    let schedule = json!({"windows": [window(&[host()])]});
    assert_eq!(send(&master, "/maintenance/schedule", &schedule).await.0, 200);
    assert_eq!(send(&master, "/machine/down", &json!([host()])).await.0, 200);
    let (status, text) = send(&master, "/machine/down", &json!([host()])).await;
    assert_eq!(status, 400);
    assert!(text.contains("'agent.example (127.0.0.1)' is not in DRAINING mode"), "{text}");
    assert_eq!(send(&master, "/maintenance/schedule", &json!({})).await.0, 400);
    assert_eq!(send(&master, "/machine/up", &json!([host()])).await.0, 200);
    for (path, body, words) in [
        ("/machine/down", json!({}), "not an array of machines"),
        ("/machine/up", json!([{}]), "neither a 'hostname' nor an 'ip'"),
        ("/maintenance/schedule", json!([]), "not a schedule"),
        ("/maintenance/schedule", json!({"windows": [window(&[])]}), "must name a machine"),
        (
            "/maintenance/schedule",
            json!({"windows": [window(&[json!({"ip": "x"})])]}),
            "must be an IP address",
        ),
    ] {
        let (status, text) = send(&master, path, &body).await;
        assert!(status == 400 && text.contains(words), "{path} {body}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_machine_is_permitted_or_hidden() {
    let of = |hosts: &[&str]| {
        json!([{"principals": {"type": "ANY"}, "machines": {"values": hosts}},
               {"principals": {"type": "NONE"}, "machines": {"type": "ANY"}}])
    };
    let rules = json!({
        "update_maintenance_schedules": of(&["a", "b"]),
        "start_maintenances": of(&["a"]),
        "get_maintenance_schedules": of(&["b"]),
        "get_maintenance_statuses": of(&["a"]),
    });
    let master = master_with(&[("acls", rules.to_string().leak())]).await;
    let named = |host: &str| json!({ "hostname": host });
    let schedule = |hosts: &[&str]| {
        let machines: Vec<Value> = hosts.iter().map(|host| named(host)).collect();
        json!({"windows": [window(&machines)]})
    };
    assert_eq!(send(&master, "/maintenance/schedule", &schedule(&["a", "c"])).await.0, 403);
    assert_eq!(send(&master, "/maintenance/schedule", &schedule(&["a", "b"])).await.0, 200);
    let seen = |now: &Value| *now != json!({});
    assert_eq!(master.json_when("/maintenance/schedule", seen).await, schedule(&["b"]));
    let status = json!({"draining_machines": [{"id": named("a")}]});
    assert_eq!(master.json_when("/maintenance/status", seen).await, status);
    assert_eq!(send(&master, "/machine/down", &json!([named("b")])).await.0, 403);
    assert_eq!(send(&master, "/machine/down", &json!([named("a")])).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_is_asked_with_messages_and_answers_with_calls() {
    let master = master().await;
    let agent = Agent::registered(master.address).await;
    // Whoever listens can be a driver.
    let mut driver = Agent::start(master.address).await;
    let framework_info = v1::FrameworkInfo { name: "old".to_owned(), ..Default::default() };
    let subscribe = scheduler::call::Subscribe { framework_info, ..Default::default() };
    driver.send(&scheduler::Call {
        r#type: Some(v1::scheduler::call::Type::Subscribe.into()),
        subscribe: Some(subscribe),
        ..Default::default()
    });
    let registered: FrameworkRegisteredMessage = driver.expect().await;
    let _: ResourceOffersMessage = driver.expect().await;
    let schedule = json!({"windows": [window(&[host()])]});
    assert_eq!(send(&master, "/maintenance/schedule", &schedule).await.0, 200);
    let _: RescindResourceOfferMessage = driver.expect().await;
    let offers: ResourceOffersMessage = driver.expect().await;
    assert_eq!(offers.offers[0].unavailability.as_ref().unwrap().start.nanoseconds, 1_000);
    let asked: InverseOffersMessage = driver.expect().await;
    let agent_id = asked.inverse_offers[0].agent_id.clone().unwrap();
    assert_eq!((agent_id.value, &asked.pids[0]), (agent.id.clone(), &agent.pid.to_string()));

    assert_eq!(send(&master, "/maintenance/schedule", &json!({})).await.0, 200);
    let _: RescindResourceOfferMessage = driver.expect().await;
    let void: RescindInverseOfferMessage = driver.expect().await;
    assert_eq!(void.inverse_offer_id, asked.inverse_offers[0].id);
    let _: ResourceOffersMessage = driver.expect().await;
    assert_eq!(send(&master, "/maintenance/schedule", &schedule).await.0, 200);
    let _: RescindResourceOfferMessage = driver.expect().await;
    let _: ResourceOffersMessage = driver.expect().await;
    let asked: InverseOffersMessage = driver.expect().await;
    let accept = v1::scheduler::call::AcceptInverseOffers {
        inverse_offer_ids: vec![asked.inverse_offers[0].id.clone()],
        filters: None,
    };
    driver.send(&scheduler::Call {
        framework_id: Some(registered.framework_id),
        r#type: Some(v1::scheduler::call::Type::AcceptInverseOffers.into()),
        accept_inverse_offers: Some(accept),
        ..Default::default()
    });
    let is = |now: &Value| now["draining_machines"][0]["statuses"][0]["status"] == "ACCEPT";
    master.json_when("/maintenance/status", is).await;
}
