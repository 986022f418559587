//! How calls are refused: status codes that clients branch on.

use reeve_tests::http::{self, Answer};
use reeve_tests::scheduler::{framework, task};
use reeve_tests::{Cluster, Scheduler};
use serde_json::json;

const JSON: &str = "application/json";
const PATH: &str = "/api/v1/scheduler";

fn refused(answer: &Answer, status: u16, why: &str) {
    let text = answer.text();
    assert_eq!(answer.status(), status, "{text}");
    assert!(text.contains(why), "{text:?} does not say {why:?}");
}

#[test]
fn a_call_needs_the_stream_of_its_subscription() {
    let cluster = Cluster::start();
    let first = Scheduler::new(cluster.master.address);
    let call = json!({"type": "REVIVE", "framework_id": {"value": first.id}}).to_string();
    let post = |headers| http::send(cluster.master.address, "POST", PATH, headers, call.as_bytes());
    refused(&post(&[("Content-Type", JSON)]), 400, "Mesos-Stream-Id");
    let stale =
        [("Content-Type", JSON), ("Mesos-Stream-Id", "5e6b1c2e-0000-0000-0000-000000000000")];
    refused(&post(&stale), 400, "stream");

    first.hang_up();
    cluster.master.until("the scheduler to be away", "/frameworks", |answer| {
        (answer["frameworks"][0]["connected"] == false).then_some(())
    });
    refused(&first.call(json!({"type": "REVIVE"})), 403, "Framework is not subscribed");
}

#[test]
fn a_call_of_nobody_is_refused() {
    let cluster = Cluster::start();
    let call = json!({"type": "REVIVE", "framework_id": {"value": "nobody-0000"}}).to_string();
    let headers = [("Content-Type", JSON), ("Mesos-Stream-Id", "x")];
    let answer = http::send(cluster.master.address, "POST", PATH, &headers, call.as_bytes());
    refused(&answer, 400, "Framework cannot be found");
}

#[test]
fn bad_requests_are_told_what_is_wrong() {
    let cluster = Cluster::start();
    let master = cluster.master.address;
    let post = |content: &str, accept: &str, body: &str| {
        let headers = [("Content-Type", content), ("Accept", accept)];
        http::send(master, "POST", PATH, &headers, body.as_bytes())
    };
    let subscribe =
        json!({"type": "SUBSCRIBE", "subscribe": {"framework_info": framework()}}).to_string();
    refused(&post(JSON, JSON, "{"), 400, "");
    let nameless = r#"{"type": "SUBSCRIBE", "subscribe": {"framework_info": {"user": "root"}}}"#;
    refused(&post(JSON, JSON, nameless), 400, "name");
    let mistyped =
        r#"{"type": "SUBSCRIBE", "subscribe": {"framework_info": {"user": 7, "name": "a"}}}"#;
    refused(&post(JSON, JSON, mistyped), 400, "user");
    refused(&post(JSON, JSON, r#"{"type": "NONSENSE"}"#), 400, "type");
    let mut large = framework();
    large["hostname"] = json!("x".repeat(1 << 20));
    let large = json!({"type": "SUBSCRIBE", "subscribe": {"framework_info": large}}).to_string();
    // Of descriptions the first event tells.
    refused(&post(JSON, JSON, &large), 200, "registry keeps at most 786432");
    refused(&post("text/plain", JSON, &subscribe), 415, "application/json");
    refused(&post(JSON, "text/html", &subscribe), 406, "application/json");
    refused(&http::get(master, PATH), 405, "");
    refused(&http::get(master, "/no/such/path"), 404, "");
}

#[test]
fn a_used_offer_is_no_offer() {
    let cluster = Cluster::start();
    let mut scheduler = Scheduler::new(cluster.master.address);
    let offer = scheduler.offer();
    scheduler.launch_on(&offer, &[task("first", "true")]);
    scheduler.launch_on(&offer, &[task("second", "true")]);
    let dropped = scheduler.state("second", "TASK_DROPPED");
    assert_eq!(dropped["reason"], "REASON_INVALID_OFFERS");
    scheduler.state("first", "TASK_FINISHED");
}

#[test]
fn wrong_settings_are_told_before_anything_starts() {
    let room = reeve_tests::Room::new();
    let refused = |words: &[&str]| {
        let output = reeve_tests::processes::run(room.tool("reeve").args(words));
        assert!(!output.status.success(), "{words:?}");
        String::from_utf8(output.stderr).expect("text")
    };
    let log = refused(&["agent", "--master=127.0.0.1:1", "--work_dir=relative", "--nonsense=1"]);
    assert!(log.contains("nonsense"), "{log}");
    let work_dir = format!("--work_dir={}", room.path().display());
    let log =
        refused(&["agent", &work_dir, "--master=127.0.0.1:1", "--port=0", "--isolation=magic"]);
    assert!(log.contains("isolation = \"magic\""), "{log}");
    let log = refused(&["master", &work_dir, "--port=0", "--agent_ping_timeout=soon"]);
    assert!(log.contains("soon"), "{log}");
}
