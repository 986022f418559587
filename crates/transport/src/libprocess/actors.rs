//! The actors of this process by id, and where their messages go.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use super::Inbound;

/// Which actors take messages. Clones are the same registry.
#[derive(Clone, Debug, Default)]
pub struct Actors {
    by_id: Arc<RwLock<HashMap<Box<str>, Sender<Inbound>>>>,
}

/// What became of a message.
#[derive(Debug)]
pub(super) enum Delivered {
    /// The actor has it.
    Yes,
    /// The actor's queue is full: wait for room there.
    Later(Sender<Inbound>, Inbound),
    /// There is no such actor.
    NoActor,
}

impl Actors {
    /// No actors.
    pub fn new() -> Actors {
        Actors::default()
    }

    /// Messages for `id` go to `queue` from now on. Several actors may share a queue. When the
    /// queue is full, the connections that bring more wait.
    pub fn register(&self, id: impl Into<Box<str>>, queue: Sender<Inbound>) {
        // A poisoned lock only means that a thread died between two whole changes.
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        by_id.insert(id.into(), queue);
    }

    /// Messages for `id` are answered with 404 from now on.
    pub fn unregister(&self, id: &str) {
        self.by_id.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Messages for whoever was registered so far are answered with 404 from now on.
    pub fn clear(&self) {
        self.by_id.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn deliver(&self, message: Inbound) -> Delivered {
        let by_id = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = by_id.get(&message.to) else { return Delivered::NoActor };
        match queue.try_send(message) {
            Ok(()) => Delivered::Yes,
            Err(TrySendError::Full(message)) => Delivered::Later(queue.clone(), message),
            Err(TrySendError::Closed(_)) => Delivered::NoActor,
        }
    }
}
