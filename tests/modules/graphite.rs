//! Anonymous modules: those that are only there, and see the metrics.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::time::Duration;

use reeve_tests::{Agent, Master, Room, until};

use crate::{built, run, said, text};

/// The settings of a daemon whose metrics go there.
fn settings(room: &Room, daemon: &str, graphite: &TcpListener) -> String {
    let path = room.join(&format!("{daemon}.toml"));
    let address = graphite.local_addr().unwrap();
    let written = format!(
        "anonymous_modules = [\"graphite\"]\n\
         [modules.graphite]\naddress = \"{address}\"\nprefix = \"test.{daemon}\"\n"
    );
    std::fs::write(&path, written).unwrap();
    format!("--config={}", path.display())
}

/// Waits until a metric arrives with this value; it may have another one while a daemon starts.
fn arrives(graphite: &TcpListener, metric: &str, expected: f64) {
    for _ in 0..5 {
        let (socket, _) = graphite.accept().unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        for line in BufReader::new(socket).lines().map_while(Result::ok) {
            let words: Vec<&str> = line.split(' ').collect();
            let [name, value, seconds] = words.as_slice() else { panic!("{line}") };
            assert!(seconds.parse::<u64>().unwrap() > 1_700_000_000, "{line}");
            if *name == metric && value.parse() == Ok(expected) {
                return;
            }
        }
    }
    panic!("{metric} never is {expected}");
}

#[test]
fn graphite_gets_the_metrics_of_both_daemons() {
    let room = Room::new();
    let graphite = TcpListener::bind("127.0.0.1:0").unwrap();
    let master = Master::start(&room, &[&settings(&room, "master", &graphite)]);
    arrives(&graphite, "test.master.master.elected", 1.0);
    let agent = Agent::start(&room, master.address, &[&settings(&room, "agent", &graphite)]);
    arrives(&graphite, "test.agent.slave.cpus_total", 4.0);
    let agent = agent.address.to_string();
    let shown = text(&run(&room, "reeve", &["module", "list", &agent]).stdout);
    assert!(shown.contains("\nanonymous graphite "), "{shown}");
}

#[test]
fn a_daemon_does_not_need_graphite() {
    let room = Room::new();
    let graphite = TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = settings(&room, "master", &graphite);
    // Nobody listens there any more.
    drop(graphite);
    let master = Master::start(&room, &[&settings]);
    until("the module to be named", || {
        let modules = master.get("/modules");
        let all = modules["modules"].as_array()?;
        all.iter().any(|module| module["name"] == "graphite").then_some(())
    });
    assert_eq!(master.get("/metrics/snapshot")["master/elected"], 1.0);
}

#[test]
fn the_bundled_module_passes_its_check() {
    let room = Room::new();
    let file = built::bundled("libreeve_anonymous_graphite.so");
    let words = ["module", "check", file.to_str().unwrap(), "--set", "address=127.0.0.1:9"];
    let output = run(&room, "reeve", &words);
    assert!(output.status.success(), "{}", said(&output));
}
