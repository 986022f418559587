//! `reeve module`: what a module says of itself, whether it works, and which ones a daemon has.

mod check;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command};
use reeve_config::hide_password;
use reeve_module_host::{Library, Manifest, SUPPORTED};

use crate::master;

pub(crate) fn command() -> Command {
    let file = || {
        let parser = clap::value_parser!(PathBuf);
        Arg::new("FILE").required(true).value_parser(parser).help("The module, a .so file")
    };
    Command::new("module")
        .about("Look at modules: allocators, isolators and others")
        .subcommand_required(true)
        .subcommand(
            Command::new("inspect")
                .about("Tell what a module says of itself, without running its code")
                .arg(file()),
        )
        .subcommand(
            Command::new("check")
                .about("Load a module in a process of its own and try every call of its kind")
                .arg(file())
                .arg(
                    Arg::new("set")
                        .long("set")
                        .value_name("NAME=VALUE")
                        .action(clap::ArgAction::Append)
                        .help("A parameter; may come several times"),
                )
                .arg(
                    Arg::new("here")
                        .long("here")
                        .action(clap::ArgAction::SetTrue)
                        .help("In this process, which a bad module takes down with it"),
                ),
        )
        .subcommand(
            Command::new("list")
                .about("Tell which modules a running daemon has loaded")
                .arg(
                    Arg::new("ADDRESS")
                        .default_value("127.0.0.1:5050")
                        .help("The address of a master or an agent"),
                )
                .args(master::arguments()),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    match matches.subcommand() {
        Some(("inspect", flags)) => inspect(file(flags)),
        Some(("check", flags)) => check::run(file(flags), flags),
        Some(("list", flags)) => crate::runtime()?.block_on(list(flags)),
        _ => Ok(ExitCode::FAILURE),
    }
}

fn file(flags: &ArgMatches) -> &Path {
    flags.get_one::<PathBuf>("FILE").map_or(Path::new(""), PathBuf::as_path)
}

#[allow(clippy::print_stdout)]
fn inspect(path: &Path) -> anyhow::Result<ExitCode> {
    let Manifest { generation, kind, name, version, author, description, parameters } =
        Library::read(path)?.manifest;
    println!("{kind} {name} {version}: {description}");
    println!("  by {author}");
    let newest = SUPPORTED[0];
    println!("  interface generation {generation} (this program speaks up to {newest})");
    for parameter in parameters {
        let default = parameter.default.map(|text| format!(", {text:?} unless set"));
        let default = default.unwrap_or_default();
        println!("  {} ({}{default}): {}", parameter.name, parameter.takes, parameter.meaning);
    }
    Ok(ExitCode::SUCCESS)
}

#[allow(clippy::print_stdout)]
async fn list(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let address = flags.get_one::<String>("ADDRESS").map_or("", String::as_str);
    let daemon = master::operator(flags, "ADDRESS").await?;
    let body = daemon.get_of_any("/modules").await.with_context(|| {
        let address = hide_password(address);
        format!("{address} does not say which modules it has, as a Reeve master or agent does")
    })?;
    for module in body["modules"].as_array().into_iter().flatten() {
        let text = |key: &str| module[key].as_str().unwrap_or("?").to_owned();
        println!("{} {} {}  {}", text("kind"), text("name"), text("version"), text("file"));
        for parameter in module["parameters"].as_array().into_iter().flatten() {
            println!("  {} = {}", parameter["name"].as_str().unwrap_or("?"), parameter["value"]);
        }
    }
    Ok(ExitCode::SUCCESS)
}
