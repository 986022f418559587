//! The executor's two connections to its agent: one that stays open for events, one for calls.
//!
//! Calls go out one at a time, in order. A call whose connection was closed while idle is sent
//! once more on a new one; the agent knows updates by their uuid.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use prost::Message;
use reeve_wire::v1::executor::{Call, Event};

use crate::http::{self, HttpError, Response};
use crate::records::{BadLength, Records};
use crate::settings::Settings;

/// How long a connect or a write may take; the agent is on this host.
const PATIENCE: Duration = Duration::from_secs(5);

/// The link broke.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The socket failed.
    #[error("the connection to the agent at {agent} failed")]
    Socket {
        /// The agent's address.
        agent: String,
        /// What the kernel says.
        #[source]
        source: io::Error,
    },
    /// The agent ended the event stream.
    #[error("the agent closed the event stream")]
    Closed,
    /// The agent does not want the call.
    #[error("the agent answered {status}: {body}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it says about it.
        body: String,
    },
    /// Not HTTP.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Not RecordIO.
    #[error(transparent)]
    Records(#[from] BadLength),
    /// Not an event.
    #[error("the agent sent an event that cannot be decoded")]
    Event(#[from] prost::DecodeError),
}

/// The stream of events.
struct Subscription {
    socket: TcpStream,
    response: Response,
    records: Records,
}

/// The connection for calls.
#[derive(Default)]
struct Calls {
    socket: Option<TcpStream>,
    response: Option<Response>,
    /// Calls not yet answered; the first one is under way if `response` is there.
    queue: VecDeque<Vec<u8>>,
    /// Whether the first call has been sent on an older connection already.
    again: bool,
}

/// Both connections.
pub struct Link {
    settings: Settings,
    subscription: Option<Subscription>,
    calls: Calls,
}

impl Link {
    /// No connection yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, subscription: None, calls: Calls::default() }
    }

    /// What to watch: events and answers.
    pub fn descriptors(&self) -> [Option<RawFd>; 2] {
        let events = self.subscription.as_ref().map(|s| s.socket.as_raw_fd());
        let answers = self.calls.socket.as_ref().map(AsRawFd::as_raw_fd);
        [events, answers]
    }

    /// Opens the stream with a SUBSCRIBE; events follow.
    pub fn subscribe(&mut self, call: &Call) -> Result<(), LinkError> {
        self.close();
        let mut socket = self.connect()?;
        let request = self.request(call);
        socket.write_all(&request).map_err(|source| self.socket_error(source))?;
        socket.set_nonblocking(true).map_err(|source| self.socket_error(source))?;
        self.subscription =
            Some(Subscription { socket, response: Response::new(), records: Records::default() });
        Ok(())
    }

    /// Sends a call after those before it.
    pub fn send(&mut self, call: &Call) -> Result<(), LinkError> {
        let request = self.request(call);
        self.calls.queue.push_back(request);
        if self.calls.response.is_none() { self.send_next() } else { Ok(()) }
    }

    /// Forgets both connections and the calls not yet answered.
    pub fn close(&mut self) {
        self.subscription = None;
        self.calls = Calls::default();
    }

    /// Reads the events that arrived.
    pub fn read_events(&mut self) -> Result<Vec<Event>, LinkError> {
        let Some(stream) = &mut self.subscription else { return Ok(Vec::new()) };
        let open = pump(&mut stream.socket, &mut stream.response)
            .map_err(|error| error.named(&self.settings))?;
        let body = stream.response.take_body();
        match stream.response.status() {
            Some(200) => stream.records.push(&body),
            Some(status) => return Err(refused(status, &body)),
            None => {}
        }
        let mut events = Vec::new();
        while let Some(record) = stream.records.next()? {
            events.push(Event::decode(record.as_slice())?);
        }
        if events.is_empty() && (!open || stream.response.is_done()) {
            return Err(LinkError::Closed);
        }
        Ok(events)
    }

    /// Reads the answers that arrived and sends the next call.
    pub fn read_answers(&mut self) -> Result<(), LinkError> {
        let Some(socket) = &mut self.calls.socket else { return Ok(()) };
        let mut idle = Response::new();
        let under_way = self.calls.response.is_some();
        let response = self.calls.response.as_mut().unwrap_or(&mut idle);
        let open = match pump(socket, response) {
            Ok(open) => open,
            Err(Pump::Socket(_)) => false,
            Err(error) => return Err(error.named(&self.settings)),
        };
        if under_way && response.is_done() {
            let status = response.status().unwrap_or_default();
            if !(200..300).contains(&status) {
                return Err(refused(status, &response.take_body()));
            }
            self.calls.queue.pop_front();
            self.calls.again = false;
            self.calls.response = None;
        }
        if !open {
            self.calls.socket = None;
            let cut_off = self.calls.response.take().is_some();
            if cut_off && std::mem::replace(&mut self.calls.again, true) {
                return Err(LinkError::Closed);
            }
        }
        if self.calls.response.is_none() { self.send_next() } else { Ok(()) }
    }

    fn send_next(&mut self) -> Result<(), LinkError> {
        let Some(request) = self.calls.queue.front() else { return Ok(()) };
        // A connection closed while idle shows only when it is written to or read from.
        let reused = self.calls.socket.as_mut().map(|socket| write_all(socket, request));
        if !matches!(reused, Some(Ok(()))) {
            let mut socket = self.connect()?;
            let written = socket
                .write_all(self.calls.queue.front().map_or(&[], Vec::as_slice))
                .and_then(|()| socket.set_nonblocking(true));
            written.map_err(|source| self.socket_error(source))?;
            self.calls.socket = Some(socket);
        }
        self.calls.response = Some(Response::new());
        Ok(())
    }

    fn connect(&self) -> Result<TcpStream, LinkError> {
        let connect = || {
            let socket = TcpStream::connect_timeout(&self.settings.agent, PATIENCE)?;
            socket.set_nodelay(true)?;
            socket.set_write_timeout(Some(PATIENCE))?;
            Ok(socket)
        };
        connect().map_err(|source| self.socket_error(source))
    }

    fn request(&self, call: &Call) -> Vec<u8> {
        let host = self.settings.agent.to_string();
        let token = self.settings.token.as_deref();
        http::post(&host, &self.settings.path, token, &call.encode_to_vec())
    }

    fn socket_error(&self, source: io::Error) -> LinkError {
        Pump::Socket(source).named(&self.settings)
    }
}

/// Writes on a socket that is set not to block, by letting it block for the while.
fn write_all(socket: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    socket.set_nonblocking(false)?;
    let written = socket.write_all(bytes);
    socket.set_nonblocking(true)?;
    written
}

/// What can go wrong while reading.
enum Pump {
    Socket(io::Error),
    Http(HttpError),
}

impl Pump {
    fn named(self, settings: &Settings) -> LinkError {
        match self {
            Self::Socket(source) => LinkError::Socket { agent: settings.agent.to_string(), source },
            Self::Http(error) => error.into(),
        }
    }
}

/// Moves what arrived from the socket into the response; false if the other side closed.
fn pump(socket: &mut TcpStream, response: &mut Response) -> Result<bool, Pump> {
    let mut buffer = [0_u8; 8 << 10];
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => return Ok(false),
            Ok(count) => response.push(&buffer[..count]).map_err(Pump::Http)?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Pump::Socket(error)),
        }
    }
}

fn refused(status: u16, body: &[u8]) -> LinkError {
    LinkError::Refused { status, body: String::from_utf8_lossy(body).trim().to_owned() }
}
