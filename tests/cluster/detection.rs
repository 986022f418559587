//! Agents and tools that find their master through ZooKeeper. The masters here don't contend
//! themselves: the test is their candidate, so that it says who leads and when.

use std::net::SocketAddr;

use reeve_election::{Candidate, Role};
use reeve_model::MasterInfo;
use reeve_tests::{Agent, Daemon, Keys, Master, Room, Scheduler, ZooKeeper, processes};
use reeve_zookeeper::{Options, Url};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// The masters that contend, and who of them leads.
struct Elections {
    runtime: Runtime,
    url: Url,
}

/// A candidate; it is none any more when this is dropped.
struct Candidacy {
    stop: CancellationToken,
}

impl Drop for Candidacy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Elections {
    fn new(url: &str) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        Self { runtime, url: url.parse().expect("a URL") }
    }

    /// Makes a master the leader; no other contends now.
    fn elect(&self, address: SocketAddr) -> Candidacy {
        let info = MasterInfo {
            id: address.to_string(),
            ip: address.ip(),
            port: address.port(),
            hostname: address.ip().to_string(),
            version: "1.11.0".to_owned(),
            pid: format!("master@{address}"),
            domain: None,
            capabilities: Vec::new(),
        };
        let stop = CancellationToken::new();
        self.runtime.block_on(async {
            let (url, options) = (self.url.clone(), Options::default());
            let mut standing = Candidate::start(url, options, info, stop.clone());
            let leads = |role: &Role| matches!(role, Role::Leading(_));
            let leading = standing.wait_for(|one| leads(&one.role)).await;
            assert!(leading.is_ok(), "the candidate gave up");
        });
        Candidacy { stop }
    }
}

/// An agent whose flags name ZooKeeper instead of a master.
fn agent(room: &Room, master: &str) -> (Daemon, SocketAddr) {
    let mut command = room.tool("reeve");
    command
        .arg("agent")
        .args([format!("--master={master}"), format!("--ip={}", room.ip), "--port=0".to_owned()])
        .arg(format!("--work_dir={}", room.join("agent").display()))
        .arg(format!("--runtime_dir={}", room.join("run").display()))
        .args(["--hostname=localhost", "--registration_backoff_factor=10ms"])
        .arg("--resources=cpus:4;mem:4096;disk:4096;ports:[31000-31999]");
    let mut daemon = Daemon::start(room, "agent", &mut command);
    let address = daemon.addresses(1)[0];
    (daemon, address)
}

#[test]
fn agents_and_tools_follow_whoever_leads() {
    let (room, other) = (Room::new(), Room::new());
    let Some(zookeeper) = ZooKeeper::start(&room, 1) else { return };
    let masters = [Master::start(&room, &[]), Master::start(&other, &[])];
    let url = zookeeper.url_as("reeve", "s3cret", "/mesos");
    let elections = Elections::new(&url);
    let (agent, address) = agent(&room, &url);

    for master in &masters {
        let leader = elections.elect(master.address);
        master.wait_agents(1);
        let file = room.join("zk");
        std::fs::write(&file, &url).expect("a file");
        let from = format!("--master=file://{}", file.display());
        let words = [&from, "--name=task", "--command=true"];
        let output = processes::run(room.tool("mesos-execute").args(words));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        assert!(said.contains(&format!("New master detected at master@{}", master.address)));
        drop(leader);
    }

    let seen = reeve_tests::http::get(address, "/flags").text() + &agent.log();
    assert!(seen.contains("zk://reeve:********@"), "{seen}");
    assert!(!seen.contains("s3cret"), "{seen}");
}

#[test]
fn a_master_may_be_set_by_any_of_its_addresses() {
    let (room, other) = (Room::new(), Room::new());
    let credentials = room.join("credentials");
    std::fs::write(&credentials, r#"{"credentials": [{"principal": "agent", "secret": "s"}]}"#)
        .unwrap();
    let own = room.join("credential");
    std::fs::write(&own, r#"{"principal": "agent", "secret": "s"}"#).unwrap();
    // It names itself by the first.
    let flags = [
        format!("--ip={}", other.ip),
        "--authenticate_agents".to_owned(),
        format!("--credentials={}", credentials.display()),
    ];
    let master = Master::start(&room, &flags.each_ref().map(String::as_str));
    let found = SocketAddr::from((other.ip, master.address.port()));
    let credential = format!("--credential={}", own.display());
    let _agent = Agent::start(&room, found, &[&credential]);
    master.wait_agents(1);
    Scheduler::new(master.address).run("task", "sleep 1000");
}

#[test]
fn nobody_to_follow_is_told_with_the_reason() {
    let room = Room::new();
    for (master, why) in [
        ("zk://127.0.0.1:1", "has no path of its own; write for example zk://"),
        ("zk://u:s3cret@127.0.0.1:x/mesos", "'127.0.0.1:x' is no server"),
        ("file:///nowhere", "No such file or directory"),
    ] {
        for tool in ["mesos-execute", "agent"] {
            let mut command = room.tool(if tool == "agent" { "reeve" } else { tool });
            if tool == "agent" {
                command.args(["agent", "--port=0"]);
            } else {
                command.args(["--name=a", "--command=true"]);
            }
            let output = processes::run(command.arg(format!("--master={master}")));
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success());
            assert!(said.contains(why), "{tool}: {said}");
            assert!(!said.contains("s3cret"), "{tool}: {said}");
        }
    }
}

/// What a tool says, and whether it could do what it was to.
fn said(room: &Room, tool: &str, words: &[&str], flags: &[String]) -> (bool, String) {
    let output = processes::run(room.tool(tool).args(words).args(flags));
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn tools_and_daemons_reach_zookeeper_over_tls() {
    let room = Room::new();
    let (keys, stranger) = (Keys::make(&room, "zk"), Keys::make(&room, "stranger"));
    let Some(zookeeper) = ZooKeeper::start_tls(&room, 1, &keys) else { return };
    let flags = keys.zookeeper_flags();
    let url = zookeeper.url("/mesos");
    let (zk, from) = (format!("--zk={url}"), format!("--master={url}"));
    let tls = flags.each_ref().map(String::as_str);
    let master = Master::start(&room, &[&[zk.as_str()], &tls[..]].concat());
    let _agent = Agent::named(&room, "agent", None, &url, &tls);
    master.wait_agents(1);
    let ask = ["agent", "list", &from];
    let run = ["--name=task", "--command=true", &from];
    let show = ["registry", "show", &zk];
    for (tool, words) in [("reeve", &ask), ("mesos-execute", &run), ("reeve", &show)] {
        let (done, text) = said(&room, tool, words, &flags);
        assert!(done, "{tool} {words:?}: {text}");
    }

    let [_, cert, key] = flags.clone();
    let other = format!("--zk_tls_ca_file={}", stranger.cert.display());
    let wrong = [other, cert, key];
    let server = &zookeeper.servers()[0];
    let why = format!(
        "nothing in '{}' (zk_tls_ca_file) vouches for the certificate of {server}",
        stranger.cert.display()
    );
    let nameless = &flags[..1];
    let wants = format!("{server} refuses us");
    for (tool, words, flags, why) in [
        ("reeve", &ask, &wrong[..], &why),
        ("mesos-execute", &run, nameless, &wants),
        ("reeve", &show, &wrong, &why),
    ] {
        let (done, text) = said(&room, tool, words, flags);
        assert!(!done && text.contains(why), "{tool} {words:?}: {text}");
    }
}
