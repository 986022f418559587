//! A framework over plain HTTP: the v1 scheduler API without a library.
//!
//! Calls and events are JSON here. With [`Codec::Protobuf`] they travel as bytes all the same, and
//! are only translated for the test's eyes.

use std::collections::VecDeque;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use reeve_wire::v1::scheduler as wire;
use serde_json::{Value, json};

use crate::http::{self, Answer, Body};
use crate::processes;
use crate::wait::PATIENCE;

/// Where schedulers call. The short form, `/api/v1/scheduler`, is not served by every master.
pub const PATH: &str = "/master/api/v1/scheduler";

/// How calls and events travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// As text.
    Json,
    /// As bytes.
    Protobuf,
}

impl Codec {
    /// Its media type.
    pub fn media(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Protobuf => "application/x-protobuf",
        }
    }

    fn encode(self, call: &Value) -> Vec<u8> {
        match self {
            Self::Json => call.to_string().into_bytes(),
            Self::Protobuf => {
                let call: wire::Call = reeve_wire::json::from_value(call)
                    .unwrap_or_else(|error| panic!("no call: {error}: {call}"));
                reeve_wire::encode(&call).to_vec()
            }
        }
    }

    fn decode(self, event: Vec<u8>) -> Value {
        match self {
            Self::Json => serde_json::from_slice(&event).expect("an event is JSON"),
            Self::Protobuf => {
                let event: wire::Event =
                    reeve_wire::decode(&Bytes::from(event)).expect("an event is protobuf");
                reeve_wire::json::to_value(&event)
            }
        }
    }
}

/// A subscribed framework. Dropping it closes the connection; the master then waits for it as long
/// as its failover timeout says.
#[derive(Debug)]
pub struct Scheduler {
    master: SocketAddr,
    codec: Codec,
    /// The framework's id.
    pub id: String,
    /// The stream's id, which every call names.
    pub stream: String,
    socket: TcpStream,
    events: Receiver<Value>,
    /// Events that came before one that was waited for.
    passed: VecDeque<Value>,
    /// How long the master may take for an answer.
    patience: Duration,
}

/// A description of a framework that wants finer states of loss, checkpoints, and may be gone for a while.
pub fn framework() -> Value {
    json!({
        "user": user(), "name": "test", "checkpoint": true, "failover_timeout": 600.0,
        "capabilities": [{"type": "PARTITION_AWARE"}],
    })
}

/// Who runs this test.
pub fn user() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    user.map_or_else(|| "root".to_owned(), |user| user.name)
}

/// A task that runs a shell command.
pub fn task(id: &str, command: &str) -> Value {
    json!({
        "name": id, "task_id": {"value": id}, "command": {"value": command},
        "resources": [scalar("cpus", 0.1), scalar("mem", 32.0)],
    })
}

/// A scalar resource.
pub fn scalar(name: &str, amount: f64) -> Value {
    json!({"name": name, "type": "SCALAR", "scalar": {"value": amount}})
}

/// How much of a scalar resource is in an offer, or in whatever else has resources.
pub fn amount(of: &Value, name: &str) -> f64 {
    let resources = of["resources"].as_array().into_iter().flatten();
    resources
        .filter(|one| one["name"] == name)
        .filter_map(|one| one["scalar"]["value"].as_f64())
        .sum()
}

/// Whether an offer has what a task and its executor need. What a task left behind is offered by
/// itself while the rest of its agent is offered already.
pub fn is_enough(offer: &Value, task: &Value) -> bool {
    ["cpus", "mem"].iter().all(|name| {
        let needed = amount(task, name) + amount(&task["executor"], name);
        // Amounts are thousandths, but not in floats.
        amount(offer, name) > needed - 0.0005
    })
}

impl Scheduler {
    /// Subscribes a new framework in JSON.
    pub fn new(master: SocketAddr) -> Self {
        Self::subscribe(master, Codec::Json, framework())
    }

    /// Subscribes; a framework with an id takes over from whoever had it.
    ///
    /// # Panics
    ///
    /// If the master refuses.
    pub fn subscribe(master: SocketAddr, codec: Codec, info: Value) -> Self {
        match Self::try_subscribe(master, codec, info) {
            Ok(scheduler) => scheduler,
            Err(answer) => panic!("SUBSCRIBE: {} {}", answer.status(), answer.text()),
        }
    }

    /// Subscribes, or tells how the master refuses.
    pub fn try_subscribe(master: SocketAddr, codec: Codec, info: Value) -> Result<Self, Answer> {
        let mut new = Self::open(master, codec, info)?;
        let subscribed = new.event("SUBSCRIBED");
        new.id = text(&subscribed["subscribed"]["framework_id"]["value"]);
        Ok(new)
    }

    /// Opens the stream of a subscription, which may begin with an ERROR.
    pub fn open(master: SocketAddr, codec: Codec, info: Value) -> Result<Self, Answer> {
        let reached = Self::reach(master, codec, info, PATIENCE);
        reached.unwrap_or_else(|error| panic!("SUBSCRIBE: {error}"))
    }

    /// Opens the stream of a subscription at a master that may be gone, or take longer for its
    /// answers than is of use.
    pub fn reach(
        master: SocketAddr,
        codec: Codec,
        info: Value,
        patience: Duration,
    ) -> std::io::Result<Result<Self, Answer>> {
        let mut call = json!({"type": "SUBSCRIBE", "subscribe": {"framework_info": info}});
        if let Some(id) = call["subscribe"]["framework_info"].get("id").cloned() {
            call["framework_id"] = id;
        }
        let headers = [("Content-Type", codec.media()), ("Accept", codec.media())];
        let call = codec.encode(&call);
        let opened = http::open_within(patience, master, "POST", PATH, &headers, &call);
        let (head, mut body) = opened?;
        if head.status != 200 {
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut body, &mut text)?;
            return Ok(Err(Answer { head, body: text }));
        }
        assert_eq!(head.header("Content-Type"), codec.media());
        let (socket, events) = (body.socket(), listen(body.without_deadline(), codec));
        let stream = head.header("Mesos-Stream-Id").to_owned();
        let passed = VecDeque::new();
        let id = String::new();
        Ok(Ok(Self { master, codec, id, stream, socket, events, passed, patience }))
    }

    /// The next event of a type; what comes before it is kept for later.
    ///
    /// # Panics
    ///
    /// If there is none for long.
    pub fn event(&mut self, kind: &str) -> Value {
        self.event_where(kind, |_| true)
    }

    /// The next event of a type that has what `wanted` looks for.
    pub fn event_where(&mut self, kind: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let fits = |event: &Value| event["type"] == kind && wanted(event);
        if let Some(place) = self.passed.iter().position(fits) {
            return self.passed.remove(place).unwrap_or_default();
        }
        let end = Instant::now() + PATIENCE;
        loop {
            match self.receive(end) {
                Some(event) if fits(&event) => return event,
                Some(event) => self.passed.push_back(event),
                None => panic!("no {kind} came, only {:#?}", self.passed),
            }
        }
    }

    /// The next event, if one comes in time.
    pub fn next_within(&mut self, time: Duration) -> Option<Value> {
        self.passed.pop_front().or_else(|| self.events.recv_timeout(time).ok())
    }

    /// The next event, or nothing if none comes in time.
    ///
    /// # Errors
    ///
    /// If the stream has ended.
    pub fn next_or_end(&mut self, time: Duration) -> Result<Option<Value>, RecvTimeoutError> {
        if let Some(event) = self.passed.pop_front() {
            return Ok(Some(event));
        }
        match self.events.recv_timeout(time) {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(ended) => Err(ended),
        }
    }

    fn receive(&mut self, end: Instant) -> Option<Value> {
        loop {
            match self.events.recv_timeout(Duration::from_millis(200)) {
                Ok(event) => return Some(event),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => processes::reap_orphans(),
            }
            if Instant::now() > end {
                return None;
            }
        }
    }

    /// Waits until the master ends the stream.
    pub fn wait_closed(&mut self) {
        let end = Instant::now() + PATIENCE;
        while let Some(event) = self.receive(end) {
            self.passed.push_back(event);
        }
        assert!(Instant::now() < end, "the stream goes on");
    }

    /// Sends a call, the framework's id added, and reads the answer.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn call(&self, call: Value) -> Answer {
        self.try_call(call).unwrap_or_else(|error| panic!("a call to {}: {error}", self.master))
    }

    /// Sends a call, the framework's id added, and reads the answer, if one comes.
    pub fn try_call(&self, mut call: Value) -> std::io::Result<Answer> {
        call["framework_id"] = json!({"value": self.id});
        let headers = [("Content-Type", self.codec.media()), ("Mesos-Stream-Id", &self.stream)];
        let call = self.codec.encode(&call);
        http::try_send_within(self.patience, self.master, "POST", PATH, &headers, &call)
    }

    /// Sends a call that must be accepted.
    pub fn accepted(&self, call: Value) {
        let answer = self.call(call.clone());
        assert_eq!(answer.status(), 202, "{call}: {}", answer.text());
        assert_eq!(answer.text(), "");
    }

    /// The next offer that was not taken back.
    pub fn offer(&mut self) -> Value {
        loop {
            let event = self.event("OFFERS");
            let mut offers = event["offers"]["offers"].as_array().cloned().unwrap_or_default();
            self.passed.extend(self.events.try_iter());
            offers.retain(|offer| !self.rescinded(&offer["id"]));
            if offers.is_empty() {
                continue;
            }
            let offer = offers.remove(0);
            if !offers.is_empty() {
                let rest = json!({"type": "OFFERS", "offers": {"offers": offers}});
                self.passed.push_front(rest);
            }
            return offer;
        }
    }

    fn rescinded(&self, offer: &Value) -> bool {
        let of_offer = |event: &Value| event["rescind"]["offer_id"] == *offer;
        self.passed.iter().any(of_offer)
    }

    /// Launches tasks on an offer.
    pub fn launch_on(&mut self, offer: &Value, tasks: &[Value]) {
        let tasks: Vec<Value> = tasks
            .iter()
            .map(|task| {
                let mut task = task.clone();
                task["agent_id"] = offer["agent_id"].clone();
                task
            })
            .collect();
        let launch = json!({"type": "LAUNCH", "launch": {"task_infos": tasks}});
        self.accepted(json!({"type": "ACCEPT", "accept": {
            "offer_ids": [offer["id"]], "operations": [launch],
            "filters": {"refuse_seconds": 0.0},
        }}));
    }

    /// Launches a task on the next offer that has enough for it.
    pub fn launch(&mut self, task: Value) {
        let mut offer = self.offer();
        while !is_enough(&offer, &task) {
            self.accepted(json!({"type": "DECLINE", "decline": {
                "offer_ids": [offer["id"]], "filters": {"refuse_seconds": 0.1},
            }}));
            offer = self.offer();
        }
        self.launch_on(&offer, &[task]);
    }

    /// Launches a shell command as a task and waits until it runs.
    pub fn run(&mut self, id: &str, command: &str) -> Value {
        self.launch(task(id, command));
        self.state(id, "TASK_RUNNING")
    }

    /// The next status of a task, which is acknowledged if that is asked for.
    pub fn status(&mut self, task: &str) -> Value {
        let of_task = |event: &Value| event["update"]["status"]["task_id"]["value"] == task;
        let status = self.event_where("UPDATE", of_task)["update"]["status"].clone();
        self.acknowledge(&status);
        status
    }

    /// Acknowledges a status that asks for it.
    pub fn acknowledge(&self, status: &Value) {
        if status.get("uuid").is_some_and(Value::is_string) {
            self.accepted(json!({"type": "ACKNOWLEDGE", "acknowledge": {
                "agent_id": status["agent_id"], "task_id": status["task_id"],
                "uuid": status["uuid"],
            }}));
        }
    }

    /// Takes statuses of a task until it has this state.
    ///
    /// # Panics
    ///
    /// If it ends otherwise.
    pub fn state(&mut self, task: &str, state: &str) -> Value {
        loop {
            let status = self.status(task);
            if status["state"] == state {
                return status;
            }
            let name = text(&status["state"]);
            let early = ["TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING"];
            assert!(
                early.contains(&name.as_str()) || name.contains("UNREACHABLE"),
                "{task} is not {state} but {status}"
            );
        }
    }

    /// Asks for a task to be killed.
    pub fn kill(&self, task: &str) {
        self.accepted(json!({"type": "KILL", "kill": {"task_id": {"value": task}}}));
    }

    /// Asks what became of these tasks; of all, if none is named.
    pub fn reconcile(&self, tasks: &[&str]) {
        let tasks: Vec<Value> =
            tasks.iter().map(|task| json!({"task_id": {"value": task}})).collect();
        self.accepted(json!({"type": "RECONCILE", "reconcile": {"tasks": tasks}}));
    }

    /// Asks what became of these tasks and gives the answer for one of them. An update that was on
    /// its way may come before.
    pub fn reconciled(&mut self, tasks: &[&str], task: &str) -> Value {
        self.reconcile(tasks);
        loop {
            let status = self.status(task);
            if status["reason"] == "REASON_RECONCILIATION" {
                assert!(status.get("uuid").is_none(), "nobody sends it again: {status}");
                return status;
            }
        }
    }

    /// Closes the connection, as a scheduler that dies does.
    pub fn hang_up(&self) {
        drop(self.socket.shutdown(Shutdown::Both));
    }

    /// Ends the framework.
    pub fn teardown(&self) {
        self.accepted(json!({"type": "TEARDOWN"}));
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.hang_up();
    }
}

fn listen(mut body: Body, codec: Codec) -> Receiver<Value> {
    let (send, events) = mpsc::channel();
    std::thread::spawn(move || {
        while let Some(record) = body.record() {
            if send.send(codec.decode(record)).is_err() {
                return;
            }
        }
    });
    events
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
