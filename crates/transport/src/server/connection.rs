//! One connection: wait for its first request, see what it speaks, serve it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::rewind::Rewind;
use super::{Shared, answer};
use crate::libprocess::{Ended, Sniffed, receive, sniff};

/// How long the first head may take once its first byte is there. Before that a connection may
/// stay silent: it can be the link of a peer that has nothing to say (LP-3).
const FIRST_HEAD: Duration = Duration::from_secs(30);

const READ_SIZE: usize = 8 << 10;

pub(super) async fn serve(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    let mut buffer = BytesMut::new();
    match first(&stream, &mut buffer, &shared).await {
        Some(Sniffed::Libprocess) => {
            let ended =
                receive(&stream, &mut buffer, &shared.actors, shared.body_limit, &shared.stop)
                    .await;
            match ended {
                Ok(Ended::SpeaksHttp) => (),
                Ok(Ended::Closed) => return,
                Err(error) => {
                    tracing::debug!(%peer, %error, "a libprocess connection broke");
                    return;
                }
            }
        }
        Some(Sniffed::Http | Sniffed::Incomplete) => (),
        None => return,
    }
    http(stream, chunkable(buffer.freeze()), peer, shared).await;
}

/// Reads until the first head is whole; `None` if there will be none.
async fn first(stream: &TcpStream, buffer: &mut BytesMut, shared: &Shared) -> Option<Sniffed> {
    let head = async {
        if !read_some(stream, buffer).await? {
            return Ok(None);
        }
        let rest = async {
            loop {
                let sniffed = sniff(buffer);
                if sniffed != Sniffed::Incomplete {
                    return Ok(Some(sniffed));
                }
                if !read_some(stream, buffer).await? {
                    return Ok::<_, io::Error>(None);
                }
            }
        };
        tokio::time::timeout(FIRST_HEAD, rest).await.unwrap_or(Ok(None))
    };
    tokio::select! {
        head = head => head.ok()?,
        () = shared.stop.cancelled() => None,
    }
}

/// Waits for bytes and appends them; false at the end of the stream.
async fn read_some(stream: &TcpStream, buffer: &mut BytesMut) -> io::Result<bool> {
    loop {
        stream.readable().await?;
        buffer.reserve(READ_SIZE);
        match stream.try_read_buf(buffer) {
            Ok(length) => return Ok(length > 0),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => (),
            Err(error) => return Err(error),
        }
    }
}

/// Lets an HTTP/1.0 client's first request pass for an HTTP/1.1 one, so that streams are
/// chunked for it too: clients of Mesos count on it. The connection closes after the answer
/// unless the client asked otherwise.
fn chunkable(read: Bytes) -> Bytes {
    let Some(end) = read.iter().position(|byte| *byte == b'\n') else { return read };
    let line = read[..end].trim_ascii_end();
    let Some(start) = line.strip_suffix(b" HTTP/1.0") else { return read };
    let mut patched = BytesMut::with_capacity(read.len() + 32);
    patched.extend_from_slice(start);
    patched.extend_from_slice(b" HTTP/1.1\r\n");
    if !read.to_ascii_lowercase().windows(11).any(|window| window == b"\nconnection") {
        patched.extend_from_slice(b"Connection: close\r\n");
    }
    patched.extend_from_slice(&read[end + 1..]);
    patched.freeze()
}

async fn http(stream: TcpStream, read: Bytes, peer: SocketAddr, shared: Arc<Shared>) {
    let io = TokioIo::new(Rewind::new(read, stream));
    let (timeout, stop) = (shared.header_timeout, shared.stop.clone());
    let service = service_fn(move |request| answer::answer(Arc::clone(&shared), peer, request));
    // Not `pipeline_flush`: with it hyper (1.12) buffers a stream that nobody reads without end.
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeout)
        .title_case_headers(true)
        .max_buf_size(64 << 10)
        .serve_connection(io, service);
    tokio::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "an HTTP connection ended badly");
    }
}
