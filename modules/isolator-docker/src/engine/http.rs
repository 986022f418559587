//! HTTP/1.1 over the engine's socket, as far as the engine needs it: one request a connection,
//! and nothing waits longer than its [`Limit`].

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};

/// The longest response head taken.
const MAX_HEAD: usize = 32 << 10;

/// How often a wait that may be given up looks whether it was.
const LOOK: Duration = Duration::from_millis(200);

/// How long something may wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limit {
    until: Option<Instant>,
    given_up: Option<Arc<AtomicBool>>,
}

impl Limit {
    /// As long as it takes.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// This long from now on.
    pub(crate) fn of(patience: Duration) -> Self {
        Self { until: Instant::now().checked_add(patience), given_up: None }
    }

    /// No longer than until the flag is set.
    pub(crate) fn unless(self, given_up: Arc<AtomicBool>) -> Self {
        Self { given_up: Some(given_up), ..self }
    }

    /// How long to wait before the next look; an error once it is over.
    fn slice(&self) -> io::Result<Option<Duration>> {
        if self.given_up.as_ref().is_some_and(|flag| flag.load(Ordering::SeqCst)) {
            return Err(io::Error::other("it was given up"));
        }
        let look = self.given_up.as_ref().map(|_| LOOK);
        let Some(until) = self.until else { return Ok(look) };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "there was no answer in time"));
        }
        Ok(Some(look.map_or(left, |look| look.min(left))))
    }

    /// Does something that may end early for want of time, until it is done or the time is over.
    fn hold<T>(&self, mut attempt: impl FnMut(Option<Duration>) -> io::Result<T>) -> io::Result<T> {
        loop {
            match attempt(self.slice()?) {
                Err(error) if is_early(&error) => {}
                other => return other,
            }
        }
    }
}

fn is_early(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// A connection whose reads and writes keep to a limit.
#[derive(Debug)]
struct Connection {
    socket: UnixStream,
    limit: Limit,
}

impl Connection {
    fn open(path: &Path, limit: Limit) -> io::Result<Self> {
        let address = SockAddr::unix(path)?;
        let socket = limit.hold(|slice| {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            // An engine that accepts nothing lets `connect` wait; this bounds it (socket(7)).
            socket.set_write_timeout(slice)?;
            socket.connect(&address).map(|()| socket)
        })?;
        Ok(Self { socket: OwnedFd::from(socket).into(), limit })
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Self { socket, limit } = self;
        limit.hold(|slice| {
            socket.set_read_timeout(slice)?;
            socket.read(buffer)
        })
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self { socket, limit } = self;
        limit.hold(|slice| {
            socket.set_write_timeout(slice)?;
            socket.write(bytes)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

/// A request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'static str,
    /// Path and query.
    pub(crate) target: &'a str,
    /// More headers, names and values.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// A JSON text.
    pub(crate) body: Option<Vec<u8>>,
}

impl Request<'_> {
    fn head(&self) -> String {
        let Self { method, target, headers, body } = self;
        let mut head = format!(
            "{method} {target} HTTP/1.1\r\nHost: docker\r\nUser-Agent: reeve\r\nConnection: close\r\n"
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        match body {
            Some(body) => {
                let length = body.len();
                head += &format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
            }
            // The engine wants to hear that a POST has no body.
            None if *method == "POST" => head += "Content-Length: 0\r\n",
            None => {}
        }
        head + "\r\n"
    }
}

/// A response whose body is still to be read.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The newest version of the API that the engine has, if it says so.
    pub(crate) api_version: Option<String>,
    pub(crate) body: Body,
}

/// Sends a request and reads the head of the response.
pub(crate) fn exchange(socket: &Path, request: &Request<'_>, limit: Limit) -> io::Result<Response> {
    let mut connection = Connection::open(socket, limit)?;
    connection.write_all(request.head().as_bytes())?;
    if let Some(body) = &request.body {
        connection.write_all(body)?;
    }
    Response::read(BufReader::new(connection))
}

impl Response {
    fn read(mut input: BufReader<Connection>) -> io::Result<Self> {
        loop {
            let head = read_head(&mut input)?;
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut parsed = httparse::Response::new(&mut headers);
            parsed.parse(&head).map_err(io::Error::other)?;
            let status = parsed.code.unwrap_or_default();
            // An interim response announces another one.
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            let value = |name: &str| {
                let header = parsed.headers.iter().find(|one| one.name.eq_ignore_ascii_case(name));
                header.map(|header| String::from_utf8_lossy(header.value).trim().to_owned())
            };
            let left = layout(status, value("transfer-encoding"), value("content-length"))?;
            let api_version = value("api-version");
            return Ok(Self { status, api_version, body: Body { input, left } });
        }
    }
}

fn read_head(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let room = (MAX_HEAD - head.len()) as u64;
        if input.by_ref().take(room).read_until(b'\n', &mut head)? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the answer has no whole head",
            ));
        }
    }
    Ok(head)
}

/// How the rest of a body is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// This many bytes.
    Bytes(u64),
    /// A chunk's size comes next.
    Chunks,
    /// This many bytes of a chunk, then a line end, then more chunks.
    Chunk(u64),
    /// All until the connection's end.
    UntilClose,
}

fn layout(status: u16, coding: Option<String>, length: Option<String>) -> io::Result<Left> {
    if status == 204 || status == 304 {
        return Ok(Left::Bytes(0));
    }
    if coding.is_some_and(|coding| coding.to_ascii_lowercase().ends_with("chunked")) {
        return Ok(Left::Chunks);
    }
    match length {
        Some(length) => length.parse().map(Left::Bytes).map_err(io::Error::other),
        None => Ok(Left::UntilClose),
    }
}

/// A body as it arrives.
#[derive(Debug)]
pub(crate) struct Body {
    input: BufReader<Connection>,
    left: Left,
}

impl Body {
    /// Sets another limit for what is still to come.
    pub(crate) fn limit(&mut self, limit: Limit) {
        self.input.get_mut().limit = limit;
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.input.by_ref().take(1_024).read_line(&mut line)?;
        if line.ends_with('\n') {
            Ok(line)
        } else {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer ends in a chunk"))
        }
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let line = self.line()?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(digits, 16).map_err(io::Error::other)?;
        self.left = if size == 0 { Left::Bytes(0) } else { Left::Chunk(size) };
        Ok(())
    }

    fn read_at_most(&mut self, left: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.input.read(&mut buffer[..room])?;
        if count == 0 && room > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer is cut short"));
        }
        Ok(count)
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.left {
                Left::UntilClose => return self.input.read(buffer),
                Left::Bytes(0) => return Ok(0),
                Left::Bytes(left) => {
                    let count = self.read_at_most(left, buffer)?;
                    self.left = Left::Bytes(left - count as u64);
                    return Ok(count);
                }
                Left::Chunks => self.next_chunk()?,
                Left::Chunk(0) => {
                    self.line()?;
                    self.left = Left::Chunks;
                }
                Left::Chunk(left) => {
                    let count = self.read_at_most(left, buffer)?;
                    self.left = Left::Chunk(left - count as u64);
                    return Ok(count);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
