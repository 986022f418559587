//! The Docker Engine's HTTP API on its unix socket: the calls that are made of it, and what it
//! answers.

mod http;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

pub(crate) use http::{Body, Limit};
use http::{Request, Response};

/// The newest version of the API that this speaks. An engine that knows an older one alone is
/// spoken to in that.
const NEWEST: (u32, u32) = (1, 47);

/// The oldest version of the API that has what is needed here (Docker 1.13).
const OLDEST: (u32, u32) = (1, 25);

/// The longest JSON text taken.
const MAX_JSON: u64 = 32 << 20;

/// The engine did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There was no connection, or no whole answer.
    #[error("the Docker engine at '{}' cannot be asked to {what}: {source}", socket.display())]
    Unreachable {
        /// What was asked of it.
        what: String,
        /// Its socket.
        socket: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// It answered no.
    #[error("the Docker engine failed to {what}: {message} (status {status})")]
    Refused {
        /// What was asked of it.
        what: String,
        /// The status code.
        status: u16,
        /// Its words.
        message: String,
    },
    /// It answered something else.
    #[error("the Docker engine's answer to '{what}' is not understood: {why}")]
    Answer {
        /// What was asked of it.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// It speaks no version of the API that is spoken here.
    #[error(
        "the Docker engine has version {theirs} of its API; {}.{} or newer is needed",
        OLDEST.0,
        OLDEST.1
    )]
    TooOld {
        /// Its newest.
        theirs: String,
    },
}

impl EngineError {
    /// The status code, if it answered no.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// What is asked of the engine.
#[derive(Debug, Default)]
pub(crate) struct Call<'a> {
    /// In words, for messages.
    pub(crate) what: &'a str,
    pub(crate) method: &'static str,
    /// Path and query, without the version.
    pub(crate) target: &'a str,
    pub(crate) body: Option<&'a Value>,
    /// More headers.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// An engine.
#[derive(Debug)]
pub(crate) struct Engine {
    socket: PathBuf,
    patience: Duration,
    /// The version that both sides speak, once they have met.
    version: Mutex<Option<String>>,
}

impl Engine {
    /// The engine at a socket. `patience` is how long it may take to answer.
    pub(crate) fn new(socket: &Path, patience: Duration) -> Self {
        Self { socket: socket.to_owned(), patience, version: Mutex::new(None) }
    }

    /// The usual limit of a call.
    pub(crate) fn limit(&self) -> Limit {
        Limit::of(self.patience)
    }

    /// Asks for something; the response is one of success, its body still to be read.
    pub(crate) fn send(&self, call: Call<'_>, limit: Limit) -> Result<Body, EngineError> {
        let version = self.version(call.what)?;
        let target = format!("/v{version}{}", call.target);
        let body = call.body.map(|body| body.to_string().into_bytes());
        let request = Request { method: call.method, target: &target, headers: call.headers, body };
        let response = self.exchange(call.what, &request, limit)?;
        match response.status {
            101 | 200..=299 | 304 => Ok(response.body),
            status => Err(refused(call.what, status, response.body)),
        }
    }

    /// Asks for something that goes on for as long as it likes once it has begun.
    pub(crate) fn send_for(&self, call: Call<'_>) -> Result<Body, EngineError> {
        let mut body = self.send(call, self.limit())?;
        body.limit(Limit::none());
        Ok(body)
    }

    /// Asks for something and waits for the whole answer; an empty one is `null`.
    pub(crate) fn ask(&self, call: Call<'_>) -> Result<Value, EngineError> {
        let what = call.what;
        let body = self.send(call, self.limit())?;
        self.read_json(what, body)
    }

    /// Reads a body of one JSON text to its end.
    pub(crate) fn read_json(&self, what: &str, body: Body) -> Result<Value, EngineError> {
        let mut text = Vec::new();
        body.take(MAX_JSON).read_to_end(&mut text).map_err(|error| self.lost(what, error))?;
        if text.trim_ascii().is_empty() {
            return Ok(Value::Null);
        }
        let answer = |why: serde_json::Error| EngineError::Answer {
            what: what.to_owned(),
            why: why.to_string(),
        };
        serde_json::from_slice(&text).map_err(answer)
    }

    /// The connection failed.
    pub(crate) fn lost(&self, what: &str, source: std::io::Error) -> EngineError {
        EngineError::Unreachable { what: what.to_owned(), socket: self.socket.clone(), source }
    }

    fn exchange(
        &self,
        what: &str,
        request: &Request<'_>,
        limit: Limit,
    ) -> Result<Response, EngineError> {
        http::exchange(&self.socket, request, limit).map_err(|error| self.lost(what, error))
    }

    /// The version that both sides speak.
    fn version(&self, what: &str) -> Result<String, EngineError> {
        let known = || self.version.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(version) = &*known() {
            return Ok(version.clone());
        }
        // Not under the lock: an engine that hangs is to hold up each caller once only.
        let request = Request { method: "GET", target: "/_ping", ..Request::default() };
        let response = self.exchange(what, &request, self.limit())?;
        if response.status != 200 {
            return Err(refused(what, response.status, response.body));
        }
        let theirs = response.api_version.unwrap_or_else(|| "unknown".to_owned());
        let both = agree(&theirs).ok_or(EngineError::TooOld { theirs })?;
        Ok(known().insert(both).clone())
    }
}

/// The version to speak with an engine whose newest is `theirs`.
fn agree(theirs: &str) -> Option<String> {
    let (major, minor) = theirs.split_once('.')?;
    let theirs = (major.parse().ok()?, minor.parse().ok()?);
    let (major, minor) = NEWEST.min(theirs);
    (theirs >= OLDEST).then(|| format!("{major}.{minor}"))
}

fn refused(what: &str, status: u16, body: Body) -> EngineError {
    let mut text = String::new();
    // What can be read of the reason is better than none.
    drop(body.take(64 << 10).read_to_string(&mut text));
    let said = serde_json::from_str(&text).unwrap_or(Value::Null);
    let message = said["message"].as_str().unwrap_or(text.trim()).to_owned();
    EngineError::Refused { what: what.to_owned(), status, message }
}

/// A part of a path or a query, with what has a meaning there escaped.
pub(crate) fn escaped(part: &str) -> String {
    utf8_percent_encode(part, NON_ALPHANUMERIC).to_string()
}

/// A container as the engine knows it. Calls on one that is gone fail with status 404.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contained<'a> {
    engine: &'a Engine,
    name: &'a str,
}

impl Engine {
    /// The container of a name or an engine's id.
    pub(crate) fn container<'a>(&'a self, name: &'a str) -> Contained<'a> {
        Contained { engine: self, name }
    }

    /// Makes a container.
    pub(crate) fn create(&self, name: &str, body: &Value) -> Result<(), EngineError> {
        let target = format!("/containers/create?name={}", escaped(name));
        let what = "create the container";
        let call =
            Call { what, method: "POST", target: &target, body: Some(body), ..<_>::default() };
        self.ask(call).map(drop)
    }

    /// All containers with a label, running or not, as objects with `Id` and `Labels`.
    pub(crate) fn labelled(&self, label: &str) -> Result<Vec<Value>, EngineError> {
        let filters = json!({ "label": [label] }).to_string();
        let target = format!("/containers/json?all=1&filters={}", escaped(&filters));
        let what = "list containers";
        match self.ask(Call { what, method: "GET", target: &target, ..Call::default() })? {
            Value::Array(all) => Ok(all),
            _ => Err(EngineError::Answer { what: what.to_owned(), why: "no list".to_owned() }),
        }
    }
}

impl Contained<'_> {
    fn send(
        self,
        what: &str,
        method: &'static str,
        action: &str,
        limit: Limit,
    ) -> Result<Body, EngineError> {
        let target = format!("/containers/{}{action}", escaped(self.name));
        self.engine.send(Call { what, method, target: &target, ..Call::default() }, limit)
    }

    fn ask(self, what: &str, method: &'static str, action: &str) -> Result<Value, EngineError> {
        let body = self.send(what, method, action, self.engine.limit())?;
        self.engine.read_json(what, body)
    }

    /// Starts it. How long that takes is the engine's affair: it may have much to mount.
    pub(crate) fn start(self) -> Result<(), EngineError> {
        self.send("start the container", "POST", "/start", Limit::none()).map(drop)
    }

    /// All that the engine knows of it.
    pub(crate) fn inspect(self) -> Result<Value, EngineError> {
        self.ask("inspect the container", "GET", "/json")
    }

    /// One reading of its use.
    pub(crate) fn stats(self) -> Result<Value, EngineError> {
        self.ask("read the container's use", "GET", "/stats?stream=false&one-shot=true")
    }

    /// Changes its resources.
    pub(crate) fn update(self, resources: &Value) -> Result<(), EngineError> {
        let target = format!("/containers/{}/update", escaped(self.name));
        let what = "update the container";
        let body = Some(resources);
        let call = Call { what, method: "POST", target: &target, body, ..Call::default() };
        self.engine.ask(call).map(drop)
    }

    /// Sends its first process a signal.
    pub(crate) fn signal(self, signal: &str) -> Result<(), EngineError> {
        let action = format!("/kill?signal={}", escaped(signal));
        self.ask("signal the container", "POST", &action).map(drop)
    }

    /// Waits until it does not run and gives its exit code.
    pub(crate) fn wait(self) -> Result<i64, EngineError> {
        let what = "wait for the container";
        let body = self.send(what, "POST", "/wait?condition=not-running", Limit::none())?;
        let answer = self.engine.read_json(what, body)?;
        answer["StatusCode"].as_i64().ok_or_else(|| EngineError::Answer {
            what: what.to_owned(),
            why: "it has no StatusCode".to_owned(),
        })
    }

    /// What it writes from now on.
    pub(crate) fn attach(self) -> Result<Body, EngineError> {
        let what = "follow the container's output";
        let mut body =
            self.send(what, "POST", "/attach?stream=1&stdout=1&stderr=1", self.engine.limit())?;
        body.limit(Limit::none());
        Ok(body)
    }

    /// What the engine's log of it has from a time (seconds since 1970) on, and will have.
    pub(crate) fn logs(self, since: f64) -> Result<Body, EngineError> {
        let what = "follow the container's log";
        let action = format!("/logs?follow=1&stdout=1&stderr=1&since={since:.9}");
        let mut body = self.send(what, "GET", &action, self.engine.limit())?;
        body.limit(Limit::none());
        Ok(body)
    }

    /// Kills and removes it with its anonymous volumes. Returns whether there was one.
    pub(crate) fn remove(self) -> Result<bool, EngineError> {
        match self.ask("remove the container", "DELETE", "?force=1&v=1") {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(404) => Ok(false),
            // It is being removed already.
            Err(error) if error.status() == Some(409) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
