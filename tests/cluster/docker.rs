//! Tasks in Docker containers, from a framework's call to a real engine and back. They need root
//! and the Debian packages `docker.io` and `busybox-static`.

mod checks;
mod ends;
mod serving;

use reeve_tests::engine::IMAGE;
use reeve_tests::scheduler::{framework, scalar};
use reeve_tests::{Cluster, Codec, Engine, Scheduler};
use serde_json::{Value, json};

/// A cluster whose agent has a Docker Engine; all of it is in the engine's network.
struct Dock {
    cluster: Cluster,
    scheduler: Scheduler,
    /// Dropped last: with it go the containers.
    engine: Engine,
}

impl Dock {
    /// None, and why, if this machine can run no engine.
    fn start(isolation: &str) -> Option<Self> {
        Self::of_user(isolation, &reeve_tests::scheduler::user())
    }

    /// One with a framework of this user.
    fn of_user(isolation: &str, user: &str) -> Option<Self> {
        let engine = Engine::start()?;
        engine.enter_network();
        let room = engine.room().display();
        let config = engine.room().join("agent.toml");
        let group = engine.cgroup();
        let text = format!(
            "isolation = \"{isolation}\"\n\
             [modules.docker]\nsocket = \"unix://{room}/docker.sock\"\n\
             runtime_dir = \"{room}/containers\"\n\
             [modules.cgroups]\nroot = \"{group}/agent\"\n"
        );
        std::fs::write(&config, text).expect("a file in the room");
        let cluster = Cluster::with(&[], &[&format!("--config={}", config.display())]);
        let mut info = framework();
        info["user"] = json!(user);
        let scheduler = Scheduler::subscribe(cluster.master.address, Codec::Json, info);
        Some(Self { cluster, scheduler, engine })
    }

    /// Launches a task and waits until it runs.
    fn run(&mut self, task: Value) -> Value {
        let id = task["task_id"]["value"].as_str().expect("an id").to_owned();
        self.scheduler.launch(task);
        self.scheduler.state(&id, "TASK_RUNNING")
    }

    /// Launches a task that fails, and says how.
    fn failure(&mut self, task: Value) -> (String, String) {
        let id = task["task_id"]["value"].as_str().expect("an id").to_owned();
        self.scheduler.launch(task);
        let failed = self.scheduler.state(&id, "TASK_FAILED");
        let text = |key: &str| failed[key].as_str().unwrap_or_default().to_owned();
        (text("reason"), text("message"))
    }

    fn kill(&mut self, id: &str) {
        self.scheduler.kill(id);
        self.scheduler.state(id, "TASK_KILLED");
    }

    /// Waits until a task's output has a text.
    fn says(&self, id: &str, text: &str) {
        let agent = &self.cluster.agent;
        reeve_tests::until(&format!("'{id}' to say '{text}'"), || {
            agent.read_of(id, "stdout").contains(text).then_some(())
        });
    }

    /// The one container there is, as the engine knows it.
    fn container(&self) -> Value {
        let names = self.engine.containers();
        let [name] = names.as_slice() else { panic!("not one container but {names:?}") };
        self.engine.inspect(name)
    }

    /// Waits until nothing of any task is left.
    fn wait_empty(&self) {
        self.cluster.room.wait_empty();
        reeve_tests::until("the containers to be gone", || {
            self.engine.containers().is_empty().then_some(())
        });
    }
}

/// A task that runs a shell command in a container.
fn task(id: &str, script: &str, docker: Value) -> Value {
    let mut docker = docker;
    docker["image"] = json!(IMAGE);
    json!({
        "name": id, "task_id": {"value": id}, "command": {"value": script},
        "container": {"type": "DOCKER", "docker": docker},
        "resources": [scalar("cpus", 0.5), scalar("mem", 64.0)],
    })
}

/// As above, in the network of the engine's bridge, with this port of the host for its port 80.
fn web(id: &str, script: &str, port: u16) -> Value {
    let mapping = json!({"host_port": port, "container_port": 80, "protocol": "tcp"});
    let mut task = task(id, script, json!({"network": "BRIDGE", "port_mappings": [mapping]}));
    let range = json!({"begin": port, "end": port});
    let ports = json!({"name": "ports", "type": "RANGES", "ranges": {"range": [range]}});
    task["resources"].as_array_mut().expect("a list").push(ports);
    task
}
