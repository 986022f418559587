//! A real master and a real agent, if this machine can have them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nix::sys::signal::Signal;
use reeve_tests::cluster::RESOURCES;
use reeve_tests::room::program;
use reeve_tests::{Daemon, Room, http, processes, until};
use serde_json::{Value, json};

/// The script that sets a real Mesos up and starts parts of it.
pub const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/real_mesos.py");

/// How the script says that it can't, and has said why.
const NOT_HERE: i32 = 3;

/// Flags, by their names in the environment, such as `MESOS_RESOURCES`.
pub type Flags<'a> = &'a [(&'a str, &'a str)];

/// A process of Apache Mesos 1.11 that can be killed and started again.
#[derive(Debug)]
struct Process {
    name: &'static str,
    /// Where it listens.
    address: SocketAddr,
    work: PathBuf,
    flags: Vec<(String, String)>,
    daemon: Option<Daemon>,
}

impl Process {
    /// One that does not run yet.
    fn new(room: &Room, name: &'static str, flags: Flags<'_>) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let flags = flags.iter().map(own).collect();
        Self { name, address: free_address(room.ip), work: room.join(name), flags, daemon: None }
    }

    /// Starts it; `more` follows the words that all have.
    fn launch(&mut self, room: &Room, home: &Path, verb: &str, more: &[String]) {
        self.daemon = None;
        let mut command = Command::new("python3");
        command.args([SCRIPT, verb]).arg(home).arg(self.address.to_string()).arg(&self.work);
        command.args(more).envs(self.flags.iter().cloned());
        self.daemon = Some(Daemon::start(room, self.name, &mut command));
    }

    /// What an endpoint says, if it does; a process that has ended fails the test.
    fn ask(&mut self, path: &str) -> Option<Value> {
        let daemon = self.daemon.as_mut().expect("it was started");
        assert!(daemon.running(), "{} ended:\n{}", self.name, daemon.log());
        http::try_json(self.address, path)
    }
}

/// A master of Apache Mesos 1.11 with no agents of its own.
#[derive(Debug)]
pub struct RealMaster {
    /// Where it listens.
    pub address: SocketAddr,
    process: Process,
    /// Where it contends for leadership.
    zk: Option<String>,
}

impl RealMaster {
    /// Starts one in this room. Nothing, if this machine can't: the reason is told.
    pub fn start(room: &Room) -> Option<Self> {
        Self::named(room, "real-master", &[])
    }

    /// Starts one of several, with these flags.
    pub fn named(room: &Room, name: &'static str, flags: Flags<'_>) -> Option<Self> {
        installed()?;
        let process = Process::new(room, name, flags);
        let mut master = Self { address: process.address, process, zk: None };
        master.restart(room);
        Some(master)
    }

    /// Starts one that contends for leadership at a `zk://` URL.
    pub fn contending(room: &Room, zk: String) -> Option<Self> {
        installed()?;
        let process = Process::new(room, "real-master", &[]);
        let mut master = Self { address: process.address, process, zk: Some(zk) };
        master.restart(room);
        Some(master)
    }

    /// Kills it as if its machine had failed.
    pub fn kill(&mut self) {
        self.process.daemon = None;
    }

    /// Starts it again where it was, after a kill if it still runs.
    pub fn restart(&mut self, room: &Room) {
        let home = installed().expect("it was started before");
        self.process.launch(room, &home, "master", self.zk.as_slice());
        // One that does not lead tells of no state.
        let path = if self.zk.is_some() { "/version" } else { "/master/state" };
        until("the real master to answer", || self.process.ask(path));
    }

    /// Waits until its `/master/state` has what `look` is looking for.
    pub fn until<T>(&self, what: &str, look: impl Fn(&Value) -> Option<T>) -> T {
        until(what, || look(&http::try_json(self.address, "/master/state")?))
    }

    /// A call of its operator API, which must be accepted.
    pub fn operate(&self, call: &Value) {
        let headers = [("Content-Type", "application/json")];
        let body = call.to_string();
        let answer = http::send(self.address, "POST", "/master/api/v1", &headers, body.as_bytes());
        let (status, text) = (answer.status(), answer.text());
        assert!([200, 202].contains(&status), "{call}: {status} {text}");
    }

    /// Waits for one active agent and gives its id.
    pub fn agent(&self) -> String {
        self.until("an agent at the real master", |state| {
            let slaves = state["slaves"].as_array()?;
            let active = slaves.iter().find(|slave| slave["active"] == true)?;
            Some(active["id"].as_str()?.to_owned())
        })
    }
}

/// An agent of Apache Mesos 1.11 that runs commands by our executor.
#[derive(Debug)]
pub struct RealAgent {
    /// Where it listens.
    pub address: SocketAddr,
    process: Process,
    master: SocketAddr,
}

impl RealAgent {
    /// Starts one in this room that joins a master. Nothing, if this machine can't.
    pub fn start(room: &Room, master: SocketAddr, flags: Flags<'_>) -> Option<Self> {
        Self::before(room, master, flags, |_| ())
    }

    /// The same, and tells where it will listen before it does.
    pub fn before(
        room: &Room,
        master: SocketAddr,
        flags: Flags<'_>,
        tell: impl FnOnce(SocketAddr),
    ) -> Option<Self> {
        installed()?;
        let executor = json!({
            "REEVE_EXECUTOR": program("reeve-executor"),
            "TEST_EXECUTOR": env!("CARGO_BIN_EXE_test-executor"),
        });
        let executor = executor.to_string();
        let own = [
            ("MESOS_RESOURCES", RESOURCES),
            ("MESOS_HOSTNAME", "localhost"),
            ("MESOS_REGISTRATION_BACKOFF_FACTOR", "10ms"),
            ("MESOS_EXECUTOR_ENVIRONMENT_VARIABLES", executor.as_str()),
        ];
        let process = Process::new(room, "real-agent", &[&own, flags].concat());
        tell(process.address);
        let mut agent = Self { address: process.address, process, master };
        agent.restart(room);
        Some(agent)
    }

    /// Kills it, and only it: executors and tasks go on.
    pub fn kill(&mut self) {
        self.process.daemon = None;
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.daemon.as_ref().expect("it was started").signal(signal);
    }

    /// Starts it again where it was, after a kill if it still runs.
    pub fn restart(&mut self, room: &Room) {
        let home = installed().expect("it was started before");
        self.process.launch(room, &home, "agent", &[self.master.to_string()]);
        until("the real agent to answer", || self.process.ask("/slave(1)/state"));
    }

    /// Starts it again where it was, with another master.
    pub fn move_to(&mut self, room: &Room, master: SocketAddr) {
        self.master = master;
        self.restart(room);
    }

    /// What its `/state` says.
    pub fn state(&self) -> Value {
        http::get_json(self.address, "/slave(1)/state")
    }

    /// Its `--work_dir`.
    pub fn work_dir(&self) -> PathBuf {
        self.process.work.join("agents/0/work")
    }
}

/// Where it is installed, below cargo's target directory; installs it the first time. Nothing, if
/// this machine can't: the reason is told.
pub fn installed() -> Option<PathBuf> {
    static HOME: OnceLock<Option<PathBuf>> = OnceLock::new();
    HOME.get_or_init(install).clone()
}

fn install() -> Option<PathBuf> {
    let own = std::env::current_exe().expect("a test has a program");
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|room| room.join("python3").is_file()) {
        eprintln!("left out: a real Mesos is set up by a script, which needs python3");
        return None;
    }
    let home = own.ancestors().nth(3).expect("target/PROFILE/deps").join("real-mesos");
    let output = processes::run(Command::new("python3").args([SCRIPT, "install"]).arg(&home));
    let log = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => Some(home),
        Some(NOT_HERE) => {
            eprintln!("left out: {log}");
            None
        }
        _ => panic!("a real Mesos could not be installed:\n{log}"),
    }
}

/// They can't be told to take a free port, so one is looked up just before.
fn free_address(ip: Ipv4Addr) -> SocketAddr {
    let listener = TcpListener::bind((ip, 0)).expect("a free port");
    listener.local_addr().expect("a bound socket has an address")
}
