//! `reeve module check`.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use clap::ArgMatches;
use reeve_config::{Given, Module, Origin, Parameter};
use reeve_module_host::{Library, check};

/// Checks in a child process unless it is to be here: a module may crash or hang.
#[allow(clippy::print_stdout)]
pub(super) fn run(path: &Path, flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let library = Library::read(path)?;
    if flags.get_flag("here") {
        return here(&library, &given(flags)?);
    }
    let program = std::env::current_exe().context("this program has no file")?;
    let mut child = Command::new(program);
    child.args(["module", "check", "--here"]).arg(path);
    for set in flags.get_many::<String>("set").into_iter().flatten() {
        child.args(["--set", set]);
    }
    let status = child.status().context("cannot start a process to check the module in")?;
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(ExitCode::SUCCESS),
        (_, Some(signal)) => bail!("the module brought its process down with signal {signal}"),
        _ => Ok(ExitCode::FAILURE),
    }
}

fn given(flags: &ArgMatches) -> anyhow::Result<Module> {
    let mut module = Module::named(Origin::Flag);
    for set in flags.get_many::<String>("set").into_iter().flatten() {
        let Some((name, value)) = set.split_once('=') else {
            bail!("--set {set}: a parameter is set as NAME=VALUE");
        };
        let parameter = Parameter { given: Given::One(value.to_owned()), origin: Origin::Flag };
        module.parameters.insert(name.to_owned(), parameter);
    }
    Ok(module)
}

#[allow(clippy::print_stdout)]
fn here(library: &Library, given: &Module) -> anyhow::Result<ExitCode> {
    let findings = check::check(library, Some(given))?;
    for finding in &findings {
        match &finding.broken {
            None => println!("ok      {}", finding.rule),
            Some(why) => println!("broken  {}: {why}", finding.rule),
        }
    }
    let broken = findings.iter().filter(|finding| finding.broken.is_some()).count();
    println!("{} of {} rules are kept", findings.len() - broken, findings.len());
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
