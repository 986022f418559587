//! `reeve registry`: what a master must not forget, looked at, taken out, brought in and mended.

mod fsck;
mod import;
mod place;
mod salvage;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, value_parser};
use reeve_records::{Document, Kind, Records};

use crate::master;
use place::Place;

/// The subcommand `registry`.
pub fn command() -> Command {
    Command::new("registry")
        .about("Look at the registry of masters, copy it, take it over from Mesos, or mend it")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            somewhere("show", "Tell what is in it")
                .arg(Arg::new("KEY").help("Show this record, such as agents/ID or maintenance"))
                .arg(switch("json", "Write JSON")),
        )
        .subcommand(
            somewhere("export", "Write all of it as JSON")
                .arg(file("FILE").default_value("-").help("Where to; - is the standard output")),
        )
        .subcommand(
            somewhere("import", "Fill it with what was exported, or with a registry of Mesos")
                .arg(file("FROM").required(true).help(
                    "What 'export' wrote; or of Apache Mesos the JSON of /registrar(1)/registry, \
                     the encoded Registry, or the work_dir of a stopped master; - is the standard \
                     input",
                ))
                .arg(switch("force", "Replace what is there")),
        )
        .subcommand(
            somewhere("fsck", "Check every record").arg(switch(
                "repair",
                "Move what is wrong or damaged into a file, and keep the rest",
            )),
        )
}

/// Runs it.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let Some((verb, flags)) = flags.subcommand() else { return Ok(ExitCode::FAILURE) };
    let place = Place::of(flags)?;
    match verb {
        "show" => show::run(&place, flags),
        "export" => export(&place, path(flags, "FILE")),
        "import" => import::run(&place, path(flags, "FROM"), flags.get_flag("force")),
        _ => fsck::run(&place, flags.get_flag("repair")),
    }
}

/// A verb that needs to know where the registry is.
fn somewhere(verb: &'static str, about: &'static str) -> Command {
    let folder = Arg::new("work_dir").long("work_dir").value_name("DIR");
    let url = Arg::new("zk").long("zk").value_name("URL");
    Command::new(verb)
        .about(about)
        .arg(
            folder
                .value_parser(value_parser!(PathBuf))
                .help("The work_dir of a master that is stopped"),
        )
        .arg(url.help("Where masters keep it in ZooKeeper, such as zk://host:2181/mesos"))
        .args(master::tls_arguments().map(|file| file.requires("zk")))
        .group(ArgGroup::new("place").args(["work_dir", "zk"]).required(true))
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn file(name: &'static str) -> Arg {
    Arg::new(name).value_parser(value_parser!(PathBuf))
}

fn path(flags: &ArgMatches, name: &str) -> PathBuf {
    flags.get_one::<PathBuf>(name).cloned().unwrap_or_default()
}

#[allow(clippy::print_stdout)]
fn export(place: &Place, file: PathBuf) -> anyhow::Result<ExitCode> {
    let text = Document::of(&place.read()?).text();
    if file.as_os_str() == "-" {
        print!("{text}");
    } else {
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How many records of each kind there are, without the kinds that have none; those that this
/// version does not know come last.
fn counts(records: &Records) -> Vec<(&'static str, usize)> {
    let of = |wanted: Option<Kind>| {
        records.keys().filter(|key| Kind::of(key).map(|(kind, _)| kind) == wanted).count()
    };
    let known = Kind::ALL.into_iter().map(|kind| (kind.name(), of(Some(kind))));
    known.chain([("unknown", of(None))]).filter(|(_, count)| *count > 0).collect()
}
