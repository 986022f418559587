//! `reeve config import`: from the directories of Mesos's packages to TOML.
//!
//! `layout` finds what they say, `variables` reads their files of shell variables, `translate`
//! writes what Reeve takes over, and why it leaves the rest.

mod layout;
mod translate;
mod variables;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::DAEMONS;
use layout::Found;
pub(super) use translate::LEFT_OUT;

/// Where a packaged Mesos keeps its configuration.
const ROOT: &str = "/etc";

/// One thing that an old configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// A flag of Mesos, or something else that stands where flags are expected.
    name: String,
    /// Its value, or why that can't be told.
    value: Result<String, String>,
    /// Where it stands.
    place: PathBuf,
}

/// What a file with an address of ZooKeeper says. A password stays where it is, and the file is
/// named: what is written from this may be for everybody to read.
fn said(file: &Path, text: String) -> String {
    match text.starts_with("zk://") && text.contains('@') {
        true => format!("file://{}", file.display()),
        false => text,
    }
}

/// The subcommand `import`.
pub(super) fn command() -> Command {
    Command::new("import")
        .about("Print what the directories of Mesos's packages say as TOML")
        .arg(
            Arg::new("path")
                .value_name("DIR")
                .num_args(0..)
                .value_parser(value_parser!(PathBuf))
                .default_value(ROOT)
                .help("Such as /etc/mesos-master, /etc/default/mesos, or /etc with all of them"),
        )
        .arg(
            Arg::new("output")
                .long("output")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .help("Write master.toml and agent.toml there instead of printing them"),
        )
        .arg(
            Arg::new("force")
                .long("force")
                .action(ArgAction::SetTrue)
                .requires("output")
                .help("Replace files that are there"),
        )
}

/// Runs it.
pub(super) fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let paths = flags.get_many::<PathBuf>("path").into_iter().flatten();
    let texts = texts(paths)?;
    match flags.get_one::<PathBuf>("output") {
        Some(folder) => write(folder, &texts, flags.get_flag("force"))?,
        None => {
            let mut out = std::io::stdout().lock();
            for (daemon, text) in &texts {
                if texts.len() > 1 {
                    writeln!(out, "### {daemon}.toml")?;
                }
                writeln!(out, "{text}")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The files to write, by daemon.
fn texts<'a>(
    paths: impl IntoIterator<Item = &'a PathBuf>,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let mut found = Found::default();
    for path in paths {
        found.take(path).with_context(|| format!("{} can't be imported", path.display()))?;
    }
    let text = |daemon: &super::Daemon| {
        let entries = found.of(daemon.name)?;
        Some((daemon.name, translate::toml(daemon.name, daemon.specs, &entries)))
    };
    Ok(DAEMONS.iter().filter_map(text).collect())
}

fn write(folder: &Path, texts: &[(&str, String)], force: bool) -> anyhow::Result<()> {
    let file = |daemon: &str| folder.join(format!("{daemon}.toml"));
    let there = texts.iter().map(|(daemon, _)| file(daemon)).find(|path| path.exists());
    if let Some(path) = there.filter(|_| !force) {
        bail!("{} is there already; --force replaces it", path.display());
    }
    std::fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
    for (daemon, text) in texts {
        let path = file(daemon);
        std::fs::write(&path, text).with_context(|| format!("{}", path.display()))?;
        writeln!(std::io::stdout(), "{}", path.display())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
