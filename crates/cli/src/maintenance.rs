//! `reeve maintenance`: which machines are to be down and when, and taking them down and up.

mod answers;
mod plan;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use reeve_client::operator::Operator;
use reeve_config::duration;
use serde_json::{Value, json};

use crate::master;

/// The subcommand `maintenance`.
pub(crate) fn command() -> Command {
    Command::new("maintenance")
        .about("Plan the maintenance of machines, take them down, and bring them up")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(schedule_command())
        .subcommand(verb(
            "status",
            "Tell which machines are to be down, which are, and what frameworks say to that",
        ))
        .subcommand(
            verb("start", "Take machines down: their agents are shut down and kept away")
                .arg(machines().required(true)),
        )
        .subcommand(
            verb("stop", "Bring machines up again, and forget their maintenance")
                .arg(machines().required(true)),
        )
}

fn schedule_command() -> Command {
    let span = |name: &'static str, help: &'static str| {
        let arg = Arg::new(name).long(name).value_name("DURATION");
        arg.value_parser(duration::parse).requires("MACHINE").help(help)
    };
    let cancel = Arg::new("cancel").long("cancel").action(ArgAction::SetTrue);
    let file = Arg::new("file").long("file").value_name("FILE");
    verb("schedule", "Plan when machines are to be down; or tell what is planned, as JSON")
        .arg(machines())
        .arg(span("in", "How long from now they are to go down; at once if not given"))
        .arg(span("for", "How long they are to be down; until further notice if not given"))
        .arg(
            cancel
                .requires("MACHINE")
                .conflicts_with_all(["in", "for"])
                .help("They are not to be down after all"),
        )
        .arg(file.value_parser(value_parser!(PathBuf)).conflicts_with("MACHINE").help(
            "A whole schedule as JSON, which replaces the present one; - is the standard input",
        ))
}

fn verb(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).arg(master::flag()).args(master::arguments())
}

fn machines() -> Arg {
    Arg::new("MACHINE").num_args(1..).help("A machine's host name, IP address, or HOSTNAME/IP")
}

/// Runs it.
#[allow(clippy::print_stdout)]
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let Some((verb, flags)) = matches.subcommand() else { return Ok(ExitCode::FAILURE) };
    crate::runtime()?.block_on(async {
        let master = master::operator(flags, "master").await?;
        match verb {
            "schedule" => schedule(&master, flags).await?,
            "status" => {
                let status = master.get("/maintenance/status").await?;
                let schedule = master.get("/maintenance/schedule").await?;
                let frameworks = master.question(&json!({"type": "GET_FRAMEWORKS"})).await?;
                let frameworks = answers::Frameworks::read(&frameworks);
                print!("{}", plan::listing(&status, &schedule, &frameworks, now()));
            }
            verb => {
                let schedule = master.get("/maintenance/schedule").await?;
                let machines = plan::named(&names(flags), &plan::machines(&schedule))
                    .context("the schedule names the machines that can be taken down")?;
                let name = format!("{verb}_maintenance");
                let kind = name.to_uppercase();
                master.call(&json!({"type": kind, name: {"machines": machines}})).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

#[allow(clippy::print_stdout)]
async fn schedule(master: &Operator, flags: &ArgMatches) -> anyhow::Result<()> {
    let wanted = match flags.get_one::<PathBuf>("file") {
        Some(file) => Some(read(file)?),
        None if names(flags).is_empty() => None,
        None => {
            let present = master.get("/maintenance/schedule").await?;
            let known = if flags.get_flag("cancel") {
                plan::machines(&present)
            } else {
                plan::machines_of(&master.get("/slaves").await?)
            };
            let machines = plan::named(&names(flags), &known)?;
            let span = |name: &str| flags.get_one::<Duration>(name).copied();
            let unavailability = (!flags.get_flag("cancel"))
                .then(|| plan::unavailability(now(), span("in").unwrap_or_default(), span("for")));
            Some(plan::planned(present, &machines, unavailability))
        }
    };
    match wanted {
        None => {
            let present = master.get("/maintenance/schedule").await?;
            println!("{present:#}");
        }
        Some(schedule) => {
            let wanted = json!({"schedule": schedule});
            let kind = "UPDATE_MAINTENANCE_SCHEDULE";
            master.call(&json!({"type": kind, "update_maintenance_schedule": wanted})).await?;
        }
    }
    Ok(())
}

fn names(flags: &ArgMatches) -> Vec<String> {
    flags.get_many::<String>("MACHINE").into_iter().flatten().cloned().collect()
}

fn read(file: &PathBuf) -> anyhow::Result<Value> {
    let text = if file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))
}

/// Nanoseconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
}
