//! A v1 executor of our own, to be launched by the agent under test. A task's data says what it
//! does: `finish`, `fail`, or anything else to run until it is killed. A message from the framework
//! comes back as it was.

#![forbid(unsafe_code)]
#![allow(clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_tests::http::{self, Body};
use serde_json::{Value, json};

const PATH: &str = "/slave(1)/api/v1/executor";
const JSON: &str = "application/json";

fn main() {
    let executor = Executor::new();
    let mut events = executor.subscribe();
    while let Some(record) = events.record() {
        let event: Value = serde_json::from_slice(&record).expect("an event is JSON");
        executor.take(&event);
    }
}

struct Executor {
    agent: SocketAddr,
    framework: String,
    executor: String,
}

impl Executor {
    fn new() -> Self {
        let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("no {name}"));
        let agent = variable("MESOS_AGENT_ENDPOINT").parse().expect("an address");
        let (framework, executor) = (variable("MESOS_FRAMEWORK_ID"), variable("MESOS_EXECUTOR_ID"));
        Self { agent, framework, executor }
    }

    fn subscribe(&self) -> Body {
        let none: [Value; 0] = [];
        let call = self.envelope(json!({"type": "SUBSCRIBE", "subscribe": {
            "unacknowledged_tasks": none, "unacknowledged_updates": none,
        }}));
        let headers = [("Content-Type", JSON), ("Accept", JSON)];
        let (head, body) =
            http::open(self.agent, "POST", PATH, &headers, call.to_string().as_bytes())
                .expect("the agent answers");
        assert_eq!(head.status, 200);
        body.without_deadline()
    }

    fn take(&self, event: &Value) {
        match event["type"].as_str() {
            Some("LAUNCH") => self.launch(&event["launch"]["task"]),
            Some("KILL") => self.update(&event["kill"]["task_id"], "TASK_KILLED"),
            Some("MESSAGE") => {
                self.call(json!({"type": "MESSAGE", "message": event["message"]}));
            }
            Some("SHUTDOWN") => std::process::exit(0),
            _ => {}
        }
    }

    fn launch(&self, task: &Value) {
        self.update(&task["task_id"], "TASK_RUNNING");
        // Base64 of `finish` and `fail`.
        match task["data"].as_str() {
            Some("ZmluaXNo") => self.update(&task["task_id"], "TASK_FINISHED"),
            Some("ZmFpbA==") => self.update(&task["task_id"], "TASK_FAILED"),
            _ => {}
        }
    }

    fn update(&self, task: &Value, state: &str) {
        let status = json!({
            "task_id": task, "state": state, "source": "SOURCE_EXECUTOR", "uuid": uuid(),
            "executor_id": {"value": self.executor},
        });
        self.call(json!({"type": "UPDATE", "update": {"status": status}}));
    }

    fn call(&self, call: Value) {
        let call = self.envelope(call).to_string();
        let answer =
            http::send(self.agent, "POST", PATH, &[("Content-Type", JSON)], call.as_bytes());
        assert_eq!(answer.status(), 202, "{call}: {}", answer.text());
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
