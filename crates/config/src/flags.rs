//! Settings as command line flags.

use clap::{Arg, ArgAction, ArgMatches, Command, parser::ValueSource};

use crate::{Origin, Settings, Shape, Spec, Values};

/// Adds a flag for every setting, and `--config FILE`.
///
/// Names are Mesos's, with underscores; dashes are accepted too.
pub fn arguments<S: Settings>(command: Command) -> Command {
    let config = Arg::new("config").long("config").value_name("FILE").help(format!(
        "Read this file, and FILE.d/*.toml, instead of /etc/reeve/{}.toml",
        S::DAEMON
    ));
    let command = command.arg(config);
    S::SPECS.iter().fold(command, |command, spec| {
        let command = command.arg(flag(spec));
        if spec.shape == Shape::Switch { command.arg(negation(spec)) } else { command }
    })
}

fn flag(spec: &Spec) -> Arg {
    let mut help = spec.doc.trim().to_owned();
    if let Some(default) = spec.default {
        help = format!("{help} [default: {default}]");
    }
    let arg = Arg::new(spec.name)
        .long(spec.name)
        .aliases(aliases(spec, ""))
        .help(help)
        .allow_hyphen_values(true);
    match spec.shape {
        Shape::Switch => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("BOOL")
            .overrides_with(negative(spec)),
        Shape::List => arg.action(ArgAction::Append).value_name("LIST"),
        Shape::Number => arg.action(ArgAction::Set).value_name("NUMBER"),
        Shape::Modules => arg.action(ArgAction::Set).value_name("JSON|FILE"),
        Shape::Text => arg.action(ArgAction::Set).value_name("TEXT"),
    }
}

fn negation(spec: &Spec) -> Arg {
    Arg::new(negative(spec))
        .long(negative(spec))
        .aliases(aliases(spec, "no-"))
        .action(ArgAction::SetTrue)
        .hide(true)
        .overrides_with(spec.name)
}

fn negative(spec: &Spec) -> String {
    format!("no-{}", spec.name)
}

fn aliases(spec: &Spec, prefix: &str) -> Vec<String> {
    let mut names = vec![spec.name.replace('_', "-")];
    if let Some(old) = spec.old_name() {
        names.push(old.replace('_', "-"));
        names.push(old);
    }
    names.retain(|name| name != spec.name);
    names.dedup();
    names.into_iter().map(|name| format!("{prefix}{name}")).collect()
}

/// Copies what the command line gave.
pub(crate) fn collect<S: Settings>(matches: &ArgMatches, values: &mut Values) {
    for spec in S::SPECS {
        let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        if given(spec.name) {
            let texts: Vec<&str> = matches
                .get_many::<String>(spec.name)
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            values.set(spec.name, texts.join(","), Origin::Flag);
        } else if spec.shape == Shape::Switch && given(&negative(spec)) {
            values.set(spec.name, "false".to_owned(), Origin::Flag);
        }
    }
}
