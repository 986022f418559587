//! `reeve framework`: which frameworks a master has, and which it can't reach.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};
use serde_json::Value;

use crate::master;

pub(crate) fn command() -> Command {
    Command::new("framework").about("Look at frameworks").subcommand_required(true).subcommand(
        Command::new("list")
            .about("Tell which frameworks a master has, and which drivers it can't reach, and why")
            .arg(Arg::new("ADDRESS").default_value("127.0.0.1:5050").help(master::FORMS))
            .args(master::arguments()),
    )
}

#[allow(clippy::print_stdout)]
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let Some(("list", flags)) = matches.subcommand() else { return Ok(ExitCode::FAILURE) };
    let answer = crate::runtime()?.block_on(async {
        let master = master::operator(flags, "ADDRESS").await?;
        anyhow::Ok(master.get("/frameworks").await?)
    })?;
    print!("{}", listing(&answer));
    Ok(ExitCode::SUCCESS)
}

/// `/frameworks` as people read it.
fn listing(answer: &Value) -> String {
    let list = |key: &str| answer[key].as_array().cloned().unwrap_or_default();
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or("?").to_owned();
    let mut out = String::new();
    for one in list("frameworks") {
        let state = match (&one["connected"], &one["active"], &one["recovered"]) {
            (_, _, Value::Bool(true)) => "not back yet",
            (Value::Bool(false), ..) => "disconnected",
            (_, Value::Bool(false), _) => "inactive",
            _ => "active",
        };
        let tasks = one["tasks"].as_array().map_or(0, Vec::len);
        // Writing to a text can't fail.
        let _ = writeln!(
            out,
            "{}  {}  {state}  {tasks} tasks  {}",
            text(&one, "id"),
            text(&one, "name"),
            one["pid"].as_str().unwrap_or("over HTTP")
        );
    }
    for one in list("unreachable_drivers") {
        let (name, pid) = (text(&one, "name"), text(&one, "pid"));
        let _ =
            writeln!(out, "not subscribed: {name}, whose driver can't be dialled back at {pid}");
        let _ = writeln!(out, "  {}", text(&one, "error"));
        let _ = writeln!(out, "  {}", text(&one, "advice"));
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn frameworks_have_a_line_each_and_unreachable_drivers_their_reason() {
        let told = listing(&json!({
            "frameworks": [
                {"id": "m-0000", "name": "chronos", "connected": true, "active": true,
                 "recovered": false, "tasks": [{}], "pid": "scheduler-1@10.0.0.5:4711"},
                {"id": "m-0001", "name": "web", "connected": false, "active": false,
                 "recovered": false, "tasks": []},
            ],
            "unreachable_drivers": [
                {"name": "marathon", "pid": "scheduler-2@127.0.0.1:80", "error": "no", "advice": "set"},
            ],
        }));
        assert_eq!(
            told,
            "m-0000  chronos  active  1 tasks  scheduler-1@10.0.0.5:4711\n\
             m-0001  web  disconnected  0 tasks  over HTTP\n\
             not subscribed: marathon, whose driver can't be dialled back at \
             scheduler-2@127.0.0.1:80\n  no\n  set\n"
        );
    }
}
