//! A connection that brings messages: read, hand to the actors, acknowledge.

use std::io;
use std::net::IpAddr;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::request::Parts;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::Inbound;
use super::actors::{Actors, Delivered};
use super::decoder::{Decoded, Decoder, Stop};
use super::head::{address, pid};
use super::sniff::marked_sender;

/// How much is read at once while messages keep coming. When all agents return at once, as much
/// waits for each of them.
const READ_SIZE: usize = 16 << 10;

/// How much is made room for at once, however large the body is said to be.
const MAX_RESERVE: usize = 1 << 20;

/// Replies that wait for the end of a batch may grow to this before they are sent.
const MAX_REPLIES: usize = 64 << 10;

/// How a connection's time as a bringer of messages ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The other side closed it, or sent nonsense, or the server stops.
    Closed,
    /// It speaks plain HTTP now; the bytes read ahead are in the buffer.
    SpeaksHttp,
}

/// Serves a connection whose bytes so far are in `buffer`.
pub(crate) async fn receive(
    stream: &TcpStream,
    buffer: &mut BytesMut,
    actors: &Actors,
    body_limit: usize,
    stop: &CancellationToken,
) -> io::Result<Ended> {
    let via = stream.peer_addr().ok().map(|address| address.ip().to_canonical());
    let mut decoder = Decoder::new(body_limit);
    let mut replies = Vec::new();
    loop {
        let stopped = take_all(stream, via, &mut decoder, buffer, actors, &mut replies).await?;
        flush(stream, &mut replies).await?;
        match stopped {
            Some(Stop::NotLibprocess) => return Ok(Ended::SpeaksHttp),
            Some(Stop::Malformed(_) | Stop::TooLarge | Stop::Finished) => return Ok(Ended::Closed),
            None => (),
        }
        if buffer.is_empty() {
            // An idle connection keeps no buffer: there can be one for every agent.
            *buffer = BytesMut::new();
            replies = Vec::new();
        }
        tokio::select! {
            ready = stream.readable() => ready?,
            () = stop.cancelled() => return Ok(Ended::Closed),
        }
        buffer.reserve(decoder.expects().clamp(READ_SIZE, MAX_RESERVE));
        match stream.try_read_buf(buffer) {
            Ok(0) => return Ok(Ended::Closed),
            Ok(_) => (),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => (),
            Err(error) => return Err(error),
        }
    }
}

/// Hands over every whole message in the buffer. Says why if no more can follow.
async fn take_all(
    stream: &TcpStream,
    via: Option<IpAddr>,
    decoder: &mut Decoder,
    buffer: &mut BytesMut,
    actors: &Actors,
    replies: &mut Vec<u8>,
) -> io::Result<Option<Stop>> {
    loop {
        let decoded = match decoder.next(buffer) {
            Ok(Some(decoded)) => decoded,
            Ok(None) => return Ok(None),
            Err(stop @ (Stop::NotLibprocess | Stop::Finished)) => return Ok(Some(stop)),
            Err(stop @ Stop::Malformed(why)) => {
                reply(replies, StatusCode::BAD_REQUEST, why);
                return Ok(Some(stop));
            }
            Err(stop @ Stop::TooLarge) => {
                reply(replies, StatusCode::PAYLOAD_TOO_LARGE, "The message is too large");
                return Ok(Some(stop));
            }
        };
        match decoded {
            Decoded::Unreadable(why) => reply(replies, StatusCode::BAD_REQUEST, why),
            Decoded::Message(message, wants_reply) => {
                let arrived = match actors.deliver(Inbound { via, ..message }) {
                    Delivered::Yes => true,
                    Delivered::NoActor => false,
                    Delivered::Later(queue, message) => {
                        // The sender must not wait for replies while we wait for room.
                        flush(stream, replies).await?;
                        queue.send(message).await.is_ok()
                    }
                };
                match arrived {
                    true if wants_reply => replies.extend_from_slice(ACCEPTED),
                    true => {}
                    false => reply(replies, StatusCode::NOT_FOUND, NO_ACTOR),
                }
            }
        }
        if replies.len() > MAX_REPLIES {
            flush(stream, replies).await?;
        }
    }
}

const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
const NO_ACTOR: &str = "404 Not Found.";

fn reply(replies: &mut Vec<u8>, status: StatusCode, text: &str) {
    let reason = status.canonical_reason().unwrap_or("");
    let (code, length) = (status.as_u16(), text.len());
    let head = format!(
        "HTTP/1.1 {code} {reason}\r\nContent-Type: {}\r\nContent-Length: {length}\r\n\r\n",
        crate::response::TEXT
    );
    replies.extend_from_slice(head.as_bytes());
    replies.extend_from_slice(text.as_bytes());
}

async fn flush(stream: &TcpStream, replies: &mut Vec<u8>) -> io::Result<()> {
    let mut sent = 0;
    while sent < replies.len() {
        match stream.try_write(&replies[sent..]) {
            Ok(length) => sent += length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    replies.clear();
    Ok(())
}

/// Hands over one message that hyper has read; the status of the reply.
pub(crate) async fn deliver(
    actors: &Actors,
    via: IpAddr,
    parts: &Parts,
    body: Bytes,
) -> StatusCode {
    let from = marked_sender(&parts.headers).and_then(pid);
    let (to, name) = address(parts.uri.path());
    let Some(from) = from.filter(|_| !to.is_empty() && !name.is_empty()) else {
        return StatusCode::BAD_REQUEST;
    };
    let sent = match actors.deliver(Inbound { from, via: Some(via.to_canonical()), to, name, body })
    {
        Delivered::Yes => true,
        Delivered::NoActor => false,
        Delivered::Later(queue, message) => queue.send(message).await.is_ok(),
    };
    if sent { StatusCode::ACCEPTED } else { StatusCode::NOT_FOUND }
}
