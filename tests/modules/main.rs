//! Modules as third parties build them, outside the workspace, in real daemons.

// The steps of a test fail by panicking, also where they are functions of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod access;
mod allocators;
mod built;
mod daemons;
mod files;
mod graphite;
mod hooks;
mod isolators;
mod loggers;
mod oversubscription;
mod permissions;
mod secrets;
mod tool;

use std::process::Output;

use reeve_tests::{Room, processes};

/// A tool of `reeve` with these words.
fn run(room: &Room, name: &str, words: &[&str]) -> Output {
    processes::run(room.tool(name).args(words))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// All that a tool said.
fn said(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

/// Runs a command task to its end; what the tool said, if the task finished.
fn task(room: &Room, master: std::net::SocketAddr, name: &str, command: &str) -> Output {
    let (master, named) = (format!("--master={master}"), format!("--name={name}"));
    run(room, "mesos-execute", &[&master, &named, &format!("--command={command}")])
}
