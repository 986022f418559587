//! The thread that owns the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::{Error, Store, Write};

/// The most writes in one transaction; keeps one from taking seconds.
const GROUP: usize = 20_000;

/// What became of the writes that went into one transaction.
#[derive(Debug)]
pub struct Group {
    /// The numbers they were submitted with, in that order.
    pub ids: Vec<u64>,
    /// How long the transaction took.
    pub took: Duration,
    /// Whether they are durable. After a failure nothing more is written: the owner must
    /// step down.
    pub result: Result<(), Error>,
}

/// A handle of the writing thread. When it is dropped, what was submitted is still written.
#[derive(Debug)]
pub struct Registry {
    submit: Option<Sender<(u64, Vec<Write>)>>,
    queued: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Registry {
    /// Starts the thread. `done` is called on it after each transaction.
    ///
    /// # Errors
    ///
    /// If the system has no thread left.
    pub fn start(
        store: Store,
        done: impl FnMut(Group) + Send + 'static,
    ) -> Result<Registry, std::io::Error> {
        let (submit, submitted) = channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&queued);
        let thread = std::thread::Builder::new()
            .name("registry".to_owned())
            .spawn(move || write_groups(store, &submitted, &counter, done))?;
        Ok(Registry { submit: Some(submit), queued, thread: Some(thread) })
    }

    /// Submits writes that belong together, under a number that [`Group::ids`] repeats.
    /// The queue is as long as its owner makes it; a master has at most one write per agent
    /// under way.
    pub fn submit(&self, id: u64, writes: Vec<Write>) {
        self.queued.fetch_add(1, Ordering::Relaxed);
        if let Some(submit) = &self.submit
            && submit.send((id, writes)).is_err()
        {
            tracing::error!("the registry's thread has ended; a write is lost");
        }
    }

    /// Submissions that are not durable yet.
    pub fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.submit = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the registry's thread ended in a panic");
        }
    }
}

fn write_groups(
    mut store: Store,
    submitted: &Receiver<(u64, Vec<Write>)>,
    queued: &AtomicUsize,
    mut done: impl FnMut(Group),
) {
    let mut broken = false;
    while let Ok((id, writes)) = submitted.recv() {
        let (mut ids, mut count, mut group) = (vec![id], writes.len(), vec![writes]);
        while count < GROUP
            && let Ok((id, writes)) = submitted.try_recv()
        {
            ids.push(id);
            count += writes.len();
            group.push(writes);
        }
        let started = Instant::now();
        let result = if broken {
            Err(Error::Write { why: "an earlier write failed".to_owned() })
        } else {
            store.apply_group(group)
        };
        broken |= result.is_err();
        queued.fetch_sub(ids.len(), Ordering::Relaxed);
        done(Group { ids, took: started.elapsed(), result });
    }
}
