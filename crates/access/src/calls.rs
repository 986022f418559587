//! Calls of a module that requests wait for. They are made on threads that belong to the module,
//! so that one that hangs keeps neither sockets nor other modules waiting, nor the daemon's end.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reeve_module_sdk::Failed;
use tokio::sync::oneshot;

/// How many calls of one module go on at a time.
const THREADS: usize = 4;

/// How many more may wait for their turn.
const QUEUE: usize = 1024;

type Job<M> = Box<dyn FnOnce(&M) + Send>;

/// A module that is called by many. Dropping it ends its threads.
pub struct Calls<M> {
    module: String,
    limit: Duration,
    jobs: SyncSender<Job<M>>,
}

/// A module has not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// The call failed.
    #[error(transparent)]
    Failed(#[from] Failed),
    /// It takes too long; it may go on.
    #[error("module '{module}' has not answered within {limit:?}")]
    Late {
        /// The module.
        module: String,
        /// How long was waited.
        limit: Duration,
    },
    /// Too many calls wait already.
    #[error("module '{module}' has {QUEUE} calls waiting")]
    Busy {
        /// The module.
        module: String,
    },
}

impl<M: Send + Sync + 'static> Calls<M> {
    /// Starts the module's threads. A call may take as long as `limit`, its wait included.
    ///
    /// # Errors
    ///
    /// If the system has no thread left.
    pub fn start(name: &str, module: M, limit: Duration) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel(QUEUE);
        let shared = Arc::new((module, Mutex::new(queue)));
        for _ in 0..THREADS {
            let shared = Arc::clone(&shared);
            let work = move || {
                while let Some(job) = next(&shared.1) {
                    job(&shared.0)
                }
            };
            std::thread::Builder::new().name(format!("module-{name}")).spawn(work)?;
        }
        Ok(Self { module: name.to_owned(), limit, jobs })
    }

    /// Makes a call and waits for its answer.
    ///
    /// # Errors
    ///
    /// If the call fails, or no answer comes in time.
    pub async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&M) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, Unanswered> {
        let (answer, answered) = oneshot::channel();
        let job = move |module: &M| {
            // Whoever asked may have left while the call waited for its turn.
            if !answer.is_closed() {
                let _ = answer.send(call(module));
            }
        };
        let module = || self.module.clone();
        self.jobs.try_send(Box::new(job)).map_err(|_| Unanswered::Busy { module: module() })?;
        match tokio::time::timeout(self.limit, answered).await {
            Ok(Ok(answer)) => Ok(answer?),
            _ => Err(Unanswered::Late { module: module(), limit: self.limit }),
        }
    }
}

fn next<M>(queue: &Mutex<Receiver<Job<M>>>) -> Option<Job<M>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

impl<M> fmt::Debug for Calls<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls").field("module", &self.module).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_comes_back_and_a_failure_too() {
        let calls = Calls::start("seven", 7, Duration::from_secs(60)).unwrap();
        assert_eq!(calls.call(|seven| Ok(seven + 1)).await, Ok(8));
        let failed = Failed::new("not today");
        assert_eq!(calls.call::<()>(|_| Err(Failed::new("not today"))).await, Err(failed.into()));
    }

    #[tokio::test]
    async fn calls_that_hang_fail_those_that_wait_for_them_and_no_others() {
        let (release, held) = sync_channel::<()>(0);
        let calls = Calls::start("slow", Mutex::new(held), Duration::from_millis(50)).unwrap();
        let hang = || calls.call(|held| Ok(held.lock().unwrap().recv().is_ok()));
        let late = hang().await.unwrap_err();
        assert_eq!(late.to_string(), "module 'slow' has not answered within 50ms");
        assert_eq!(calls.call(|_| Ok("quick")).await, Ok("quick"));
        for _ in 1..THREADS {
            assert!(hang().await.is_err());
        }
        assert!(calls.call(|_| Ok("quick")).await.is_err(), "all threads hang");
        drop(release);
        let again = async { while calls.call(|_| Ok(())).await.is_err() {} };
        tokio::time::timeout(Duration::from_secs(60), again).await.unwrap();
    }
}
