//! A Debian system in a container that systemd-nspawn runs: systemd, the journal and a network of its
//! own, on this kernel. What is done to it is gone with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use reeve_tests::{Daemon, Host as Place, Network, Room, processes, until};

use crate::host::ENVIRONMENT;

/// The resource controllers, each with a hierarchy of its own on hosts with cgroups v1.
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";

/// A system in a container. Dropping it switches it off.
#[derive(Debug)]
pub struct Container {
    name: String,
    /// The process id of its systemd.
    leader: String,
    daemon: Option<Daemon>,
    /// Where it is in its network.
    pub place: Place,
    /// Kept for as long as it runs: a network of its own, if it is in no other's.
    own_network: Option<Network>,
    _room: Room,
}

impl Container {
    /// Boots one alone.
    pub fn booted() -> Option<Self> {
        let mut network = Network::new().expect("a network of namespaces; see why above");
        let mut container = Self::booted_in(&mut network)?;
        container.own_network = Some(network);
        Some(container)
    }

    /// Boots one from the root that `REEVE_ROOT` names, with the packages of `REEVE_PACKAGES`: of each
    /// kind `first/` and, of a higher version, `second/`. None without them.
    pub fn booted_in(network: &mut Network) -> Option<Self> {
        let given = |name| std::env::var_os(name).map(PathBuf::from);
        let Some((root, packages)) = given("REEVE_ROOT").zip(given("REEVE_PACKAGES")) else {
            eprintln!("left out: `make test-packages` makes packages and tests them");
            return None;
        };
        Some(Self::boot(&root, &packages, network.host()))
    }

    /// Boots one from an unpacked root, which stays as it is. In it, `/packages` is that directory.
    fn boot(root: &Path, packages: &Path, place: Place) -> Self {
        let room = Room::new();
        let name = format!("reeve-{}", place.ip).replace('.', "-");
        for group in control_groups(&name) {
            std::fs::create_dir_all(&group).expect("a control group");
            // Without processors and memory, nothing may run in one.
            for file in ["cpuset.cpus", "cpuset.mems"] {
                let above = group.parent().expect("a hierarchy").join(file);
                if let Ok(text) = std::fs::read_to_string(above) {
                    drop(std::fs::write(group.join(file), text));
                }
            }
        }
        let script = format!(
            "for group in {CONTROL_GROUPS}/*/; do echo $$ > $group/{name}/cgroup.procs; done\n\
             exec systemd-nspawn --quiet --directory={} --volatile=overlay --boot --register=no \
             --keep-unit --network-namespace-path=/run/netns/{} --console=pipe --machine={name} \
             --bind-ro={}:/packages",
            root.display(),
            place.namespace(),
            packages.display(),
        );
        let daemon = Daemon::start(&room, "host", Command::new("bash").args(["-c", &script]));
        let leader = until("the host's first process", || leader(&name));
        let container =
            Self { name, leader, daemon: Some(daemon), place, own_network: None, _room: room };
        let try_run = |command: &str| processes::run(&mut container.command(command));
        // Where tasks are limited, control groups must be writable.
        try_run(&format!(
            "for group in {CONTROL_GROUPS} {CONTROL_GROUPS}/*/; do mount -o remount,bind,rw \
             $group; done"
        ));
        until("the host to be up", || {
            let state = try_run("systemctl is-system-running");
            let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
            ["running", "degraded"].contains(&state.as_str()).then_some(())
        });
        container
    }

    /// Where a file of it is, seen from here.
    pub fn file(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.leader))
    }

    /// What runs a command there.
    pub fn command(&self, command: &str) -> Command {
        let mut inside = Command::new("nsenter");
        inside.args(["-t", &self.leader, "-a", "--", "env", "-i"]).args(ENVIRONMENT);
        inside.args(["bash", "-c", command]);
        inside
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // The first process takes all others with it.
        let _gone = processes::run(Command::new("kill").args(["-9", &self.leader]));
        self.daemon = None;
        for group in control_groups(&self.name) {
            let all = ["-depth", "-type", "d", "-exec", "rmdir", "{}", ";"];
            drop(processes::run(Command::new("find").arg(group).args(all)));
        }
    }
}

/// Its control group in each hierarchy.
fn control_groups(name: &str) -> Vec<PathBuf> {
    let hierarchies = std::fs::read_dir(CONTROL_GROUPS).expect("control groups").flatten();
    hierarchies
        .map(|one| one.path())
        .filter(|path| path.is_dir())
        .map(|path| path.join(name))
        .collect()
}

/// The child of the nspawn process of that name.
fn leader(name: &str) -> Option<String> {
    let pattern = format!("systemd-nspawn.*--machine={name}");
    let pids = |arguments: &[&str]| {
        let output = processes::run(Command::new("pgrep").args(arguments));
        String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
    };
    let nspawn = pids(&["-f", &format!("^{pattern}")])?;
    let leader = pids(&["-P", &nspawn])?;
    // It is the host's once it has become systemd.
    let program = std::fs::read_to_string(format!("/proc/{leader}/comm")).ok()?;
    (program.trim() == "systemd").then_some(leader)
}
