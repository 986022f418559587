//! Hosts of their own for daemons: network namespaces on one switch, whose wires can be cut, in one
//! direction too. It needs root, and the Debian packages `iproute2` and `nftables`.

use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::processes;

static NETWORKS: AtomicU8 = AtomicU8::new(0);

/// A switch. Dropping it takes the hosts away.
#[derive(Debug)]
pub struct Network {
    /// The name of the bridge, and of all that belongs to it.
    name: String,
    subnet: [u8; 3],
    hosts: Vec<Host>,
}

/// A host on a switch.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its address.
    pub ip: IpAddr,
    namespace: String,
    /// Its port of the switch.
    port: String,
}

impl Host {
    /// The name of its network namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The command, but on this host: it sees this host's network, and all else as before.
    pub fn run(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside.arg(format!("--net=/run/netns/{}", self.namespace)).arg("--");
        inside.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }
}

impl Network {
    /// A switch without hosts, on which this process has an address too. None, and why is told, if
    /// this machine can't have one.
    pub fn new() -> Option<Self> {
        let number = NETWORKS.fetch_add(1, Ordering::Relaxed);
        let own = std::process::id();
        let name = format!("rv{own:x}n{number}");
        // Parallel test programs differ in their process ids, networks of one in their numbers.
        let subnet = [10, 64 | ((own >> 8) as u8 & 63), (own as u8).wrapping_add(number)];
        let new = Self { name, subnet, hosts: Vec::new() };
        let [a, b, c] = subnet;
        let made = ip(&["link", "add", &new.name, "type", "bridge"])
            .and_then(|()| ip(&["addr", "add", &format!("{a}.{b}.{c}.1/24"), "dev", &new.name]))
            .and_then(|()| ip(&["link", "set", &new.name, "up"]))
            .and_then(|()| {
                nft(&format!(
                    "add table bridge {0}; add chain bridge {0} cuts {{ type filter hook forward \
                 priority 0; }}",
                    new.name
                ))
            });
        match made {
            Ok(()) => Some(new),
            Err(why) => {
                eprintln!("left out: a network of namespaces can't be made here: {why}");
                None
            }
        }
    }

    /// Another host.
    ///
    /// # Panics
    ///
    /// If the kernel refuses.
    pub fn host(&mut self) -> Host {
        let number = self.hosts.len();
        let [a, b, c] = self.subnet;
        let last = u8::try_from(number + 2).expect("a network has few hosts");
        let address = Ipv4Addr::new(a, b, c, last);
        let (namespace, port) =
            (format!("{}h{number}", self.name), format!("{}p{number}", self.name));
        let inside = |words: &[&str]| ip(&[&["-n", &namespace], words].concat());
        let made = ip(&["netns", "add", &namespace])
            .and_then(|()| {
                ip(&[
                    "link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns",
                    &namespace,
                ])
            })
            .and_then(|()| ip(&["link", "set", &port, "master", &self.name]))
            .and_then(|()| ip(&["link", "set", &port, "up"]))
            .and_then(|()| inside(&["addr", "add", &format!("{address}/24"), "dev", "eth0"]))
            .and_then(|()| inside(&["link", "set", "eth0", "up"]))
            .and_then(|()| inside(&["link", "set", "lo", "up"]));
        made.unwrap_or_else(|why| panic!("a host can't be made: {why}"));
        self.hosts.push(Host { ip: address.into(), namespace, port });
        self.hosts[number].clone()
    }

    /// Nothing gets from one host to the other any more; the other direction stays as it is.
    pub fn cut(&self, from: &Host, to: &Host) {
        let (from, to) = (&from.port, &to.port);
        must(nft(&format!("add rule bridge {} cuts iifname {from} oifname {to} drop", self.name)));
    }

    /// Nothing gets between the two any more.
    pub fn part(&self, one: &Host, other: &Host) {
        self.cut(one, other);
        self.cut(other, one);
    }

    /// Nothing gets between this host and any other.
    pub fn isolate(&self, host: &Host) {
        for other in self.hosts.iter().filter(|other| other.port != host.port) {
            self.part(host, other);
        }
    }

    /// All wires are whole again.
    pub fn heal(&self) {
        must(nft(&format!("flush chain bridge {} cuts", self.name)));
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // What is missing already need not be taken away.
        for host in &self.hosts {
            drop(ip(&["netns", "del", &host.namespace]));
        }
        drop(ip(&["link", "del", &self.name]));
        drop(nft(&format!("delete table bridge {}", self.name)));
    }
}

fn must(outcome: Result<(), String>) {
    outcome.unwrap_or_else(|why| panic!("{why}"));
}

fn ip(words: &[&str]) -> Result<(), String> {
    outcome("ip", words)
}

fn nft(rules: &str) -> Result<(), String> {
    outcome("nft", &[rules])
}

fn outcome(program: &str, words: &[&str]) -> Result<(), String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let Some(found) =
        places.into_iter().map(|place| place.join(program)).find(|file| file.is_file())
    else {
        return Err(format!("there is no {program}"));
    };
    let output = processes::run(Command::new(found).args(words));
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{program} {}: {}",
            words.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        )),
    }
}
