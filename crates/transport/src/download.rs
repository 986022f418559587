//! A body of known length that is read as fast as it is sent: for files that may be larger
//! than memory. Which files may be read is [`crate::files`]'s business.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::Frame;
use tokio::io::{AsyncRead, ReadBuf};

/// How much is read at once.
const PIECE: u64 = 64 << 10;

/// The first `length` bytes of a reader. If there are fewer, the connection breaks, which is
/// how a client knows that it has not got all.
pub struct Download {
    reader: Pin<Box<dyn AsyncRead + Send>>,
    remaining: u64,
}

impl Download {
    /// So many bytes of that reader.
    pub fn new(reader: impl AsyncRead + Send + 'static, length: u64) -> Download {
        Download { reader: Box::pin(reader), remaining: length }
    }

    /// How many bytes are still to come.
    pub(crate) fn remaining(&self) -> u64 {
        self.remaining
    }

    pub(crate) fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.remaining == 0 {
            return Poll::Ready(None);
        }
        let mut piece = vec![0; self.remaining.min(PIECE) as usize];
        let mut buffer = ReadBuf::new(&mut piece);
        match self.reader.as_mut().poll_read(context, &mut buffer) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
            Poll::Ready(Ok(())) => (),
        }
        let length = buffer.filled().len();
        if length == 0 {
            return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
        }
        piece.truncate(length);
        self.remaining -= length as u64;
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("remaining", &self.remaining).finish_non_exhaustive()
    }
}
