//! The first process of every container, and the executor of command tasks.
//!
//! It outlives the agent, keeps everything the container starts below itself, leaves the exit
//! status where a restarted agent finds it, and lets nothing of the container survive it. As a
//! command executor (Mesos docs: executors) it runs one task as well and speaks the v1 executor
//! API to the agent.
//!
//! It has one thread and keeps its memory small, since there is one for each task. What it must
//! do comes over its standard input ([`plan`]), which also says when to begin.
//!
//! Does not live here: isolation (the agent's isolators confine this process before it begins),
//! fetching, sandboxes, and everything about masters.
//!
//! - [`plan`], [`settings`]: what the agent says.
//! - [`core`], [`launch`], [`checks`]: what a command executor decides.
//! - [`command`], [`supervise`]: the two loops.
//! - [`link`], [`http`], [`records`]: the executor API.
//! - [`probe`]: looking at the task.
//! - [`outlets`]: what takes the output.
//! - [`report`]: what a wrapper tells of a task that it runs elsewhere.
//! - [`process`], [`sys`]: processes and the kernel.

mod checks;
mod command;
mod core;
mod http;
mod launch;
mod link;
mod outlets;
mod plan;
mod probe;
mod process;
mod records;
mod report;
mod settings;
mod supervise;
mod sys;

use std::io::{self, Read, Write};
use std::process::ExitCode;

use outlets::Outlets;
use plan::{Kind, Plan, PlanError};
use settings::{Settings, SettingsError};

/// Why there is no container.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("the agent went away before the container was ready")]
    NoGo,
    #[error("the kernel refused to {what}")]
    Kernel {
        what: &'static str,
        #[source]
        source: io::Error,
    },
}

fn main() -> ExitCode {
    match start() {
        Ok(status) => supervise::exit_like(status),
        Err(error) => {
            log(&error);
            ExitCode::FAILURE
        }
    }
}

/// Becomes the container's first process, follows the plan, and returns the wait status that
/// stands for the container's end.
fn start() -> Result<i32, StartError> {
    // A session leader already has its session: then there is nothing to do.
    drop(sys::new_session());
    sys::set_umask(0o022);
    kernel("block signals", sys::block_signals(&command::SIGNALS))?;
    let mut input = io::stdin().lock();
    let plan = Plan::read(&mut input)?;
    let outlets = kernel("start what takes the output", Outlets::open(&plan))?;
    kernel("adopt orphans", sys::adopt_orphans())?;
    let mut go = [0_u8; 1];
    if input.read_exact(&mut go).is_err() || go != *b"g" {
        return Err(StartError::NoGo);
    }
    drop(input);
    kernel("open /dev/null", sys::forget_stdin())?;
    let status = follow(&plan)?;
    outlets.close();
    if let Some(path) = &plan.status {
        kernel("write the exit status", process::write_status(path, status))?;
    }
    Ok(status)
}

fn follow(plan: &Plan) -> Result<i32, StartError> {
    match &plan.kind {
        Kind::Exec { program, arguments, environment } => {
            let program = process::Program {
                file: program.clone(),
                arguments: arguments.clone(),
                environment: [environment.as_slice(), &plan.secrets].concat(),
            };
            Ok(supervise::run(&program, plan))
        }
        Kind::CommandExecutor => {
            let settings = Settings::read(|name| std::env::var(name).ok())?;
            let signals = kernel("open a signal file", sys::signal_file(&command::SIGNALS))?;
            command::run(plan, &settings, &signals);
            Ok(0)
        }
    }
}

fn kernel<T>(what: &'static str, result: io::Result<T>) -> Result<T, StartError> {
    result.map_err(|source| StartError::Kernel { what, source })
}

/// One line on standard error, which is the sandbox's `stderr`. There is nobody to tell should
/// that fail.
fn log(what: &dyn std::fmt::Display) {
    drop(writeln!(io::stderr(), "reeve-executor: {what}"));
}
