//! The event stream, read in large pieces: a general client would hand over each event alone,
//! which costs more than the event.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use bytes::{Buf, Bytes, BytesMut};
use reeve_wire::recordio::Decoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is read at once.
const READ_SIZE: usize = 256 << 10;

/// The largest event: offers of all agents at once.
const MAX_RECORD: usize = 1 << 30;

/// The events of a subscription.
#[derive(Debug)]
pub(super) struct Events {
    stream: TcpStream,
    buffer: BytesMut,
    chunk: Chunk,
    records: Decoder,
}

/// Where in the chunked body the buffer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunk {
    /// At a chunk's length.
    Head,
    /// That far from its end.
    Body(usize),
    /// At the line's end after it.
    Tail,
    /// Behind the last one.
    Ended,
}

impl Events {
    /// Sends the whole request, and gives the events and the stream's id once it is answered.
    ///
    /// # Errors
    /// If the answer is no event stream.
    pub(super) async fn open(
        master: SocketAddr,
        request: &[u8],
    ) -> anyhow::Result<(Events, String)> {
        let mut stream = TcpStream::connect(master).await.context("connecting to subscribe")?;
        stream.set_nodelay(true)?;
        stream.write_all(request).await?;
        let (chunk, records) = (Chunk::Head, Decoder::new(MAX_RECORD));
        let mut events = Events { stream, buffer: BytesMut::new(), chunk, records };
        loop {
            if let Some(id) = events.take_head()? {
                return Ok((events, id));
            }
            if !events.read().await? {
                bail!("no answer: {}", String::from_utf8_lossy(&events.buffer));
            }
        }
    }

    /// Reads more; false at the end of the connection. May be cancelled.
    pub(super) async fn read(&mut self) -> anyhow::Result<bool> {
        self.buffer.reserve(READ_SIZE);
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }

    /// The next whole event among what was read.
    ///
    /// # Errors
    /// If the stream has ended, or makes no sense.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        loop {
            if let Some(record) = self.records.pop()? {
                return Ok(Some(record));
            }
            if !self.take_part()? {
                return Ok(None);
            }
        }
    }

    /// Takes the next part of the body out of the buffer; false if there is none.
    fn take_part(&mut self) -> anyhow::Result<bool> {
        match self.chunk {
            Chunk::Head => match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete((line, length))) => {
                    self.buffer.advance(line);
                    let length = usize::try_from(length)?;
                    self.chunk = if length > 0 { Chunk::Body(length) } else { Chunk::Ended };
                    Ok(true)
                }
                Ok(httparse::Status::Partial) => Ok(false),
                Err(_) => bail!("a chunk without a length"),
            },
            Chunk::Body(left) => {
                let part = self.buffer.split_to(left.min(self.buffer.len()));
                self.records.push(&part);
                let left = left - part.len();
                self.chunk = if left > 0 { Chunk::Body(left) } else { Chunk::Tail };
                Ok(!part.is_empty())
            }
            Chunk::Tail if self.buffer.len() < 2 => Ok(false),
            Chunk::Tail => {
                self.buffer.advance(2);
                self.chunk = Chunk::Head;
                Ok(true)
            }
            Chunk::Ended => bail!("the master ended the event stream"),
        }
    }

    /// Takes the answer's head out of the buffer once it is whole: the stream's id.
    fn take_head(&mut self) -> anyhow::Result<Option<String>> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(length) = response.parse(&self.buffer)? else {
            return Ok(None);
        };
        let status = response.code.unwrap_or(0);
        let header = |name: &str| {
            let found = response.headers.iter().find(|one| one.name.eq_ignore_ascii_case(name));
            found.map(|one| String::from_utf8_lossy(one.value).into_owned())
        };
        if status != 200 {
            let text = String::from_utf8_lossy(self.buffer.get(length..).unwrap_or_default());
            bail!("SUBSCRIBE was refused: {status} {text}");
        }
        if header("Transfer-Encoding").is_none_or(|coding| coding != "chunked") {
            bail!("the answer to SUBSCRIBE is not chunked");
        }
        let id = header("Mesos-Stream-Id").context("an answer without Mesos-Stream-Id")?;
        self.buffer.advance(length);
        Ok(Some(id))
    }
}
