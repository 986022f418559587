//! `reeve config`: is it right, what is in force, what can be set, and what did Mesos's packages say.

mod import;
mod reference;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use reeve_agent::AgentSettings;
use reeve_config::{Error, Layers, Settings, Spec, config_files, writing};
use reeve_master::MasterSettings;
use reeve_module_host::{Search, settle};
use reeve_telemetry::log;

/// What can be asked of a daemon's settings.
#[derive(Debug)]
struct Daemon {
    name: &'static str,
    specs: &'static [Spec],
    check: fn(&[PathBuf]) -> Vec<Error>,
    layers: fn(Option<&PathBuf>) -> Result<Layers, Error>,
    show: fn(&Layers, bool) -> Result<String, Error>,
    template: fn() -> String,
}

/// The daemons that have settings.
static DAEMONS: [Daemon; 2] = [daemon::<MasterSettings>(), daemon::<AgentSettings>()];

const fn daemon<S: Settings>() -> Daemon {
    Daemon {
        name: S::DAEMON,
        specs: S::SPECS,
        check: check_files::<S>,
        layers: |file| Layers::of_machine::<S>(file.map(PathBuf::as_path)),
        show: writing::show::<S>,
        template: writing::template::<S>,
    }
}

fn check_files<S: Settings>(files: &[PathBuf]) -> Vec<Error> {
    let mut layers = Layers::new();
    let mut errors: Vec<Error> = files.iter().flat_map(|path| layers.try_file::<S>(path)).collect();
    errors.extend(layers.problems::<S>());
    errors
}

/// The subcommand `config`.
pub fn command() -> Command {
    let names = DAEMONS.iter().map(|daemon| daemon.name).collect::<Vec<_>>();
    let daemon = Arg::new("daemon").value_name("DAEMON").value_parser(names);
    let file = Arg::new("file").value_name("FILE").value_parser(value_parser!(PathBuf));
    let switch = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("config")
        .about("Check and show the settings of the daemons, or take over those of Mesos")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("check")
                .about("Find what is wrong in the files of a daemon, or of all")
                .arg(daemon.clone().help("Whose settings the files hold"))
                .arg(file.clone().num_args(1..).requires("daemon").help(
                    "Files to read, a later one over an earlier one, instead of the daemon's own",
                )),
        )
        .subcommand(
            Command::new("show")
                .about("Show what files and this environment give, each value with its source")
                .arg(daemon.help("Whose settings to show"))
                .arg(switch("effective").help("Show defaults too"))
                .arg(
                    switch("template")
                        .conflicts_with_all(["effective", "config"])
                        .help("Show the file that a daemon is installed with"),
                )
                .arg(
                    file.id("config")
                        .long("config")
                        .requires("daemon")
                        .help("Read this file, and FILE.d/*.toml, instead of the daemon's own"),
                ),
        )
        .subcommand(import::command())
        .subcommand(reference::command())
}

/// Runs it.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    match flags.subcommand() {
        Some(("check", flags)) => check(flags),
        Some(("show", flags)) => show(flags),
        Some(("import", flags)) => import::run(flags),
        Some(("reference", _)) => {
            write!(std::io::stdout(), "{}", reference::page())?;
            Ok(ExitCode::SUCCESS)
        }
        _ => Ok(ExitCode::FAILURE),
    }
}

/// The daemon that is named, or all.
fn chosen(flags: &ArgMatches) -> impl Iterator<Item = &'static Daemon> {
    let name = flags.get_one::<String>("daemon").cloned();
    DAEMONS.iter().filter(move |daemon| name.as_deref().is_none_or(|name| name == daemon.name))
}

#[allow(clippy::print_stderr)]
fn check(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let mut right = true;
    for daemon in chosen(flags) {
        let files: Vec<PathBuf> = match flags.get_many::<PathBuf>("file") {
            Some(files) => files.cloned().collect(),
            None => config_files(daemon.name, None),
        };
        let mut complaints: Vec<String> = (daemon.check)(&files)
            .into_iter()
            .map(|error| format!("{:#}", anyhow::Error::new(error)))
            .collect();
        complaints.extend(loudness(daemon, &files));
        complaints.extend(parameters(daemon, &files));
        for complaint in &complaints {
            eprintln!("{}: {complaint}", daemon.name);
        }
        right &= complaints.is_empty();
        if complaints.is_empty() {
            let names: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
            let found = if names.is_empty() { "no files".to_owned() } else { names.join(", ") };
            writeln!(std::io::stdout(), "{}: right: {found}", daemon.name)?;
        }
    }
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is wrong with `logging_level`, which is a text to the list of settings.
fn loudness(daemon: &Daemon, files: &[PathBuf]) -> Option<String> {
    fn level<S: Settings>(files: &[PathBuf]) -> Option<String> {
        let mut layers = Layers::new();
        files.iter().for_each(|path| drop(layers.try_file::<S>(path)));
        let (text, origin) = {
            let values = layers.values::<S>().ok()?;
            let (text, origin) = values.get("logging_level")?;
            (text.to_owned(), origin.clone())
        };
        log::filter(&text).err().map(|error| format!("{origin}: logging_level: {error}"))
    }
    match daemon.name {
        MasterSettings::DAEMON => level::<MasterSettings>(files),
        _ => level::<AgentSettings>(files),
    }
}

/// What is wrong with the tables of modules, as far as the modules are on this machine. A table
/// whose module is not is passed over with a word: the file may be meant for another machine.
#[allow(clippy::print_stderr)]
fn parameters(daemon: &Daemon, files: &[PathBuf]) -> Vec<String> {
    fn built<S: Settings>(files: &[PathBuf]) -> Option<S> {
        let mut layers = Layers::new();
        files.iter().for_each(|path| drop(layers.try_file::<S>(path)));
        layers.build::<S>().ok()
    }
    let settings = match daemon.name {
        MasterSettings::DAEMON => {
            built::<MasterSettings>(files).map(|master| (master.modules_dir, master.modules))
        }
        _ => built::<AgentSettings>(files).map(|agent| (agent.modules_dir, agent.modules)),
    };
    // What keeps the settings from being built was told already.
    let Some((directory, modules)) = settings else { return Vec::new() };
    let search = Search::new(directory.as_deref());
    let mut complaints = Vec::new();
    for (name, module) in modules.iter() {
        match search.named(name, Some(module)) {
            Some(Ok(library)) => {
                let settled = settle(&library.manifest, Some(module));
                complaints.extend(settled.err().map(|error| error.to_string()));
            }
            Some(Err(error)) => complaints.push(format!("{}: {error}", module.origin)),
            None => eprintln!(
                "{}: {}: there is no module '{name}' on this machine, so what it is told is not \
                 checked",
                daemon.name, module.origin
            ),
        }
    }
    complaints
}

fn show(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let several = chosen(flags).count() > 1;
    for daemon in chosen(flags) {
        let text = if flags.get_flag("template") {
            (daemon.template)()
        } else {
            let layers = (daemon.layers)(flags.get_one("config"));
            layers
                .and_then(|layers| (daemon.show)(&layers, flags.get_flag("effective")))
                .with_context(|| format!("the settings of the {} can't be used", daemon.name))?
        };
        let mut out = std::io::stdout().lock();
        if several {
            writeln!(out, "### {}.toml", daemon.name)?;
        }
        write!(out, "{text}")?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests;
