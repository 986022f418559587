//! The thread that sends. Whoever has something to send leaves it and goes on; what was left
//! before and could not be sent yet is thrown away.

use std::io::{self, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where texts are left. Dropping it ends the thread.
#[derive(Debug)]
pub(crate) struct Sender {
    left: Arc<Left>,
}

#[derive(Debug, Default)]
struct Left {
    slot: Mutex<Slot>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct Slot {
    text: Option<String>,
    closed: bool,
}

impl Sender {
    /// Starts the thread.
    pub(crate) fn start(address: &str, patience: Duration) -> io::Result<Self> {
        let left = Arc::new(Left::default());
        let mut line = Line { address: address.to_owned(), patience, socket: None, broken: false };
        let taken = Arc::clone(&left);
        let work = move || {
            while let Some(text) = taken.wait() {
                line.send(&text)
            }
        };
        std::thread::Builder::new().name("graphite".to_owned()).spawn(work)?;
        Ok(Self { left })
    }

    /// Leaves a text to be sent.
    pub(crate) fn send(&self, text: String) {
        self.left.lock().text = Some(text);
        self.left.filled.notify_one();
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.left.lock().closed = true;
        self.left.filled.notify_one();
    }
}

impl Left {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next text; `None` when no more will come.
    fn wait(&self) -> Option<String> {
        let mut slot = self.lock();
        loop {
            if slot.closed {
                return None;
            }
            if let Some(text) = slot.text.take() {
                return Some(text);
            }
            slot = self.filled.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The connection to Graphite.
struct Line {
    address: String,
    patience: Duration,
    socket: Option<TcpStream>,
    /// Whether the last text did not get through; that is told once.
    broken: bool,
}

impl Line {
    fn send(&mut self, text: &str) {
        let (address, broken) = (self.address.clone(), self.broken);
        match self.try_send(text) {
            Ok(()) if broken => tracing::info!("Graphite at {address} takes metrics again"),
            Ok(()) => {}
            Err(error) if broken => tracing::debug!("Graphite at {address}: {error}"),
            Err(error) => tracing::warn!("Graphite at {address} does not take metrics: {error}"),
        }
    }

    fn try_send(&mut self, text: &str) -> io::Result<()> {
        // A connection that broke is not kept.
        let (socket, broken) = (self.socket.take(), self.broken);
        self.broken = true;
        let mut socket = match socket {
            Some(socket) if !broken => socket,
            _ => self.connect()?,
        };
        socket.write_all(text.as_bytes())?;
        (self.socket, self.broken) = (Some(socket), false);
        Ok(())
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in self.address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, self.patience) {
                Ok(socket) => {
                    socket.set_write_timeout(Some(self.patience))?;
                    return Ok(socket);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}
