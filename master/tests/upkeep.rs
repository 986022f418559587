//! Agents that operators take out of use, empty and bring back, over the wire.

#![allow(clippy::unwrap_used)]

mod support;

use reeve_wire::internal::{DrainSlaveMessage, ShutdownMessage};
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
