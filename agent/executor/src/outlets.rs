//! Programs that take the container's output.
//!
//! They are no part of the container: they start before it adopts orphans, as orphans, so that
//! nobody who ends the container finds them, and what was written last is not lost. They end when
//! nobody is left who could write. The agent waits for them before isolators confine this process,
//! so that they are in none of the container's cgroups either.

use std::fs::File;
use std::io::{self, PipeReader, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::plan::Plan;
use crate::sys::{self, Watch};

/// How long the container's end may wait for what was written last.
const PATIENCE: Duration = Duration::from_secs(5);

/// What such a program finds its own programs in.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The programs that take the output, each by a pipe that ends when it does.
#[derive(Debug, Default)]
pub struct Outlets {
    running: Vec<PipeReader>,
}

impl Outlets {
    /// Starts the plan's programs, tells the agent, and puts their pipes in the place of this process's output.
    pub fn open(plan: &Plan) -> io::Result<Self> {
        if plan.stdout.is_empty() && plan.stderr.is_empty() {
            return Ok(Self::default());
        }
        let opened = Self::replace_output(plan);
        let mut agent = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        match &opened {
            Ok(_) => agent.write_all(b"r")?,
            Err(error) => write!(agent, "e{error}")?,
        }
        opened
    }

    fn replace_output(plan: &Plan) -> io::Result<Self> {
        let mut opened = Vec::new();
        for (words, number) in [(&plan.stdout, 1), (&plan.stderr, 2)] {
            if let Some((program, arguments)) = words.split_first() {
                opened.push((start(program, arguments, plan)?, number));
            }
        }
        // Only now, so that all of them have the errors of their own where ours were.
        let mut running = Vec::new();
        for ((pipe, alive), number) in opened {
            sys::replace(number, &pipe)?;
            running.push(alive);
        }
        Ok(Self { running })
    }

    /// Lets go of the pipes, and waits until all that was written is where it belongs.
    pub fn close(self) {
        if self.running.is_empty() {
            return;
        }
        // Should this fail, the end of this process does the same a little later.
        let _silenced = [1, 2].map(sys::forget_output);
        let patience = Instant::now() + PATIENCE;
        for alive in self.running {
            let left = patience.saturating_duration_since(Instant::now());
            let _ended = sys::wait_ready([Some(Watch::Read(alive.as_raw_fd()))], Some(left));
        }
    }
}

/// Starts one. Gives the pipe to write to, and another that ends when the program does.
fn start(program: &str, arguments: &[String], plan: &Plan) -> io::Result<(OwnedFd, PipeReader)> {
    let (input, pipe) = io::pipe()?;
    let (alive, held) = io::pipe()?;
    let user = plan.user.clone();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .current_dir(&plan.sandbox)
        .stdin(input)
        .stdout(held);
    let leave = move || {
        sys::new_session()?;
        sys::unblock_signals()?;
        if let Some(user) = &user {
            sys::become_user(user.uid, user.gid, &user.groups)?;
        }
        sys::leave_parent()
    };
    // SAFETY: this process has one thread, so the child's copy of memory has no lock held by
    // another; the closure makes system calls only.
    unsafe { command.pre_exec(leave) };
    let named = |error: io::Error| io::Error::new(error.kind(), format!("'{program}': {error}"));
    // What ends at once is the child that the program left.
    command.spawn().and_then(|mut child| child.wait()).map_err(named)?;
    Ok((pipe.into(), alive))
}
