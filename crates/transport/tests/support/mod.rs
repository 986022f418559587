//! A server on a free port, and sockets that see every byte.

// Each test binary uses a part of this.
#![allow(dead_code)]

use std::net::SocketAddr;
use std::time::Duration;

use reeve_transport::{Actors, Router, Server, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A server that runs until it is dropped.
pub struct Running {
    pub address: SocketAddr,
    pub stop: CancellationToken,
    served: JoinHandle<()>,
}

impl Running {
    pub fn start(router: Router, actors: Actors) -> Running {
        Running::with_limit(router, actors, 1 << 20)
    }

    pub fn with_limit(router: Router, actors: Actors, body_limit: usize) -> Running {
        Running::configured(router, actors, |config| config.body_limit = body_limit)
    }

    pub fn configured(
        router: Router,
        actors: Actors,
        configure: impl FnOnce(&mut ServerConfig),
    ) -> Running {
        let mut config = ServerConfig::new(vec!["127.0.0.1:0".parse().unwrap()]);
        configure(&mut config);
        let server = Server::bind(config).unwrap();
        let address = server.addresses()[0];
        let stop = CancellationToken::new();
        let served = tokio::spawn(server.serve(router, actors, stop.clone()));
        Running { address, stop, served }
    }

    /// Stops it and waits for its end.
    pub async fn finish(self) {
        self.stop.cancel();
        within(self.served).await.unwrap();
    }

    pub async fn connect(&self) -> Socket {
        Socket(TcpStream::connect(self.address).await.unwrap())
    }

    /// Sends a request that closes the connection and returns the whole answer as text.
    pub async fn ask(&self, request: &str) -> String {
        let mut socket = self.connect().await;
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        socket.write(format!("{head}\r\nHost: h\r\nConnection: close\r\n\r\n{body}")).await;
        socket.read_to_end().await
    }

    /// `ask`, of a request without a body.
    pub async fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\n\r\n")).await
    }
}

/// A raw connection.
pub struct Socket(pub TcpStream);

impl Socket {
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads until what was read ends with `end`.
    pub async fn read_until(&mut self, end: &str) -> String {
        let mut read = Vec::new();
        while !read.ends_with(end.as_bytes()) {
            let byte = within(self.0.read_u8()).await.unwrap_or_else(|error| {
                panic!("{error} instead of {end:?} after {:?}", String::from_utf8_lossy(&read))
            });
            read.push(byte);
        }
        String::from_utf8_lossy(&read).into_owned()
    }

    pub async fn read_to_end(&mut self) -> String {
        let mut read = Vec::new();
        // A server that refuses a body may reset the connection after its answer.
        let _ = within(self.0.read_to_end(&mut read)).await;
        String::from_utf8_lossy(&read).into_owned()
    }
}

/// Fails the test if it takes too long.
pub async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("this must come soon")
}

/// The status of an answer.
pub fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

/// The body of an answer that is not chunked.
pub fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
