//! The supervisor's loop: one program, and everything it leaves behind.

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use crate::log;
use crate::plan::Plan;
use crate::process::{self, Program};
use crate::sys::{self, Reaped};

/// The wait status of a program that could not be started: exit status 127, as shells have it.
const NOT_STARTED: i32 = 127 << 8;

/// Runs the program to its end, kills what it leaves, and returns its wait status.
pub fn run(program: &Program, plan: &Plan) -> i32 {
    let first = match process::spawn_first(program, plan, None) {
        Ok(pid) => pid,
        Err(error) => {
            log(&format_args!("failed to execute {error}"));
            return NOT_STARTED;
        }
    };
    let status = loop {
        match sys::reap(true) {
            Ok(Reaped::Ended { pid, status }) if pid == first => break status,
            Ok(Reaped::Ended { .. } | Reaped::Running) => {}
            Ok(Reaped::Childless) | Err(_) => break NOT_STARTED,
        }
    };
    process::kill_all_below();
    status
}

/// Ends this process the way `status` says another one ended, so that whoever waits for it sees
/// the same. A signal that would leave a core behind is told by the shells' convention instead.
pub fn exit_like(status: i32) -> ExitCode {
    let status = ExitStatus::from_raw(status);
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(u8::try_from(code.unwrap_or(1)).unwrap_or(1))
}
