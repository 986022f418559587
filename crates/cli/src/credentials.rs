//! `--principal` and `--secret` of tools that ask daemons.

use std::path::Path;

use anyhow::Context;
use clap::{Arg, ArgMatches};
use reeve_client::Credentials;

/// The flags.
pub(crate) fn arguments() -> [Arg; 2] {
    [
        Arg::new("principal")
            .long("principal")
            .value_name("NAME")
            .env("REEVE_PRINCIPAL")
            .help("Who asks, where the daemon wants to know"),
        Arg::new("secret")
            .long("secret")
            .value_name("SECRET")
            .env("REEVE_SECRET")
            .hide_env_values(true)
            .requires("principal")
            .help("The secret that proves it, or file:///path with it"),
    ]
}

/// What the flags say.
pub(crate) fn given(flags: &ArgMatches) -> anyhow::Result<Option<Credentials>> {
    let text = |name: &str| flags.get_one::<String>(name);
    let (Some(principal), Some(given)) = (text("principal"), text("secret")) else {
        return Ok(None);
    };
    let secret = secret(given).with_context(|| format!("--secret={given}"))?;
    Ok(Some(Credentials::new(principal, secret)))
}

/// A secret as it is given: itself, or `file:///path` of a file that holds it, so that it is not
/// seen among the words of the process. A newline at the file's end is not part of it.
pub(crate) fn secret(given: &str) -> std::io::Result<String> {
    let Some(path) = given.strip_prefix("file://") else { return Ok(given.to_owned()) };
    let text = std::fs::read_to_string(Path::new(path))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}
