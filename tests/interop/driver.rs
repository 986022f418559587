//! A framework on the native scheduler driver, as a process of its own.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use reeve_tests::wait::PATIENCE;
use reeve_tests::{Room, processes, scheduler};
use serde_json::{Value, json};

use crate::real;

/// A framework that this test drives. Dropping it kills it, as if its machine had failed.
#[derive(Debug)]
pub struct Driver {
    child: Option<Child>,
    calls: Option<ChildStdin>,
    events: Receiver<Value>,
    /// Callbacks that came before one that was waited for.
    passed: VecDeque<Value>,
    log: std::path::PathBuf,
}

/// How a framework is started.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address that it listens on.
    pub listen: IpAddr,
    /// The address that it says it listens on, if that is another.
    pub advertise: Option<IpAddr>,
    /// What `framework.py` is told.
    pub script: Value,
}

impl Settings {
    /// A framework that checkpoints, may be gone for a while, and joins this master.
    pub fn new(master: SocketAddr) -> Self {
        let script = json!({"master": master.to_string(), "framework": scheduler::framework()});
        Self { listen: master.ip(), advertise: None, script }
    }

    /// With this id: a new life of a framework that was there before.
    pub fn returning(mut self, id: &str) -> Self {
        self.script["framework"]["id"] = json!({"value": id});
        self
    }

    /// With acknowledgements by hand.
    pub fn explicit(mut self) -> Self {
        self.script["explicit"] = json!(true);
        self
    }
}

impl Driver {
    /// Starts one; nothing if this machine can't, and then the reason is told.
    pub fn start(room: &Room, settings: &Settings) -> Option<Self> {
        let home = real::installed()?;
        let log = room.join("driver.log");
        let mut command = Command::new("python3");
        command.args([real::SCRIPT, "framework"]).arg(home).arg(settings.script.to_string());
        command.env("LIBPROCESS_IP", settings.listen.to_string());
        if let Some(ip) = settings.advertise {
            command.env("LIBPROCESS_ADVERTISE_IP", ip.to_string());
        }
        let errors = File::options().create(true).append(true).open(&log).expect("a log");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut child = processes::spawn(&mut command);
        let (calls, told) = (child.stdin.take(), child.stdout.take());
        let events = listen(told.expect("its output is piped"));
        Some(Self { child: Some(child), calls, events, passed: VecDeque::new(), log })
    }

    /// Starts one and waits until the master has taken it; gives its framework's id too.
    pub fn registered(room: &Room, settings: &Settings) -> Option<(Self, String)> {
        let mut driver = Self::start(room, settings)?;
        let registered = driver.event("registered");
        let id = registered["framework"].as_str().expect("an id").to_owned();
        Some((driver, id))
    }

    /// Calls the driver: its method's name, and what `framework.py` says it takes.
    pub fn call(&mut self, call: &Value) {
        let calls = self.calls.as_mut().expect("it takes calls");
        writeln!(calls, "{call}").expect("it reads its calls");
    }

    /// The next callback of that name; others are kept for later.
    pub fn event(&mut self, name: &str) -> Value {
        self.event_where(name, |_| true)
    }

    /// The next callback of that name that has what `wanted` looks for.
    pub fn event_where(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let fits = |event: &Value| event["event"] == name && wanted(event);
        if let Some(place) = self.passed.iter().position(fits) {
            return self.passed.remove(place).unwrap_or_default();
        }
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            match self.events.recv_timeout(Duration::from_millis(200)) {
                Ok(event) if fits(&event) => return event,
                Ok(event) => self.passed.push_back(event),
                Err(_) => processes::reap_orphans(),
            }
        }
        panic!("no {name} came, only {:#?}\n{}", self.passed, self.log());
    }

    /// The next offer that was not taken back.
    pub fn offer(&mut self) -> Value {
        loop {
            let offer = self.event("offer")["offer"].take();
            self.passed.extend(self.events.try_iter());
            let back = |event: &Value| {
                event["event"] == "rescinded" && event["rescinded"] == offer["id"]["value"]
            };
            if !self.passed.iter().any(back) {
                return offer;
            }
        }
    }

    /// Launches a task on the next offer, and keeps the rest of it away for long.
    pub fn launch(&mut self, mut task: Value) -> Value {
        let offer = self.offer();
        task["slave_id"] = offer["slave_id"].clone();
        self.call(&json!(["launchTasks", [offer["id"]], [task], {"refuse_seconds": 0.0}]));
        offer
    }

    /// The status of a task that says this state; of statuses before it, none may be terminal.
    pub fn state(&mut self, task: &str, state: &str) -> Value {
        let event = self.event_where("update", |event| {
            let status = &event["status"];
            let ends = ["TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_LOST", "TASK_ERROR"];
            let of_task = status["task_id"]["value"] == task;
            assert!(
                !of_task
                    || status["state"] == state
                    || !ends.iter().any(|end| status["state"] == *end),
                "{event}"
            );
            of_task && status["state"] == state
        });
        event["status"].clone()
    }

    /// Whether a callback of that name has come and was not looked at.
    pub fn has(&mut self, name: &str) -> bool {
        self.passed.extend(self.events.try_iter());
        self.passed.iter().any(|event| event["event"] == name)
    }

    /// What the driver wrote to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends the process without a word to the master.
    pub fn crash(&mut self) {
        self.calls = None;
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            processes::finished(child);
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.crash();
        if std::thread::panicking() {
            eprintln!("--- the driver's log:\n{}", self.log());
        }
    }
}

fn listen(told: ChildStdout) -> Receiver<Value> {
    let (sender, events) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(told).lines() {
            let Ok(line) = line else { return };
            let event = serde_json::from_str(&line).unwrap_or_else(|_| json!({"event": line}));
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    events
}
