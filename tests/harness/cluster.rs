//! Masters and agents as processes of their own, which can be killed and started again.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::daemon::Daemon;
use crate::http;
use crate::network::Host;
use crate::processes;
use crate::room::Room;
use crate::wait::until;

/// What a test's agent has.
pub const RESOURCES: &str = "cpus:4;mem:4096;disk:4096;ports:[31000-31999]";

/// `reeve master`.
#[derive(Debug)]
pub struct Master {
    place: Place,
    daemon: Daemon,
    /// Where it listens.
    pub address: SocketAddr,
    flags: Vec<String>,
}

/// What a daemon is called, and which host it runs on; none: this one.
#[derive(Clone, Debug)]
struct Place {
    name: String,
    host: Option<Host>,
}

impl Place {
    fn ip(&self, room: &Room) -> IpAddr {
        self.host.as_ref().map_or(room.ip.into(), |host| host.ip)
    }

    /// Starts `reeve master` or `reeve agent`, and asks where it listens.
    fn launch(&self, room: &Room, what: &str, flags: &[String], port: u16) -> (Daemon, SocketAddr) {
        let mut command = room.tool("reeve");
        command.arg(what).args(flags).arg(format!("--port={port}"));
        if let Some(host) = &self.host {
            command = host.run(&command);
        }
        let mut daemon = Daemon::start(room, &self.name, &mut command);
        let address = daemon.addresses(1)[0];
        (daemon, address)
    }
}

impl Master {
    /// Starts one in this room, with these flags beside those that it needs.
    pub fn start(room: &Room, flags: &[&str]) -> Self {
        Self::named(room, "master", None, flags)
    }

    /// Starts one of several in this room, on a host of its own if one is given.
    pub fn named(room: &Room, name: &str, host: Option<&Host>, flags: &[&str]) -> Self {
        let place = Place { name: name.to_owned(), host: host.cloned() };
        let mut all = vec![format!("--work_dir={}", room.join(name).display())];
        all.push(format!("--ip={}", place.ip(room)));
        if place.host.is_some() {
            // Namespaces share this machine's name, and nobody resolves it to where they are.
            all.push(format!("--hostname={}", place.ip(room)));
        }
        all.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let (daemon, address) = place.launch(room, "master", &all, room.port());
        Self { place, daemon, address, flags: all }
    }

    /// Kills it as if the machine had failed.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.daemon.signal(signal);
    }

    /// Whether it still runs.
    pub fn running(&mut self) -> bool {
        self.daemon.running()
    }

    /// What it logged, in this life and those before.
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// Starts it again where it was.
    pub fn restart(&mut self, room: &Room) {
        self.kill();
        let port = self.address.port();
        (self.daemon, self.address) = self.place.launch(room, "master", &self.flags, port);
    }

    /// What one of its endpoints says.
    pub fn get(&self, path: &str) -> Value {
        http::get_json(self.address, path)
    }

    /// Waits until an endpoint says something that `look` is looking for.
    pub fn until<T>(&self, what: &str, path: &str, look: impl Fn(&Value) -> Option<T>) -> T {
        until(what, || look(&http::try_json(self.address, path)?))
    }

    /// Waits for so many active agents.
    pub fn wait_agents(&self, count: usize) {
        self.until(&format!("{count} active agents"), "/slaves", |answer| {
            let all = answer["slaves"].as_array()?;
            let active = all.iter().filter(|agent| agent["active"] == true).count();
            (active == count).then_some(())
        });
    }
}

/// `reeve agent`.
#[derive(Debug)]
pub struct Agent {
    place: Place,
    daemon: Daemon,
    /// Where it listens.
    pub address: SocketAddr,
    flags: Vec<String>,
    work_dir: PathBuf,
}

impl Agent {
    /// Starts one in this room that joins a master, with these flags beside those that it needs.
    pub fn start(room: &Room, master: SocketAddr, flags: &[&str]) -> Self {
        Self::named(room, "agent", None, &master.to_string(), flags)
    }

    /// Starts one of several in this room, on a host of its own if one is given.
    pub fn named(
        room: &Room,
        name: &str,
        host: Option<&Host>,
        master: &str,
        flags: &[&str],
    ) -> Self {
        let place = Place { name: name.to_owned(), host: host.cloned() };
        let work_dir = room.join(name);
        Self::begin(room, place, work_dir, room.port(), master, flags)
    }

    /// Starts one in place of another that is gone: where that one listened, with what it left in
    /// its work directory.
    pub fn instead(room: &Room, master: SocketAddr, address: SocketAddr, work_dir: &Path) -> Self {
        let place = Place { name: "agent".to_owned(), host: None };
        Self::begin(room, place, work_dir.to_owned(), address.port(), &master.to_string(), &[])
    }

    fn begin(
        room: &Room,
        place: Place,
        work_dir: PathBuf,
        port: u16,
        master: &str,
        flags: &[&str],
    ) -> Self {
        let all = Self::flags(room, &place, &work_dir, master, flags);
        let (daemon, address) = place.launch(room, "agent", &all, port);
        Self { place, daemon, address, flags: all, work_dir }
    }

    /// Starts one below another program, which may end it before it says where it listens. When it
    /// is started again, it is without that program.
    pub fn below(
        program: &[&str],
        room: &Room,
        name: &str,
        master: SocketAddr,
        flags: &[&str],
    ) -> Self {
        let place = Place { name: name.to_owned(), host: None };
        let (work_dir, port) = (room.join(name), room.port());
        let all = Self::flags(room, &place, &work_dir, &master.to_string(), flags);
        let mut command = std::process::Command::new(program[0]);
        command.args(&program[1..]).arg(room.tool("reeve").get_program()).arg("agent");
        command.args(&all).arg(format!("--port={port}"));
        let daemon = Daemon::start(room, name, &mut command);
        let address = (room.ip, port).into();
        Self { place, daemon, address, flags: all, work_dir }
    }

    /// The flags of one, all but the port.
    fn flags(
        room: &Room,
        place: &Place,
        work_dir: &Path,
        master: &str,
        flags: &[&str],
    ) -> Vec<String> {
        let run = room.join(&format!("{}-run", place.name));
        let mut all = vec![
            format!("--master={master}"),
            format!("--ip={}", place.ip(room)),
            format!("--work_dir={}", work_dir.display()),
            format!("--runtime_dir={}", run.display()),
            "--hostname=localhost".to_owned(),
            "--registration_backoff_factor=10ms".to_owned(),
            // On a disk that is nearly full, sandboxes would go before a test has looked at them.
            "--gc_disk_headroom=0".to_owned(),
        ];
        if !flags.iter().any(|flag| flag.starts_with("--resources=")) {
            all.push(format!("--resources={RESOURCES}"));
        }
        all.extend(flags.iter().map(|flag| (*flag).to_owned()));
        all
    }

    /// Whether it still runs.
    pub fn running(&mut self) -> bool {
        self.daemon.running()
    }

    /// Kills it, and only it: executors and tasks go on.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    /// Starts it again where it was.
    pub fn restart(&mut self, room: &Room) {
        self.kill();
        let port = self.address.port();
        (self.daemon, self.address) = self.place.launch(room, "agent", &self.flags, port);
    }

    /// Starts it again where it was, with another master.
    pub fn move_to(&mut self, room: &Room, master: &str) {
        self.set("master", master);
        self.restart(room);
    }

    /// Sets a flag for its next start, in place of what it had.
    pub fn set(&mut self, name: &str, value: &str) {
        set(&mut self.flags, name, value);
    }

    /// Kills it and starts it again, which must fail. Returns what it says about that.
    pub fn refused(&mut self, room: &Room) -> String {
        self.kill();
        refusal(room, self.flags.clone(), self.address.port())
    }

    /// Starts a second one beside it, with these flags in place of its own, which must fail.
    /// Returns what it says about that.
    pub fn rival_refused(&self, room: &Room, flags: &[(&str, &str)]) -> String {
        let mut all = self.flags.clone();
        flags.iter().for_each(|(name, value)| set(&mut all, name, value));
        refusal(room, all, room.port())
    }

    /// What it logged, in this life and those before.
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// Asks it to stop and waits until it has; executors and tasks go on.
    pub fn stop(&mut self) {
        self.daemon.signal(Signal::SIGTERM);
        assert!(self.wait().success());
    }

    /// Asks it to leave the cluster for good.
    pub fn leave(&mut self) {
        self.daemon.signal(Signal::SIGUSR1);
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.daemon.wait()
    }

    /// What one of its endpoints says.
    pub fn get(&self, path: &str) -> Value {
        http::get_json(self.address, path)
    }

    /// Where sandboxes and checkpoints are.
    pub fn work_dir(&self) -> &Path {
        &self.work_dir
    }

    /// The sandbox of the executor of a task, running or ended, as `/state` names it.
    pub fn sandbox(&self, executor: &str) -> String {
        sandbox(&self.get("/state"), executor)
            .unwrap_or_else(|| panic!("the agent knows no executor {executor}"))
    }

    /// A file as `/files/read` gives it.
    pub fn read(&self, path: &str) -> String {
        let path = format!("/files/read?path={path}&offset=0&length=65536");
        let answer = self.get(&path);
        answer["data"].as_str().unwrap_or_else(|| panic!("no data in {answer}")).to_owned()
    }

    /// A file of a task's sandbox, as `/files/read` gives it.
    pub fn read_of(&self, task: &str, file: &str) -> String {
        self.read(&format!("{}/{file}", self.sandbox(task)))
    }
}

fn set(flags: &mut Vec<String>, name: &str, value: &str) {
    let start = format!("--{name}=");
    flags.retain(|flag| !flag.starts_with(&start));
    flags.push(format!("{start}{value}"));
}

/// What an agent says that must not start.
fn refusal(room: &Room, flags: Vec<String>, port: u16) -> String {
    let mut command = room.tool("reeve");
    command.arg("agent").args(flags).arg(format!("--port={port}"));
    let output = processes::run(&mut command);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it starts:\n{said}");
    said
}

/// The sandbox of an executor in an agent's `/state`.
pub fn sandbox(state: &Value, executor: &str) -> Option<String> {
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let frameworks = [list(state, "frameworks"), list(state, "completed_frameworks")].concat();
    frameworks
        .iter()
        .flat_map(|one| [list(one, "executors"), list(one, "completed_executors")].concat())
        .find(|one| one["id"] == executor)
        .and_then(|one| Some(one["directory"].as_str()?.to_owned()))
}

/// A master with one agent.
#[derive(Debug)]
pub struct Cluster {
    /// The master.
    pub master: Master,
    /// The agent.
    pub agent: Agent,
    /// Where they live; dropped last, as it kills what they leave behind.
    pub room: Room,
}

impl Cluster {
    /// Starts one and waits until the agent has joined.
    pub fn start() -> Self {
        Self::with(&[], &[])
    }

    /// Starts one with these flags of its own for the master and for the agent.
    pub fn with(master: &[&str], agent: &[&str]) -> Self {
        let room = Room::new();
        let master = Master::start(&room, master);
        let agent = Agent::start(&room, master.address, agent);
        master.wait_agents(1);
        Self { master, agent, room }
    }

    /// Kills the agent as if its process had failed, and starts it again.
    pub fn restart_agent(&mut self) {
        self.agent.restart(&self.room);
    }

    /// Kills the master as if its machine had failed, and starts it again.
    pub fn restart_master(&mut self) {
        self.master.restart(&self.room);
    }
}
