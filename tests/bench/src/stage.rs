//! What a row is played on: real processes in directories of their own, on free ports of
//! 127.0.0.1. All are gone when the stage is, whatever happens.

mod zookeeper;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::process;

pub use zookeeper::ZooKeeper;

/// How long a daemon may take to start.
const START: Duration = Duration::from_secs(30);

/// How long a process may take to end after SIGTERM.
const FAREWELL: Duration = Duration::from_secs(5);

/// How often it is looked at first whether something has happened.
const POLL: Duration = Duration::from_micros(500);

/// Where the ports begin that daemons listen at, and how many there are: below those that Linux
/// gives by itself.
const LOWEST_PORT: u32 = 10_000;
const PORTS: u32 = 20_000;

/// The programs and the directories. Clones are the same stage.
#[derive(Clone, Debug)]
pub struct Stage {
    programs: PathBuf,
    started: Arc<Started>,
    room: Arc<TempDir>,
}

/// The processes that run; nothing once the stage is cleared, so that nothing starts any more.
#[derive(Debug)]
struct Started(Mutex<Option<Vec<u32>>>);

impl Started {
    fn lock(&self) -> MutexGuard<'_, Option<Vec<u32>>> {
        // A poisoned lock only means that a thread died between two whole changes.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running process. It ends with the value.
#[derive(Debug)]
pub struct Running {
    child: Child,
    started: Arc<Started>,
    lines: Option<BufReader<ChildStdout>>,
    log: PathBuf,
    name: String,
}

/// A master.
#[derive(Debug)]
pub struct Master {
    /// Its process.
    pub process: Running,
    /// Where it answers.
    pub address: SocketAddr,
    /// From its start to its first answer.
    pub start: Duration,
    /// Where its registry is.
    directory: PathBuf,
}

/// A real agent.
#[derive(Debug)]
pub struct Agent {
    /// Its process.
    pub process: Running,
    /// Where it answers.
    pub address: SocketAddr,
    /// Where it and its sandboxes live.
    pub directory: PathBuf,
    /// From its start until the master has it.
    pub start: Duration,
    resources: String,
}

impl Stage {
    /// A stage for the programs of that directory, with its files in `room`, which should be on
    /// a disk: registries are to be durable.
    ///
    /// # Errors
    /// If a program is missing, or `room` can't be written to.
    pub fn new(programs: &Path, room: &Path) -> anyhow::Result<Stage> {
        for name in ["reeve", "reeve-executor", "reeve-load"] {
            if !programs.join(name).exists() {
                bail!("{} has no {name}: build it, or use `make bench`", programs.display());
            }
        }
        let room = tempfile::Builder::new().prefix("stage-").tempdir_in(room)?;
        let started = Arc::new(Started(Mutex::new(Some(Vec::new()))));
        Ok(Stage { programs: programs.to_owned(), started, room: Arc::new(room) })
    }

    /// Where the programs and modules are.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Kills all that was started here, and all that they started, and forgets their files.
    /// Nothing can be started afterwards.
    pub fn clear(&self) {
        for pid in self.started.lock().take().into_iter().flatten() {
            send(pid, Signal::SIGKILL);
        }
        sweep(self.room.path());
        // What the dying still hold goes with the directory's own end, if that comes.
        let _ = fs::remove_dir_all(self.room.path());
    }

    /// Starts a master with a durable registry.
    ///
    /// # Errors
    /// If it doesn't answer.
    pub fn master(&self) -> anyhow::Result<Master> {
        self.master_at(free_address()?, self.directory("master")?)
    }

    /// Kills a master, and starts another with its registry at its address.
    ///
    /// # Errors
    /// If it doesn't answer.
    pub fn replace(&self, mut master: Master) -> anyhow::Result<Master> {
        master.process.kill();
        self.master_at(master.address, master.directory)
    }

    fn master_at(&self, address: SocketAddr, directory: PathBuf) -> anyhow::Result<Master> {
        let mut command = self.command("reeve");
        command.args(["master", "--ip=127.0.0.1", "--hostname=127.0.0.1"]);
        command.arg(format!("--port={}", address.port()));
        command.arg(format!("--work_dir={}", directory.display()));
        command.arg("--logging_level=WARNING");
        let start = Instant::now();
        let mut process = self.start("master", &mut command, false)?;
        process.wait_until("it answers /health", || {
            Ok(get(address, "/health").is_ok_and(|(status, _)| status == 200))
        })?;
        Ok(Master { process, address, start: start.elapsed(), directory })
    }

    /// Starts a real agent and waits until the master has it.
    ///
    /// # Errors
    /// If it doesn't register.
    pub fn agent(&self, master: &Master, resources: &str) -> anyhow::Result<Agent> {
        let directory = self.directory("agent")?;
        let (address, resources) = (free_address()?, resources.to_owned());
        let (process, start) = self.agent_at(master, address, &directory, &resources)?;
        Ok(Agent { process, address, directory, start, resources })
    }

    /// Kills an agent, and starts another in its place once the master has noticed. What it ran
    /// goes on meanwhile.
    ///
    /// # Errors
    /// If the master doesn't notice, or it doesn't register again.
    pub fn revive(&self, master: &Master, agent: &mut Agent) -> anyhow::Result<()> {
        agent.process.kill();
        wait_until("the master misses the agent", || Ok(active_agents(master.address)? == 0))?;
        let Agent { address, directory, resources, .. } = agent;
        let (process, start) = self.agent_at(master, *address, directory, resources)?;
        (agent.process, agent.start) = (process, start);
        Ok(())
    }

    fn agent_at(
        &self,
        master: &Master,
        address: SocketAddr,
        directory: &Path,
        resources: &str,
    ) -> anyhow::Result<(Running, Duration)> {
        let mut command = self.command("reeve");
        command.args(["agent", "--ip=127.0.0.1", "--hostname=127.0.0.1"]);
        command.arg(format!("--port={}", address.port()));
        command.arg(format!("--master={}", master.address));
        command.arg(format!("--work_dir={}", directory.join("work").display()));
        command.arg(format!("--runtime_dir={}", directory.join("run").display()));
        command.arg(format!("--resources={resources}"));
        command.args(["--registration_backoff_factor=1ms", "--logging_level=WARNING"]);
        let start = Instant::now();
        let mut process = self.start("agent", &mut command, false)?;
        process.wait_until("it is registered", || Ok(active_agents(master.address)? > 0))?;
        Ok((process, start.elapsed()))
    }

    /// Starts `reeve-load` with those words; its reports are read by [`Running::report`].
    ///
    /// # Errors
    /// If it can't be started.
    pub fn load(&self, mode: &str, master: &Master, words: &[String]) -> anyhow::Result<Running> {
        let mut command = self.command("reeve-load");
        command.arg(mode).arg(format!("--master={}", master.address));
        command.arg(format!("--pid={}", master.process.pid()));
        command.args(words);
        self.start(mode, &mut command, true)
    }

    fn command(&self, program: &str) -> Command {
        Command::new(self.programs.join(program))
    }

    /// A directory that nothing else has.
    ///
    /// # Errors
    /// If it can't be made.
    pub fn directory(&self, name: &str) -> anyhow::Result<PathBuf> {
        let directory = tempfile::Builder::new().prefix(name).tempdir_in(self.room.path())?;
        // The stage's own directory takes it along.
        Ok(directory.keep())
    }

    fn start(&self, name: &str, command: &mut Command, piped: bool) -> anyhow::Result<Running> {
        let log = self.directory(name)?.join("log");
        let file = fs::File::create(&log)?;
        let out = if piped { Stdio::piped() } else { file.try_clone()?.into() };
        command.stdin(Stdio::null()).stdout(out).stderr(file);
        let mut started = self.started.lock();
        let running = started.as_mut().context("everything is being stopped")?;
        let mut child = command.spawn().with_context(|| format!("starting {name}"))?;
        running.push(child.id());
        drop(started);
        let lines = child.stdout.take().map(BufReader::new);
        Ok(Running { child, started: Arc::clone(&self.started), lines, log, name: name.to_owned() })
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if Arc::strong_count(&self.room) == 1 {
            self.clear();
        }
    }
}

impl Running {
    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next report: a line of JSON.
    ///
    /// # Errors
    /// If the process ends without one.
    pub fn report(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        let lines = self.lines.as_mut().context("its output isn't read")?;
        if lines.read_line(&mut line)? == 0 {
            let code = self.child.wait()?;
            bail!("{} ended ({code}) without a report: {}", self.name, self.last_words());
        }
        Ok(serde_json::from_str(&line)?)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// If it fails.
    pub fn finish(&mut self) -> anyhow::Result<()> {
        let code = self.child.wait()?;
        if !code.success() {
            bail!("{} failed ({code}): {}", self.name, self.last_words());
        }
        Ok(())
    }

    /// Asks it to end, and makes it end.
    pub fn stop(&mut self) {
        send(self.pid(), Signal::SIGTERM);
        let start = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if start.elapsed() > FAREWELL {
                return self.kill();
            }
            std::thread::sleep(POLL);
        }
    }

    /// Kills it.
    fn kill(&mut self) {
        send(self.pid(), Signal::SIGKILL);
        // Nothing can be done about a process that survives that.
        let _ = self.child.wait();
    }

    fn wait_until(
        &mut self,
        what: &str,
        holds: impl Fn() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let holds = || match holds()? {
            true => Ok(true),
            false => match self.child.try_wait()? {
                Some(code) => bail!("it ended ({code})"),
                None => Ok(false),
            },
        };
        wait_until(what, holds).with_context(|| format!("{}: {}", self.name, self.last_words()))
    }

    /// The last lines of its log.
    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        let pid = self.pid();
        if let Some(running) = self.started.lock().as_mut() {
            running.retain(|one| *one != pid);
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.process.stop();
        // Executors outlive their agent, so that it can be restarted.
        sweep(&self.directory);
    }
}

fn send(pid: u32, signal: Signal) {
    if let Ok(pid) = i32::try_from(pid) {
        // Gone already is as good.
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

/// Kills what lives in that directory.
fn sweep(directory: &Path) {
    for process in process::living_in(directory).unwrap_or_default() {
        send(process.pid, Signal::SIGKILL);
    }
}

/// Asks until it is so, less and less often, so that asking costs little of what is waited for.
fn wait_until(what: &str, mut holds: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let start = Instant::now();
    while !holds()? {
        let waited = start.elapsed();
        if waited > START {
            bail!("waited in vain until {what}");
        }
        std::thread::sleep(POLL.max(waited / 100));
    }
    Ok(())
}

/// An address that nobody listens at, and whose port the kernel gives to nobody: who connects to
/// one of the kernel's own while nobody listens there may be connected to himself.
fn free_address() -> anyhow::Result<SocketAddr> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(LOWEST_PORT + number % PORTS)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
}

/// How many agents the master counts as active.
fn active_agents(master: SocketAddr) -> anyhow::Result<u64> {
    metric(master, "master/slaves_active")
}

/// A figure that a daemon tells.
///
/// # Errors
/// If it doesn't.
pub fn metric(daemon: SocketAddr, name: &str) -> anyhow::Result<u64> {
    let (status, body) = get(daemon, "/metrics/snapshot")?;
    if status != 200 {
        bail!("/metrics/snapshot answers {status}");
    }
    let snapshot: Value = serde_json::from_slice(&body)?;
    let figure = snapshot.get(name).and_then(Value::as_f64);
    Ok(figure.with_context(|| format!("no {name}"))? as u64)
}

/// A GET on a connection of its own: the status and the body.
fn get(address: SocketAddr, path: &str) -> anyhow::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(&answer)? {
        httparse::Status::Complete(head) => {
            let status = response.code.unwrap_or(0);
            Ok((status, answer.get(head..).unwrap_or_default().to_vec()))
        }
        httparse::Status::Partial => bail!("half an answer to {path}"),
    }
}
