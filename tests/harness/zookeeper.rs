//! An ensemble of real ZooKeeper servers for one test. It needs Java and the Debian package
//! `libzookeeper-java`.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::daemon::Daemon;
use crate::keys::Keys;
use crate::network::Host;
use crate::room::Room;
use crate::wait::until;

/// What Debian installs; it names the libraries that it needs.
const JAR: &str = "/usr/share/java/zookeeper.jar";

/// What it does not name: the log to standard error, and all that TLS needs.
const MORE: &str = "/usr/share/java/slf4j-simple.jar:/usr/share/java/netty-codec.jar:\
                    /usr/share/java/netty-resolver.jar";

/// The servers' clock. Sessions live for two of these at the least, and twenty at the most.
const TICK: Duration = Duration::from_millis(500);

/// Where server number 0 listens; the others at the ports after it. A room has an address of its
/// own, so they are free.
const CLIENTS: u16 = 2181;
const TLS_CLIENTS: u16 = 2281;
const FOLLOWERS: u16 = 2888;
const ELECTION: u16 = 3888;

/// Servers, numbered from 0.
#[derive(Debug)]
pub struct ZooKeeper {
    servers: Vec<Option<Daemon>>,
    places: Vec<Place>,
    tls: bool,
}

/// Where a server runs.
#[derive(Clone, Debug)]
struct Place {
    ip: IpAddr,
    /// The host; none: this one.
    host: Option<Host>,
}

impl ZooKeeper {
    /// The shortest session that the servers grant.
    pub const SHORTEST_SESSION: Duration = Duration::from_millis(1000);

    /// Starts so many servers and waits until they serve. None, and why, if this machine has no
    /// ZooKeeper to start.
    pub fn start(room: &Room, count: usize) -> Option<Self> {
        Self::start_with(room, here(room, count), "")
    }

    /// Starts a server on each of these hosts.
    pub fn start_on(room: &Room, hosts: &[Host]) -> Option<Self> {
        let place = |host: &Host| Place { ip: host.ip, host: Some(host.clone()) };
        Self::start_with(room, hosts.iter().map(place).collect(), "")
    }

    /// The same with TLS beside plain TCP. The servers show this certificate, and ask for it from
    /// whoever comes.
    pub fn start_tls(room: &Room, count: usize, keys: &Keys) -> Option<Self> {
        let read = |file: &PathBuf| std::fs::read_to_string(file).expect("a key or certificate");
        let both = room.join("zookeeper.pem");
        std::fs::write(&both, [read(&keys.key), read(&keys.cert)].concat()).expect("a file");
        let keys = both.display();
        let mut ensemble = Self::start_with(
            room,
            here(room, count),
            &format!(
                "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory\n\
                 ssl.keyStore.location={keys}\nssl.keyStore.type=PEM\n\
                 ssl.trustStore.location={keys}\nssl.trustStore.type=PEM\nssl.clientAuth=need\n\
                 secureClientPortAddress={}\n",
                room.ip
            ),
        )?;
        ensemble.tls = true;
        Some(ensemble)
    }

    fn start_with(room: &Room, places: Vec<Place>, more: &str) -> Option<Self> {
        if let Some(why) = lacking() {
            eprintln!("left out: {why}");
            return None;
        }
        let mut ensemble = Self { servers: Vec::new(), places, tls: false };
        for number in 0..ensemble.places.len() {
            configure(room, number, &ensemble.places, more);
            ensemble.servers.push(None);
            ensemble.launch(room, number);
        }
        ensemble.wait_serving();
        Some(ensemble)
    }

    fn launch(&mut self, room: &Room, number: usize) {
        let home = home(room, number);
        let mut command = Command::new("java");
        command
            .args(["-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            // Nothing here outlives its machine.
            .args(["-Dzookeeper.forceSync=no", "-Dzookeeper.preAllocSize=64"])
            .args(["-cp", &format!("{JAR}:{MORE}")])
            .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain")
            .arg(home.join("zoo.cfg"));
        if let Some(host) = &self.places[number].host {
            command = host.run(&command);
        }
        let daemon = Daemon::start(room, &format!("zookeeper-{number}"), &mut command);
        self.servers[number] = Some(daemon);
    }

    /// The URL of a path of the ensemble.
    pub fn url(&self, path: &str) -> String {
        format!("zk://{}{path}", self.servers().join(","))
    }

    /// The same with a user and a password.
    pub fn url_as(&self, user: &str, password: &str, path: &str) -> String {
        format!("zk://{user}:{password}@{}{path}", self.servers().join(","))
    }

    /// Each server's `host:port` for clients.
    pub fn servers(&self) -> Vec<String> {
        let first = if self.tls { TLS_CLIENTS } else { CLIENTS };
        let places = self.places.iter().enumerate();
        places.map(|(number, place)| format!("{}:{}", place.ip, at(first, number))).collect()
    }

    /// Kills a server as if its machine had failed.
    pub fn kill(&mut self, number: usize) {
        self.servers[number] = None;
    }

    /// Starts a killed server again.
    pub fn restart(&mut self, room: &Room, number: usize) {
        self.kill(number);
        self.launch(room, number);
    }

    /// Stops a server in the middle of whatever it does.
    pub fn pause(&self, number: usize) {
        self.signal(number, Signal::SIGSTOP);
    }

    /// Lets a stopped server go on.
    pub fn resume(&self, number: usize) {
        self.signal(number, Signal::SIGCONT);
    }

    fn signal(&self, number: usize, signal: Signal) {
        self.servers[number].as_ref().expect("the server was not killed").signal(signal);
    }

    /// The number of the server that leads the ensemble; waits for one.
    pub fn leader(&self) -> usize {
        until("a ZooKeeper server to lead", || {
            let leads = |number: &usize| {
                ["leader", "standalone"].contains(&self.mode(*number).as_deref().unwrap_or(""))
            };
            (0..self.servers.len()).find(leads)
        })
    }

    /// Waits until every server that runs serves clients.
    pub fn wait_serving(&self) {
        for (number, server) in self.servers.iter().enumerate() {
            if server.is_some() {
                // On a busy machine a Java program takes its time, and then the servers theirs.
                let what = format!("ZooKeeper server {number} to start");
                until(&what, || TcpStream::connect(self.address(number)).ok());
                let what = format!("ZooKeeper server {number} to serve");
                until(&what, || self.mode(number));
            }
        }
    }

    /// What a server says it is: `leader`, `follower` or `standalone`; nothing while it does not
    /// serve.
    pub fn mode(&self, number: usize) -> Option<String> {
        self.servers[number].as_ref()?;
        let answer = self.ask(number, "srvr")?;
        let line = answer.lines().find_map(|line| line.strip_prefix("Mode: "))?;
        Some(line.trim().to_owned())
    }

    fn address(&self, number: usize) -> SocketAddr {
        SocketAddr::new(self.places[number].ip, at(CLIENTS, number))
    }

    fn ask(&self, number: usize, word: &str) -> Option<String> {
        let patience = Duration::from_secs(2);
        let mut socket = TcpStream::connect_timeout(&self.address(number), patience).ok()?;
        socket.set_read_timeout(Some(patience)).ok()?;
        socket.write_all(word.as_bytes()).ok()?;
        socket.shutdown(Shutdown::Write).ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

fn home(room: &Room, number: usize) -> PathBuf {
    room.join(&format!("zookeeper-{number}"))
}

fn at(first: u16, number: usize) -> u16 {
    first + u16::try_from(number).expect("a handful of servers")
}

/// Servers beside each other on this host.
fn here(room: &Room, count: usize) -> Vec<Place> {
    vec![Place { ip: room.ip.into(), host: None }; count]
}

fn configure(room: &Room, number: usize, places: &[Place], more: &str) {
    let (home, ip, tick) = (home(room, number), places[number].ip, TICK.as_millis());
    std::fs::create_dir_all(&home).expect("a directory in the room");
    let mut text = format!(
        "tickTime={tick}\ninitLimit=40\nsyncLimit=10\ndataDir={}\nclientPortAddress={ip}\n\
         clientPort={}\nmaxClientCnxns=0\nadmin.enableServer=false\n\
         4lw.commands.whitelist=srvr\n{more}",
        home.display(),
        at(CLIENTS, number),
    );
    if more.contains("secureClientPortAddress") {
        text.push_str(&format!("secureClientPort={}\n", at(TLS_CLIENTS, number)));
    }
    for (other, Place { ip, .. }) in places.iter().enumerate().filter(|_| places.len() > 1) {
        let (followers, election) = (at(FOLLOWERS, other), at(ELECTION, other));
        text.push_str(&format!("server.{other}={ip}:{followers}:{election}\n"));
    }
    for (name, text) in [("zoo.cfg", text), ("myid", number.to_string())] {
        std::fs::write(home.join(name), text).expect("a file in the room");
    }
}

/// What this machine lacks for a server.
fn lacking() -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|room| room.join("java").is_file()) {
        return Some("no java (Debian: default-jre-headless)".to_owned());
    }
    (!Path::new(JAR).is_file()).then(|| format!("no {JAR} (Debian: libzookeeper-java)"))
}
