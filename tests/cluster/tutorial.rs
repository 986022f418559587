//! The tutorial that introduced many to Mesos, word for word.

use std::process::Stdio;
use std::time::{Duration, Instant};

use reeve_tests::cluster::sandbox;
use reeve_tests::{Room, http, processes, until};
use regex::Regex;

use crate::local;

/// What the tutorial types. Only the port differs here: a test takes a free one.
const COMMAND: &str = r#"mesos-execute --master="127.0.1.1:5050" --name="my-first-task" --command="echo hello world && sleep 10" --resources="cpus:1;mem:128""#;

/// What it shows then: log lines of the library, and lines of the tool. `LOG` is the head of a log
/// line, `FW` the framework's id, which is the same throughout.
const SHOWN: &[&str] = &[
    r"LOG Version: \S+",
    r"LOG New master detected at master@127\.0\.1\.1:5050",
    r"LOG No credentials provided\. Attempting to register without authentication ?",
    r"LOG Framework registered with FW",
    r"Framework registered with FW",
    r"task my-first-task submitted to slave \S+-S\d+",
    r"Received status update TASK_RUNNING for task my-first-task",
    r"Received status update TASK_FINISHED for task my-first-task",
    r"LOG Asked to stop the driver",
    r"LOG Stopping framework 'FW'",
];

const LOG: &str = r"I\d{4} \d{2}:\d{2}:\d{2}\.\d{6} +\d+ \S+:\d+\]";

#[test]
fn the_first_task_looks_as_in_the_tutorial() {
    let room = Room::new();
    let (_daemon, addresses) = local::start(&room, &["127.0.0.1", "127.0.1.1"], &[]);
    let port = addresses[1].port();
    let agent = local::agents(addresses[1], 1)[0];
    room.tool("mesos-execute");

    let started = Instant::now();
    let words = COMMAND.replace(":5050", &format!(":{port}"));
    let mut shell = std::process::Command::new("sh");
    shell.arg("-c").arg(format!("{words} 2>&1")).env("PATH", path_with(&room));
    let output = processes::run(shell.stdin(Stdio::null()));
    let shown = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{shown}");
    assert!(started.elapsed() >= Duration::from_secs(10), "it sleeps for ten seconds");
    looks_right(&shown, port);

    let directory = until("the agent to tell of the ended executor", || {
        sandbox(&http::try_json(agent, "/state")?, "my-first-task")
    });
    let path = format!("/files/read?path={directory}/stdout&offset=0&length=1000");
    assert_eq!(http::get_json(agent, &path)["data"], "hello world\n");
    room.wait_empty();
}

fn path_with(room: &Room) -> String {
    format!("{}:{}", room.path().display(), std::env::var("PATH").unwrap_or_default())
}

fn looks_right(shown: &str, port: u16) {
    let registered = Regex::new(r"(?m)^Framework registered with (\S+-\d{4})$").unwrap();
    let framework =
        registered.captures(shown).unwrap_or_else(|| panic!("not registered:\n{shown}"));
    let framework = regex::escape(&framework[1]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), SHOWN.len(), "{shown}");
    for (line, pattern) in lines.iter().zip(SHOWN) {
        let pattern = pattern.replace("LOG", LOG).replace("FW", &framework);
        let pattern =
            Regex::new(&format!("^{}$", pattern.replace("5050", &port.to_string()))).unwrap();
        assert!(pattern.is_match(line), "{line:?} is not like {pattern}\n{shown}");
    }
}
