//! What each allocator makes of the same demands: two frameworks that want all they can get, of
//! tasks with 1 CPU and 4 GB and of tasks with 3 CPUs and 1 GB. On an agent with 9 CPUs and 18 GB
//! that is the example of the paper on dominant resource fairness.
//!
//! Everything is real: master, agent, executors, and frameworks over HTTP, which take a task's
//! worth of each offer and give the rest back.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cluster::{Agent, Master};
use crate::processes;
use crate::room::Room;
use crate::scheduler::{Codec, Scheduler, framework, scalar, task};

/// Nothing more happens once nothing has for so long: longer than anybody waits for anything here.
const QUIET: Duration = Duration::from_secs(5);

/// So many plays at a time: each has a cluster of its own.
const AT_A_TIME: usize = 3;

const PREEMPTION: &str = "preemption = true\npatience = \"1secs\"\ngrace = \"1secs\"\n";

/// One play.
#[derive(Clone, Copy, Debug)]
pub struct Play {
    /// What is shared: CPUs and GB.
    pub pool: (u32, u32),
    /// Who is at work, for people.
    pub title: &'static str,
    allocator: &'static str,
    parameters: &'static str,
    /// Whether the second framework comes only when the first has all it can get.
    late: bool,
}

const fn play(
    pool: (u32, u32),
    title: &'static str,
    allocator: &'static str,
    parameters: &'static str,
    late: bool,
) -> Play {
    Play { pool, title, allocator, parameters, late }
}

/// The paper's pool, and one that equal shares can use up.
const PAPER: (u32, u32) = (9, 18);
const EVEN: (u32, u32) = (12, 48);

/// All plays. In those of `priority` the second framework is in the higher class.
pub const PLAYS: [Play; 7] = [
    play(PAPER, "`drf`", "drf", "", false),
    play(EVEN, "`fair`, `resource = \"cpus\"`", "fair", "resource = \"cpus\"\n", false),
    play(EVEN, "`fair`, `resource = \"tasks\"`", "fair", "resource = \"tasks\"\n", false),
    play(PAPER, "`priority`, B is high", "priority", "", false),
    play(PAPER, "`priority`, B is low", "priority", "label = \"turned\"\n", false),
    play(PAPER, "`priority`, B is high and comes late", "priority", "", true),
    play(PAPER, "the same with `preemption = true`", "priority", PREEMPTION, true),
];

/// What the two frameworks ended with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Tasks of each.
    pub tasks: [usize; 2],
    /// How many tasks of the first had to give way.
    pub preempted: usize,
}

/// A framework that wants as many tasks as it can get.
struct Greedy {
    scheduler: Scheduler,
    name: &'static str,
    cpus: f64,
    mem: f64,
    launched: usize,
    alive: BTreeSet<String>,
    preempted: usize,
}

impl Greedy {
    /// The first or the second of the two.
    fn subscribe(master: &Master, second: bool) -> Self {
        let (name, cpus, mem) = if second { ("b", 3.0, 1024.0) } else { ("a", 1.0, 4096.0) };
        let mut info = framework();
        let label = |key: &str, value: &str| json!({"key": key, "value": value});
        let (class, turned) = if second { ("high", "low") } else { ("low", "high") };
        info["labels"] = json!({"labels": [label("priority", class), label("turned", turned)]});
        let scheduler = Scheduler::subscribe(master.address, Codec::Json, info);
        let alive = BTreeSet::new();
        Self { scheduler, name, cpus, mem, launched: 0, alive, preempted: 0 }
    }

    /// Answers what came, if anything did; says whether it has more or fewer tasks now.
    fn act(&mut self) -> bool {
        let Some(event) = self.scheduler.next_within(Duration::from_millis(20)) else {
            return false;
        };
        match event["type"].as_str() {
            Some("OFFERS") => {
                let offers = event["offers"]["offers"].as_array().cloned().unwrap_or_default();
                offers.iter().map(|offer| self.answer(offer)).fold(false, |one, all| one | all)
            }
            Some("UPDATE") => self.learn(&event["update"]["status"]),
            _ => false,
        }
    }

    fn answer(&mut self, offer: &Value) -> bool {
        let has = |name: &str| -> f64 {
            let all = offer["resources"].as_array().into_iter().flatten();
            let named = all.filter(|one| one["name"] == name);
            named.filter_map(|one| one["scalar"]["value"].as_f64()).sum()
        };
        if has("cpus") < self.cpus || has("mem") < self.mem {
            self.scheduler.accepted(json!({"type": "DECLINE", "decline": {
                "offer_ids": [offer["id"]], "filters": {"refuse_seconds": 3600.0},
            }}));
            return false;
        }
        self.launched += 1;
        let id = format!("{}{}", self.name, self.launched);
        let mut task = task(&id, "exec sleep 1000");
        task["resources"] = json!([scalar("cpus", self.cpus), scalar("mem", self.mem)]);
        self.scheduler.launch_on(offer, &[task]);
        self.alive.insert(id)
    }

    fn learn(&mut self, status: &Value) -> bool {
        self.scheduler.acknowledge(status);
        let state = status["state"].as_str().unwrap_or_default();
        if ["TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING"].contains(&state) {
            return false;
        }
        let why = status["reason"].as_str().unwrap_or_default();
        self.preempted += usize::from(why == "REASON_CONTAINER_PREEMPTED");
        // An offer may be taken back while it is being used.
        let expected = ["REASON_CONTAINER_PREEMPTED", "REASON_INVALID_OFFERS"].contains(&why);
        assert!(expected, "a task ended for no reason: {status}");
        let id = status["task_id"]["value"].as_str().unwrap_or_default();
        self.alive.remove(id)
    }
}

impl Play {
    /// Plays it to the end.
    pub fn run(&self) -> Outcome {
        let room = Room::new();
        let config = room.join("master.toml");
        let (name, parameters) = (self.allocator, self.parameters);
        let text = format!("allocator = \"{name}\"\n[modules.{name}]\n{parameters}");
        std::fs::write(&config, text).expect("a file in the room");
        let master = Master::start(&room, &[&format!("--config={}", config.display())]);
        let mut both = vec![Greedy::subscribe(&master, false)];
        if !self.late {
            both.push(Greedy::subscribe(&master, true));
        }
        let (cpus, gigabytes) = self.pool;
        let resources = format!("--resources=cpus:{cpus};mem:{}", gigabytes * 1024);
        let _agent = Agent::start(&room, master.address, &[&resources]);
        master.wait_agents(1);
        settle(&mut both);
        if self.late {
            both.push(Greedy::subscribe(&master, true));
            settle(&mut both);
        }
        let tasks = [both[0].alive.len(), both[1].alive.len()];
        let preempted = both[0].preempted;
        both.iter().for_each(|one| one.scheduler.teardown());
        Outcome { tasks, preempted }
    }
}

/// Lets frameworks take what they are offered until nothing changes any more.
fn settle(frameworks: &mut [Greedy]) {
    let mut changed = Instant::now();
    while changed.elapsed() < QUIET {
        for one in &mut *frameworks {
            if one.act() {
                changed = Instant::now();
            }
        }
        processes::reap_orphans();
    }
}

/// Every play and how it ended.
pub fn run_all() -> Vec<(Play, Outcome)> {
    let mut all = Vec::new();
    for some in PLAYS.chunks(AT_A_TIME) {
        std::thread::scope(|scope| {
            let running: Vec<_> = some.iter().map(|one| scope.spawn(|| one.run())).collect();
            for (play, running) in some.iter().zip(running) {
                all.push((*play, running.join().expect("a play comes to its end")));
            }
        });
    }
    all
}

/// All of it as a table in Markdown.
pub fn table(all: &[(Play, Outcome)]) -> String {
    let mut text = String::from(
        "| pool | allocator | tasks of A | tasks of B | CPUs of A and B | GB of A and B | given way |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (play, Outcome { tasks: [a, b], preempted }) in all {
        let ((cpus, gigabytes), title) = (play.pool, play.title);
        text += &format!(
            "| {cpus} CPUs, {gigabytes} GB | {title} | {a} | {b} | {a} and {} | {} and {b} | \
             {preempted} |\n",
            b * 3,
            a * 4
        );
    }
    text
}
