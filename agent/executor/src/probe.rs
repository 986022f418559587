//! Probes of a task: commands beside it and connections to it, none of which is waited for here.
//!
//! Does not live here: when to probe, for how long, and what an outcome means ([`crate::checks`]).

use std::io::{self, PipeReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::process::Stdio;

use crate::checks::{Kind, Outcome, Probe};
use crate::http::{self, Response};
use crate::plan::Plan;
use crate::process::{self, Program};
use crate::sys::{self, Watch};

/// The probes under way, at most one for each check.
#[derive(Default)]
pub struct Probes {
    general: Option<UnderWay>,
    health: Option<UnderWay>,
}

enum UnderWay {
    Command(i32),
    Exchange(Exchange),
    /// The program that speaks TLS for us, and where it writes the status.
    Curl(i32, PipeReader),
}

/// A conversation with the task.
struct Exchange {
    address: SocketAddr,
    socket: TcpStream,
    stage: Stage,
}

enum Stage {
    /// With what is to be said then, if anything is.
    Connecting(Option<Vec<u8>>),
    /// With what is left to be said.
    Writing(Vec<u8>),
    Reading(Response),
}

impl Probes {
    /// Begins a probe; one that fails at once has its outcome at once.
    pub fn begin(&mut self, check: Kind, probe: Probe, plan: &Plan) -> Option<Outcome> {
        self.abandon(check);
        let begun = match probe {
            Probe::Command(program) => run(&program, plan),
            Probe::Http { address, path } => {
                Exchange::begin(address, Some(http::get(&address.to_string(), &path)))
            }
            Probe::Tcp(address) => Exchange::begin(address, None),
            Probe::Https { address, path } => curl(&format!("https://{address}{path}"), plan),
        };
        match begun {
            Ok(under_way) => *self.slot(check) = Some(under_way),
            Err(why) => return Some(Outcome::Failed(why)),
        }
        None
    }

    /// Gives up a probe, if one is under way.
    pub fn abandon(&mut self, check: Kind) {
        if let Some(UnderWay::Command(pid) | UnderWay::Curl(pid, _)) = self.slot(check).take() {
            // It leads a process group, and is reaped like any stranger.
            drop(sys::send_signal(-pid, libc::SIGKILL));
        }
    }

    /// Forgets all probes, whose processes are gone.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// What to watch for: the general check's probe and the health check's.
    pub fn watches(&self) -> [Option<Watch>; 2] {
        [&self.general, &self.health].map(|slot| match slot {
            Some(UnderWay::Exchange(exchange)) => Some(exchange.watch()),
            Some(UnderWay::Command(_) | UnderWay::Curl(..)) | None => None,
        })
    }

    /// Goes on with a connection that is ready.
    pub fn advance(&mut self, check: Kind) -> Option<Outcome> {
        let slot = self.slot(check);
        let Some(UnderWay::Exchange(exchange)) = slot else { return None };
        let outcome = exchange.advance().unwrap_or_else(|error| {
            Some(Outcome::Failed(unreachable_at(exchange.address, &error)))
        })?;
        *slot = None;
        Some(outcome)
    }

    /// What came of the probe that ran as this process, which has ended with this wait status.
    pub fn ended(&mut self, pid: i32, status: i32) -> Option<(Kind, Outcome)> {
        let check = [Kind::General, Kind::Health].into_iter().find(|&check| {
            matches!(self.slot(check),
                Some(UnderWay::Command(own) | UnderWay::Curl(own, _)) if *own == pid)
        })?;
        let outcome = match self.slot(check).take() {
            Some(UnderWay::Curl(_, written)) => answered(status, written),
            _ => Outcome::Exited(status),
        };
        Some((check, outcome))
    }

    fn slot(&mut self, check: Kind) -> &mut Option<UnderWay> {
        match check {
            Kind::General => &mut self.general,
            Kind::Health => &mut self.health,
        }
    }
}

/// Starts a command where the task runs. Its output is not the task's, so all of it goes to
/// standard error.
fn run(program: &Program, plan: &Plan) -> Result<UnderWay, String> {
    let output = Stdio::from(io::stderr());
    let begun = match (plan.wrapper.is_empty(), plan.exec_wrapper.is_empty()) {
        (true, _) => process::spawn(program, plan, output),
        (false, true) => return Err("No command can be run where this task runs".to_owned()),
        (false, false) => {
            let beside = program.wrapped(&exec_words(&plan.exec_wrapper, program));
            process::spawn_wrapper(&beside, plan, output, None)
        }
    };
    begun
        .map(UnderWay::Command)
        .map_err(|error| format!("Failed to execute '{}': {error}", program.file))
}

/// Asks over TLS as Mesos does, by curl: an executor that spoke TLS itself would be several times
/// as large, beside every task. It prints the status of the last answer, after redirections.
fn curl(url: &str, plan: &Plan) -> Result<UnderWay, String> {
    let words = ["curl", "-sSLkg", "-o", "/dev/null", "-w", "%{http_code}", url];
    let program = Program {
        file: "curl".to_owned(),
        arguments: words.map(str::to_owned).to_vec(),
        environment: Vec::new(),
    };
    let failed = |error| format!("Failed to execute 'curl', which makes https checks: {error}");
    let (reader, writer) = io::pipe().map_err(failed)?;
    let pid = process::spawn(&program, plan, Stdio::from(writer)).map_err(failed)?;
    Ok(UnderWay::Curl(pid, reader))
}

/// What curl, which has ended, has written.
fn answered(status: i32, written: PipeReader) -> Outcome {
    let mut code = String::new();
    let read = written.take(3).read_to_string(&mut code);
    match (process::succeeded(status), read.ok().and_then(|_| code.parse().ok())) {
        (true, Some(code)) => Outcome::Answered(code),
        // Its own words are in the task's standard error.
        _ => Outcome::Failed(process::describe("curl", status)),
    }
}

/// The words that run a command beside the task, its variables included.
fn exec_words(wrapper: &[String], program: &Program) -> Vec<String> {
    let variables = program.environment.iter();
    let variables =
        variables.flat_map(|(name, value)| ["-e".to_owned(), format!("{name}={value}")]);
    wrapper.iter().cloned().chain(variables).collect()
}

fn unreachable_at(address: SocketAddr, error: &io::Error) -> String {
    format!("No connection to {address}: {error}")
}

impl Exchange {
    fn begin(address: SocketAddr, request: Option<Vec<u8>>) -> Result<UnderWay, String> {
        let socket = sys::connect(address).map_err(|error| unreachable_at(address, &error))?;
        Ok(UnderWay::Exchange(Self { address, socket, stage: Stage::Connecting(request) }))
    }

    fn watch(&self) -> Watch {
        let fd = self.socket.as_raw_fd();
        match self.stage {
            Stage::Connecting(_) | Stage::Writing(_) => Watch::Write(fd),
            Stage::Reading(_) => Watch::Read(fd),
        }
    }

    /// Goes as far as it can without waiting.
    fn advance(&mut self) -> io::Result<Option<Outcome>> {
        match self.go_on() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            other => other.map(Some),
        }
    }

    fn go_on(&mut self) -> io::Result<Outcome> {
        loop {
            match &mut self.stage {
                Stage::Connecting(request) => {
                    check_connected(&self.socket)?;
                    let Some(request) = request.take() else { return Ok(Outcome::Connected) };
                    self.stage = Stage::Writing(request);
                }
                Stage::Writing(rest) if rest.is_empty() => {
                    self.stage = Stage::Reading(Response::new());
                }
                Stage::Writing(rest) => {
                    let count = self.socket.write(rest)?;
                    rest.drain(..count);
                }
                Stage::Reading(response) => return read(&mut self.socket, response),
            }
        }
    }
}

/// Fails if the connection was refused, or leads to itself: a port of the range that the kernel
/// chooses from can be its own peer when nobody listens.
fn check_connected(socket: &TcpStream) -> io::Result<()> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    if socket.local_addr()? == socket.peer_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(())
}

/// Reads to the end of the answer, so that the task is not cut off, and keeps nothing of it.
fn read(socket: &mut TcpStream, response: &mut Response) -> io::Result<Outcome> {
    let mut buffer = [0_u8; 4 << 10];
    loop {
        let count = socket.read(&mut buffer)?;
        if response.push(&buffer[..count]).is_err() {
            return Ok(Outcome::Failed("The answer is not HTTP".to_owned()));
        }
        response.take_body();
        match response.status() {
            Some(status) if count == 0 || response.is_done() => {
                return Ok(Outcome::Answered(status));
            }
            None if count == 0 => {
                return Ok(Outcome::Failed("The connection was closed without an answer".into()));
            }
            _ => {}
        }
    }
}
