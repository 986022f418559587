//! What a framework over plain HTTP relies on.

#![allow(clippy::unwrap_used)]

mod support;

use prost::Message;
use reeve_wire::{internal, v1};
use serde_json::{Value, json};
use support::agent::Agent;
use support::http::{self, Events, post, subscribe};
use support::{Master, master};

const CALLS: &str = "/api/v1/scheduler";
const JSON: &str = "application/json";
const PROTOBUF: &str = "application/x-protobuf";

/// A subscribed framework that speaks JSON.
struct Framework {
    events: Events,
    id: String,
}

async fn framework(master: &Master, info: Value) -> Framework {
    let id = info["id"].clone();
    let mut call = json!({"type": "SUBSCRIBE", "subscribe": {"framework_info": info}});
    if !id.is_null() {
        call["framework_id"] = id;
    }
    let mut events = subscribe(master.address, JSON, call.to_string().as_bytes()).await;
    let subscribed = events.expect("SUBSCRIBED").await;
    assert_eq!(events.json().await["type"], "HEARTBEAT");
    let id = subscribed["subscribed"]["framework_id"]["value"].as_str().unwrap().to_owned();
    Framework { events, id }
}

fn plain() -> Value {
    json!({"user": "root", "name": "test", "failover_timeout": 100.0})
}

impl Framework {
    async fn call(&self, master: &Master, mut call: Value) -> http::Answer {
        call["framework_id"] = json!({"value": self.id});
        let headers = [("Mesos-Stream-Id", self.events.id.as_str())];
        post(master.address, CALLS, &headers, &call.to_string()).await
    }

    async fn accepted(&self, master: &Master, call: Value) {
        let answer = self.call(master, call).await;
        assert_eq!((answer.status, answer.text()), (202, String::new()));
    }

    /// Launches a task of one cpu and 32 MB on the next offer.
    async fn launch(&mut self, master: &Master, agent: &mut Agent, task: &str) -> Value {
        let offers = self.events.expect("OFFERS").await;
        let offer = offers["offers"]["offers"][0].clone();
        let task = json!({
            "name": "t", "task_id": {"value": task}, "agent_id": offer["agent_id"],
            "command": {"value": "sleep 1000"},
            "resources": [
                {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1.0}},
                {"name": "mem", "type": "SCALAR", "scalar": {"value": 32}}]});
        self.accepted(
            master,
            json!({"type": "ACCEPT", "accept": {
            "offer_ids": [offer["id"]],
            "operations": [{"type": "LAUNCH", "launch": {"task_infos": [task]}}],
            "filters": {"refuse_seconds": 1000.0}}}),
        )
        .await;
        let run: internal::RunTaskMessage = agent.expect().await;
        assert_eq!(run.task.task_id.value, task["task_id"]["value"].as_str().unwrap());
        assert_eq!(run.launch_executor, Some(true));
        offer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_lives_and_dies_over_json() {
    let master = master().await;
    let mut agent = Agent::registered(master.address).await;
    let mut framework = framework(&master, plain()).await;
    assert_eq!(framework.id, format!("{}-0000", master.id()));
    assert_eq!(agent.id, format!("{}-S0", master.id()));

    let offer = framework.launch(&master, &mut agent, "t1").await;
    assert_eq!(offer["id"]["value"], format!("{}-O0", master.id()));
    assert_eq!(offer["hostname"], "agent.example");
    assert_eq!(offer["url"]["path"], "/slave(1)");
    assert!(offer.get("allocation_info").is_none(), "{offer}");
    assert!(offer["resources"].as_array().unwrap().iter().all(|one| one["role"] == "*"), "{offer}");

    agent.update(&framework.id, "t1", v1::TaskState::TaskRunning, 1);
    let update = framework.events.expect("UPDATE").await["update"]["status"].clone();
    assert_eq!(
        (&update["state"], &update["source"]),
        (&json!("TASK_RUNNING"), &json!("SOURCE_EXECUTOR"))
    );
    assert_eq!(update["uuid"], "AQEBAQEBAQEBAQEBAQEBAQ==");
    framework
        .accepted(
            &master,
            json!({"type": "ACKNOWLEDGE", "acknowledge": {
        "agent_id": {"value": agent.id}, "task_id": {"value": "t1"}, "uuid": update["uuid"]}}),
        )
        .await;
    let ack: internal::StatusUpdateAcknowledgementMessage = agent.expect().await;
    assert_eq!((&ack.task_id.value[..], &ack.uuid[..]), ("t1", &[1; 16][..]));

    framework
        .accepted(&master, json!({"type": "KILL", "kill": {"task_id": {"value": "t1"}}}))
        .await;
    let kill: internal::KillTaskMessage = agent.expect().await;
    assert_eq!(kill.task_id.value, "t1");
    agent.update(&framework.id, "t1", v1::TaskState::TaskKilled, 2);
    let update = framework.events.expect("UPDATE").await["update"]["status"].clone();
    assert_eq!(update["state"], "TASK_KILLED");
    framework
        .accepted(
            &master,
            json!({"type": "ACKNOWLEDGE", "acknowledge": {
        "agent_id": {"value": agent.id}, "task_id": {"value": "t1"}, "uuid": update["uuid"]}}),
        )
        .await;
    let _: internal::StatusUpdateAcknowledgementMessage = agent.expect().await;

    let state = master
        .json_when("/state", |state| {
            !state["frameworks"][0]["completed_tasks"].as_array().unwrap().is_empty()
        })
        .await;
    assert_eq!(state["frameworks"][0]["completed_tasks"][0]["state"], "TASK_KILLED");
    assert_eq!(state["slaves"][0]["used_resources"]["cpus"], 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_runs_over_protobuf() {
    use v1::scheduler::{Call, Event, call, event};
    let master = master().await;
    let mut agent = Agent::registered(master.address).await;
    let framework_info = v1::FrameworkInfo {
        user: "root".to_owned(),
        name: "binary".to_owned(),
        ..Default::default()
    };
    let subscribe_call = Call {
        r#type: Some(call::Type::Subscribe.into()),
        subscribe: Some(call::Subscribe { framework_info, ..Default::default() }),
        ..Default::default()
    };
    let mut events = subscribe(master.address, PROTOBUF, &subscribe_call.encode_to_vec()).await;
    let mut framework_id = None;
    let offer = loop {
        let event = Event::decode(events.record().await.unwrap()).unwrap();
        match event.r#type() {
            event::Type::Subscribed => framework_id = event.subscribed.map(|s| s.framework_id),
            event::Type::Offers => break event.offers.unwrap().offers.remove(0),
            event::Type::Heartbeat => {}
            other => panic!("{other:?}"),
        }
    };
    let task = v1::TaskInfo {
        name: "t".to_owned(),
        task_id: v1::TaskId { value: "t".to_owned() },
        agent_id: offer.agent_id.clone(),
        resources: offer.resources.clone(),
        command: Some(v1::CommandInfo { value: Some("true".to_owned()), ..Default::default() }),
        ..Default::default()
    };
    let launch = v1::offer::Operation {
        r#type: Some(v1::offer::operation::Type::Launch.into()),
        launch: Some(v1::offer::operation::Launch { task_infos: vec![task] }),
        ..Default::default()
    };
    let accept = Call {
        framework_id: framework_id.clone(),
        r#type: Some(call::Type::Accept.into()),
        accept: Some(call::Accept {
            offer_ids: vec![offer.id],
            operations: vec![launch],
            filters: None,
        }),
        ..Default::default()
    };
    let headers = [("Content-Type", PROTOBUF), ("Mesos-Stream-Id", events.id.as_str())];
    let body = accept.encode_to_vec();
    let answer = http::request(master.address, "POST", CALLS, &headers, &body).await;
    assert_eq!((answer.status, answer.text()), (202, String::new()));
    let run: internal::RunTaskMessage = agent.expect().await;
    assert_eq!(run.framework.id, framework_id);
    agent.update(&framework_id.unwrap().value, "t", v1::TaskState::TaskFinished, 1);
    let event = Event::decode(events.record().await.unwrap()).unwrap();
    assert_eq!(event.update.unwrap().status.state(), v1::TaskState::TaskFinished);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_told_what_is_wrong() {
    let master = master().await;
    let call = |kind: &str| json!({"type": kind, "framework_id": {"value": "no-such"}}).to_string();
    let subscribe =
        json!({"type": "SUBSCRIBE", "subscribe": {"framework_info": plain()}}).to_string();
    let id = [("Mesos-Stream-Id", "x")];

    let answer = http::get(master.address, CALLS).await;
    assert_eq!((answer.status, answer.header("Allow")), (405, Some("POST")));
    let answer = http::request(master.address, "POST", CALLS, &[], b"{}").await;
    assert_eq!(
        (answer.status, &answer.text()[..]),
        (400, "Expecting 'Content-Type' to be present")
    );
    let xml = [("Content-Type", "text/xml")];
    let answer = http::request(master.address, "POST", CALLS, &xml, b"{}").await;
    assert_eq!(answer.status, 415);
    let accept = [("Accept", "text/html")];
    let answer = post(master.address, CALLS, &accept, &subscribe).await;
    assert_eq!(answer.status, 406);

    let none: &[(&str, &str)] = &[];
    let cases = [
        (none, "{", 400, "JSON"),
        (none, "{}", 400, "Expecting 'type' to be present"),
        (none, r#"{"type":"SUBSCRIBE"}"#, 400, "Expecting 'subscribe' to be present"),
        (
            none,
            r#"{"type":"SUBSCRIBE","subscribe":{"framework_info":{"name":"n"}}}"#,
            400,
            "subscribe.framework_info.user",
        ),
        (
            &id[..],
            &subscribe,
            400,
            "Subscribe calls should not include the 'Mesos-Stream-Id' header",
        ),
        (&id[..], r#"{"type":"TEARDOWN"}"#, 400, "Expecting 'framework_id' to be present"),
        (&id[..], &call("ACCEPT"), 400, "Expecting 'accept' to be present"),
        (&id[..], &call("TEARDOWN"), 400, "Framework cannot be found"),
        (&id[..], &call("UNKNOWN"), 501, ""),
    ];
    for (headers, body, status, text) in cases {
        let answer = post(master.address, CALLS, headers, body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        assert!(answer.text().contains(text), "{body}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_need_the_stream_of_their_subscription() {
    let master = master().await;
    let framework = framework(&master, plain()).await;
    let call = json!({"type": "REVIVE", "framework_id": {"value": framework.id}}).to_string();
    let answer = post(master.address, CALLS, &[], &call).await;
    let text = "All non-subscribe calls should include the 'Mesos-Stream-Id' header";
    assert_eq!((answer.status, &answer.text()[..]), (400, text));
    let stale = [("Mesos-Stream-Id", "11111111-1111-1111-1111-111111111111")];
    let answer = post(master.address, CALLS, &stale, &call).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("'11111111-1111-1111-1111-111111111111'"), "{}", answer.text());
    assert!(answer.text().contains("didn't match"), "{}", answer.text());

    let Framework { events, id } = framework;
    let stream = events.id.clone();
    drop(events);
    master.json_when("/state", |state| state["frameworks"][0]["connected"] == false).await;
    let answer = post(master.address, CALLS, &[("Mesos-Stream-Id", &stream)], &call).await;
    assert_eq!((answer.status, &answer.text()[..]), (403, "Framework is not subscribed"), "{id}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_that_returns_takes_over() {
    let master = master().await;
    let mut agent = Agent::registered(master.address).await;
    let mut first = framework(&master, plain()).await;
    first.launch(&master, &mut agent, "t1").await;
    agent.update(&first.id, "t1", v1::TaskState::TaskRunning, 1);
    first.events.expect("UPDATE").await;

    let mut info = plain();
    info["id"] = json!({"value": first.id});
    let mut second = framework(&master, info).await;
    assert_eq!(second.id, first.id);
    let error = first.events.expect("ERROR").await;
    assert_eq!(error["error"]["message"], "Framework failed over");
    assert!(first.events.record().await.is_none(), "the old stream ends");

    second.accepted(&master, json!({"type": "RECONCILE", "reconcile": {"tasks": []}})).await;
    let status = loop {
        let event = second.events.json().await;
        if event["type"] == "UPDATE" {
            break event["update"]["status"].clone();
        }
    };
    assert_eq!(
        (&status["state"], &status["reason"]),
        (&json!("TASK_RUNNING"), &json!("REASON_RECONCILIATION"))
    );
    assert!(status.get("uuid").is_none(), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_that_breaks_a_rule_is_an_error_event() {
    let master = master().await;
    let info = json!({"user": "root", "name": "x", "role": "a//b"});
    let call = json!({"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}).to_string();
    let mut events = subscribe(master.address, JSON, call.as_bytes()).await;
    let error = events.json().await;
    assert_eq!(error["type"], "ERROR", "{error}");
    assert!(events.record().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_vanishes_takes_its_offers_along() {
    let master = master().await;
    let agent = Agent::registered(master.address).await;
    let mut framework = framework(&master, plain()).await;
    let offer = framework.events.expect("OFFERS").await["offers"]["offers"][0].clone();
    agent.vanish();
    let rescind = framework.events.expect("RESCIND").await;
    assert_eq!(rescind["rescind"]["offer_id"], offer["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_repeats_itself_is_read_every_other_time() {
    let master = master().await;
    let mut agent = Agent::registered(master.address).await;
    let shown = |state: &Value| state["slaves"][0]["active"] == true;
    master.json_when("/state", shown).await;
    agent.reregister().await;
    // Our answer was on its way; had it been lost, the third time would tell.
    agent.ask_to_return();
    agent.reregister().await;
    agent.ask_to_join();
    let _: internal::SlaveRegisteredMessage = agent.expect().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn teardown_by_an_operator_ends_the_framework() {
    let master = master().await;
    let mut framework = framework(&master, plain()).await;
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = b"frameworkId=nobody";
    let answer = http::request(master.address, "POST", "/master/teardown", &form, body).await;
    assert_eq!((answer.status, &answer.text()[..]), (400, "No framework found with specified ID"));
    let body = format!("frameworkId={}", framework.id);
    let answer = http::request(master.address, "POST", "/teardown", &form, body.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    while framework.events.record().await.is_some() {}
    let ended = |state: &Value| state["completed_frameworks"] != json!([]);
    let state = master.json_when("/state", ended).await;
    assert_eq!(state["frameworks"], json!([]));
    assert_eq!(state["completed_frameworks"][0]["id"], framework.id.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn multi_role_frameworks_see_allocation_info() {
    let master = master().await;
    let _agent = Agent::registered(master.address).await;
    let info = json!({"user": "root", "name": "m", "roles": ["a", "b/c"], "capabilities": [
        {"type": "MULTI_ROLE"}, {"type": "RESERVATION_REFINEMENT"}]});
    let mut framework = framework(&master, info).await;
    let offer = framework.events.expect("OFFERS").await["offers"]["offers"][0].clone();
    let role = offer["allocation_info"]["role"].clone();
    assert!(role == "a" || role == "b/c", "{offer}");
    assert_eq!(offer["resources"][0]["allocation_info"]["role"], role);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_runs_something_on_a_scheduled_machine_is_asked_and_answers() {
    let master = master().await;
    let mut agent = Agent::registered(master.address).await;
    let mut framework = framework(&master, plain()).await;
    framework.launch(&master, &mut agent, "t").await;
    let unavailability = json!({"start": {"nanoseconds": 1000}, "duration": {"nanoseconds": 60}});
    let machine = json!({"hostname": "agent.example", "ip": "127.0.0.1"});
    let window = json!({"machine_ids": [machine], "unavailability": unavailability});
    let schedule = json!({"type": "UPDATE_MAINTENANCE_SCHEDULE",
        "update_maintenance_schedule": {"schedule": {"windows": [window]}}});
    master.done(schedule).await;
    let event = framework.events.expect("INVERSE_OFFERS").await;
    let offer = event["inverse_offers"]["inverse_offers"][0].clone();
    let port = agent.pid.address.port();
    assert_eq!(
        offer,
        json!({"id": {"value": format!("{}-O1", master.id())},
            "url": {"scheme": "http", "path": "/slave(1)",
                "address": {"hostname": "agent.example", "ip": "127.0.0.1", "port": port}},
            "framework_id": {"value": framework.id}, "agent_id": {"value": agent.id},
            "unavailability": unavailability})
    );
    let shown =
        |all: &Value| all["get_frameworks"]["frameworks"][0]["inverse_offers"] == json!([offer]);
    master.call_when(&json!({"type": "GET_FRAMEWORKS"}), shown).await;

    let decline = json!({"inverse_offer_ids": [offer["id"]], "filters": {"refuse_seconds": 0.0}});
    let decline = json!({"type": "DECLINE_INVERSE_OFFERS", "decline_inverse_offers": decline});
    framework.accepted(&master, decline.clone()).await;
    let declined = answered(&master, "DECLINE").await;
    assert_eq!(declined["framework_id"]["value"], framework.id);
    assert!(declined["timestamp"]["nanoseconds"].as_i64().unwrap() > 1_700_000_000_000_000_000);
    let event = framework.events.expect("INVERSE_OFFERS").await;
    let id = event["inverse_offers"]["inverse_offers"][0]["id"].clone();
    let accept = |ids: Value| {
        let accept = json!({"inverse_offer_ids": ids, "filters": {"refuse_seconds": 1000.0}});
        json!({"type": "ACCEPT_INVERSE_OFFERS", "accept_inverse_offers": accept})
    };
    framework.accepted(&master, accept(json!([id]))).await;
    answered(&master, "ACCEPT").await;
    // What is over, and nothing at all, is passed over.
    framework.accepted(&master, decline).await;
    framework.accepted(&master, accept(json!([]))).await;

    // REVIVE begins anew; then nothing is planned any more.
    framework.accepted(&master, json!({"type": "SUPPRESS"})).await;
    framework.accepted(&master, json!({"type": "REVIVE"})).await;
    let again = framework.events.expect("INVERSE_OFFERS").await;
    let none = json!({"type": "UPDATE_MAINTENANCE_SCHEDULE",
        "update_maintenance_schedule": {"schedule": {}}});
    framework.events.expect("OFFERS").await;
    master.done(none).await;
    framework.events.expect("RESCIND").await;
    let rescinded = framework.events.expect("RESCIND_INVERSE_OFFER").await;
    let id = &again["inverse_offers"]["inverse_offers"][0]["id"];
    assert_eq!(&rescinded["rescind_inverse_offer"]["inverse_offer_id"], id);
    master.json_when("/maintenance/status", |now| *now == json!({})).await;
}

/// The only answer that the status of maintenance shows, once it is this one.
async fn answered(master: &Master, answer: &str) -> Value {
    let is = |now: &Value| now["draining_machines"][0]["statuses"][0]["status"] == answer;
    let status = master.json_when("/maintenance/status", is).await;
    let call = master.call(&json!({"type": "GET_MAINTENANCE_STATUS"})).await;
    let call: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(call["get_maintenance_status"]["status"], status);
    let statuses = &status["draining_machines"][0]["statuses"];
    assert_eq!(statuses.as_array().unwrap().len(), 1);
    statuses[0].clone()
}
