//! The program that stands for a container: `reeve-docker run SPEC [-- PROGRAM ARGUMENT…]`.
//!
//! It makes and starts the engine's container, writes what that writes, hands signals on, and ends
//! with its exit code: to whoever started it, it is the task. One runs beside every task, so it
//! has no runtime and keeps its memory small. An engine that goes away is waited for, as its
//! containers may go on without it (`live-restore`).
//!
//! If the shim is killed, the container stays until the isolator's `cleanup` removes it.
//!
//! `reeve-docker exec SPEC [-e NAME=VALUE…] -- PROGRAM ARGUMENT…` runs a program in a container
//! that runs, such as a health check's command.

mod environment;
mod exec;
mod follow;
mod report;
mod stop;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::create::Words;
use crate::engine::{Engine, EngineError};
use crate::spec::Spec;
use crate::usage;
use follow::Follower;
use report::Report;
use stop::Stop;

const USAGE: &str = "usage: reeve-docker run SPEC [-- PROGRAM ARGUMENT...]\n       \
                     reeve-docker exec SPEC [-e NAME=VALUE]... -- PROGRAM ARGUMENT...";

/// The exit codes of `docker run`: of its own failure, and of a container that was killed.
const FAILED: u8 = 125;
const KILLED: u8 = 137;

/// The pauses between two tries to reach an engine that went away: the first and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// The container cannot be had.
#[derive(Debug, thiserror::Error)]
enum ShimError {
    #[error("{USAGE}")]
    Usage,
    #[error("the specification '{}' cannot be read: {source}", path.display())]
    Spec { path: PathBuf, source: io::Error },
    #[error("signals cannot be blocked: {0}")]
    Signals(nix::Error),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Runs the program with its arguments, its own name left out.
pub fn main(arguments: impl Iterator<Item = String>) -> ExitCode {
    let arguments: Vec<String> = arguments.collect();
    let outcome = match arguments.split_first() {
        Some((verb, rest)) if verb == "run" => run(rest),
        Some((verb, rest)) if verb == "exec" => exec::run(rest),
        _ => Err(ShimError::Usage),
    };
    match outcome {
        Ok(code) => code.into(),
        Err(error) => {
            say(&error);
            FAILED.into()
        }
    }
}

/// One line on standard error, which is the sandbox's `stderr`. There is nobody to tell should
/// that fail.
fn say(what: &dyn std::fmt::Display) {
    drop(writeln!(io::stderr(), "reeve-docker: {what}"));
}

fn run(arguments: &[String]) -> Result<u8, ShimError> {
    let (path, rest) = match arguments {
        [path] => (path, &[] as &[String]),
        [path, dashes, rest @ ..] if dashes == "--" => (path, rest),
        _ => return Err(ShimError::Usage),
    };
    // Before any thread is there, so that no signal ends one of them.
    stop::block().map_err(ShimError::Signals)?;
    let mut report = Report::open();
    let spec = read(path).inspect_err(|error| report.failed(error))?;
    let engine = Arc::new(spec.engine());
    let stop = Stop::listen(Arc::clone(&engine), spec.name.clone());
    let mut shim = Shim { engine, stop, name: spec.name.clone(), report };
    shim.run(&body(spec, rest))
}

fn read(path: &str) -> Result<Spec, ShimError> {
    Spec::read(Path::new(path)).map_err(|source| ShimError::Spec { path: path.into(), source })
}

impl Spec {
    fn engine(&self) -> Engine {
        Engine::new(&self.socket, Duration::from_millis(self.patience))
    }
}

/// The whole body of the request that creates the container.
fn body(spec: Spec, arguments: &[String]) -> Value {
    let Spec { mut body, has_command, variables, .. } = spec;
    if !has_command {
        Words::of_arguments(arguments).put(&mut body);
    }
    environment::put(&mut body, std::env::vars_os(), variables);
    body
}

/// A container on its way.
struct Shim {
    engine: Arc<Engine>,
    stop: Stop,
    name: String,
    report: Report,
}

impl Shim {
    fn run(&mut self, body: &Value) -> Result<u8, ShimError> {
        let terminal = body["Tty"] == true;
        let follower = match self.make(body, terminal) {
            Ok(follower) => follower,
            Err(error) => {
                self.report.failed(&error);
                return Err(error.into());
            }
        };
        if !self.stop.may_start() {
            return Ok(stop::STOPPED);
        }
        let container = self.engine.container(&self.name);
        if let Err(error) = container.start() {
            self.report.failed(&error);
            say(&error);
            return Ok(self.failed_start());
        }
        self.stop.started();
        let address = container.inspect().ok().and_then(|state| usage::address(&state));
        self.report.running(address);
        let code = self.wait(follower, terminal)?;
        self.say_if_out_of_memory();
        Ok(code)
    }

    fn make(&self, body: &Value, terminal: bool) -> Result<Follower, EngineError> {
        self.engine.create(&self.name, body)?;
        // Before the start, so that nothing is missed.
        let output = self.engine.container(&self.name).attach()?;
        Ok(Follower::begin(output, terminal))
    }

    /// The exit code of a container that could not be started: 127 if its program is not there,
    /// and 126 if it cannot be run, as shells have it.
    fn failed_start(&self) -> u8 {
        let state = self.engine.container(&self.name).inspect().unwrap_or_default();
        match state["State"]["ExitCode"].as_u64() {
            Some(127) => 127,
            Some(126) => 126,
            _ => FAILED,
        }
    }

    /// Waits for the container's end, over any number of the engine's.
    fn wait(&self, mut follower: Follower, terminal: bool) -> Result<u8, ShimError> {
        let container = self.engine.container(&self.name);
        loop {
            let error = match container.wait() {
                Ok(code) => {
                    follower.finish();
                    return Ok(u8::try_from(code & 0xff).unwrap_or(FAILED));
                }
                Err(error) => error,
            };
            let since = now();
            if error.status() != Some(404) {
                say(&format_args!("{error}; trying again"));
            }
            loop {
                if !self.engine_is_back() {
                    say(&"the container was removed by somebody else");
                    follower.finish();
                    return Ok(KILLED);
                }
                if !follower.has_ended() {
                    break;
                }
                // From the log, if it can be read: what the container wrote meanwhile is there.
                match container.logs(since).or_else(|_| container.attach()) {
                    Ok(output) => {
                        follower = Follower::begin(output, terminal);
                        break;
                    }
                    Err(error) => say(&format_args!("{error}; trying again")),
                }
            }
        }
    }

    /// Waits until the engine answers again; false if it does not have the container.
    fn engine_is_back(&self) -> bool {
        let (mut pause, longest) = PAUSES;
        loop {
            std::thread::sleep(pause);
            match self.engine.container(&self.name).inspect() {
                Ok(_) => return true,
                Err(error) if error.status() == Some(404) => return false,
                Err(_) => pause = (pause * 2).min(longest),
            }
        }
    }

    fn say_if_out_of_memory(&mut self) {
        let state = self.engine.container(&self.name).inspect().unwrap_or_default();
        if let Some(message) = usage::out_of_memory(&state) {
            say(&message);
            self.report.limit("mem", &message);
        }
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
