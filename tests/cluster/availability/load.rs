//! A framework that launches tasks at a steady rate, whoever leads: it looks for the leader among
//! the masters, follows redirects, subscribes again when its stream ends, and asks what became of
//! tasks that it has not heard of.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reeve_tests::http;
use reeve_tests::scheduler::{amount, framework, scalar};
use reeve_tests::{Codec, Scheduler};
use serde_json::{Value, json};

use super::ledger::{Ledger, Verdict};

/// How often tasks without news are asked for.
const ASK: Duration = Duration::from_millis(500);

/// How long a master may take for an answer; one that takes longer is taken for dead.
const PATIENCE: Duration = Duration::from_millis(500);

/// What a task needs, in processors and in megabytes.
const CPUS: f64 = 0.01;
const MEM: f64 = 1.0;

/// A framework at work. Dropping it ends it.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
    starts: PathBuf,
}

#[derive(Debug)]
struct Shared {
    masters: Vec<SocketAddr>,
    /// Tasks a second; 0: no more tasks.
    rate: AtomicU64,
    stop: AtomicBool,
    ledger: Mutex<Ledger>,
    /// When tasks were taken by a leader, and by which.
    taken: Mutex<Vec<(Instant, SocketAddr)>>,
}

impl Shared {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Load {
    /// Starts one with these masters, at this rate of tasks a second. Tasks write their names into
    /// a file of this directory when they start, and end by themselves after half a second.
    pub fn start(room: &Path, masters: Vec<SocketAddr>, rate: u64) -> Self {
        let shared = Arc::new(Shared {
            masters,
            rate: AtomicU64::new(rate),
            stop: AtomicBool::new(false),
            ledger: Mutex::default(),
            taken: Mutex::default(),
        });
        let starts = room.join("starts");
        let mut worker = Worker::new(Arc::clone(&shared), starts.clone());
        let thread = std::thread::spawn(move || worker.run());
        Self { shared, thread: Some(thread), starts }
    }

    /// From now on so many tasks a second.
    pub fn set_rate(&self, rate: u64) {
        self.shared.rate.store(rate, Ordering::Relaxed);
    }

    /// How many tasks have finished.
    pub fn finished(&self) -> usize {
        self.shared.ledger().count("TASK_FINISHED")
    }

    /// When the first task after `since` was taken by a master other than `old`.
    pub fn taken_by_another(&self, old: SocketAddr, since: Instant) -> Option<Instant> {
        let taken = self.shared.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.iter().find(|(at, by)| *at > since && *by != old).map(|(at, _)| *at)
    }

    /// Asks for no more tasks, waits until the end of each is known, and judges.
    pub fn settle(&self) -> Verdict {
        self.set_rate(0);
        reeve_tests::until("news of all tasks", || {
            self.shared.ledger().open().is_empty().then_some(())
        });
        let ledger = self.shared.ledger().clone();
        ledger.judge(&self.starts)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let failed = thread.join().is_err();
            assert!(!failed || std::thread::panicking(), "the framework's thread panicked");
        }
    }
}

struct Worker {
    shared: Arc<Shared>,
    starts: PathBuf,
    id: Option<String>,
    next: u64,
    /// Tasks that may be launched by now.
    due: f64,
    looked: Instant,
    asked: Instant,
}

impl Worker {
    fn new(shared: Arc<Shared>, starts: PathBuf) -> Self {
        let now = Instant::now();
        Self { shared, starts, id: None, next: 0, due: 0.0, looked: now, asked: now }
    }

    fn stopped(&self) -> bool {
        self.shared.stop.load(Ordering::Relaxed)
    }

    fn run(&mut self) {
        while !self.stopped() {
            match self.subscribe() {
                Some((leader, scheduler)) => self.serve(leader, scheduler),
                None => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Asks one master after another, and goes where they send it.
    fn subscribe(&mut self) -> Option<(SocketAddr, Scheduler)> {
        let mut info = framework();
        if let Some(id) = &self.id {
            info["id"] = json!({"value": id});
        }
        for master in &self.shared.masters {
            if let Some(found) = self.subscribe_at(*master, &info) {
                return Some(found);
            }
        }
        None
    }

    fn subscribe_at(&self, master: SocketAddr, info: &Value) -> Option<(SocketAddr, Scheduler)> {
        // Asked first, so that a master that is stopped costs no more than this.
        let asked = http::try_send_within(PATIENCE, master, "GET", "/redirect", &[], &[]);
        let answer = asked.ok()?;
        let leader: SocketAddr =
            answer.head.header("Location").trim_start_matches('/').parse().ok()?;
        let reached = Scheduler::reach(leader, Codec::Json, info.clone(), PATIENCE);
        Some((leader, reached.ok()?.ok()?))
    }

    /// Takes events until the stream ends.
    fn serve(&mut self, leader: SocketAddr, mut scheduler: Scheduler) {
        while !self.stopped() {
            match scheduler.next_or_end(Duration::from_millis(20)) {
                Ok(Some(event)) => {
                    if !self.take(leader, &mut scheduler, &event) {
                        return;
                    }
                }
                Ok(None) => {}
                Err(_) => return,
            }
            if self.asked.elapsed() > ASK && !self.ask(&scheduler) {
                return;
            }
        }
    }

    /// Says whether the stream is still of use.
    fn take(&mut self, leader: SocketAddr, scheduler: &mut Scheduler, event: &Value) -> bool {
        match event["type"].as_str().unwrap_or_default() {
            "SUBSCRIBED" => {
                let id = event["subscribed"]["framework_id"]["value"].as_str();
                let id = id.expect("a framework has an id").to_owned();
                let before = self.id.replace(id.clone());
                assert!(before.is_none_or(|before| before == id), "the id changed");
                scheduler.id = id;
                self.ask(scheduler)
            }
            "OFFERS" => {
                let offers = event["offers"]["offers"].as_array().cloned().unwrap_or_default();
                offers.iter().all(|offer| self.accept(leader, scheduler, offer))
            }
            "UPDATE" => {
                let status = &event["update"]["status"];
                self.shared.ledger().told(status);
                acknowledge(scheduler, status)
            }
            "ERROR" => panic!("the master says {event}"),
            _ => true,
        }
    }

    fn accept(&mut self, leader: SocketAddr, scheduler: &Scheduler, offer: &Value) -> bool {
        let rate = self.shared.rate.load(Ordering::Relaxed) as f64;
        self.due = (self.due + rate * self.looked.elapsed().as_secs_f64()).min(rate);
        self.looked = Instant::now();
        let agent = offer["agent_id"]["value"].as_str().unwrap_or_default();
        // A part of what is due goes to each agent. What a task left behind may be offered by itself.
        let room = (amount(offer, "cpus") / CPUS).min(amount(offer, "mem") / MEM);
        // Amounts are thousandths, but not in floats.
        let count = (self.due / 3.0).ceil().min((room + 0.01).floor()).max(0.0) as u64;
        self.due -= count as f64;
        let tasks: Vec<Value> = (0..count).map(|_| self.task(agent)).collect();
        let launch = json!({"type": "LAUNCH", "launch": {"task_infos": tasks}});
        let call = json!({"type": "ACCEPT", "accept": {
            "offer_ids": [offer["id"]], "operations": [launch],
            "filters": {"refuse_seconds": 0.1},
        }});
        let taken = scheduler.try_call(call).is_ok_and(|answer| answer.status() == 202);
        if taken && count > 0 {
            let mut all = self.shared.taken.lock().unwrap_or_else(PoisonError::into_inner);
            all.push((Instant::now(), leader));
        }
        taken
    }

    fn task(&mut self, agent: &str) -> Value {
        let id = format!("t{}", self.next);
        self.next += 1;
        self.shared.ledger().asked(&id, agent);
        let command = format!("echo {id} >> {}; sleep 0.5", self.starts.display());
        json!({
            "name": id, "task_id": {"value": id}, "agent_id": {"value": agent},
            "command": {"value": command},
            "resources": [scalar("cpus", CPUS), scalar("mem", MEM)],
        })
    }

    /// Asks what became of tasks whose end is not known.
    fn ask(&mut self, scheduler: &Scheduler) -> bool {
        self.asked = Instant::now();
        let open = self.shared.ledger().open();
        if open.is_empty() {
            return true;
        }
        let tasks: Vec<Value> = open
            .iter()
            .map(|(task, agent)| json!({"task_id": {"value": task}, "agent_id": {"value": agent}}))
            .collect();
        let call = json!({"type": "RECONCILE", "reconcile": {"tasks": tasks}});
        scheduler.try_call(call).is_ok_and(|answer| answer.status() == 202)
    }
}

fn acknowledge(scheduler: &Scheduler, status: &Value) -> bool {
    if !status["uuid"].is_string() {
        return true;
    }
    let call = json!({"type": "ACKNOWLEDGE", "acknowledge": {
        "agent_id": status["agent_id"], "task_id": status["task_id"], "uuid": status["uuid"],
    }});
    scheduler.try_call(call).is_ok_and(|answer| answer.status() == 202)
}
