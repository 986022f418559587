//! `reeve generate`: manual pages and completions, for those who make packages. Both are made from
//! the commands themselves.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command};
use clap_complete::Shell;

/// The subcommand.
pub fn command() -> Command {
    let directory = || Arg::new("directory").value_name("DIRECTORY").required(true);
    Command::new("generate")
        .about("Write manual pages or completions for shells, for packages")
        .hide(true)
        .subcommand_required(true)
        .subcommand(Command::new("man").about("Write the manual pages").arg(directory()))
        .subcommand(
            Command::new("completions").about("Write completions of each shell").arg(directory()),
        )
}

/// Runs it: `programs` are those that have pages and completions.
///
/// # Errors
///
/// If the directory can't be written to.
pub fn run(flags: &ArgMatches, programs: Vec<Command>) -> anyhow::Result<ExitCode> {
    let Some((what, flags)) = flags.subcommand() else { return Ok(ExitCode::FAILURE) };
    let directory = flags.get_one::<String>("directory").map(Path::new).unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    for program in programs {
        match what {
            "man" => clap_mangen::generate_to(program.disable_help_subcommand(true), directory),
            _ => completions(program, directory),
        }
        .with_context(|| directory.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn completions(mut program: Command, directory: &Path) -> std::io::Result<()> {
    let name = program.get_name().to_owned();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut program, &name, directory)?;
    }
    Ok(())
}
