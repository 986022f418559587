//! The container logger `logrotate`: `stdout` and `stderr` of a sandbox grow no further than they
//! may, and what is older is kept in a few files beside them.
//!
//! - here: the module, which says that `reeve-logrotate` takes the output, and how.
//! - [`rotate`]: what that program does; it rotates by itself, and runs no other program.
//! - `settings`: parameters, and what a command's environment says instead.
//!
//! Lives elsewhere: starting the program (`agent/executor`).

pub mod rotate;
mod settings;

use std::path::PathBuf;

use reeve_module_sdk::container_logger::{Container, ContainerLogger, Sink, Streams};
use reeve_module_sdk::{Failed, Module, Parameters};

use settings::Limits;

/// The program that takes the output of one stream.
const PROGRAM: &str = "reeve-logrotate";

/// The container logger.
#[derive(Debug)]
pub struct Logrotate {
    program: PathBuf,
    limits: Limits,
    prefix: String,
}

impl Module for Logrotate {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        Ok(Self {
            program: program(parameters.text("program"))?,
            limits: Limits::read(parameters)?,
            prefix: parameters.text("environment_variable_prefix").unwrap_or_default().to_owned(),
        })
    }
}

reeve_module_sdk::module! {
    container_logger: Logrotate,
    name: "logrotate",
    author: "The Reeve authors",
    description: "Rotates the standard output and error of containers.",
    parameters: [
        ("max_stdout_size", "size", "10MB", "How long stdout may become before it is rotated."),
        ("max_stderr_size", "size", "10MB", "How long stderr may become before it is rotated."),
        ("max_files", "integer", "5", "How many older files of each are kept: stdout.1, the newest, and so on."),
        (
            "environment_variable_prefix",
            "text",
            "CONTAINER_LOGGER_",
            "A command may set these parameters for itself by variables such as \
             CONTAINER_LOGGER_MAX_STDOUT_SIZE. Empty: it may not."
        ),
        ("program", "text", "The program reeve-logrotate. Unset: beside this module, or beside the agent."),
    ],
}

impl ContainerLogger for Logrotate {
    fn streams(&self, container: &Container) -> Result<Streams, Failed> {
        let limits = self.limits.of_command(&container.command_info, &self.prefix)?;
        let sink = |file: &str, size: u64| {
            let program = self.program.to_string_lossy().into_owned();
            let words = [program, file.to_owned(), size.to_string(), limits.files.to_string()];
            Sink::Program(words.into_iter().map(Into::into).collect())
        };
        Ok(Streams { stdout: sink("stdout", limits.stdout), stderr: sink("stderr", limits.stderr) })
    }
}

/// Where the program is.
fn program(given: Option<&str>) -> Result<PathBuf, Failed> {
    let agent = || std::env::current_exe().ok();
    let beside =
        [library(), agent()].into_iter().flatten().map(|file| file.with_file_name(PROGRAM));
    let places: Vec<PathBuf> = given.map_or_else(|| beside.collect(), |given| vec![given.into()]);
    let found = places.iter().find(|place| place.is_absolute() && place.is_file());
    found.cloned().ok_or_else(|| {
        let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
        let places = places.join(" nor as ");
        Failed::new(format!("{PROGRAM} is not there as {places}; set the parameter 'program'"))
    })
}

/// The file that this code was loaded from, as the kernel lists it.
fn library() -> Option<PathBuf> {
    let here = library as fn() -> Option<PathBuf> as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines().find_map(|line| {
        let (start, rest) = line.split_once('-')?;
        let end = rest.split(' ').next()?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        let path = rest.find('/').map(|at| PathBuf::from(&rest[at..]));
        path.filter(|_| (number(start)..number(end)).contains(&Some(here)))
    })
}

#[cfg(test)]
mod tests;
