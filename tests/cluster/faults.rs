//! An agent that is killed just before a change that it makes on its disk, for one change after the
//! other: the next one recovers, what runs is found and ends as it should, and nothing is left.
//!
//! `FAULTS=all` takes every change; else a few are tried. `FAULTS=17,18` takes these.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use reeve_tests::scheduler::{is_enough, task};
use reeve_tests::wait::PATIENCE;
use reeve_tests::{Agent, Master, Room, Scheduler, until};
use serde_json::{Value, json};

use crate::executors::{self, WAIT};

/// How many lives run beside each other: each mostly waits.
const BESIDE: usize = 4;

/// How many changes are tried if not all are.
const SAMPLE: u64 = 24;

/// How long a wish may be lost before it is repeated.
const REPEAT: Duration = Duration::from_secs(1);

#[test]
fn an_agent_that_is_killed_at_any_change_on_its_disk_goes_on() {
    let whole = Stage::new().life(0);
    assert!(whole.killed_at.is_none(), "{whole:?}");
    let last = whole.changes.len() as u64;
    let points: Vec<u64> = match std::env::var("FAULTS").as_deref() {
        Ok("all") => (1..=last).collect(),
        Ok(list) => list.split(',').map(|word| word.parse().expect("a number")).collect(),
        Err(_) => (1..=SAMPLE).map(|number| number * last / SAMPLE).collect(),
    };
    let (left, reached) = (Mutex::new(points.iter()), Mutex::new(0));
    std::thread::scope(|scope| {
        for _ in 0..BESIDE.min(points.len()) {
            scope.spawn(|| {
                let mut stage = Stage::new();
                while let Some(at) = next(&left) {
                    let life = stage.life(*at);
                    if let Some(change) = life.killed_at {
                        eprintln!("killed at {at}: {change}");
                        *reached.lock().expect("a count") += 1;
                    }
                }
            });
        }
    });
    let reached = reached.into_inner().expect("a count");
    eprintln!("{last} changes in a life; killed at {reached} of {}", points.len());
    // A life may be a little shorter than the first.
    assert!(reached * 10 >= points.len() * 9, "only {reached} of {}", points.len());
}

fn next<'a>(left: &Mutex<std::slice::Iter<'a, u64>>) -> Option<&'a u64> {
    left.lock().expect("a list").next()
}

/// How a life went.
#[derive(Debug)]
struct Past {
    changes: Vec<String>,
    /// The change that was kept from being made.
    killed_at: Option<String>,
}

/// A master and a framework that see many agents come and go.
struct Stage {
    scheduler: Scheduler,
    master: Master,
    room: Room,
}

impl Stage {
    fn new() -> Self {
        let room = Room::new();
        let master = Master::start(&room, &[]);
        let scheduler = Scheduler::new(master.address);
        Self { scheduler, master, room }
    }

    /// The life of an agent that is killed at a change, or, with 0, at the end.
    fn life(&mut self, at: u64) -> Past {
        let name = format!("agent-{at}");
        let log = self.room.join(&format!("{name}.changes"));
        let agent = self.agent(&name, at, &log);
        let mut life = Life {
            stage: self,
            agent,
            began_again: false,
            statuses: BTreeMap::new(),
            offers: Vec::new(),
            name: name.clone(),
        };
        life.live();
        life.end();
        let changes: Vec<String> = std::fs::read_to_string(&log)
            .unwrap_or_default()
            .lines()
            .map(|line| line.replace(&*self.room.path().to_string_lossy(), ""))
            .collect();
        let reached = at > 0 && changes.len() as u64 >= at;
        Past { killed_at: changes.last().cloned().filter(|_| reached), changes }
    }

    fn agent(&self, name: &str, at: u64, log: &Path) -> Agent {
        let (at, log) = (at.to_string(), log.to_string_lossy().into_owned());
        let work = self.room.join(name);
        let below = format!("{0}/:{0}-run/", work.display());
        let program = [env!("CARGO_BIN_EXE_kill-at"), &at, &log, &below];
        // Executors may be slow to come back where the machine has too much to do.
        let flags = &["--executor_reregistration_timeout=15secs"];
        Agent::below(&program, &self.room, name, self.master.address, flags)
    }
}

struct Life<'a> {
    stage: &'a mut Stage,
    agent: Agent,
    /// Whether it was killed and started again.
    began_again: bool,
    /// What the framework was told of each task, each once.
    statuses: BTreeMap<String, Vec<Value>>,
    offers: Vec<Value>,
    name: String,
}

impl Life<'_> {
    fn live(&mut self) {
        let go = self.stage.room.join(&format!("{}-go", self.name));
        let wait = format!("until [ -e {} ]; do sleep 0.05; done; exit 3", go.display());
        let command = self.launch("command", |_, id, mark| task(id, &format!("{mark}; {wait}")));
        let own = self.launch("own", |scheduler, id, _| executors::task(scheduler, id, WAIT));
        std::fs::write(go, "").expect("a file in the room");
        let status = self.last(&command);
        assert_eq!(status["state"], "TASK_FAILED", "{}: {status}", self.name);
        let message = status["message"].as_str().unwrap_or_default();
        assert!(message.contains("exited with status 3"), "{}: {status}", self.name);
        let killed = self.insist(
            "the kill",
            |life| life.stage.scheduler.kill(&own),
            |life| life.ended(&own),
        );
        assert_eq!(killed["state"], "TASK_KILLED", "{}: {killed}", self.name);
        let short = self.launch("short", |_, id, mark| task(id, &format!("{mark}; exit 0")));
        let finished = self.last(&short);
        assert_eq!(finished["state"], "TASK_FINISHED", "{}: {finished}", self.name);
        let agent = finished["agent_id"].clone();
        self.insist(
            "the executor's end",
            |life| {
                let shutdown = json!({"agent_id": agent, "executor_id": {"value": "own"}});
                let call = json!({"type": "SHUTDOWN", "shutdown": shutdown});
                life.stage.scheduler.accepted(call);
            },
            |life| life.stage.room.processes().is_empty().then_some(()),
        );
    }

    /// Launches a task until it runs or has run. Returns its id.
    fn launch(&mut self, what: &str, task: impl Fn(&Scheduler, &str, &str) -> Value) -> String {
        for number in 0..9 {
            let id = format!("{}-{what}-{number}", self.name);
            let mark = self.mark(&id);
            let mark = format!("echo >> {}", mark.display());
            let task = task(&self.stage.scheduler, &id, &mark);
            let offer = self.wait("an offer", |life| life.offer_for(&task));
            self.stage.scheduler.launch_on(&offer, &[task]);
            let begun = self.wait(&format!("{id} to begin"), |life| {
                if life.told(&id, "TASK_RUNNING") {
                    return Some(true);
                }
                life.ended(&id).map(|_| life.runs(&id) > 0)
            });
            if begun {
                return id;
            }
            // Its agent died before the task was safe there, or the offer was of one before it.
            let why = &self.statuses[&id];
            let of_another = why.iter().any(|status| status["reason"] == "REASON_INVALID_OFFERS");
            assert!(self.began_again || of_another, "{id} did not begin: {why:?}");
        }
        panic!("{}: {what} does not begin: {:#?}", self.name, self.statuses);
    }

    /// The newest offer that has enough for a task.
    fn offer_for(&mut self, task: &Value) -> Option<Value> {
        let place = self.offers.iter().rposition(|offer| is_enough(offer, task))?;
        Some(self.offers.remove(place))
    }

    fn mark(&self, id: &str) -> PathBuf {
        self.stage.room.join(&format!("ran-{id}"))
    }

    /// How often a command began.
    fn runs(&self, id: &str) -> usize {
        std::fs::read_to_string(self.mark(id)).map_or(0, |text| text.lines().count())
    }

    fn told(&self, id: &str, state: &str) -> bool {
        self.statuses.get(id).is_some_and(|all| all.iter().any(|status| status["state"] == state))
    }

    /// The status that tells of a task's end.
    fn ended(&self, id: &str) -> Option<Value> {
        let early = ["TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING"];
        let last = self.statuses.get(id)?.last()?;
        let state = last["state"].as_str()?;
        (!early.contains(&state) && state != "TASK_UNREACHABLE").then(|| last.clone())
    }

    fn last(&mut self, id: &str) -> Value {
        self.wait(&format!("the end of {id}"), |life| life.ended(id))
    }

    /// Repeats a wish, which may be lost, until it has come true.
    fn insist<T>(
        &mut self,
        what: &str,
        wish: impl Fn(&mut Self),
        fact: impl Fn(&mut Self) -> Option<T>,
    ) -> T {
        let mut wished = None;
        self.wait(what, |life| {
            if wished.is_none_or(|since: Instant| since.elapsed() > REPEAT) {
                wish(life);
                wished = Some(Instant::now());
            }
            fact(life)
        })
    }

    /// Takes in what happens until something is so; starts the agent again if it was killed.
    fn wait<T>(&mut self, what: &str, mut fact: impl FnMut(&mut Self) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = fact(self) {
                return found;
            }
            if !self.began_again && !self.agent.running() {
                self.begin_again();
            }
            reeve_tests::processes::reap_orphans();
            if let Some(event) = self.stage.scheduler.next_within(Duration::from_millis(20)) {
                self.take(&event);
            }
            let log = self.agent.log();
            assert!(Instant::now() < end, "{}: waited in vain for {what}:\n{log}", self.name);
        }
    }

    fn begin_again(&mut self) {
        self.agent.restart(&self.stage.room);
        self.began_again = true;
    }

    fn take(&mut self, event: &Value) {
        match event["type"].as_str() {
            Some("OFFERS") => {
                self.offers
                    .extend(event["offers"]["offers"].as_array().cloned().unwrap_or_default());
            }
            Some("RESCIND") => {
                let gone = &event["rescind"]["offer_id"];
                self.offers.retain(|offer| offer["id"] != *gone);
            }
            Some("UPDATE") => {
                let status = &event["update"]["status"];
                self.stage.scheduler.acknowledge(status);
                self.note(status);
            }
            _ => {}
        }
    }

    fn note(&mut self, status: &Value) {
        let id = status["task_id"]["value"].as_str().expect("an id").to_owned();
        let ended = self.ended(&id);
        let known = self.statuses.entry(id).or_default();
        let repeated = match status["uuid"].as_str() {
            // Each is told until it is acknowledged.
            Some(uuid) => known.iter().any(|one| one["uuid"] == uuid),
            // The answer to a kill that came after the end.
            None => ended.is_some(),
        };
        if repeated {
            return;
        }
        assert!(ended.is_none(), "{}: {status} after {known:?}", self.name);
        known.push(status.clone());
    }

    /// The agent leaves, and nothing of it is there but what people may want to look at.
    fn end(mut self) {
        if !self.began_again {
            self.begin_again();
        }
        self.agent.leave();
        assert!(self.agent.wait().success(), "{}", self.agent.log());
        self.stage.master.wait_agents(0);
        self.stage.room.wait_empty();
        let commands = ["command", "short"];
        for id in self.statuses.keys().filter(|id| commands.iter().any(|word| id.contains(word))) {
            assert!(self.runs(id) <= 1, "{id} ran {} times", self.runs(id));
        }
        let containers = self.stage.room.join(&format!("{}-run/containers", self.name));
        let left = || std::fs::read_dir(&containers).map_or(0, Iterator::count);
        until("no container to be left", || (left() == 0).then_some(()));
        let log = self.agent.log();
        assert!(!log.contains("damaged") && !log.contains("panicked"), "{}: {log}", self.name);
        assert!(!self.agent.work_dir().join("meta/damaged").exists(), "{}: {log}", self.name);
    }
}
