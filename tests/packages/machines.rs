//! The cluster of docs/cluster.md on five machines with addresses of their own: what is done to them is
//! read from that text, and then the leader's machine is cut off.

use reeve_tests::{Host as Place, Network, until};

use crate::container::Container;
use crate::host::Host;
use crate::text::{Step, steps};

const TEXT: &str = include_str!("../../docs/cluster.md");

/// How many machines have ZooKeeper and a master; the others have an agent.
const MASTERS: usize = 3;

/// Machines `node1`, `node2`, …, booted.
struct Machines {
    hosts: Vec<Host>,
    /// Where each is in the network.
    places: Vec<Place>,
    /// Ends after its hosts.
    network: Network,
}

impl Machines {
    fn boot(count: usize) -> Option<Self> {
        let mut network = Network::new()?;
        let booted = (0..count).map(|_| Container::booted_in(&mut network));
        let containers = booted.collect::<Option<Vec<_>>>()?;
        let places: Vec<Place> =
            containers.iter().map(|container| container.place.clone()).collect();
        let hosts: Vec<Host> =
            containers.into_iter().map(|one| Host::Container(Box::new(one))).collect();
        let named = places.iter().enumerate();
        let names: Vec<String> =
            named.map(|(at, place)| format!("{} node{}", place.ip, at + 1)).collect();
        for (at, host) in hosts.iter().enumerate() {
            host.run(&format!("hostname node{}", at + 1));
            host.run(&format!("printf '%s\\n' '{}' >> /etc/hosts", names.join("' '")));
            // Who follows the text answers yes.
            host.run("echo 'APT::Get::Assume-Yes \"true\";' > /etc/apt/apt.conf.d/yes");
        }
        Some(Self { hosts, places, network })
    }

    /// Does on a machine what the text says below a heading, with the words that are the machine's own.
    fn follow(&self, heading: &str, at: usize) {
        let host = &self.hosts[at];
        let own = |text: &str| {
            text.replace("NODE", &format!("node{}", at + 1))
                .replace("ADDRESS", &self.places[at].ip.to_string())
                .replace("echo 1 >", &format!("echo {} >", at + 1))
                .replace("./reeve", "/packages/deb/first/reeve")
        };
        for step in steps(TEXT, heading) {
            match step {
                Step::Run(command) => drop(host.run(&format!("{} 2>&1", own(&command)))),
                Step::Write { path, text } => host.write(&path, &own(&text)),
            }
        }
    }

    /// The machine whose master leads, of these; waits for one.
    fn leader(&self, of: &[usize]) -> usize {
        until("a master to lead", || of.iter().copied().find(|at| leads(&self.hosts[*at])))
    }
}

fn leads(host: &Host) -> bool {
    host.try_run("curl -sf -m 2 localhost:5050/state-summary").status.success()
}

#[test]
fn a_cluster_set_up_as_the_text_says_outlives_its_leader() {
    let Some(machines) = Machines::boot(5) else { return };
    for at in 0..MASTERS {
        machines.follow("ZooKeeper", at);
    }
    for at in 0..MASTERS {
        machines.follow("Masters", at);
    }
    for at in MASTERS..5 {
        machines.follow("Agents", at);
    }
    let agent = &machines.hosts[4];
    let listing = "reeve agent list --master=zk://node1:2181,node2:2181,node3:2181/mesos";
    agent.until("both agents", &format!("test $({listing} | grep -c active) = 2"));
    machines.follow("Try it", 4);

    // A task that is there before and after.
    let execute = "mesos-execute --master=zk://node1:2181,node2:2181,node3:2181/mesos";
    agent.run(&format!(
        "systemd-run --quiet {execute} --name=long --checkpoint --command='sleep 4321'"
    ));
    let running = "pgrep -xf 'sleep 4321'";
    let on = until("the task", || {
        (MASTERS..5).find(|at| machines.hosts[*at].try_run(running).status.success())
    });
    let task = machines.hosts[on].run(running);

    let old = machines.leader(&[0, 1, 2]);
    machines.network.isolate(&machines.places[old]);
    let others: Vec<usize> = (0..MASTERS).filter(|at| *at != old).collect();
    machines.leader(&others);
    agent.until("both agents", &format!("test $({listing} | grep -c active) = 2"));
    let said = agent.run(&format!("{execute} --name=after --command=true"));
    assert!(said.contains("TASK_FINISHED"), "{said}");
    assert_eq!(machines.hosts[on].run(running), task);
    assert!(!leads(&machines.hosts[old]), "it leads although it is cut off");

    machines.network.heal();
    let host = &machines.hosts[old];
    host.until(
        "the old leader to know the new one",
        "curl -sI localhost:5050/state | grep -q '^HTTP/1.1 307'",
    );
}
