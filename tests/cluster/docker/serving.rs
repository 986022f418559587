//! Tasks that run: what they serve, what they use, and that they outlive the agent.

use std::net::SocketAddr;

use nix::sys::signal::Signal;
use reeve_tests::engine::IMAGE;
use reeve_tests::room::program;
use reeve_tests::scheduler::scalar;
use reeve_tests::{Reader, http, processes, until};
use serde_json::{Value, json};

use super::{Dock, task, web};

fn page(port: u16) -> Option<String> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let answer = http::try_send(address, "GET", "/index.html", &[], &[]).ok()?;
    (answer.status() == 200).then(|| answer.text())
}

const SERVE: &str = "echo it works > $MESOS_SANDBOX/index.html; echo serving; \
                     exec httpd -f -h $MESOS_SANDBOX";

#[test]
fn a_mapped_port_serves_http_also_while_the_agent_is_away() {
    let Some(mut dock) = Dock::start("cgroups,docker") else { return };
    let running = dock.run(web("web", SERVE, 31_005));
    let place = &running["container_status"];
    let address = place["network_infos"][0]["ip_addresses"][0]["ip_address"].as_str();
    assert!(address.is_some_and(|address| address.starts_with("172.")), "{running}");
    until("the page", || (page(31_005)? == "it works\n").then_some(()));
    dock.says("web", "serving\n");

    // What is used is what the container uses, and not what stands in for it here.
    let statistics = dock.cluster.agent.get("/monitor/statistics")[0]["statistics"].clone();
    assert_eq!(statistics["mem_limit_bytes"], 64 << 20, "{statistics}");
    assert!(statistics["mem_rss_bytes"].as_u64().is_some_and(|bytes| bytes < 16 << 20));
    assert!(statistics.get("processes").is_none(), "{statistics}");
    assert!(statistics["net_rx_bytes"].is_number(), "{statistics}");

    let before = dock.container()["Id"].clone();
    dock.cluster.agent.kill();
    assert_eq!(page(31_005).as_deref(), Some("it works\n"));
    dock.cluster.restart_agent();
    dock.cluster.master.wait_agents(1);
    until("the task to be found again", || {
        let all = dock.cluster.agent.get("/monitor/statistics");
        (all[0]["statistics"]["mem_limit_bytes"] == 64 << 20).then_some(())
    });
    assert_eq!(dock.container()["Id"], before);
    assert_eq!(page(31_005).as_deref(), Some("it works\n"));
    dock.kill("web");
    assert_eq!(page(31_005), None);
    dock.wait_empty();
}

#[test]
fn what_happens_without_the_agent_is_told_later_and_orphans_go() {
    let Some(mut dock) = Dock::start("posix,docker") else { return };
    let wait = "echo ready; while ! [ -e $MESOS_SANDBOX/go ]; do sleep 0.1; done; exit 7";
    dock.run(task("early", wait, json!({})));
    dock.says("early", "ready");
    let sandbox = dock.cluster.agent.sandbox("early");
    dock.cluster.agent.kill();
    std::fs::write(format!("{sandbox}/go"), "").unwrap();
    until("the container to end", || (dock.container()["State"]["Running"] == false).then_some(()));
    dock.cluster.restart_agent();
    let failed = dock.scheduler.state("early", "TASK_FAILED");
    assert_eq!(failed["message"], "Container exited with status 7");
    dock.wait_empty();

    // Nobody is left who would end the container.
    dock.run(task("orphan", "echo ready; while :; do sleep 0.1; done", json!({})));
    dock.cluster.agent.kill();
    dock.cluster.room.executor().kill();
    dock.cluster.room.wait_empty();
    assert_eq!(dock.container()["State"]["Running"], true);
    dock.cluster.restart_agent();
    let failed = dock.scheduler.state("orphan", "TASK_FAILED");
    assert_eq!(failed["reason"], "REASON_EXECUTOR_TERMINATED");
    dock.wait_empty();
}

#[test]
fn an_image_runs_by_itself_and_from_the_command_line() {
    let Some(mut dock) = Dock::of_user("posix,docker", "nobody") else { return };
    // The shim is the agent's, so that it may ask the engine; what a task sets does not steer it.
    let mut plain = task("plain", "", json!({}));
    plain["command"] = json!({"shell": false, "environment": {"variables": [
        {"name": "LD_PRELOAD", "value": "/absent.so"},
    ]}});
    plain["container"]["rlimit_info"] =
        json!({"rlimits": [{"type": "RLMT_NOFILE", "soft": 3, "hard": 3}]});
    dock.scheduler.launch(plain);
    dock.scheduler.state("plain", "TASK_FINISHED");
    assert_eq!(dock.cluster.agent.read_of("plain", "stdout"), "by default\n");

    // It holds what the tool is to be offered.
    dock.scheduler.teardown();
    let master = format!("--master={}", dock.cluster.master.address);
    let image = format!("--docker_image={}", reeve_tests::engine::IMAGE);
    let words = [&master, "--containerizer=docker", &image, "--name=line"];
    let more =
        ["--command=echo $GREETING from $MESOS_CONTAINER_NAME", "--env={\"GREETING\":\"hi\"}"];
    let mut tool = dock.cluster.room.tool("mesos-execute");
    let output = processes::run(tool.args(words).args(more));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = dock.cluster.agent.read_of("line", "stdout");
    assert!(said.starts_with("hi from reeve-"), "{said}");
    dock.wait_empty();
}

#[test]
fn what_the_docs_tell_to_type() {
    let Some(dock) = Dock::start("cgroups,docker") else { return };
    // The tools are to be offered what it holds.
    dock.scheduler.teardown();
    let (room, master) = (&dock.cluster.room, dock.cluster.master.address.to_string());
    let pages = room.join("www").display().to_string();
    std::fs::create_dir(&pages).unwrap();
    std::fs::write(room.join("www/index.html"), "served\n").unwrap();
    dock.engine.import("test/web:1", &["/bin/httpd", "-f", "-h", "/usr/share/nginx/html"]);
    let mut reader = Reader::new(room, "docs/docker.md");
    for (word, meaning) in [
        ("nginx:1.27", "test/web:1"),
        ("=busybox", &format!("={IMAGE}")),
        ("/srv/www", &pages),
        ("10.0.0.1:5050", &master),
        ("agent-1:31005", "127.0.0.1:31005"),
        ("agent-1:5051", &dock.cluster.agent.address.to_string()),
        (" | jq '.tasks[] | {id, state, statuses}'", ""),
        (" | jq", ""),
        ("inspect", &format!("inspect {}", program("libreeve_isolator_docker.so").display())),
    ] {
        reader.knows(word, meaning);
    }
    assert!(reader.does("reeve module inspect").contains("enable_cfs"));
    reader.does("cat >");
    let service = reader.starts("mesos-execute ", "web");
    until("the page", || (page(31_005)? == "served\n").then_some(()));
    assert!(reader.does("curl ").contains("served\n"));
    until("the container's address", || {
        dock.cluster.master.get("/tasks").to_string().contains("172.").then_some(())
    });
    assert!(reader.does("curl ").contains("\"172."));
    assert!(reader.does("curl ").contains("\"executor_id\":\"web\""));
    service.signal(Signal::SIGTERM);
    until("the service to end", || page(31_005).is_none().then_some(()));
    assert!(reader.does("mesos-execute ").contains("TASK_FINISHED for task try\n"));
    let said = dock.cluster.agent.read_of("try", "stdout");
    assert!(said.starts_with("hello from reeve-"), "{said}");
    reader.is_through();
    dock.wait_empty();
}

/// `wait`, for the executor of these tests.
const WAIT: &str = "d2FpdA==";

#[test]
fn an_own_executor_runs_in_a_container() {
    let Some(mut dock) = Dock::start("posix,docker") else { return };
    // The program and the libraries of this machine that it needs.
    let mount = |path: &str| json!({"container_path": path, "host_path": path, "mode": "RO"});
    let program = env!("CARGO_BIN_EXE_test-executor");
    let places = ["/lib", "/lib64", program].into_iter();
    let volumes: Vec<Value> =
        places.filter(|path| std::path::Path::new(path).exists()).map(mount).collect();
    let resources = json!([scalar("cpus", 0.1), scalar("mem", 64.0)]);
    let docker = json!({"image": reeve_tests::engine::IMAGE, "parameters": [
        {"key": "entrypoint", "value": program},
    ]});
    let task = json!({
        "name": "t", "task_id": {"value": "t"}, "data": WAIT, "resources": resources,
        "executor": {
            "type": "CUSTOM", "executor_id": {"value": "own"},
            "framework_id": {"value": dock.scheduler.id},
            "command": {"shell": false},
            "container": {"type": "DOCKER", "docker": docker, "volumes": volumes},
            "resources": resources,
        },
    });
    dock.run(task);
    assert_eq!(dock.container()["Config"]["Labels"]["reeve.executor"], "own");
    dock.cluster.room.executor().kill();
    let failed = dock.scheduler.state("t", "TASK_FAILED");
    assert_eq!(failed["reason"], "REASON_EXECUTOR_TERMINATED");
    dock.wait_empty();
}
