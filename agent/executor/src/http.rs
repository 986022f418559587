//! The little of HTTP/1.1 that an executor speaks: a POST or a GET out, a response in as it
//! arrives.

/// The longest response head taken.
const MAX_HEAD: usize = 16 << 10;

/// A response that is not HTTP as we know it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HttpError {
    /// The head cannot be parsed.
    #[error("the agent's response has a bad head")]
    Head(#[from] httparse::Error),
    /// The head does not end.
    #[error("the agent's response has a head of more than {MAX_HEAD} bytes")]
    LongHead,
    /// A chunk size or a content length is not a number.
    #[error("the agent's response has a bad length")]
    Length,
}

/// One POST with a protobuf body.
pub fn post(host: &str, path: &str, token: Option<&str>, body: &[u8]) -> Vec<u8> {
    let authorization =
        token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/x-protobuf\r\n\
         Content-Type: application/x-protobuf\r\n{authorization}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// One GET of whatever is there, on a connection for it alone.
pub fn get(host: &str, path: &str) -> Vec<u8> {
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: reeve-executor\r\nAccept: */*\r\n\
         Connection: close\r\n\r\n"
    );
    head.into_bytes()
}

/// How the rest of the body is laid out.
#[derive(Debug, PartialEq, Eq)]
enum Layout {
    /// The head is not whole yet.
    Unknown,
    /// This many bytes are left.
    Left(u64),
    /// A chunk's size line comes next.
    ChunkSize,
    /// This many bytes of a chunk are left, then a line end.
    Chunk(u64),
    /// The line end after a chunk comes next.
    ChunkEnd,
    /// Trailer lines up to an empty one come next.
    Trailer,
    /// The body ends with the connection.
    UntilClose,
    /// There is no more.
    Done,
}

/// Takes a response apart as its bytes arrive.
#[derive(Debug)]
pub struct Response {
    input: Vec<u8>,
    body: Vec<u8>,
    status: Option<u16>,
    layout: Layout,
}

impl Response {
    /// Nothing has arrived.
    pub fn new() -> Self {
        Self { input: Vec::new(), body: Vec::new(), status: None, layout: Layout::Unknown }
    }

    /// Takes in what arrived.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), HttpError> {
        self.input.extend_from_slice(bytes);
        while self.advance()? {}
        Ok(())
    }

    /// The status code, once the head is whole.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// What there is of the body since the last call.
    pub fn take_body(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.body)
    }

    /// Whether the body is whole.
    pub fn is_done(&self) -> bool {
        self.layout == Layout::Done
    }

    /// Does one step with what is there; false if more must arrive first.
    fn advance(&mut self) -> Result<bool, HttpError> {
        match self.layout {
            Layout::Unknown => self.head(),
            Layout::Left(0) => Ok(self.go(Layout::Done)),
            Layout::Left(left) => {
                Ok(self.copy(left).is_some_and(|left| self.go(Layout::Left(left))))
            }
            Layout::UntilClose => Ok(self.copy(u64::MAX).is_some()),
            Layout::ChunkSize => {
                let Some(line) = self.line() else { return Ok(false) };
                let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
                let size = std::str::from_utf8(digits).map_err(|_| HttpError::Length)?;
                let size = u64::from_str_radix(size.trim(), 16).map_err(|_| HttpError::Length)?;
                Ok(self.go(if size == 0 { Layout::Trailer } else { Layout::Chunk(size) }))
            }
            Layout::Chunk(0) => Ok(self.go(Layout::ChunkEnd)),
            Layout::Chunk(left) => {
                Ok(self.copy(left).is_some_and(|left| self.go(Layout::Chunk(left))))
            }
            Layout::ChunkEnd => Ok(self.line().is_some() && self.go(Layout::ChunkSize)),
            Layout::Trailer => Ok(match self.line() {
                None => false,
                Some(line) if line.is_empty() => self.go(Layout::Done),
                Some(_) => true,
            }),
            Layout::Done => Ok(false),
        }
    }

    fn go(&mut self, layout: Layout) -> bool {
        self.layout = layout;
        true
    }

    fn head(&mut self) -> Result<bool, HttpError> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut head = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(length) = head.parse(&self.input)? else {
            return if self.input.len() > MAX_HEAD { Err(HttpError::LongHead) } else { Ok(false) };
        };
        let status = head.code.unwrap_or_default();
        let layout = layout_of(status, head.headers)?;
        self.input.drain(..length);
        // An interim response announces another one.
        if (100..200).contains(&status) {
            return Ok(true);
        }
        self.status = Some(status);
        Ok(self.go(layout))
    }

    /// Moves at most `limit` bytes to the body; says how much of the limit is left.
    fn copy(&mut self, limit: u64) -> Option<u64> {
        if self.input.is_empty() {
            return None;
        }
        let count = usize::try_from(limit).unwrap_or(usize::MAX).min(self.input.len());
        self.body.extend(self.input.drain(..count));
        Some(limit - count as u64)
    }

    /// Takes one line, without its end.
    fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.input.iter().position(|&byte| byte == b'\n')?;
        let mut line: Vec<u8> = self.input.drain(..=end).collect();
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        Some(line)
    }
}

fn layout_of(status: u16, headers: &[httparse::Header<'_>]) -> Result<Layout, HttpError> {
    let value = |name: &str| {
        let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        header.map(|header| String::from_utf8_lossy(header.value).trim().to_ascii_lowercase())
    };
    if status == 204 || status == 304 {
        return Ok(Layout::Left(0));
    }
    if value("transfer-encoding").is_some_and(|coding| coding.ends_with("chunked")) {
        return Ok(Layout::ChunkSize);
    }
    match value("content-length") {
        Some(length) => length.parse().map(Layout::Left).map_err(|_| HttpError::Length),
        None => Ok(Layout::UntilClose),
    }
}

#[cfg(test)]
mod tests;
