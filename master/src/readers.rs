//! What readers see: a task that takes changes in and publishes snapshots.
//!
//! Readers hold a snapshot as long as they like; nothing they do delays the core.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use reeve_master_core::view::{Change, Snapshot};
use reeve_master_core::{Options, View};
use tokio::sync::{mpsc, oneshot};

use crate::story;

/// How long a published snapshot stands at the least. Publishing is what makes the next change
/// of a record copy it, so that it is done for many changes at once.
const REST: Duration = Duration::from_millis(2);

/// How long it stands at the most while changes keep coming.
const LONGEST_REST: Duration = Duration::from_millis(50);

/// It stands so many times as long as it took to make: when all agents return at once, most of
/// what each snapshot makes the next change copy is copied in vain.
const REST_FACTOR: u32 = 4;

/// How many batches of changes are taken in at once.
const BATCHES: usize = 256;

/// The latest snapshot. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Readers {
    latest: Arc<ArcSwap<Snapshot>>,
}

impl Readers {
    /// Starts the task, and gives the queue for changes, and what tells when the first were taken
    /// in. It ends when the queue's sender is dropped. The queue has no bound: it holds what the
    /// core has done and the task has not seen, a few milliseconds' worth, and the core must not
    /// wait for readers.
    pub fn start(
        options: &Options,
    ) -> (Readers, mpsc::UnboundedSender<Vec<Change>>, oneshot::Receiver<()>) {
        let (changes, queue) = mpsc::unbounded_channel();
        let (first, ready) = oneshot::channel();
        let readers = Readers::default();
        tokio::spawn(publish(View::new(options), queue, readers.clone(), first));
        (readers, changes, ready)
    }

    /// The cluster as it is now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.latest.load_full()
    }
}

async fn publish(
    mut view: View,
    mut queue: mpsc::UnboundedReceiver<Vec<Change>>,
    readers: Readers,
    first: oneshot::Sender<()>,
) {
    let (mut batches, mut first) = (Vec::with_capacity(BATCHES), Some(first));
    while queue.recv_many(&mut batches, BATCHES).await > 0 {
        let begun = Instant::now();
        for change in batches.drain(..).flatten() {
            story::tell(&view, &change);
            view.apply(change);
        }
        readers.latest.store(Arc::new(view.snapshot()));
        if let Some(first) = first.take() {
            // Whoever began the term may have given it up.
            let _ = first.send(());
        }
        let rest = begun.elapsed().saturating_mul(REST_FACTOR);
        tokio::time::sleep(rest.clamp(REST, LONGEST_REST)).await;
    }
}
