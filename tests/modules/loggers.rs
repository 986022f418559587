//! Container loggers: where output goes.

use reeve_tests::scheduler::task;
use reeve_tests::{Agent, Master, Room, Scheduler, until};
use serde_json::{Value, json};

/// An agent that rotates output, of files so small that it shows.
fn cluster(room: &Room) -> (Master, Agent) {
    let config = room.join("agent.toml");
    let text = "container_logger = \"logrotate\"\n\
                [modules.logrotate]\nmax_stdout_size = \"8KB\"\nmax_files = 100\n";
    std::fs::write(&config, text).unwrap();
    let master = Master::start(room, &[]);
    let agent = Agent::start(room, master.address, &[&format!("--config={}", config.display())]);
    (master, agent)
}

/// All that was kept of a stream, the oldest first, and how long each file is.
fn kept(agent: &Agent, task: &str, stream: &str) -> (String, Vec<u64>) {
    let sandbox = std::path::PathBuf::from(agent.sandbox(task));
    let older = (1..).map(|age| sandbox.join(format!("{stream}.{age}")));
    let mut files: Vec<_> = older.take_while(|path| path.exists()).collect();
    files.reverse();
    files.push(sandbox.join(stream));
    let texts: Vec<String> =
        files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    (texts.concat(), texts.iter().map(|text| text.len() as u64).collect())
}

/// The programs that take output in this room.
fn takers(room: &Room) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let of_room = |path: &std::path::Path| {
        let command = std::fs::read(path.join("cmdline")).unwrap_or_default();
        let within = std::fs::read_link(path.join("cwd")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains("reeve-logrotate")
            && within.starts_with(room.path())
    };
    entries.filter(|entry| of_room(&entry.path())).count()
}

fn lines(count: usize) -> String {
    (1..=count).map(|number| format!("{number}\n")).collect()
}

#[test]
fn output_is_rotated_and_none_of_it_is_lost() {
    let room = Room::new();
    let (master, agent) = cluster(&room);
    let mut scheduler = Scheduler::new(master.address);
    scheduler.launch(task("it", "seq 20000; echo oops >&2; sleep 1000 & seq 5"));
    scheduler.state("it", "TASK_FINISHED");
    until("the programs to end", || (takers(&room) == 0).then_some(()));
    let (all, lengths) = kept(&agent, "it", "stdout");
    assert_eq!(all, lines(20000) + &lines(5));
    assert!(lengths.len() > 10 && lengths.iter().all(|length| *length <= 8192), "{lengths:?}");
    assert!(agent.read_of("it", "stdout").ends_with("\n5\n"), "the newest is where it always is");
    assert!(kept(&agent, "it", "stderr").0.contains("oops\n"));
    let named = |module: &Value| module["name"] == "logrotate";
    assert!(agent.get("/modules")["modules"].as_array().unwrap().iter().any(named));
}

#[test]
fn output_goes_on_while_no_agent_runs() {
    let room = Room::new();
    let (master, mut agent) = cluster(&room);
    let mut scheduler = Scheduler::new(master.address);
    let go = room.join("go");
    let script = format!(
        "seq 3000; while [ ! -e {} ]; do sleep 0.1; done; seq 3000; echo done; sleep 1000",
        go.display()
    );
    scheduler.launch(task("it", &script));
    scheduler.state("it", "TASK_RUNNING");
    let sandbox = std::path::PathBuf::from(agent.sandbox("it"));
    agent.kill();
    std::fs::write(&go, "").unwrap();
    until("the last line", || {
        let text = std::fs::read_to_string(sandbox.join("stdout")).ok()?;
        text.ends_with("done\n").then_some(())
    });
    agent.restart(&room);
    master.wait_agents(1);
    until("the task to be known again", || {
        let tasks = agent.get("/state")["frameworks"][0]["executors"][0]["tasks"].clone();
        tasks[0].is_object().then_some(())
    });
    assert_eq!(takers(&room), 2);
    assert_eq!(kept(&agent, "it", "stdout").0, lines(3000) + &lines(3000) + "done\n");
    scheduler.kill("it");
    scheduler.state("it", "TASK_KILLED");
    until("the programs to end", || (takers(&room) == 0).then_some(()));
}

#[test]
fn a_program_that_does_not_start_fails_the_task() {
    let room = Room::new();
    let config = room.join("agent.toml");
    let program = room.join("no-program");
    std::fs::write(&program, "").unwrap();
    let text = format!(
        "container_logger = \"logrotate\"\n[modules.logrotate]\nprogram = \"{}\"\n",
        program.display()
    );
    std::fs::write(&config, text).unwrap();
    let master = Master::start(&room, &[]);
    let _agent = Agent::start(&room, master.address, &[&format!("--config={}", config.display())]);
    let mut scheduler = Scheduler::new(master.address);
    scheduler.launch(task("it", "true"));
    let failed = scheduler.state("it", "TASK_FAILED");
    let message = failed["message"].as_str().unwrap();
    assert!(message.contains("what takes its output does not start: '/"), "{message}");
    assert!(message.contains("no-program': Permission denied"), "{message}");
    room.wait_empty();
}

#[test]
fn a_command_sets_its_own_limits_and_a_wrong_one_fails_it() {
    let room = Room::new();
    let (master, agent) = cluster(&room);
    let mut scheduler = Scheduler::new(master.address);
    let with_size = |id: &str, size: &str| {
        let mut it = task(id, "seq 20000");
        it["command"]["environment"] = json!({"variables": [
            {"name": "CONTAINER_LOGGER_MAX_STDOUT_SIZE", "value": size},
        ]});
        it
    };
    scheduler.launch(with_size("large", "1MB"));
    scheduler.state("large", "TASK_FINISHED");
    until("the programs to end", || (takers(&room) == 0).then_some(()));
    assert_eq!(kept(&agent, "large", "stdout").1.len(), 1);
    scheduler.launch(with_size("wrong", "much"));
    let failed = scheduler.state("wrong", "TASK_FAILED");
    let message = failed["message"].as_str().unwrap();
    assert!(message.contains("container logger 'logrotate'"), "{message}");
    assert!(message.contains("CONTAINER_LOGGER_MAX_STDOUT_SIZE"), "{message}");
}
