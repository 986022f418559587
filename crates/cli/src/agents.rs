//! `reeve agent list`, `drain`, `deactivate`, `reactivate`, `gone`: which agents a master has, and
//! taking them out of use. The daemon `reeve agent` itself is in `daemons`.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use reeve_config::duration;
use serde_json::{Value, json};

use crate::master;

/// The verbs, for the command `agent`.
pub(crate) fn verbs() -> [Command; 5] {
    let id = || Arg::new("ID").required(true).help("The agent, such as 5e6b…-S3: see 'list'");
    let verb = |name: &'static str, about: &'static str| {
        Command::new(name).about(about).arg(master::flag()).args(master::arguments())
    };
    [
        verb("list", "Tell which agents a master has, and which of them are out of use"),
        verb("drain", "Kill an agent's tasks, and offer nothing of it until it is reactivated")
            .arg(id())
            .arg(
                Arg::new("max_grace_period")
                    .long("max_grace_period")
                    .value_name("DURATION")
                    .value_parser(duration::parse)
                    .help("The most time that tasks have to end by themselves, such as 5mins"),
            )
            .arg(
                Arg::new("mark_gone")
                    .long("mark_gone")
                    .action(ArgAction::SetTrue)
                    .help("The agent never comes back: its tasks are gone when it is empty"),
            ),
        verb("deactivate", "Offer nothing of an agent; what runs on it stays").arg(id()),
        verb("reactivate", "Use an agent again that was drained or deactivated").arg(id()),
        verb("gone", "Say that an agent is lost for good: its tasks are gone, it can't come back")
            .arg(id()),
    ]
}

/// Runs a verb.
#[allow(clippy::print_stdout)]
pub(crate) fn run(verb: &str, flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    crate::runtime()?.block_on(async {
        let master = master::operator(flags, "master").await?;
        if verb == "list" {
            print!("{}", listing(&master.get("/slaves").await?));
        } else {
            master.call(&call(verb, flags)).await?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// The operator's call that a verb stands for.
fn call(verb: &str, flags: &ArgMatches) -> Value {
    let id = flags.get_one::<String>("ID").map_or("", String::as_str);
    let mut wanted = json!({"agent_id": {"value": id}});
    if verb == "drain" {
        wanted["mark_gone"] = flags.get_flag("mark_gone").into();
        if let Some(most) = flags.get_one::<Duration>("max_grace_period") {
            wanted["max_grace_period"] = format!("{}s", most.as_secs_f64()).into();
        }
    }
    let name = match verb {
        "gone" => "mark_agent_gone".to_owned(),
        verb => format!("{verb}_agent"),
    };
    json!({"type": name.to_uppercase(), name: wanted})
}

/// `/slaves` as people read it.
fn listing(answer: &Value) -> String {
    let list = |key: &str| answer[key].as_array().cloned().unwrap_or_default();
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or("?").to_owned();
    let mut out = String::new();
    for one in list("slaves") {
        let state = match (&one["drain_info"]["state"], &one["deactivated"], &one["active"]) {
            (Value::String(state), ..) => state.to_lowercase(),
            (_, Value::Bool(true), _) => "deactivated".to_owned(),
            (.., Value::Bool(false)) => "disconnected".to_owned(),
            _ => "active".to_owned(),
        };
        let gone = &one["drain_info"]["config"]["mark_gone"] == true;
        // Writing to a text can't fail.
        let _ = writeln!(
            out,
            "{}  {}  {}  {state}{}",
            text(&one, "id"),
            text(&one, "hostname"),
            text(&one, "pid"),
            if gone { ", gone when drained" } else { "" }
        );
    }
    for one in list("recovered_slaves") {
        let _ = writeln!(out, "{}  {}  not back yet", text(&one, "id"), text(&one, "hostname"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(words: &[&str]) -> (String, ArgMatches) {
        let command = Command::new("agent").subcommands(verbs());
        let matches = command.get_matches_from([&["agent"], words].concat());
        let (verb, flags) = matches.subcommand().unwrap();
        (verb.to_owned(), flags.clone())
    }

    #[test]
    fn verbs_are_operators_calls() {
        let (verb, given) = flags(&["drain", "m-S0", "--max_grace_period=90secs", "--mark_gone"]);
        assert_eq!(
            call(&verb, &given),
            json!({"type": "DRAIN_AGENT", "drain_agent": {"agent_id": {"value": "m-S0"},
                "max_grace_period": "90s", "mark_gone": true}})
        );
        let (verb, given) = flags(&["reactivate", "m-S0"]);
        assert_eq!(
            call(&verb, &given),
            json!({"type": "REACTIVATE_AGENT", "reactivate_agent": {"agent_id": {"value": "m-S0"}}})
        );
        let (verb, given) = flags(&["gone", "m-S0"]);
        assert_eq!(
            call(&verb, &given),
            json!({"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": {"value": "m-S0"}}})
        );
    }

    #[test]
    fn agents_have_a_line_each_with_their_state() {
        let agent = |id: &str, more: Value| {
            let mut agent = json!({"id": id, "hostname": "h", "pid": "slave(1)@10.0.0.1:5051", "active": false});
            more.as_object().unwrap().iter().for_each(|(key, one)| agent[key] = one.clone());
            agent
        };
        let told = listing(&json!({
            "slaves": [
                agent("m-S0", json!({"active": true, "deactivated": false})),
                agent("m-S1", json!({"deactivated": true})),
                agent("m-S2", json!({"deactivated": true, "drain_info":
                    {"state": "DRAINING", "config": {"mark_gone": true}}})),
                agent("m-S3", json!({"deactivated": false})),
            ],
            "recovered_slaves": [{"id": "m-S4", "hostname": "h"}],
        }));
        let rest: Vec<&str> = told.lines().map(|line| line.rsplit_once("  ").unwrap().1).collect();
        assert_eq!(
            rest,
            [
                "active",
                "deactivated",
                "draining, gone when drained",
                "disconnected",
                "not back yet"
            ]
        );
    }
}
