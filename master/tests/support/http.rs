//! HTTP by hand, so that what is on the wire is what is tested.

use std::net::SocketAddr;

use bytes::Bytes;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub async fn get(address: SocketAddr, path: &str) -> Answer {
    request(address, "GET", path, &[], b"").await
}

/// A POST of JSON, with more headers.
pub async fn post(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut all = vec![("Content-Type", "application/json")];
    all.extend_from_slice(headers);
    request(address, "POST", path, &all, body.as_bytes()).await
}

pub async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let whole = async {
        let mut stream = send(address, method, path, headers, body).await;
        let (status, headers) = head(&mut stream).await;
        let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length = length.map_or(0, |(_, value)| value.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        Answer { status, headers, body }
    };
    timeout(PATIENCE, whole).await.expect("an answer")
}

async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    BufReader::new(stream)
}

async fn head(stream: &mut BufReader<TcpStream>) -> (u16, Vec<(String, String)>) {
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("status of {line:?}"));
    let status = status.parse().unwrap();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    (status, headers)
}

/// A scheduler's event stream.
pub struct Events {
    stream: BufReader<TcpStream>,
    /// What `Mesos-Stream-Id` said.
    pub id: String,
    pub headers: Vec<(String, String)>,
}

/// Subscribes with a body in that codec.
pub async fn subscribe(address: SocketAddr, media: &str, body: &[u8]) -> Events {
    let headers = [("Content-Type", media), ("Accept", media), ("Connection", "close")];
    let mut stream = send(address, "POST", "/api/v1/scheduler", &headers, body).await;
    let (status, headers) = timeout(PATIENCE, head(&mut stream)).await.unwrap();
    assert_eq!(status, 200, "{headers:?}");
    let find = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    assert_eq!(find("Transfer-Encoding").as_deref(), Some("chunked"), "{headers:?}");
    assert_eq!(find("Content-Type").as_deref(), Some(media), "{headers:?}");
    let id = find("Mesos-Stream-Id").unwrap_or_else(|| panic!("{headers:?}"));
    Events { stream, id, headers }
}

impl Events {
    /// The next record; each must be one chunk with its length inside. `None` at the end.
    pub async fn record(&mut self) -> Option<Bytes> {
        timeout(PATIENCE, self.read()).await.expect("a record in time")
    }

    async fn read(&mut self) -> Option<Bytes> {
        let mut size = String::new();
        self.stream.read_line(&mut size).await.unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 {
            return None;
        }
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk).await.unwrap();
        let newline = chunk.iter().position(|byte| *byte == b'\n').unwrap();
        let length: usize = std::str::from_utf8(&chunk[..newline]).unwrap().parse().unwrap();
        assert_eq!(newline + 1 + length, size, "one record per chunk");
        Some(Bytes::copy_from_slice(&chunk[newline + 1..size]))
    }

    /// The next event in JSON.
    pub async fn json(&mut self) -> Value {
        let record = self.record().await.expect("an event, not the end");
        serde_json::from_slice(&record).unwrap()
    }

    /// The next event in JSON of that type; heartbeats are passed over.
    pub async fn expect(&mut self, kind: &str) -> Value {
        loop {
            let event = self.json().await;
            if event["type"] == kind {
                return event;
            }
            assert_eq!(event["type"], "HEARTBEAT", "waiting for {kind}, not {event}");
        }
    }
}
