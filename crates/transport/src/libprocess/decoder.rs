//! Messages out of a connection's bytes. No socket here: bytes in, messages out.

use bytes::{Buf, Bytes, BytesMut};
use httparse::{EMPTY_HEADER, Request, Status};
use reeve_model::Pid;

use super::Inbound;
use super::head::{Framing, address, chunk_size, framing, line, pid, says_close, wants_reply};
use super::sniff::{MAX_HEAD, MAX_HEADERS, sender};

/// Bodies up to this size are copied out of the read buffer, larger ones are cut out of it.
/// A body that is kept would otherwise keep all that was read with it.
const COPY_UP_TO: usize = 32 << 10;

/// The longest line that tells the size of a chunk.
const MAX_CHUNK_LINE: usize = 1 << 10;

/// Takes a stream of bytes apart into messages.
#[derive(Debug)]
pub(super) struct Decoder {
    limit: usize,
    state: State,
    /// The last head said `Connection: close`.
    last: bool,
    /// The sender of the last message, which is nearly always the sender of the next.
    last_sender: Option<(Box<[u8]>, Pid)>,
}

/// ```text
/// Head -- Content-Length --> Sized  --> Head
///   \---- chunked ---------> Chunks --> Trailer --> Head
/// ```
#[derive(Debug)]
enum State {
    Head,
    Sized { head: Head, length: usize },
    Chunks { head: Head, body: Bytes, more: BytesMut },
    Trailer { head: Head, body: Bytes },
}

/// What a head said.
#[derive(Debug)]
struct Head {
    from: Option<Pid>,
    to: Box<str>,
    name: Box<str>,
    wants_reply: bool,
}

/// What came out of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    /// A message for an actor, and whether the sender wants to hear that it arrived.
    Message(Inbound, bool),
    /// A request that reached no actor because its path or sender can't be read. The reason.
    Unreadable(&'static str),
}

/// Why nothing more can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The next request is no message. Its bytes are untouched.
    NotLibprocess,
    /// The sender wanted no more than what came.
    Finished,
    /// The bytes make no sense; why.
    Malformed(&'static str),
    /// The body is larger than the limit.
    TooLarge,
}

impl Decoder {
    /// Bodies up to `limit` bytes.
    pub(super) fn new(limit: usize) -> Decoder {
        Decoder { limit, state: State::Head, last: false, last_sender: None }
    }

    /// How many more bytes are known to come, to size the next read.
    pub(super) fn expects(&self) -> usize {
        match &self.state {
            State::Sized { length, .. } => *length,
            _ => 0,
        }
    }

    /// The next message, or `None` if the bytes end before it does.
    pub(super) fn next(&mut self, bytes: &mut BytesMut) -> Result<Option<Decoded>, Stop> {
        loop {
            match std::mem::replace(&mut self.state, State::Head) {
                State::Head => match self.head(bytes)? {
                    Some(state) => self.state = state,
                    None => return Ok(None),
                },
                State::Sized { head, length } => {
                    if bytes.len() < length {
                        self.state = State::Sized { head, length };
                        return Ok(None);
                    }
                    return Ok(Some(head.with(cut(bytes, length))));
                }
                State::Chunks { head, mut body, mut more } => {
                    match self.chunk(bytes, &mut body, &mut more)? {
                        Chunk::Incomplete => {
                            self.state = State::Chunks { head, body, more };
                            return Ok(None);
                        }
                        Chunk::Taken => self.state = State::Chunks { head, body, more },
                        Chunk::Last if more.is_empty() => {
                            self.state = State::Trailer { head, body }
                        }
                        Chunk::Last => {
                            self.state = State::Trailer { head, body: more.freeze() };
                        }
                    }
                }
                State::Trailer { head, body } => match line(bytes, MAX_CHUNK_LINE)? {
                    None => {
                        self.state = State::Trailer { head, body };
                        return Ok(None);
                    }
                    Some(0) => {
                        bytes.advance(2);
                        return Ok(Some(head.with(body)));
                    }
                    Some(length) => {
                        bytes.advance(length + 2);
                        self.state = State::Trailer { head, body };
                    }
                },
            }
        }
    }

    fn head(&mut self, bytes: &mut BytesMut) -> Result<Option<State>, Stop> {
        if self.last {
            return Err(Stop::Finished);
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let mut headers = [EMPTY_HEADER; MAX_HEADERS];
        let mut request = Request::new(&mut headers);
        let length = match request.parse(bytes) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if bytes.len() <= MAX_HEAD => return Ok(None),
            // HTTP will find the words for what can't be parsed.
            _ => return Err(Stop::NotLibprocess),
        };
        let Some(sender) = sender(&request) else { return Err(Stop::NotLibprocess) };
        if request.method != Some("POST") {
            return Err(Stop::NotLibprocess);
        }
        let body = framing(&request)?;
        self.last = says_close(&request);
        let (to, name) = address(request.path.unwrap_or(""));
        let from = known(&mut self.last_sender, sender);
        let head = Head { from, to, name, wants_reply: wants_reply(&request) };
        bytes.advance(length);
        Ok(Some(match body {
            Framing::Chunked => State::Chunks { head, body: Bytes::new(), more: BytesMut::new() },
            Framing::Sized(length) if length > self.limit => return Err(Stop::TooLarge),
            Framing::Sized(length) => State::Sized { head, length },
        }))
    }

    /// Takes one chunk. The first goes to `body`; only if there are more is anything joined.
    fn chunk(
        &self,
        bytes: &mut BytesMut,
        body: &mut Bytes,
        more: &mut BytesMut,
    ) -> Result<Chunk, Stop> {
        let Some(end) = line(bytes, MAX_CHUNK_LINE)? else { return Ok(Chunk::Incomplete) };
        let size = chunk_size(&bytes[..end]).ok_or(Stop::Malformed("a chunk has no size"))?;
        if size == 0 {
            bytes.advance(end + 2);
            return Ok(Chunk::Last);
        }
        let so_far = if more.is_empty() { body.len() } else { more.len() };
        if size > self.limit - so_far.min(self.limit) {
            return Err(Stop::TooLarge);
        }
        if bytes.len() < end + 2 + size + 2 {
            return Ok(Chunk::Incomplete);
        }
        if &bytes[end + 2 + size..end + 4 + size] != b"\r\n" {
            return Err(Stop::Malformed("a chunk is longer than its size"));
        }
        bytes.advance(end + 2);
        if body.is_empty() {
            *body = cut(bytes, size);
        } else {
            if more.is_empty() {
                more.extend_from_slice(body);
            }
            more.extend_from_slice(&bytes[..size]);
            bytes.advance(size);
        }
        bytes.advance(2);
        Ok(Chunk::Taken)
    }
}

enum Chunk {
    Taken,
    Last,
    Incomplete,
}

impl Head {
    fn with(self, body: Bytes) -> Decoded {
        match self.from {
            None => Decoded::Unreadable("Failed to parse the sender of the message"),
            Some(_) if self.to.is_empty() || self.name.is_empty() => {
                Decoded::Unreadable("Failed to determine the actor and name of the message")
            }
            Some(from) => {
                let message = Inbound { from, via: None, to: self.to, name: self.name, body };
                Decoded::Message(message, self.wants_reply)
            }
        }
    }
}

fn known(last: &mut Option<(Box<[u8]>, Pid)>, text: &[u8]) -> Option<Pid> {
    if let Some((known, pid)) = last
        && **known == *text
    {
        return Some(pid.clone());
    }
    let pid = pid(text)?;
    *last = Some((text.into(), pid.clone()));
    Some(pid)
}

fn cut(bytes: &mut BytesMut, length: usize) -> Bytes {
    if length > COPY_UP_TO {
        return bytes.split_to(length).freeze();
    }
    let body = Bytes::copy_from_slice(&bytes[..length]);
    bytes.advance(length);
    body
}

#[cfg(test)]
mod tests;
