//! Event streams: RecordIO records (W-3) as the body of an answer that does not end.
//! What the records say, and what to do when a reader is too slow, is the daemon's.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::Frame;
use reeve_wire::recordio;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

/// What a queued record costs besides its bytes; without it a flood of tiny records would
/// be nearly free.
const OVERHEAD: usize = 64;

/// Why a record was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The reader is too slow; the record is lost.
    #[error("the reader of this stream is too slow: its queue is full")]
    Full,
    /// The reader is gone.
    #[error("the reader of this stream is gone")]
    Closed,
}

/// A stream's two ends, with room for about `limit` bytes of records that the reader has not
/// taken yet. A single record larger than that passes if nothing else waits.
pub fn channel(limit: usize) -> (StreamSender, StreamBody) {
    let (sender, frames) = mpsc::unbounded_channel();
    let queued = Arc::new(AtomicUsize::new(0));
    let gone = CancellationToken::new();
    let body = StreamBody {
        frames,
        queued: Arc::clone(&queued),
        until: None,
        _gone: gone.clone().drop_guard(),
    };
    (StreamSender { frames: sender, queued, limit, gone }, body)
}

/// The daemon's end. The stream ends, with its last record delivered, when all clones of the
/// sender are dropped.
#[derive(Clone, Debug)]
pub struct StreamSender {
    frames: mpsc::UnboundedSender<Bytes>,
    queued: Arc<AtomicUsize>,
    limit: usize,
    gone: CancellationToken,
}

impl StreamSender {
    /// Queues one record, which goes out as one HTTP chunk.
    pub fn send(&self, record: &[u8]) -> Result<(), SendError> {
        self.send_frame(recordio::encode(record))
    }

    /// Queues what [`recordio::encode`] made: for one record that goes to many streams.
    pub fn send_frame(&self, frame: Bytes) -> Result<(), SendError> {
        let cost = frame.len() + OVERHEAD;
        let before = self.queued.fetch_add(cost, Ordering::Relaxed);
        if before != 0 && before.saturating_add(cost) > self.limit {
            self.queued.fetch_sub(cost, Ordering::Relaxed);
            return Err(if self.is_closed() { SendError::Closed } else { SendError::Full });
        }
        self.frames.send(frame).map_err(|_| SendError::Closed)
    }

    /// Whether the reader is gone.
    pub fn is_closed(&self) -> bool {
        self.frames.is_closed()
    }

    /// What [`StreamSender::closed`] waits for, without keeping the stream open: for who only
    /// wants to know of the end.
    pub fn end(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.gone.clone().cancelled_owned()
    }

    /// Waits until the reader is gone: it hung up, or the server stopped.
    pub async fn closed(&self) {
        self.frames.closed().await;
    }
}

/// The server's end: a body whose every frame is one record.
pub struct StreamBody {
    frames: mpsc::UnboundedReceiver<Bytes>,
    queued: Arc<AtomicUsize>,
    until: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    /// Tells [`StreamSender::end`] when this is dropped.
    _gone: DropGuard,
}

impl StreamBody {
    /// Ends the stream when `stop` is cancelled. (A graceful stop of hyper alone would wait
    /// for an open stream for ever.)
    pub(crate) fn end_with(&mut self, stop: CancellationToken) {
        self.until = Some(Box::pin(stop.cancelled_owned()));
    }

    /// The next frame, or `None` at the end of the stream.
    pub fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Frame<Bytes>>> {
        if let Poll::Ready(frame) = self.frames.poll_recv(context) {
            let Some(frame) = frame else { return Poll::Ready(None) };
            self.queued.fetch_sub(frame.len() + OVERHEAD, Ordering::Relaxed);
            return Poll::Ready(Some(Frame::data(frame)));
        }
        match &mut self.until {
            Some(stop) => stop.as_mut().poll(context).map(|()| None),
            None => Poll::Pending,
        }
    }
}

impl fmt::Debug for StreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamBody").field("queued", &self.queued).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
