//! One peer: what waits to be sent to it, who is linked to it, and its connection's life.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reeve_model::Pid;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::head::NO_REPLY;
use super::peers::{Shared, Unreached};

/// A batch's buffer larger than this is given back when the batch is sent.
const KEEP: usize = 4 << 10;

/// How long what waits may take to leave after a stop.
const FAREWELL: Duration = Duration::from_secs(1);

/// The other end of a connection, from the wish to have one until it breaks.
#[derive(Debug)]
pub(super) struct Peer {
    address: SocketAddr,
    /// `address` as text, which every message carries.
    host: String,
    state: Mutex<State>,
    /// Whether there is a connection yet, or why there is none any more.
    line: watch::Sender<Line>,
    /// Something waits.
    wake: Notify,
    /// Too much waits.
    overfull: Notify,
}

/// ```text
/// Open -- connection refused, closed or overfull --> Broken
/// ```
#[derive(Debug)]
enum State {
    Open { waiting: Vec<u8>, linked: BTreeSet<Arc<str>> },
    Broken,
}

/// What became of the wish to be connected.
#[derive(Clone, Debug)]
enum Line {
    Dialling,
    Up,
    Down(Unreached),
}

impl Peer {
    pub(super) fn new(address: SocketAddr) -> Peer {
        Peer {
            address,
            host: address.to_string(),
            state: Mutex::new(State::Open { waiting: Vec::new(), linked: BTreeSet::new() }),
            line: watch::Sender::new(Line::Dialling),
            wake: Notify::new(),
            overfull: Notify::new(),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(*self.lock(), State::Broken)
    }

    /// Waits until there is a connection, or there will be none.
    pub(super) async fn connected(&self) -> Result<(), Unreached> {
        let mut line = self.line.subscribe();
        loop {
            match line.borrow_and_update().clone() {
                Line::Up => return Ok(()),
                Line::Down(why) => return Err(why),
                Line::Dialling => (),
            }
            if line.changed().await.is_err() {
                return Err(Unreached::from(&io::Error::from(io::ErrorKind::NotConnected)));
            }
        }
    }

    /// Puts a message behind those that wait. False if the peer is broken; true also if the
    /// message is lost because more than `limit` bytes wait already, which breaks the link.
    pub(super) fn queue(&self, message: &Outbound<'_>, limit: usize) -> bool {
        let mut state = self.lock();
        let State::Open { waiting, .. } = &mut *state else { return false };
        let first = waiting.is_empty();
        let fits = first || waiting.len().saturating_add(message.body.len()) <= limit;
        if fits {
            message.encode(&self.host, waiting);
        }
        drop(state);
        if !fits {
            self.overfull.notify_one();
        } else if first {
            self.wake.notify_one();
        }
        true
    }

    /// False if the peer is broken.
    pub(super) fn link(&self, id: &Arc<str>) -> bool {
        let mut state = self.lock();
        let State::Open { linked, .. } = &mut *state else { return false };
        linked.insert(Arc::clone(id));
        true
    }

    pub(super) fn unlink(&self, id: &str) {
        if let State::Open { linked, .. } = &mut *self.lock() {
            linked.remove(id);
        }
    }

    /// Breaks the peer and returns who was linked. What waits is lost.
    pub(super) fn break_off(&self) -> Vec<Pid> {
        match std::mem::replace(&mut *self.lock(), State::Broken) {
            State::Open { linked, .. } => {
                linked.into_iter().map(|id| Pid::new(id, self.address)).collect()
            }
            State::Broken => Vec::new(),
        }
    }

    /// Swaps the empty `batch` for what waits.
    fn take(&self, batch: &mut Vec<u8>) {
        if let State::Open { waiting, .. } = &mut *self.lock() {
            std::mem::swap(waiting, batch);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A poisoned lock only means that a thread died between two whole changes.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message on its way out.
#[derive(Debug)]
pub(super) struct Outbound<'a> {
    /// Our actor's id.
    pub(super) from: &'a str,
    /// Our address as text.
    pub(super) here: &'a str,
    /// The other actor's id.
    pub(super) to: &'a str,
    pub(super) name: &'a str,
    pub(super) body: &'a [u8],
}

impl Outbound<'_> {
    /// Appends it as libprocess writes it (LP-1), except that the body's length is told
    /// beforehand: Mesos reads both, and this is the shorter. No reply is wanted, as nothing is
    /// done with one.
    fn encode(&self, host: &str, out: &mut Vec<u8>) {
        let mut digits = [0; 20];
        let length = decimal(self.body.len(), &mut digits);
        let parts: [&[u8]; 22] = [
            b"POST /",
            self.to.as_bytes(),
            b"/",
            self.name.as_bytes(),
            b" HTTP/1.1\r\nUser-Agent: libprocess/",
            self.from.as_bytes(),
            b"@",
            self.here.as_bytes(),
            b"\r\nLibprocess-From: ",
            self.from.as_bytes(),
            b"@",
            self.here.as_bytes(),
            b"\r\nConnection: Keep-Alive\r\nHost: ",
            host.as_bytes(),
            b"\r\n",
            NO_REPLY.0.as_bytes(),
            b": ",
            NO_REPLY.1.as_bytes(),
            b"\r\nContent-Length: ",
            length,
            b"\r\n\r\n",
            self.body,
        ];
        out.reserve(parts.iter().map(|part| part.len()).sum());
        for part in parts {
            out.extend_from_slice(part);
        }
    }
}

/// The decimal digits of a number. (The formatting of the standard library would take as long
/// as all the rest of a message.)
fn decimal(mut number: usize, digits: &mut [u8; 20]) -> &[u8] {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[start..];
        }
    }
}

/// The life of one connection, from dialling to its end. After a stop, what waits has a moment
/// to leave.
pub(super) async fn run(peer: Arc<Peer>, shared: Arc<Shared>) {
    let cut = async {
        shared.stop.cancelled().await;
        tokio::time::sleep(FAREWELL).await;
    };
    let ended = tokio::select! {
        ended = connect_and_send(&peer, &shared) => ended,
        () = peer.overfull.notified() => {
            Err(io::Error::new(io::ErrorKind::OutOfMemory, "too much waits for this peer"))
        }
        () = cut => Ok(()),
    };
    let error = ended.err().unwrap_or_else(|| io::ErrorKind::ConnectionReset.into());
    let why = Unreached::from(&error);
    peer.line.send_replace(Line::Down(why.clone()));
    shared.broken(&peer, &why);
}

async fn connect_and_send(peer: &Peer, shared: &Shared) -> io::Result<()> {
    let address = peer.address;
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    socket.set_keepalive(true)?;
    let stream = tokio::time::timeout(shared.config.connect_timeout, socket.connect(address))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    peer.line.send_replace(Line::Up);
    let (reads, writes) = stream.into_split();
    // Both at once: a peer that can't get rid of its replies would stop reading.
    tokio::select! {
        ended = discard(reads) => ended,
        ended = send_all(peer, writes, &shared.stop) => ended,
    }
}

/// Reads replies and forgets them until the other side closes.
async fn discard(reads: OwnedReadHalf) -> io::Result<()> {
    loop {
        reads.readable().await?;
        let mut replies = [0; 4 << 10];
        match reads.try_read(&mut replies) {
            Ok(0) => return Ok(()),
            Ok(_) => (),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => (),
            Err(error) => return Err(error),
        }
    }
}

/// Sends what waits, all of it in one write, whenever something does.
async fn send_all(
    peer: &Peer,
    mut writes: OwnedWriteHalf,
    stop: &CancellationToken,
) -> io::Result<()> {
    let mut batch = Vec::new();
    loop {
        peer.take(&mut batch);
        if !batch.is_empty() {
            writes.write_all(&batch).await?;
            batch.clear();
            batch.shrink_to(KEEP);
        } else if stop.is_cancelled() {
            return writes.shutdown().await;
        } else {
            tokio::select! {
                () = peer.wake.notified() => (),
                () = stop.cancelled() => (),
            }
        }
    }
}
