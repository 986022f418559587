//! Who is let in: daemons that ask, with the bundled authenticator.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_tests::http::{self, Answer};
use reeve_tests::{Agent, Master, Room, until};
use serde_json::{Value, json};

use crate::{run, said, text};

/// Somebody's name and secret, as a header has them.
pub const ALICE: &str = "alice:wonder";
pub const BOB: &str = "bob:build";

/// Asks as somebody, or as nobody.
pub fn ask(daemon: SocketAddr, who: Option<&str>, method: &str, path: &str, body: &str) -> Answer {
    let basic = format!("Basic {}", STANDARD.encode(who.unwrap_or_default()));
    let mut headers = vec![("Content-Type", "application/json"), ("Accept", "application/json")];
    headers.extend(who.map(|_| ("Authorization", basic.as_str())));
    http::send(daemon, method, path, &headers, body.as_bytes())
}

pub fn get(daemon: SocketAddr, who: Option<&str>, path: &str) -> Answer {
    ask(daemon, who, "GET", path, "")
}

/// The flag that names a file in the room with these credentials.
pub fn credentials(room: &Room, flag: &str) -> String {
    let pair = |who: &str| {
        let (principal, secret) = who.split_once(':').unwrap();
        json!({ "principal": principal, "secret": secret })
    };
    let path = room.join("credentials.json");
    let file = json!({ "credentials": [pair(ALICE), pair(BOB)] });
    std::fs::write(&path, file.to_string()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    format!("--{flag}={}", path.display())
}

/// A master that asks everybody, and an agent that does too.
fn guarded(room: &Room) -> (Master, Agent) {
    let master = Master::start(
        room,
        &[
            "--authenticate_http_readonly",
            "--authenticate_http_readwrite",
            "--authenticate_http_frameworks",
            &credentials(room, "credentials"),
        ],
    );
    let agent = Agent::start(
        room,
        master.address,
        &["--authenticate_http_readonly", &credentials(room, "http_credentials")],
    );
    (master, agent)
}

/// A subscription of a framework of this description; the first event, or the refusal.
pub fn subscribe(
    master: SocketAddr,
    who: Option<&str>,
    info: Value,
) -> (u16, Value, Option<http::Body>, String) {
    let call = json!({ "type": "SUBSCRIBE", "subscribe": { "framework_info": info } }).to_string();
    let basic = format!("Basic {}", STANDARD.encode(who.unwrap_or_default()));
    let mut headers = vec![("Content-Type", "application/json"), ("Accept", "application/json")];
    headers.extend(who.map(|_| ("Authorization", basic.as_str())));
    let path = "/master/api/v1/scheduler";
    let (head, mut body) = http::open(master, "POST", path, &headers, call.as_bytes()).unwrap();
    let stream = head.header("Mesos-Stream-Id").to_owned();
    if head.status != 200 {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut body, &mut text).unwrap();
        return (head.status, Value::String(text), None, stream);
    }
    let event = record(&mut body);
    (head.status, event, Some(body), stream)
}

/// The next event of a stream in RecordIO.
fn record(body: &mut http::Body) -> Value {
    let mut byte = [0];
    let mut length = String::new();
    loop {
        std::io::Read::read_exact(body, &mut byte).unwrap();
        if byte == *b"\n" {
            break;
        }
        length.push(byte[0].into());
    }
    let mut event = vec![0; length.parse().unwrap()];
    std::io::Read::read_exact(body, &mut event).unwrap();
    serde_json::from_slice(&event).unwrap()
}

#[test]
fn each_realm_asks_who_comes_and_what_must_stay_open_does() {
    let room = Room::new();
    let (master, agent) = guarded(&room);
    let (master, agent) = (master.address, agent.address);
    for (daemon, method, path, realm) in [
        (master, "GET", "/state", "mesos-master-readonly"),
        (master, "GET", "/master/state/below", "mesos-master-readonly"),
        (master, "GET", "/metrics/snapshot", "mesos-master-readonly"),
        (master, "GET", "/files/debug", "mesos-master-readonly"),
        (master, "GET", "/modules", "mesos-master-readonly"),
        (master, "GET", "/quota", "mesos-master-readwrite"),
        (master, "POST", "/master/teardown", "mesos-master-readwrite"),
        (master, "POST", "/api/v1", "mesos-master-readwrite"),
        (master, "POST", "/api/v1/scheduler", "mesos-master-scheduler"),
        (agent, "GET", "/slave(1)/state", "mesos-agent-readonly"),
        (agent, "GET", "/monitor/statistics", "mesos-agent-readonly"),
        (agent, "GET", "/files/browse?path=/", "mesos-agent-readonly"),
    ] {
        for who in [None, Some("alice:wrong"), Some("carol:x")] {
            let answer = ask(daemon, who, method, path, "{}");
            assert_eq!(answer.status(), 401, "{path} as {who:?}: {}", answer.text());
            assert_eq!(answer.text(), "401 Unauthorized.");
            let challenge = format!("Basic realm=\"{realm}\"");
            assert_eq!(answer.head.header("WWW-Authenticate"), challenge, "{path}");
        }
        assert_ne!(ask(daemon, Some(ALICE), method, path, "{}").status(), 401, "{path}");
    }
    for (daemon, path) in [
        (master, "/health"),
        (master, "/version"),
        (master, "/redirect"),
        (agent, "/health"),
        (agent, "/version"),
    ] {
        assert!(get(daemon, None, path).status() < 400, "{path}");
    }
}

#[test]
fn a_framework_is_its_owners() {
    let room = Room::new();
    let (master, _agent) = guarded(&room);
    let info = |principal: &str| json!({ "user": "root", "name": "f", "principal": principal });
    let (status, text, ..) = subscribe(master.address, Some(BOB), info("alice"));
    assert_eq!(status, 400);
    assert_eq!(
        text,
        "Failed to validate scheduler::Call: Authenticated principal 'bob' does not match \
         principal 'alice' set in `FrameworkInfo`"
    );
    let info = json!({ "user": "root", "name": "f", "failover_timeout": 60.0 });
    let (status, event, _stream, id) = subscribe(master.address, Some(ALICE), info);
    assert_eq!((status, &event["type"]), (200, &json!("SUBSCRIBED")), "{event}");
    let framework = event["subscribed"]["framework_id"].clone();
    let call = json!({ "type": "REVIVE", "framework_id": framework }).to_string();
    let revive = |who: &str| {
        let basic = format!("Basic {}", STANDARD.encode(who));
        let headers = [
            ("Content-Type", "application/json"),
            ("Authorization", basic.as_str()),
            ("Mesos-Stream-Id", id.as_str()),
        ];
        let path = "/master/api/v1/scheduler";
        http::send(master.address, "POST", path, &headers, call.as_bytes())
    };
    assert_eq!(revive(ALICE).status(), 202);
    let refused = revive(BOB);
    assert_eq!(refused.status(), 400);
    assert!(refused.text().contains("'bob' does not match principal 'alice'"));
    let principal = until("readers to see the framework", || {
        let state = get(master.address, Some(BOB), "/frameworks").json();
        Some(state["frameworks"].get(0)?["principal"].clone())
    });
    assert_eq!(principal, "alice");
}

#[test]
fn tools_say_who_they_are() {
    let room = Room::new();
    let (master, agent) = guarded(&room);
    until("the agent to be there", || {
        let agents = get(master.address, Some(ALICE), "/slaves").json();
        (agents["slaves"].as_array()?.len() == 1).then_some(())
    });
    let named = format!("--master={}", master.address);
    let execute = |more: &[&str]| {
        let words = [&[named.as_str(), "--name=t", "--command=true"], more].concat();
        run(&room, "mesos-execute", &words)
    };
    let refused = execute(&["--principal=alice"]);
    assert!(!refused.status.success());
    assert!(said(&refused).contains("401 Unauthorized"), "{}", said(&refused));
    std::fs::write(room.join("secret"), "wonder\n").unwrap();
    let secret = format!("--secret=file://{}", room.join("secret").display());
    let done = execute(&["--principal=alice", &secret]);
    assert!(done.status.success(), "{}", said(&done));

    let list = |daemon: SocketAddr, more: &[&str]| {
        let daemon = daemon.to_string();
        let words = [&["module", "list", daemon.as_str()], more].concat();
        run(&room, "reeve", &words)
    };
    assert!(!list(master.address, &[]).status.success());
    for daemon in [master.address, agent.address] {
        let shown = list(daemon, &["--principal=bob", "--secret=build"]);
        assert!(shown.status.success(), "{}", said(&shown));
        let shown = text(&shown.stdout);
        assert!(shown.contains("\nauthenticator basic "), "{shown}");
        assert!(shown.contains("credentials.json") && !shown.contains("wonder"), "{shown}");
    }
}

#[test]
fn what_cannot_guard_is_told_at_the_start() {
    let room = Room::new();
    let start = |daemon: &str, more: &[&str]| {
        let work = format!("--work_dir={}", room.path().display());
        let run_dir = format!("--runtime_dir={}", room.path().display());
        let mut words = vec![daemon, "--port=0", "--ip=127.0.0.1", &work];
        words.extend((daemon == "agent").then_some(run_dir.as_str()));
        let output = run(&room, "reeve", &[&words, more].concat());
        assert!(!output.status.success());
        said(&output)
    };
    let said = start("master", &["--authenticate_http_readonly"]);
    assert!(said.contains("http_authenticators = \"basic\": module 'basic' does not"), "{said}");
    assert!(said.contains("set `credentials` of a master"), "{said}");
    let asked = ["--authenticate_http_readwrite", "--http_authenticators=acme"];
    let said = start("agent", &asked);
    assert!(said.contains("no file libreeve_authenticator_acme.so in"), "{said}");
    let said = start("agent", &["--authenticate_http_executors"]);
    assert!(said.contains("executors cannot be asked who they are yet"), "{said}");
}

#[test]
fn the_bundled_authenticator_passes_its_check() {
    let room = Room::new();
    let file = crate::built::bundled("libreeve_authenticator_basic.so");
    let set = credentials(&room, "x").replace("--x=", "credentials=");
    let words = ["module", "check", file.to_str().unwrap(), "--set", &set];
    let output = run(&room, "reeve", &words);
    assert!(output.status.success(), "{}", said(&output));
}
