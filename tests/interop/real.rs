//! A real Mesos, if this machine can have one, and its master.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use reeve_tests::{Daemon, Room, http, processes, until};
use serde_json::Value;

/// The script that sets a real Mesos up and starts parts of it.
pub const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/real_mesos.py");

/// How the script says that it can't, and has said why.
const NOT_HERE: i32 = 3;

/// A master of Apache Mesos 1.11 with no agents of its own.
#[derive(Debug)]
pub struct RealMaster {
    /// Where it listens.
    pub address: SocketAddr,
    _daemon: Daemon,
}

impl RealMaster {
    /// Starts one in this room. Nothing, if this machine can't: the reason is told.
    pub fn start(room: &Room) -> Option<Self> {
        Self::start_with(room, &[])
    }

    /// Starts one with these settings in its environment.
    pub fn start_with(room: &Room, settings: &[(&str, String)]) -> Option<Self> {
        let home = installed()?;
        let address = free_address();
        let mut command = Command::new("python3");
        command.args([SCRIPT, "master"]).arg(home).arg(address.port().to_string()).arg("600");
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        let mut daemon = Daemon::start(room, "real-master", &mut command);
        until("the real master to answer", || {
            assert!(daemon.running(), "the real master ended:\n{}", daemon.log());
            http::try_json(address, "/master/state")
        });
        Some(Self { address, _daemon: daemon })
    }

    /// Waits until its `/master/state` has what `look` is looking for.
    pub fn until<T>(&self, what: &str, look: impl Fn(&Value) -> Option<T>) -> T {
        until(what, || look(&http::try_json(self.address, "/master/state")?))
    }

    /// Waits for one active agent and gives its id.
    pub fn agent(&self) -> String {
        self.until("our agent at the real master", |state| {
            let slaves = state["slaves"].as_array()?;
            let active = slaves.iter().find(|slave| slave["active"] == true)?;
            Some(active["id"].as_str()?.to_owned())
        })
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

/// It can't be told to take a free port, so one is looked up just before.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound socket has an address")
}
