//! HTTP/1.1 as a script would speak it: one request a connection, nothing hidden.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::wait::PATIENCE;

/// An answer's first line and headers.
#[derive(Clone, Debug)]
pub struct Head {
    /// The status.
    pub status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its head.
    pub head: Head,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The status.
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }
}

/// An answer's body, read as it comes.
#[derive(Debug)]
pub struct Body {
    reader: BufReader<TcpStream>,
    /// Bytes left of this chunk, or of the body.
    left: u64,
    chunked: bool,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && self.chunked {
            self.left = self.chunk()?;
            self.chunked = self.left > 0;
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.reader.read(&mut buffer[..most])?;
        self.left -= read as u64;
        if self.left == 0 && self.chunked {
            line(&mut self.reader)?;
        }
        Ok(read)
    }
}

impl Body {
    /// The next chunk's size; 0 ends the body.
    fn chunk(&mut self) -> io::Result<u64> {
        let size = line(&mut self.reader)?;
        u64::from_str_radix(size.trim(), 16).map_err(|_| io::Error::other(size))
    }

    /// The next record of a stream, or nothing at its end.
    pub fn record(&mut self) -> Option<Vec<u8>> {
        let mut length = Vec::new();
        let mut byte = [0];
        loop {
            self.read_exact(&mut byte).ok()?;
            if byte[0] == b'\n' {
                break;
            }
            length.push(byte[0]);
        }
        let length = String::from_utf8(length).ok()?.parse().ok()?;
        let mut record = vec![0; length];
        self.read_exact(&mut record).ok()?;
        Some(record)
    }

    /// The socket, to shut it from elsewhere.
    pub fn socket(&self) -> TcpStream {
        self.reader.get_ref().try_clone().expect("a socket can be shared")
    }

    /// Waits for the next bytes as long as it takes.
    pub fn without_deadline(self) -> Self {
        self.reader.get_ref().set_read_timeout(None).expect("a deadline can be lifted");
        self
    }
}

/// Headers of a request.
pub type Headers<'a> = &'a [(&'a str, &'a str)];

/// Sends a request and reads the head of the answer.
pub fn open(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: Headers<'_>,
    body: &[u8],
) -> io::Result<(Head, Body)> {
    open_within(PATIENCE, address, method, path, headers, body)
}

/// Sends a request and reads the head of the answer; no wait for the other side is longer than
/// `patience`.
pub fn open_within(
    patience: Duration,
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: Headers<'_>,
    body: &[u8],
) -> io::Result<(Head, Body)> {
    let mut socket = TcpStream::connect_timeout(&address, patience)?;
    socket.set_read_timeout(Some(patience))?;
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len()));
    socket.write_all(&[request.as_bytes(), body].concat())?;
    let mut reader = BufReader::new(socket);
    let first = line(&mut reader)?;
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(first))?;
    let head = Head { status, headers: read_headers(&mut reader)? };
    let chunked = head.header("Transfer-Encoding").eq_ignore_ascii_case("chunked");
    let left = match head.header("Content-Length").parse() {
        _ if chunked => 0,
        Ok(length) => length,
        Err(_) => u64::MAX,
    };
    Ok((head, Body { reader, left, chunked }))
}

fn read_headers(reader: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let text = line(reader)?;
        let Some((name, value)) = text.split_once(':') else { return Ok(headers) };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut text = String::new();
    if reader.read_line(&mut text)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(text.trim_end().to_owned())
}

/// Sends a request and reads the whole answer.
pub fn try_send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: Headers<'_>,
    body: &[u8],
) -> io::Result<Answer> {
    try_send_within(PATIENCE, address, method, path, headers, body)
}

/// Sends a request and reads the whole answer; no wait for the other side is longer than
/// `patience`.
pub fn try_send_within(
    patience: Duration,
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: Headers<'_>,
    body: &[u8],
) -> io::Result<Answer> {
    let (head, mut rest) = open_within(patience, address, method, path, headers, body)?;
    let mut body = Vec::new();
    rest.read_to_end(&mut body)?;
    Ok(Answer { head, body })
}

/// Sends a request and reads the whole answer.
///
/// # Panics
///
/// If there is none.
pub fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: Headers<'_>,
    body: &[u8],
) -> Answer {
    try_send(address, method, path, headers, body)
        .unwrap_or_else(|error| panic!("{method} {address}{path}: {error}"))
}

/// GET.
pub fn get(address: SocketAddr, path: &str) -> Answer {
    send(address, "GET", path, &[], &[])
}

/// What a GET answers, which must be 200 and JSON.
pub fn get_json(address: SocketAddr, path: &str) -> Value {
    let answer = get(address, path);
    assert_eq!(answer.status(), 200, "{path}: {}", answer.text());
    answer.json()
}

/// What a GET answers, if it is 200 and JSON.
pub fn try_json(address: SocketAddr, path: &str) -> Option<Value> {
    let answer = try_send(address, "GET", path, &[], &[]).ok()?;
    (answer.status() == 200).then(|| serde_json::from_slice(&answer.body).ok())?
}
