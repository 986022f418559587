//! Event streams: from an event of the core to a record on a connection.
//!
//! Each stream has a task of its own that encodes its events, so that a scheduler with many
//! offers in JSON costs the core nothing. Its queue is bounded: the stream of a scheduler that
//! does not keep up is closed, and the scheduler subscribes again (DESIGN §3, slow readers).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use reeve_master_core::effect::ToScheduler;
use reeve_master_core::event::{StreamClaim, StreamId};
use reeve_model::Capabilities;
use reeve_transport::stream::channel;
use reeve_transport::{Codec, StreamBody, StreamSender};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::{Recipient, wire_event};

/// How many events may wait to be encoded. After a failover a framework is told of all of its tasks
/// at once, and must not lose its stream, and with it its tasks, for having many.
const EVENTS: usize = 1 << 18;

/// How many bytes of records may wait for the reader of a stream.
const BYTES: usize = 64 << 20;

/// All streams, by what `Mesos-Stream-Id` says. Clones are the same set.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    by_name: Arc<RwLock<BTreeMap<String, StreamId>>>,
    last: Arc<AtomicU64>,
}

/// The core's end of a stream. The stream ends, with its last event delivered, when it is
/// dropped.
#[derive(Debug)]
pub struct Outlet {
    events: mpsc::Sender<(Capabilities, ToScheduler)>,
}

impl Outlet {
    /// Queues an event for a framework with these capabilities. False if the reader is gone or
    /// too slow; the outlet is of no use then.
    pub fn send(&self, capabilities: Capabilities, event: ToScheduler) -> bool {
        match self.events.try_send((capabilities, event)) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                tracing::warn!(
                    "a scheduler's event stream is closed: {EVENTS} events wait for it already"
                );
                false
            }
            Err(TrySendError::Closed(_)) => false,
        }
    }
}

/// A new stream.
#[derive(Debug)]
pub struct Opened {
    /// Its number.
    pub id: StreamId,
    /// What the `Mesos-Stream-Id` header says.
    pub name: String,
    /// The core's end.
    pub outlet: Outlet,
    /// The connection's end.
    pub body: StreamBody,
}

impl Streams {
    /// No streams.
    pub fn new() -> Self {
        Streams::default()
    }

    /// A number that no stream has had.
    pub fn number(&self) -> StreamId {
        StreamId(self.last.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Opens a stream in that codec. `gone` is called once when nothing more can be delivered:
    /// the reader went, or is too slow.
    pub fn open<G>(
        &self,
        codec: Codec,
        to: Recipient,
        gone: impl FnOnce(StreamId) -> G + Send + 'static,
    ) -> Opened
    where
        G: Future<Output = ()> + Send,
    {
        let (id, name) = (self.number(), uuid::Uuid::new_v4().to_string());
        let (sender, body) = channel(BYTES);
        let (events, queue) = mpsc::channel(EVENTS);
        let mut streams = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        streams.insert(name.clone(), id);
        drop(streams);
        let (all, own) = (self.clone(), name.clone());
        tokio::spawn(async move {
            write_events(queue, &sender, codec, to).await;
            all.forget(&own);
            gone(id).await;
        });
        Opened { id, name, outlet: Outlet { events }, body }
    }

    /// What a `Mesos-Stream-Id` header claims.
    pub fn claim(&self, header: Option<&str>) -> StreamClaim {
        let Some(name) = header else { return StreamClaim::Missing };
        let streams = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        streams.get(name).map_or(StreamClaim::Unknown, |id| StreamClaim::Is(*id))
    }

    fn forget(&self, name: &str) {
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

async fn write_events(
    mut queue: mpsc::Receiver<(Capabilities, ToScheduler)>,
    sender: &StreamSender,
    codec: Codec,
    mut to: Recipient,
) {
    loop {
        let next = tokio::select! {
            next = queue.recv() => next,
            () = sender.closed() => None,
        };
        let Some((capabilities, event)) = next else { return };
        to.capabilities = capabilities;
        let record = codec.encode(&wire_event(event, &to));
        if let Err(why) = sender.send(&record) {
            tracing::warn!("a scheduler's event stream is closed: {why}");
            return;
        }
    }
}

#[cfg(test)]
mod tests;
