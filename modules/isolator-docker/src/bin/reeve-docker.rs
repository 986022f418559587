//! `reeve-docker`: stands for a task that runs in a container of the Docker Engine.

use std::process::ExitCode;

fn main() -> ExitCode {
    reeve_isolator_docker::shim::main(std::env::args().skip(1))
}
