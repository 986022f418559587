//! Whether a request is a libprocess message (LP-2). Serving it is elsewhere.

use http::HeaderMap;
use httparse::{EMPTY_HEADER, Request, Status};

/// The largest head that may still be libprocess.
pub(super) const MAX_HEAD: usize = 16 << 10;

/// More headers than any sender of messages sets.
pub(super) const MAX_HEADERS: usize = 32;

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sniffed {
    /// A message.
    Libprocess,
    /// Anything else, including what can't be parsed: HTTP will answer that.
    Http,
    /// Not enough yet.
    Incomplete,
}

/// Looks at what a connection has brought so far.
pub(crate) fn sniff(bytes: &[u8]) -> Sniffed {
    if !b"POST ".starts_with(&bytes[..bytes.len().min(5)]) {
        return Sniffed::Http;
    }
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut request = Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(Status::Complete(_)) if is_message(&request) => Sniffed::Libprocess,
        Ok(Status::Partial) if bytes.len() <= MAX_HEAD => Sniffed::Incomplete,
        _ => Sniffed::Http,
    }
}

/// Whether a parsed head is that of a message.
pub(super) fn is_message(request: &Request<'_, '_>) -> bool {
    request.method == Some("POST") && sender(request).is_some()
}

/// Whom a head says it is from: `Libprocess-From`, or `User-Agent` after `libprocess/`.
pub(super) fn sender<'b>(request: &Request<'_, 'b>) -> Option<&'b [u8]> {
    let mut sender = None;
    for header in request.headers.iter() {
        if header.name.eq_ignore_ascii_case("libprocess-from") {
            return Some(header.value);
        }
        if header.name.eq_ignore_ascii_case("user-agent") {
            sender = header.value.strip_prefix(b"libprocess/").or(sender);
        }
    }
    sender
}

/// Whether the headers of a POST mark it as a message.
pub(crate) fn is_marked(headers: &HeaderMap) -> bool {
    marked_sender(headers).is_some()
}

/// As [`sender`], of headers that hyper parsed.
pub(super) fn marked_sender(headers: &HeaderMap) -> Option<&[u8]> {
    let agent = || headers.get("user-agent")?.as_bytes().strip_prefix(b"libprocess/");
    headers.get("libprocess-from").map(|from| from.as_bytes()).or_else(agent)
}

#[cfg(test)]
mod tests;
