//! What those who are let in may do, with the bundled authorizer.

use reeve_tests::{Agent, Master, Room, until};
use serde_json::{Value, json};

use crate::access::{ALICE, BOB, ask, credentials, get, subscribe};
use crate::{built, run, said};

/// The flag that names a file in the room with these rules.
fn acls(room: &Room, name: &str, rules: &Value) -> String {
    let path = room.join(name);
    std::fs::write(&path, rules.to_string()).unwrap();
    format!("--acls={}", path.display())
}

/// A rule: these principals, and what they may act on; `NONE` for nothing.
fn rule(principal: &str, objects: &str, values: &[&str]) -> Value {
    let object = match values {
        ["NONE"] => json!({ "type": "NONE" }),
        values => json!({ "values": values }),
    };
    json!({ "principals": { "values": [principal] }, objects: object })
}

fn none(principal: &str, objects: &str) -> Value {
    rule(principal, objects, &["NONE"])
}

fn master(room: &Room, rules: &Value) -> Master {
    let asked = [
        "--authenticate_http_readonly",
        "--authenticate_http_readwrite",
        "--authenticate_http_frameworks",
        &credentials(room, "credentials"),
        &acls(room, "master-acls.json", rules),
    ];
    Master::start(room, &asked)
}

fn agent(room: &Room, master: &Master, rules: &Value) -> Agent {
    let asked = [
        "--authenticate_http_readonly",
        &credentials(room, "http_credentials"),
        &acls(room, "agent-acls.json", rules),
    ];
    let agent = Agent::start(room, master.address, &asked);
    until("the agent to be there", || {
        let agents = get(master.address, Some(ALICE), "/slaves").json();
        (agents["slaves"].as_array()?.len() == 1).then_some(())
    });
    agent
}

fn execute(room: &Room, master: &Master, who: &str, name: &str) -> String {
    let (principal, secret) = who.split_once(':').unwrap();
    let words = [
        format!("--master={}", master.address),
        format!("--name={name}"),
        "--command=echo hello".to_owned(),
        format!("--principal={principal}"),
        format!("--secret={secret}"),
        "--verbose".to_owned(),
    ];
    said(&run(room, "mesos-execute", &words.each_ref().map(String::as_str)))
}

#[test]
fn a_framework_has_the_roles_that_it_may_have() {
    let room = Room::new();
    let rules = json!({ "register_frameworks": [
        rule("bob", "roles", &["dev"]),
        none("bob", "roles"),
    ]});
    let master = master(&room, &rules);
    let info = |roles: &[&str]| {
        let capabilities = [json!({ "type": "MULTI_ROLE" })];
        json!({ "user": "root", "name": "f", "roles": roles, "capabilities": capabilities })
    };
    let (status, event, ..) = subscribe(master.address, Some(BOB), info(&["ops", "dev"]));
    assert_eq!(status, 200);
    let words = "Not authorized to register framework  with roles { dev, ops }";
    assert_eq!(event, json!({ "type": "ERROR", "error": { "message": words } }));
    let (_, event, ..) = subscribe(master.address, Some(BOB), info(&["dev"]));
    assert_eq!(event["type"], "SUBSCRIBED", "{event}");
    let (_, event, ..) = subscribe(master.address, Some(ALICE), info(&["ops"]));
    assert_eq!(event["type"], "SUBSCRIBED", "{event}");
}

#[test]
fn a_task_runs_as_a_user_that_it_may_run_as() {
    let room = Room::new();
    let master = master(&room, &json!({ "run_tasks": [none("bob", "users")] }));
    let _agent = agent(&room, &master, &json!({}));
    let refused = execute(&room, &master, BOB, "no");
    assert!(refused.contains("TASK_ERROR"), "{refused}");
    assert!(refused.contains("REASON_TASK_UNAUTHORIZED"), "{refused}");
    assert!(refused.contains("'bob' is not authorized to launch task no of"), "{refused}");
    let done = execute(&room, &master, ALICE, "yes");
    assert!(done.contains("TASK_FINISHED"), "{done}");
}

#[test]
fn readers_see_what_they_may_see_and_end_what_they_may_end() {
    let room = Room::new();
    let rules = json!({
        "view_frameworks": [none("bob", "users")],
        "view_roles": [rule("bob", "roles", &["*"]), none("bob", "roles")],
        "view_flags": [none("bob", "flags")],
        "get_endpoints": [rule("bob", "paths", &["/modules"]), none("bob", "paths")],
        "teardown_frameworks": [none("bob", "framework_principals")],
    });
    let master = master(&room, &rules);
    let info = json!({ "user": "root", "name": "f", "role": "dev" });
    let (_, event, _stream, _) = subscribe(master.address, Some(ALICE), info);
    let id = event["subscribed"]["framework_id"]["value"].as_str().unwrap().to_owned();
    until("the framework to be seen", || {
        let all = get(master.address, Some(ALICE), "/frameworks").json();
        (all["frameworks"].as_array()?.len() == 1).then_some(())
    });

    let count = |who, path, key: &str| {
        get(master.address, Some(who), path).json()[key].as_array().unwrap().len()
    };
    for path in ["/state", "/state-summary", "/frameworks"] {
        assert_eq!(count(ALICE, path, "frameworks"), 1, "{path}");
        assert_eq!(count(BOB, path, "frameworks"), 0, "{path}");
    }
    assert_eq!((count(ALICE, "/roles", "roles"), count(BOB, "/roles", "roles")), (2, 1));
    let call = |who, kind: &str| {
        let call = json!({ "type": kind }).to_string();
        ask(master.address, Some(who), "POST", "/api/v1", &call)
    };
    assert_eq!(call(BOB, "GET_FRAMEWORKS").json()["get_frameworks"], json!({}));
    assert!(call(ALICE, "GET_FRAMEWORKS").text().contains(&id));
    let page = |who| get(master.address, Some(who), "/").text();
    assert!(page(ALICE).contains(&id) && !page(BOB).contains(&id));

    let state = |who| get(master.address, Some(who), "/state").json();
    assert!(state(ALICE)["flags"].is_object() && state(BOB)["flags"].is_null());
    for (who, status) in [(ALICE, 200), (BOB, 403)] {
        assert_eq!(get(master.address, Some(who), "/flags").status(), status);
        assert_eq!(call(who, "GET_FLAGS").status(), status);
        assert_eq!(get(master.address, Some(who), "/metrics/snapshot").status(), status);
        assert_eq!(get(master.address, Some(who), "/metrics/snapshot/x").status(), status);
    }
    assert_eq!(get(master.address, Some(BOB), "/modules").status(), 200);

    let form = format!("frameworkId={id}");
    let end = |who| ask(master.address, Some(who), "POST", "/teardown", &form);
    let refused = end(BOB);
    assert_eq!((refused.status(), refused.text().as_str()), (403, "403 Forbidden."));
    assert_eq!(end(ALICE).status(), 200);
}

#[test]
fn sandboxes_and_views_of_an_agent_are_for_those_who_may() {
    let room = Room::new();
    let master = master(&room, &json!({}));
    let rules = json!({
        "access_sandboxes": [none("bob", "users")],
        "view_tasks": [none("bob", "users")],
        "view_flags": [none("bob", "flags")],
        "get_endpoints": [none("bob", "paths")],
    });
    let agent = agent(&room, &master, &rules);
    let done = execute(&room, &master, ALICE, "t");
    assert!(done.contains("TASK_FINISHED"), "{done}");

    let state = |who| get(agent.address, Some(who), "/state").json();
    let sandbox = until("the sandbox", || reeve_tests::cluster::sandbox(&state(ALICE), "t"));
    for (path, status) in [("browse", 403), ("read", 403), ("download", 403)] {
        let file = if path == "browse" { "" } else { "/stdout" };
        let path = format!("/files/{path}?path={sandbox}{file}");
        assert_eq!(get(agent.address, Some(BOB), &path).status(), status, "{path}");
        assert_eq!(get(agent.address, Some(ALICE), &path).status(), 200, "{path}");
    }
    assert!(state(ALICE).to_string().contains("\"TASK_FINISHED\""));
    assert!(!state(BOB).to_string().contains("\"TASK_FINISHED\""));
    assert!(state(BOB)["flags"].is_null());
    for path in ["/flags", "/containers", "/monitor/statistics", "/metrics/snapshot"] {
        assert_eq!(get(agent.address, Some(BOB), path).status(), 403, "{path}");
        assert_eq!(get(agent.address, Some(ALICE), path).status(), 200, "{path}");
    }
}

#[test]
fn rules_that_are_wrong_keep_a_daemon_from_starting() {
    let room = Room::new();
    let work = format!("--work_dir={}", room.path().display());
    let acls = "--acls={\"register_framework\": []}";
    let words = ["master", "--port=0", "--ip=127.0.0.1", &work, acls];
    let said = said(&run(&room, "reeve", &words));
    assert!(said.contains("authorizers = \"acls\""), "{said}");
    assert!(said.contains("did you mean 'register_frameworks'?"), "{said}");
}

#[test]
fn the_bundled_authorizer_passes_its_check() {
    let room = Room::new();
    let file = built::bundled("libreeve_authorizer_acls.so");
    let words = ["module", "check", file.to_str().unwrap(), "--set", "acls={}"];
    let output = run(&room, "reeve", &words);
    assert!(output.status.success(), "{}", said(&output));
}
