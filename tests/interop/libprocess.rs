//! One-way messages between daemons, from the outside: read off a wire, recorded, sent.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reeve_tests::wait::PATIENCE;

/// A message as it was on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who sent it, such as `master@10.0.0.1:5050`.
    pub from: String,
    /// The actor that it is for, such as `slave(1)`.
    pub to: String,
    /// Its full name.
    pub name: String,
    /// Its encoding.
    pub body: Vec<u8>,
}

/// The messages among what a connection brings; other requests are passed over.
#[derive(Debug, Default)]
struct Requests {
    buffer: Vec<u8>,
}

impl Requests {
    /// The messages that are whole with these bytes.
    fn push(&mut self, bytes: &[u8]) -> Vec<Message> {
        self.buffer.extend_from_slice(bytes);
        let mut messages = Vec::new();
        while let Some((message, end)) = first(&self.buffer) {
            self.buffer.drain(..end);
            messages.extend(message);
        }
        messages
    }
}

/// What the first whole request is, and where it ends.
fn first(buffer: &[u8]) -> Option<(Option<Message>, usize)> {
    let end = buffer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let header = |name: &str| {
        let mut headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let rest = &buffer[end + 4..];
    let (body, taken) = if header("Transfer-Encoding").is_some() {
        chunks(rest)?
    } else {
        let length = header("Content-Length").map_or(0, |length| length.parse().expect("a length"));
        (rest.get(..length)?.to_vec(), length)
    };
    let message = header("Libprocess-From").and_then(|from| {
        let path = head.split(' ').nth(1)?.trim_start_matches('/');
        let (to, name) = path.split_once('/')?;
        let to = to.replace("%28", "(").replace("%29", ")");
        Some(Message { from: from.to_owned(), to, name: name.to_owned(), body })
    });
    Some((message, end + 4 + taken))
}

/// A chunked body, once it is whole, and how many bytes it took.
fn chunks(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let line = bytes[at..].windows(2).position(|two| two == b"\r\n")?;
        let size = String::from_utf8_lossy(&bytes[at..at + line]);
        let size = usize::from_str_radix(size.trim(), 16).expect("a chunk's size");
        at += line + 2;
        body.extend_from_slice(bytes.get(at..at + size)?);
        at += size + 2;
        if size == 0 {
            return (at <= bytes.len()).then_some((body, at));
        }
    }
}

/// What was heard on several wires, in order.
pub type Heard = Arc<Mutex<Vec<Message>>>;

/// A wire to a daemon that hears what is said to it. The daemon calls itself by the wire's address.
#[derive(Debug)]
pub struct Tap {
    /// The wire's address.
    pub address: SocketAddr,
    target: Arc<OnceLock<SocketAddr>>,
}

impl Tap {
    /// Lays a wire that leads nowhere yet.
    pub fn new(ip: Ipv4Addr, heard: &Heard) -> Self {
        let (listener, address) = listen(ip);
        let target = Arc::new(OnceLock::<SocketAddr>::new());
        let (leads_to, heard) = (Arc::clone(&target), Arc::clone(heard));
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let there = leads_to.get().and_then(|target| TcpStream::connect(target).ok());
                let Some(there) = there else { continue };
                let heard = Arc::clone(&heard);
                std::thread::spawn(move || carry(&socket, &there, &heard));
            }
        });
        Self { address, target }
    }

    /// Connects it.
    pub fn lead_to(&self, target: SocketAddr) {
        self.target.set(target).expect("a wire has one end");
    }

    /// How a daemon is told to call itself by the wire's address.
    pub fn flags(&self) -> [(&'static str, String); 2] {
        [
            ("LIBPROCESS_ADVERTISE_IP", self.address.ip().to_string()),
            ("LIBPROCESS_ADVERTISE_PORT", self.address.port().to_string()),
        ]
    }
}

fn listen(ip: Ipv4Addr) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((ip, 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    (listener, address)
}

fn carry(mut here: &TcpStream, mut there: &TcpStream, heard: &Heard) {
    std::thread::scope(|scope| {
        scope.spawn(move || {
            drop(std::io::copy(&mut { there }, &mut { here }));
            drop(here.shutdown(Shutdown::Both));
        });
        let mut requests = Requests::default();
        let mut buffer = [0; 1 << 16];
        while let Ok(read @ 1..) = here.read(&mut buffer) {
            let messages = requests.push(&buffer[..read]);
            heard.lock().unwrap_or_else(PoisonError::into_inner).extend(messages);
            if there.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        drop(there.shutdown(Shutdown::Both));
    });
}

/// Somebody who plays a daemon: takes messages, and sends what it is told.
#[derive(Debug)]
pub struct Actor {
    /// Its id, such as `slave(1)`.
    pub id: String,
    /// Where it listens.
    pub address: SocketAddr,
    messages: Receiver<Message>,
    wires: BTreeMap<SocketAddr, TcpStream>,
}

impl Actor {
    /// An actor on this address.
    pub fn new(ip: Ipv4Addr, id: &str) -> Self {
        let (listener, address) = listen(ip);
        let (sender, messages) = mpsc::channel();
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let sender = sender.clone();
                std::thread::spawn(move || take(socket, &sender));
            }
        });
        Self { id: id.to_owned(), address, messages, wires: BTreeMap::new() }
    }

    /// What others call it.
    pub fn pid(&self) -> String {
        format!("{}@{}", self.id, self.address)
    }

    /// Sends a message to an actor on an address, under this id.
    pub fn send(&mut self, to: SocketAddr, message: &Message) {
        let wire = self.wires.entry(to).or_insert_with(|| {
            let wire = TcpStream::connect(to).expect("the daemon listens");
            let mut answers = wire.try_clone().expect("a socket can be shared");
            std::thread::spawn(move || std::io::copy(&mut answers, &mut std::io::sink()));
            wire
        });
        let head = format!(
            "POST /{}/{} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: libprocess/{from}\r\n\
             Libprocess-From: {from}\r\nConnection: Keep-Alive\r\nContent-Length: {}\r\n\r\n",
            message.to,
            message.name,
            message.body.len(),
            from = message.from,
        );
        wire.write_all(&[head.as_bytes(), &message.body].concat()).expect("the daemon reads");
    }

    /// The next message that is not of a name to pass over.
    ///
    /// # Panics
    ///
    /// If none comes for long.
    pub fn next(&self, pass_over: &[&str]) -> Message {
        loop {
            let message = self.within(PATIENCE).expect("a message comes");
            if !pass_over.contains(&message.name.as_str()) {
                return message;
            }
        }
    }

    /// The next message, if one comes in time.
    pub fn within(&self, time: Duration) -> Option<Message> {
        self.messages.recv_timeout(time).ok()
    }
}

fn take(mut socket: TcpStream, sender: &Sender<Message>) {
    let mut requests = Requests::default();
    let mut buffer = [0; 1 << 16];
    while let Ok(read @ 1..) = socket.read(&mut buffer) {
        for message in requests.push(&buffer[..read]) {
            if sender.send(message).is_err() {
                return;
            }
        }
    }
}
