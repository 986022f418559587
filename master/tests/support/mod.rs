//! A master on a free port, raw HTTP towards it, and an agent that speaks libprocess.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod agent;
pub mod http;

use std::net::SocketAddr;
use std::time::Duration;

use reeve_config::Layers;
use reeve_master::{MasterSettings, Running};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A master with nothing on disk.
pub async fn master() -> Master {
    master_with(&[]).await
}

/// A master with these settings besides.
pub async fn master_with(settings: &[(&'static str, &str)]) -> Master {
    let layers = Layers::new().set("ip", "127.0.0.1").set("port", "0").set("registry", "in_memory");
    let layers = settings.iter().fold(layers, |layers, (name, text)| layers.set(name, *text));
    let settings: MasterSettings = layers.build().unwrap();
    let stop = CancellationToken::new();
    let running = reeve_master::start(settings, stop.clone()).await.unwrap();
    Master { address: running.addresses()[0], running: Some(running), stop }
}

/// A running master.
pub struct Master {
    pub address: SocketAddr,
    pub running: Option<Running>,
    pub stop: CancellationToken,
}

impl Master {
    /// Its id.
    pub fn id(&self) -> String {
        self.running.as_ref().unwrap().identity().id.to_string()
    }

    /// Stops it and waits for its end.
    pub async fn end(&mut self) {
        self.stop.cancel();
        self.running.take().unwrap().wait().await.unwrap();
    }

    /// What it answers to an operator's call.
    pub async fn call(&self, call: &Value) -> http::Answer {
        http::post(self.address, "/api/v1", &[], &call.to_string()).await
    }

    /// Makes an operator's call, which must be carried out.
    pub async fn done(&self, wanted: Value) {
        let answer = self.call(&wanted).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Makes an operator's call until its answer satisfies `done`.
    pub async fn call_when(&self, call: &Value, done: impl Fn(&Value) -> bool) -> Value {
        let started = std::time::Instant::now();
        loop {
            let value = serde_json::from_slice(&self.call(call).await.body).unwrap();
            if done(&value) {
                return value;
            }
            assert!(started.elapsed() < PATIENCE, "{call} is answered by {value}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The JSON at a path.
    pub async fn json(&self, path: &str) -> Value {
        let answer = http::get(self.address, path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Asks for the JSON at a path until it satisfies `done`.
    pub async fn json_when(&self, path: &str, done: impl Fn(&Value) -> bool) -> Value {
        let started = std::time::Instant::now();
        loop {
            let value = self.json(path).await;
            if done(&value) {
                return value;
            }
            assert!(started.elapsed() < PATIENCE, "{path} stays at {value}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
