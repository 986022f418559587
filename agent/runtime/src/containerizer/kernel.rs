//! The steps of a launch that touch the kernel, behind a trait, so that their order can be tested
//! without root and without processes.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::pidfd::{PidFd, Wait};
use crate::process::{start_time, tree};
use crate::sandbox::Outputs;

/// How long a killed first process may take to be reaped.
const REAP_PATIENCE: Duration = Duration::from_secs(5);

/// How long a plan may wait for its answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);

/// What a first process is started with.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    pub(crate) executor: &'a Path,
    pub(crate) sandbox: &'a Path,
    pub(crate) environment: &'a BTreeMap<String, String>,
    pub(crate) outputs: Outputs,
    /// The launch plan as it goes over standard input.
    pub(crate) plan: Vec<u8>,
    /// Whether the plan is answered: with `r`, or `e` and why it cannot be followed.
    pub(crate) answered: bool,
}

/// Starts first processes.
pub(crate) trait Kernel: Send + Sync {
    /// Starts one that waits for its go.
    fn spawn(&self, order: Order<'_>) -> io::Result<Box<dyn Held>>;
}

/// A first process that waits for its go.
pub(crate) trait Held: Send {
    /// Its number.
    fn pid(&self) -> u32;
    /// Its start time.
    fn start_time(&self) -> u64;
    /// Lets it begin.
    fn go(&mut self) -> io::Result<()>;
    /// Kills it and all below it.
    fn kill(&mut self);
    /// Lets go of the process, which runs on.
    fn release(self: Box<Self>) -> Option<PidFd>;
}

/// The real thing.
#[derive(Debug)]
pub(crate) struct Linux;

struct Waiting {
    pid: u32,
    start_time: u64,
    held: PidFd,
    input: UnixStream,
}

impl Kernel for Linux {
    /// Takes the standard library's quick path (`posix_spawn`), which it leaves as soon as it is
    /// asked for another user or for code to run in between: a large process that forks is tens
    /// of times slower. All that is done by the first process itself.
    fn spawn(&self, order: Order<'_>) -> io::Result<Box<dyn Held>> {
        let (mut input, theirs) = UnixStream::pair()?;
        let mut child = Command::new(order.executor)
            .env_clear()
            .envs(order.environment)
            .current_dir(order.sandbox)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(OwnedFd::from(order.outputs.stdout)))
            .stderr(Stdio::from(OwnedFd::from(order.outputs.stderr)))
            .spawn()
            .map_err(|error| named(error, order.executor))?;
        let pid = child.id();
        // Not reaped yet, so the number cannot have become another's.
        let told = PidFd::open(pid).and_then(|held| {
            let start_time = start_time(pid)?;
            // Longer than the buffer or not: the process is there and reads.
            input.write_all(&order.plan)?;
            if order.answered {
                hear(&mut input)?;
            }
            Ok(Waiting { pid, start_time, held, input })
        });
        if told.is_err() {
            drop(child.kill());
            drop(child.wait());
        }
        Ok(Box::new(told?))
    }
}

/// Hears whether what takes the output runs.
fn hear(input: &mut UnixStream) -> io::Result<()> {
    input.set_read_timeout(Some(ANSWER_PATIENCE))?;
    let mut verdict = [0];
    input.read_exact(&mut verdict)?;
    if verdict == *b"r" {
        return Ok(());
    }
    let mut why = String::new();
    input.read_to_string(&mut why)?;
    Err(io::Error::other(format!("what takes its output does not start: {why}")))
}

fn named(error: io::Error, executor: &Path) -> io::Error {
    let path = PathBuf::from(executor);
    io::Error::new(error.kind(), format!("{error} ('{}')", path.display()))
}

impl Held for Waiting {
    fn pid(&self) -> u32 {
        self.pid
    }

    fn start_time(&self) -> u64 {
        self.start_time
    }

    fn go(&mut self) -> io::Result<()> {
        self.input.write_all(b"g")
    }

    fn kill(&mut self) {
        drop(tree::kill(self.pid, &self.held));
        let patience = Instant::now() + REAP_PATIENCE;
        while matches!(self.held.reap(), Ok(Wait::Running)) && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn release(self: Box<Self>) -> Option<PidFd> {
        Some(self.held)
    }
}
