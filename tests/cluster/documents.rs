//! What the docs tell to type works as it stands there, and says what they show. Left out is what needs
//! packages or systemd: tests/packages has that.

use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use reeve_tests::room::program;
use reeve_tests::{
    Agent, Cluster, Daemon, Master, Reader, Room, Scheduler, ZooKeeper, http, processes, until,
};
use regex::Regex;
use serde_json::json;

use crate::local;

fn agent_id(master: &Master) -> String {
    master.until("an agent", "/slaves", |all| Some(all["slaves"][0]["id"].as_str()?.to_owned()))
}

/// A master would start with these settings.
fn is_sound(room: &Room, file: &str) {
    let output = processes::run(room.tool("reeve").args(["config", "check", "master", file]));
    assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Stops a master in order, so that it gives up its lead at once.
fn stop(master: &mut Master) {
    master.signal(Signal::SIGTERM);
    until("the master to stop", || (!master.running()).then_some(()));
}

#[test]
fn the_first_tasks_of_the_readme_and_of_an_installed_cluster() {
    let room = Room::new();
    let (_daemon, addresses) = local::start(&room, &["127.0.0.1", "127.0.1.1"], &[]);
    local::agents(addresses[1], 1);
    let mut reader = Reader::new(&room, "README.md");
    reader.knows("127.0.0.1:5050", addresses[0].to_string());
    reader.knows("127.0.1.1:5050", addresses[1].to_string());
    let said = reader.does("mesos-execute ");
    let ids = Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap();
    let said = ids.replace_all(&said, "0d4c2f5e-…");
    let shown = include_str!("../../README.md").split("which says").nth(1).unwrap();
    let shown: Vec<&str> =
        shown.lines().skip(2).map_while(|line| line.strip_prefix("    ")).collect();
    assert_eq!(shown.len(), 4, "what it shows has moved");
    for line in shown {
        assert!(said.lines().any(|one| one == line), "it does not say {line:?}:\n{said}");
    }
    let mut install = Reader::new(&room, "docs/install.md");
    install.knows("127.0.0.1:5050", addresses[0].to_string());
    assert!(install.does("mesos-execute ").contains("TASK_FINISHED for task first\n"));
    // It would listen to events for ever.
    reader.knows("curl -N", "! timeout 8 curl -N");
    let said = reader.does("curl ");
    assert!(said.contains("Mesos-Stream-Id: ") || said.contains("mesos-stream-id: "), "{said}");
    assert!(said.contains("\"type\":\"SUBSCRIBED\""), "{said}");
}

#[test]
fn the_handbook() {
    let room = Room::new();
    let Some(zookeeper) = ZooKeeper::start(&room, 1) else { return };
    let zk = zookeeper.url("/mesos");
    let mut master = Master::start(&room, &[&format!("--zk={zk}")]);
    until("the master to lead", || {
        (http::get(master.address, "/slaves").status() == 200).then_some(())
    });
    let mut agent = Agent::start(&room, master.address, &[]);
    master.wait_agents(1);
    let id = agent_id(&master);
    let mut scheduler = Scheduler::new(master.address);
    scheduler.run("sleeper", "sleep 1000");
    let mut reader = Reader::new(&room, "docs/handbook.md");
    reader.asks(master.address);
    reader.knows("ANY-MASTER:5050", master.address.to_string());
    reader.knows("ID", &*id);
    reader.knows("--zk=URL", format!("--zk={zk}"));

    let leader = reader.does("curl ").to_lowercase();
    assert!(leader.contains(&format!("location: //{}", master.address)), "{leader}");
    assert!(reader.does("reeve agent list").contains(&format!("{id}  localhost  ")));
    assert!(reader.does("reeve framework list").contains("  test  active  1 tasks  over HTTP"));
    assert!(reader.does("reeve config show --effective").contains("\nport = "));
    reader.follows("Looking");

    reader.does("reeve registry export");
    stop(&mut master);
    assert!(reader.does("reeve registry fsck").contains("0 to look at"));
    reader.does("reeve registry import");
    master.restart(&room);
    master.wait_agents(1);
    assert_eq!(agent_id(&master), id);

    reader.does("reeve agent drain");
    master.until("the agent to be drained", "/slaves", |all| {
        let drained = &all["slaves"][0]["drain_info"]["state"];
        drained.is_string().then_some(())
    });
    reader.does("reeve agent gone");
    assert!(agent.wait().success());
    reader.does("reeve framework list");
    reader.passes("reeve agent gone", "once is enough");
    reader.is_through();
}

#[test]
fn taking_machines_out_of_use() {
    let mut cluster = Cluster::start();
    let id = agent_id(&cluster.master);
    let mut reader = Reader::new(&cluster.room, "docs/maintenance.md");
    reader.asks(cluster.master.address);
    for word in ["5e6b…-S3", "ID"] {
        reader.knows(word, &*id);
    }
    reader.knows("host-1 host-2", "localhost");
    reader.knows("host-1", "localhost");
    let file = cluster.room.join("schedule.json");
    std::fs::write(&file, "{\"windows\": []}").unwrap();
    reader.knows("FILE", file.display().to_string());
    let drained = |master: &Master| {
        master.until("the agent to be drained", "/slaves", |all| {
            (all["slaves"][0]["drain_info"]["state"] == "DRAINED").then_some(())
        });
    };

    reader.does("reeve agent deactivate");
    assert!(reader.does("reeve agent list").contains("  deactivated"));
    reader.does("reeve agent drain");
    drained(&cluster.master);
    assert!(reader.does("reeve agent list").contains("  drained"));
    reader.does("reeve agent reactivate");
    reader.does("reeve agent drain");
    drained(&cluster.master);
    reader.does("reeve agent reactivate");

    reader.does("reeve maintenance schedule host");
    let said = reader.does("reeve maintenance status");
    assert!(said.contains("to be down, in "), "{said}");
    reader.does("reeve maintenance start");
    assert!(cluster.agent.wait().success(), "it is shut down");
    reader.does("reeve maintenance stop");
    reader.does("reeve maintenance schedule --file");
    assert!(reader.does("reeve maintenance status").is_empty());
    cluster.agent.restart(&cluster.room);
    cluster.master.wait_agents(1);
    reader.knows(&*id, agent_id(&cluster.master));
    reader.does("reeve agent gone");
    assert!(cluster.agent.wait().success());
    reader.is_through();
}

#[test]
fn modules_drivers_and_newer_versions() {
    let mut cluster = Cluster::start();
    let address = cluster.master.address;
    let module = program("libreeve_allocator_drf.so").display().to_string();
    let mut modules = Reader::new(&cluster.room, "docs/modules.md");
    modules.knows("HOST:PORT", address.to_string());
    modules.knows("FILE", &*module);
    let said = modules.follows("Modules");
    assert!(said[0].starts_with("allocator drf ") && said[2].starts_with("allocator drf "));
    assert!(said[1].ends_with(" rules are kept\n"), "{}", said[1]);
    for start in ["reeve module check target", "install target", "mesos-execute"] {
        modules.passes(start, "tests/packages does it where the package is");
    }
    modules.is_through();

    let mut drivers = Reader::new(&cluster.room, "docs/drivers.md");
    drivers.knows("MASTER:5050", address.to_string());
    drivers.does("reeve framework list");
    drivers.passes("curl", "not everybody has jq");
    drivers.is_through();

    let mut upgrade = Reader::new(&cluster.room, "docs/upgrade.md");
    upgrade.asks(address);
    upgrade.knows("AGENT-ID", agent_id(&cluster.master));
    upgrade.knows("FILE", module);
    upgrade.knows("--zk=URL", format!("--work_dir={}", cluster.room.join("master").display()));
    upgrade.does("reeve agent drain");
    upgrade.does("reeve module check");
    upgrade.does("reeve config check master");
    stop(&mut cluster.master);
    upgrade.follows("Upgrading");
    upgrade.follows("Back to an older version");
    upgrade.is_through();
}

#[test]
fn looking_at_the_registry_and_copying_it() {
    let mut cluster = Cluster::start();
    let id = agent_id(&cluster.master);
    stop(&mut cluster.master);
    let mut reader = Reader::new(&cluster.room, "docs/registry.md");
    reader.knows("--zk=URL", format!("--work_dir={}", cluster.room.join("master").display()));
    reader.knows("ID", &*id);
    let said = reader.follows("Looking at it, copying it");
    assert!(said[0].contains("  agents               1\n"), "{}", said[0]);
    assert!(said[1].contains(&id), "{}", said[1]);
    reader.is_through();
    cluster.restart_master();
    cluster.master.wait_agents(1);
    assert_eq!(agent_id(&cluster.master), id);
}

#[test]
fn who_may_come_in() {
    let room = Room::new();
    let mut reader = Reader::new(&room, "docs/security.md");
    let write = |name: &str, text: &str| {
        std::fs::write(room.join(name), text).unwrap();
        room.join(name).display().to_string()
    };
    let operator = json!({"principal": "operator", "secret": "well kept"});
    write("credentials.json", &json!({"credentials": [operator]}).to_string());
    write("credential.json", &operator.to_string());
    write("acls.json", &json!({"permissive": true}).to_string());
    reader.knows("/etc/reeve/", format!("{}/", room.path().display()));

    let settings = reader.files("master.toml");
    for settings in &settings {
        let file = write("master.toml", settings);
        is_sound(&room, &file);
    }
    let [asking, provers, _] = &settings[..] else { panic!("other settings: {settings:#?}") };
    // All of both but the credentials, which are the same.
    let provers = provers.lines().filter(|line| !line.starts_with("credentials = "));
    let both: String = asking.lines().chain(provers).map(|line| format!("{line}\n")).collect();
    let master = Master::start(&room, &[&format!("--config={}", write("master.toml", &both))]);
    let agent = write("agent.toml", &reader.files("agent.toml").concat());
    let _agent = Agent::start(&room, master.address, &[&format!("--config={agent}")]);
    assert_eq!(http::get(master.address, "/slaves").status(), 401);

    let task = format!(" --master={} --name=t --command=true", master.address);
    let ours = "--principal=operator --secret='well kept'";
    reader.knows(
        "mesos-execute --principal=NAME --secret=SECRET",
        format!("mesos-execute {ours}{task}"),
    );
    let list = format!("reeve module list {ours} {}", master.address);
    reader.knows("reeve module list --principal=NAME --secret=SECRET", list);
    assert!(reader.does("mesos-execute ").contains("TASK_FINISHED for task t\n"));
    assert!(reader.does("reeve module list").contains("authenticator"));
    reader.is_through();
}

#[test]
fn several_masters() {
    let room = Room::new();
    let Some(zookeeper) = ZooKeeper::start(&room, 1) else { return };
    let mut reader = Reader::new(&room, "docs/zookeeper.md");
    reader.knows("zk://zk1:2181,zk2:2181,zk3:2181/mesos", zookeeper.url("/mesos"));
    let work_dir = room.join("master").display().to_string();
    let here = format!("--ip={} --port=0", room.ip);
    reader.knows("--work_dir=/var/lib/reeve/master", format!("--work_dir={work_dir} {here}"));
    let mut master = reader.starts("reeve master", "master");
    let address = master.addresses(1)[0];
    let places = ["work_dir", "runtime_dir"].map(|name| format!("--{name}={}/{name}", work_dir));
    let agent = format!("reeve agent {here} {}", places.join(" "));
    reader.knows("reeve agent", agent);
    let _agent = reader.starts("reeve agent", "agent");
    until("the agent to find the leader", || {
        let all = http::try_json(address, "/slaves")?;
        (all["slaves"].as_array()?.len() == 1).then_some(())
    });
    reader.passes("reeve config show", "it is said in passing");
    reader.passes("reeve registry import", "it is in the page about migration");
    reader.is_through();
}

#[test]
fn quota_and_settings() {
    let cluster = Cluster::start();
    let mut reader = Reader::new(&cluster.room, "docs/allocators.md");
    reader.knows("MASTER:5050", cluster.master.address.to_string());
    let file = cluster.room.join("master.toml");
    std::fs::write(&file, reader.files("master.toml").concat()).unwrap();
    let file = file.display().to_string();
    is_sound(&cluster.room, &file);
    // The cluster has fewer than the guarantee of the page.
    reader.knows("{\"quota_configs\"", "{\"force\": true, \"quota_configs\"");
    reader.does("curl ");
    let quota = http::get_json(cluster.master.address, "/quota");
    assert_eq!(quota["infos"][0]["role"], "eng", "{quota:#}");
    reader.is_through();

    let mut reader = Reader::new(&cluster.room, "docs/configuration.md");
    reader.knows("reeve config check", "reeve config check master");
    reader.knows("reeve config show --effective", "reeve config show master --effective");
    assert!(reader.does("reeve config show --effective").contains("\nport = "));
    let place = format!("reeve config import {}", cluster.room.join("nothing").display());
    reader.knows("reeve config import", place);
    for start in ["reeve config reference", "reeve config show master --template"] {
        assert!(reader.does(start).contains("allocation_interval"));
    }
}

/// The machine is another test's; that one must do what the page says.
#[test]
fn the_sandbox() {
    let room = Room::new();
    let test = include_str!("../sandbox/run");
    let reader = Reader::new(&room, "docs/sandbox.md");
    for command in reader.commands() {
        let command = command.split_whitespace().collect::<Vec<_>>().join(" ");
        let done = test.contains(&command) || command == "vagrant ssh" || command == "reeve local";
        assert!(done, "tests/sandbox/run does not do: {command}");
    }
}

#[test]
fn from_mesos_to_reeve() {
    let room = Room::new();
    let Some(zookeeper) = ZooKeeper::start(&room, 1) else { return };
    let zk = zookeeper.url("/mesos");
    let mut reader = Reader::new(&room, "docs/migration.md");

    let etc = room.join("etc");
    let write = |name: &str, text: &str| {
        let path = etc.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let port = room.port();
    write("mesos/zk", &zk);
    write("mesos-master/cluster", "old");
    write("mesos-slave/resources", "cpus:2;mem:512;disk:512;ports:[]");
    write("mesos-slave/work_dir", &room.join("slave").display().to_string());
    write("mesos-slave/port", &port.to_string());
    write("mesos-slave/ip", &room.ip.to_string());
    write("reeve/agent.toml", "");
    let file = |name: &str| etc.join("reeve").join(name).display().to_string();
    reader.knows("reeve config import", format!("reeve config import {}", etc.display()));
    reader.knows("/etc/reeve/", file(""));
    let both = "reeve config check master DIR/master.toml.d/mesos.toml && \
                reeve config check agent DIR/agent.toml.d/mesos.toml";
    reader.knows("reeve config check", both.replace("DIR/", &file("")));
    let said = reader.follows("Settings").concat();
    assert!(said.contains("cpus:2;mem:512"), "{said}");
    reader.follows("Agents");

    // A stand-in for the leader: it answers what one of Mesos 1.11 did.
    let live =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/records/tests/mesos-1.11/live");
    let site = room.join("site");
    std::fs::create_dir_all(site.join("registrar(1)")).unwrap();
    std::fs::copy(live.join("registry.json"), site.join("registrar(1)/registry")).unwrap();
    let leader = std::net::SocketAddr::from((room.ip, room.port()));
    let mut serve = Command::new("python3");
    serve.args(["-m", "http.server", &leader.port().to_string(), "--bind", &room.ip.to_string()]);
    let _leader = Daemon::start(&room, "site", serve.arg("--directory").arg(site));
    until("the stand-in", || http::try_json(leader, "/registrar(1)/registry"));
    reader.knows("LEADER:5050", leader.to_string());
    reader.knows("--zk=URL", format!("--zk={zk}"));
    reader.does("curl ");
    assert!(reader.does("reeve registry import").contains("imported into "));

    let master = Master::start(&room, &[&format!("--zk={zk}")]);
    until("the master to lead", || {
        (http::get(master.address, "/slaves").status() == 200).then_some(())
    });
    reader.asks(master.address);
    assert_eq!(reader.does("reeve agent list").matches("  not back yet").count(), 3);
    let mut agent = room.tool("reeve");
    agent.arg("agent").arg(format!("--config={}", file("agent.toml")));
    agent.arg(format!("--runtime_dir={}", room.join("run").display()));
    let _agent = Daemon::start(&room, "agent", &mut agent);
    master.wait_agents(1);
    let told = http::get_json(master.address, "/slaves");
    assert_eq!(told["slaves"][0]["resources"]["mem"], 512.0, "{told:#}");
    reader.is_through();
}
