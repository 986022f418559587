//! What the lines of a message's request say: whom it is for, whom it is from, how its body
//! is framed. Lines in, answers out; nothing is taken from a buffer here.

use httparse::Request;
use percent_encoding::percent_decode_str;
use reeve_model::Pid;

use super::decoder::Stop;

/// How the length of a body is told.
#[derive(Debug)]
pub(super) enum Framing {
    Sized(usize),
    Chunked,
}

/// The actor and message name of a path `/slave(1)/mesos.internal.PingSlaveMessage`; both are
/// empty if the path has not this shape.
pub(super) fn address(path: &str) -> (Box<str>, Box<str>) {
    let Some((to, name)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) else {
        return Default::default();
    };
    if !path.contains('%') {
        return (to.into(), name.into());
    }
    match (percent_decode_str(to).decode_utf8(), percent_decode_str(name).decode_utf8()) {
        (Ok(to), Ok(name)) => (to.into(), name.into()),
        _ => Default::default(),
    }
}

/// The pid that a sender's text stands for.
pub(super) fn pid(text: &[u8]) -> Option<Pid> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// Whether the sender will send no more after this.
pub(super) fn says_close(request: &Request<'_, '_>) -> bool {
    let mut headers = request.headers.iter();
    headers.any(|header| {
        header.name.eq_ignore_ascii_case("connection")
            && header.value.trim_ascii().eq_ignore_ascii_case(b"close")
    })
}

/// The header, and its one value, of a sender that does not want to hear that a message arrived.
/// Mesos sends replies that nobody reads: two system calls and a packet a message.
pub(super) const NO_REPLY: (&str, &str) = ("Reeve-Reply", "none");

/// Whether the sender is to be told that the message arrived, as every one of Mesos is.
pub(super) fn wants_reply(request: &Request<'_, '_>) -> bool {
    let (name, none) = NO_REPLY;
    let mut headers = request.headers.iter();
    !headers.any(|header| {
        header.name.eq_ignore_ascii_case(name) && header.value.trim_ascii() == none.as_bytes()
    })
}

/// How the body is framed; without a word about it there is none.
pub(super) fn framing(request: &Request<'_, '_>) -> Result<Framing, Stop> {
    let mut length = None;
    for header in request.headers.iter() {
        if header.name.eq_ignore_ascii_case("transfer-encoding") {
            let chunked = header.value.trim_ascii().eq_ignore_ascii_case(b"chunked");
            return if chunked {
                Ok(Framing::Chunked)
            } else {
                Err(Stop::Malformed("the transfer encoding is not chunked"))
            };
        }
        if header.name.eq_ignore_ascii_case("content-length") {
            let parsed = decimal(header.value).ok_or(Stop::Malformed("the length is no number"))?;
            if length.is_some_and(|length| length != parsed) {
                return Err(Stop::Malformed("two lengths that differ"));
            }
            length = Some(parsed);
        }
    }
    Ok(Framing::Sized(length.unwrap_or(0)))
}

/// A number of digits alone: a sign that one server takes and another does not is how requests
/// are smuggled.
fn decimal(text: &[u8]) -> Option<usize> {
    let digits = text.trim_ascii();
    let text = std::str::from_utf8(digits).ok()?;
    digits.iter().all(u8::is_ascii_digit).then(|| text.parse().ok()).flatten()
}

/// The length of the line that `bytes` starts with, without its CRLF; `None` if it goes on.
pub(super) fn line(bytes: &[u8], limit: usize) -> Result<Option<usize>, Stop> {
    match bytes.iter().take(limit).position(|byte| *byte == b'\n') {
        Some(end) if end > 0 && bytes[end - 1] == b'\r' => Ok(Some(end - 1)),
        Some(_) => Err(Stop::Malformed("a line ends without a carriage return")),
        None if bytes.len() >= limit => Err(Stop::Malformed("a line is too long")),
        None => Ok(None),
    }
}

/// The hexadecimal size of a chunk, without its extensions.
pub(super) fn chunk_size(line: &[u8]) -> Option<usize> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let all_hex = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok().filter(|_| all_hex)?;
    usize::from_str_radix(text, 16).ok()
}
