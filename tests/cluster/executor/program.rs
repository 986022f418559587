//! A v1 executor of our own, to be launched by the agent under test. A task's data says what it
//! does: `finish`, `fail`, or anything else to run until it is killed. A message from the framework
//! comes back as it was. With the word `driver` it does the same on messages of libprocess.

#![forbid(unsafe_code)]
#![allow(clippy::expect_used, clippy::panic)]

mod driver;

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_tests::http::{self, Body};
use serde_json::{Value, json};

const PATH: &str = "/slave(1)/api/v1/executor";
const JSON: &str = "application/json";

fn main() {
    if std::env::args().nth(1).is_some_and(|word| word == "driver") {
        return driver::run();
    }
    let mut executor = Executor::new();
    // One that is to outlive its agent looks for the next.
    let patient = std::env::var("MESOS_CHECKPOINT").is_ok_and(|value| value == "1");
    loop {
        if let Some(mut events) = executor.subscribe() {
            while let Some(record) = events.record() {
                let event: Value = serde_json::from_slice(&record).expect("an event is JSON");
                executor.take(&event);
            }
        }
        if !patient {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("no {name}"))
}

struct Executor {
    agent: SocketAddr,
    framework: String,
    executor: String,
    /// Tasks of which no update is acknowledged, and updates that are not.
    tasks: Vec<Value>,
    updates: Vec<Value>,
}

impl Executor {
    fn new() -> Self {
        let agent = variable("MESOS_AGENT_ENDPOINT").parse().expect("an address");
        let (framework, executor) = (variable("MESOS_FRAMEWORK_ID"), variable("MESOS_EXECUTOR_ID"));
        Self { agent, framework, executor, tasks: Vec::new(), updates: Vec::new() }
    }

    fn subscribe(&self) -> Option<Body> {
        let updates: Vec<Value> =
            self.updates.iter().map(|status| json!({"status": status})).collect();
        let call = self.envelope(json!({"type": "SUBSCRIBE", "subscribe": {
            "unacknowledged_tasks": self.tasks, "unacknowledged_updates": updates,
        }}));
        let headers = [("Content-Type", JSON), ("Accept", JSON)];
        let (head, body) =
            http::open(self.agent, "POST", PATH, &headers, call.to_string().as_bytes()).ok()?;
        (head.status == 200).then(|| body.without_deadline())
    }

    fn take(&mut self, event: &Value) {
        match event["type"].as_str() {
            Some("LAUNCH") => self.launch(&event["launch"]["task"]),
            Some("LAUNCH_GROUP") => {
                let tasks = event["launch_group"]["task_group"]["tasks"].as_array();
                tasks.into_iter().flatten().for_each(|task| self.launch(task));
            }
            Some("KILL") => self.update(&event["kill"]["task_id"], "TASK_KILLED"),
            Some("MESSAGE") => {
                self.call(json!({"type": "MESSAGE", "message": event["message"]}));
            }
            Some("ACKNOWLEDGED") => self.forget(&event["acknowledged"]),
            Some("SHUTDOWN") => std::process::exit(0),
            _ => {}
        }
    }

    fn forget(&mut self, acknowledged: &Value) {
        self.tasks.retain(|task| task["task_id"] != acknowledged["task_id"]);
        self.updates.retain(|status| status["uuid"] != acknowledged["uuid"]);
    }

    fn launch(&mut self, task: &Value) {
        self.tasks.push(task.clone());
        self.update(&task["task_id"], "TASK_RUNNING");
        // Base64 of `finish` and `fail`.
        match task["data"].as_str() {
            Some("ZmluaXNo") => self.update(&task["task_id"], "TASK_FINISHED"),
            Some("ZmFpbA==") => self.update(&task["task_id"], "TASK_FAILED"),
            _ => {}
        }
    }

    fn update(&mut self, task: &Value, state: &str) {
        let status = json!({
            "task_id": task, "state": state, "source": "SOURCE_EXECUTOR", "uuid": uuid(),
            "executor_id": {"value": self.executor},
        });
        self.updates.push(status.clone());
        self.call(json!({"type": "UPDATE", "update": {"status": status}}));
    }

    /// Calls the agent, if it is there: what it must hear it is told again.
    fn call(&self, call: Value) {
        let call = self.envelope(call).to_string();
        let headers = [("Content-Type", JSON)];
        if let Ok(answer) = http::try_send(self.agent, "POST", PATH, &headers, call.as_bytes()) {
            assert!([202, 403, 503].contains(&answer.status()), "{call}: {}", answer.text());
        }
    }

    fn envelope(&self, mut call: Value) -> Value {
        call["framework_id"] = json!({"value": self.framework});
        call["executor_id"] = json!({"value": self.executor});
        call
    }
}

/// A new update's id, as JSON writes bytes.
fn uuid() -> String {
    STANDARD.encode(uuid::Uuid::new_v4().as_bytes())
}
