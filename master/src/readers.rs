//! What readers see: a task that takes changes in, and snapshots for whoever asks.
//!
//! Readers hold a snapshot as long as they like; nothing they do delays the core. A snapshot is
//! made when one is wanted and not before: what it shares must be copied by the changes after it,
//! and when all agents return at once hardly anybody looks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reeve_master_core::view::{Change, Snapshot};
use reeve_master_core::{Options, View};
use tokio::sync::{mpsc, oneshot};

use crate::story;

/// For so long changes gather before they are taken in.
const REST: Duration = Duration::from_millis(2);

/// How many batches of changes are taken in at once.
const BATCHES: usize = 256;

/// The cluster as far as changes were taken in. Clones are the same.
#[derive(Clone, Debug)]
pub struct Readers {
    view: Arc<Mutex<View>>,
}

impl Readers {
    /// Nothing to see yet.
    pub fn new(options: &Options) -> Readers {
        Readers { view: Arc::new(Mutex::new(View::new(options))) }
    }

    /// Starts the task, and gives the queue for changes, and what tells when the first were taken
    /// in. It ends when the queue's sender is dropped. The queue has no bound: it holds what the
    /// core has done and the task has not seen, a few milliseconds' worth, and the core must not
    /// wait for readers.
    pub fn start(
        options: &Options,
    ) -> (Readers, mpsc::UnboundedSender<Vec<Change>>, oneshot::Receiver<()>) {
        let (changes, queue) = mpsc::unbounded_channel();
        let (first, ready) = oneshot::channel();
        let readers = Readers::new(options);
        tokio::spawn(take_in(queue, readers.clone(), first));
        (readers, changes, ready)
    }

    /// The cluster as it is now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::new(self.view().snapshot())
    }

    /// One look at the cluster as it is now, for which nothing is copied.
    pub fn look<T>(&self, at: impl FnOnce(&Snapshot) -> T) -> T {
        at(self.view().now())
    }

    /// Held for one change or one snapshot at a time, so that nobody waits long.
    fn view(&self) -> MutexGuard<'_, View> {
        // Whoever died over a change left what readers can still use.
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn take_in(
    mut queue: mpsc::UnboundedReceiver<Vec<Change>>,
    readers: Readers,
    first: oneshot::Sender<()>,
) {
    let (mut batches, mut first) = (Vec::with_capacity(BATCHES), Some(first));
    while queue.recv_many(&mut batches, BATCHES).await > 0 {
        for change in batches.drain(..).flatten() {
            story::tell(&readers, &change);
            readers.view().apply(change);
        }
        if let Some(first) = first.take() {
            // Whoever began the term may have given it up.
            let _ = first.send(());
        }
        tokio::time::sleep(REST).await;
    }
}
