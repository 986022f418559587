//! `reeve`: the daemons and tools of the cluster manager, in one program. Called by another of its
//! names, such as `mesos-execute`, it is that tool.

#![forbid(unsafe_code)]

mod agents;
mod config;
mod credentials;
mod daemons;
mod execute;
mod frameworks;
mod generate;
mod local;
mod maintenance;
mod master;
mod modules;
mod registry;
mod reload;
mod service;

use std::path::Path;
use std::process::ExitCode;

use clap::Command;

fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let name = words.first().map(String::as_str).unwrap_or_default();
    let name = Path::new(name).file_name().and_then(|name| name.to_str()).unwrap_or("reeve");
    match run(name, &words) {
        Ok(code) => code,
        Err(error) => fail(name, &error),
    }
}

fn run(name: &str, words: &[String]) -> anyhow::Result<ExitCode> {
    if name == "mesos-execute" {
        return runtime()?.block_on(execute::run(words));
    }
    // `reeve execute` takes the words of `mesos-execute`, so they are not parsed here.
    if words.get(1).is_some_and(|word| word == "execute") {
        return runtime()?.block_on(execute::run(&words[1..]));
    }
    let matches = command().get_matches_from(words);
    match matches.subcommand() {
        Some(("module", flags)) => modules::run(flags),
        Some(("framework", flags)) => frameworks::run(flags),
        Some(("local", flags)) => runtime()?.block_on(local::run(flags)),
        Some(("master", flags)) => runtime()?.block_on(daemons::master(flags)),
        Some(("agent", flags)) => match flags.subcommand() {
            Some((verb, flags)) => agents::run(verb, flags),
            None => runtime()?.block_on(daemons::agent(flags)),
        },
        Some(("maintenance", flags)) => maintenance::run(flags),
        Some(("config", flags)) => config::run(flags),
        Some(("registry", flags)) => registry::run(flags),
        Some(("generate", flags)) => generate::run(flags, vec![command(), execute::command()]),
        _ => Ok(ExitCode::FAILURE),
    }
}

fn command() -> Command {
    Command::new("reeve")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Shares one pool of machines among many frameworks")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(local::command())
        .subcommand(daemons::master_command())
        .subcommand(daemons::agent_command())
        .subcommand(frameworks::command())
        .subcommand(maintenance::command())
        .subcommand(modules::command())
        .subcommand(config::command())
        .subcommand(registry::command())
        .subcommand(generate::command())
        .subcommand(
            Command::new("execute")
                .about("Run one task and tell what becomes of it (mesos-execute)")
                .disable_help_flag(true),
        )
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// One line that says what failed and why, down to the first cause.
#[allow(clippy::print_stderr)]
fn fail(name: &str, error: &anyhow::Error) -> ExitCode {
    eprintln!("{name}: {error:#}");
    ExitCode::FAILURE
}
