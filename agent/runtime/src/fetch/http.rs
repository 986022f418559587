//! A GET over HTTP/1.1, on a thread that may block: redirects, both body layouts, and a limit on
//! silence.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::tls::{self, Stream};

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 10;

/// The longest head taken.
const MAX_HEAD: u64 = 64 << 10;

/// How often a silent transfer looks whether anybody still waits for it.
const GLANCE: Duration = Duration::from_millis(250);

/// A place on the web.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    tls: bool,
    host: String,
    port: u16,
    /// Path and query.
    target: String,
    /// `user:password`, if the URL has them.
    userinfo: Option<String>,
}

impl Url {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.contains(|c: char| c.is_ascii_control() || c == ' ') {
            return Err("a URL may hold no blanks or control characters".to_owned());
        }
        let (scheme, rest) = text.split_once("://").ok_or("it has no scheme")?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            other => return Err(format!("{other}:// is not of the web")),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (userinfo, address) = match authority.rsplit_once('@') {
            Some((userinfo, address)) => (Some(userinfo.to_owned()), address),
            None => (None, authority),
        };
        let (host, port) = host_and_port(address, tls).ok_or("it has no valid host and port")?;
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self { tls, host, port, target, userinfo })
    }

    /// Where a `Location` header points, seen from here.
    fn join(&self, location: &str) -> Result<Self, String> {
        if location.contains("://") {
            return Self::parse(location);
        }
        let scheme = if self.tls { "https" } else { "http" };
        if let Some(rest) = location.strip_prefix("//") {
            return Self::parse(&format!("{scheme}://{rest}"));
        }
        let base = format!("{scheme}://{}", self.authority());
        if location.starts_with('/') {
            return Self::parse(&format!("{base}{location}"));
        }
        let path = self.target.split('?').next().unwrap_or_default();
        let directory = path.rfind('/').map_or("/", |end| path.get(..=end).unwrap_or("/"));
        Self::parse(&format!("{base}{directory}{location}"))
    }

    /// Host and, unless it is the usual one, port.
    fn authority(&self) -> String {
        if self.port == usual_port(self.tls) {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

fn usual_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

fn host_and_port(address: &str, tls: bool) -> Option<(String, u16)> {
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (address, usual_port(tls)),
    };
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

/// The body of a GET, after redirects.
pub(super) fn get<'a>(
    mut url: Url,
    stall: Duration,
    abandoned: &'a (dyn Fn() -> bool + Sync),
) -> io::Result<Box<dyn Read + 'a>> {
    for _ in 0..=MAX_REDIRECTS {
        let mut stream = connect(&url, stall)?;
        stream.write_all(request(&url).as_bytes())?;
        stream.flush()?;
        stream.socket().set_read_timeout(Some(GLANCE.min(stall)))?;
        let mut wire = BufReader::new(Wire { stream, stall, abandoned });
        let head = Head::read(&mut wire)?;
        match (head.status, head.location.as_deref()) {
            (200, _) => return head.body(wire),
            (301 | 302 | 303 | 307 | 308, Some(location)) => {
                url = url.join(location).map_err(|why| {
                    io::Error::other(format!("it redirects to '{location}': {why}"))
                })?;
            }
            (status, _) => {
                return Err(io::Error::other(format!("HTTP response {status} {}", head.reason)));
            }
        }
    }
    Err(io::Error::other(format!("more than {MAX_REDIRECTS} redirects")))
}

fn connect(url: &Url, stall: Duration) -> io::Result<Stream> {
    let host = url.host.trim_start_matches('[').trim_end_matches(']');
    let mut last = io::Error::other(format!("host '{host}' has no address"));
    for address in (host, url.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, stall) {
            Ok(socket) => {
                socket.set_read_timeout(Some(stall))?;
                socket.set_write_timeout(Some(stall))?;
                return match url.tls {
                    false => Ok(Stream::Plain(socket)),
                    true => tls::encrypt(host, socket, tls::host_roots()?),
                };
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn request(url: &Url) -> String {
    let host = url.authority();
    let authorization = url.userinfo.as_ref().map_or_else(String::new, |userinfo| {
        format!("Authorization: Basic {}\r\n", base64(userinfo.as_bytes()))
    });
    format!(
        "GET {} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: reeve\r\nAccept: */*\r\n{authorization}\
         Connection: close\r\n\r\n",
        url.target
    )
}

/// RFC 4648, for one header.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte));
        let bits = bits << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place) & 63) as usize;
            text.push(if place <= group.len() { char::from(DIGITS[digit]) } else { '=' });
        }
    }
    text
}

/// A connection that may be silent for a while, but not for ever, nor for nobody.
struct Wire<'a> {
    stream: Stream,
    stall: Duration,
    abandoned: &'a (dyn Fn() -> bool + Sync),
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let silent_since = Instant::now();
        loop {
            match self.stream.read(buffer) {
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) => {}
                other => return other,
            }
            if (self.abandoned)() {
                return Err(io::Error::other("the container is being destroyed"));
            }
            if silent_since.elapsed() >= self.stall {
                let seconds = self.stall.as_secs_f64();
                return Err(io::Error::other(format!("not a byte arrived for {seconds} s")));
            }
        }
    }
}

/// What a response's head says.
#[derive(Debug, Default)]
struct Head {
    status: u16,
    reason: String,
    length: Option<u64>,
    chunked: bool,
    location: Option<String>,
}

impl Head {
    fn read(wire: &mut impl BufRead) -> io::Result<Self> {
        let mut wire = wire.take(MAX_HEAD);
        let first = line(&mut wire)?;
        let mut words = first.splitn(3, ' ');
        let version = words.next().unwrap_or_default();
        let status = words.next().and_then(|status| status.parse().ok());
        let (true, Some(status)) = (version.starts_with("HTTP/1."), status) else {
            return Err(io::Error::other("the server does not speak HTTP/1"));
        };
        let reason = words.next().unwrap_or_default().to_owned();
        let mut head = Self { status, reason, ..Self::default() };
        loop {
            let text = line(&mut wire)?;
            let Some((name, value)) = text.split_once(':') else {
                return Ok(head);
            };
            head.take(&name.to_ascii_lowercase(), value.trim())?;
        }
    }

    fn take(&mut self, name: &str, value: &str) -> io::Result<()> {
        match name {
            "content-length" => {
                let bad = |_| io::Error::other(format!("the server sends the length '{value}'"));
                self.length = Some(value.parse().map_err(bad)?);
            }
            "transfer-encoding" => {
                self.chunked = value.to_ascii_lowercase().ends_with("chunked");
            }
            "location" => self.location = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    }

    fn body<'a>(self, wire: BufReader<Wire<'a>>) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match (self.chunked, self.length) {
            (true, _) => Box::new(Chunked { wire, left: 0, begun: false, done: false }),
            (false, Some(left)) => Box::new(Sized { wire, left }),
            (false, None) => Box::new(wire),
        })
    }
}

/// One line without its end; an empty one at the end of the input is an error.
fn line(wire: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    wire.read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Err(io::Error::other("the response's head is cut short or too long"));
    }
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned())
}

/// A body of known length, which must be whole.
struct Sized<R> {
    wire: R,
    left: u64,
}

impl<R: Read> Read for Sized<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_part(&mut self.wire, &mut self.left, buffer)
    }
}

/// A chunked body, which must have its last chunk.
struct Chunked<R> {
    wire: R,
    left: u64,
    begun: bool,
    done: bool,
}

impl<R: BufRead> Read for Chunked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.done {
            self.next_chunk()?;
        }
        if self.done { Ok(0) } else { read_part(&mut self.wire, &mut self.left, buffer) }
    }
}

impl<R: BufRead> Chunked<R> {
    fn next_chunk(&mut self) -> io::Result<()> {
        let mut wire = (&mut self.wire).take(MAX_HEAD);
        if std::mem::replace(&mut self.begun, true) {
            line(&mut wire)?;
        }
        let text = line(&mut wire)?;
        let size = text.split(';').next().unwrap_or_default().trim();
        let bad = |_| io::Error::other(format!("the server sends a chunk of size '{size}'"));
        self.left = u64::from_str_radix(size, 16).map_err(bad)?;
        self.done = self.left == 0;
        Ok(())
    }
}

fn read_part(wire: &mut impl Read, left: &mut u64, buffer: &mut [u8]) -> io::Result<usize> {
    let most = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
    let Some(room) = buffer.get_mut(..most).filter(|room| !room.is_empty()) else {
        return Ok(0);
    };
    let count = wire.read(room)?;
    if count == 0 {
        let text = format!("the response ends {left} bytes early");
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
    }
    *left -= count as u64;
    Ok(count)
}
