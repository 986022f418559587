//! Calls from asynchronous code, none of which is waited for longer than its kind allows.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reeve_module_sdk::Failed;

/// A module that is asked on threads that may block. A call that takes too long is given up; until
/// it comes back the module counts as hanging, and nobody else is let in. Clones are the same.
pub struct Timely<T: ?Sized> {
    works: Arc<T>,
    name: Arc<str>,
    limit: Duration,
    hanging: Arc<AtomicUsize>,
}

impl<T: ?Sized> Clone for Timely<T> {
    fn clone(&self) -> Self {
        Self {
            works: Arc::clone(&self.works),
            name: Arc::clone(&self.name),
            limit: self.limit,
            hanging: Arc::clone(&self.hanging),
        }
    }
}

impl<T: ?Sized> fmt::Debug for Timely<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timely").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<T: ?Sized + Send + Sync + 'static> Timely<T> {
    /// Calls of this module may take so long.
    pub fn new(name: &str, limit: Duration, works: Arc<T>) -> Self {
        Self { works, name: name.into(), limit, hanging: Arc::default() }
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes a call. Must be called within a tokio runtime with a clock.
    ///
    /// # Errors
    ///
    /// If the module fails, takes too long, or hangs since an earlier call.
    pub async fn ask<A: Send + 'static>(
        &self,
        call: impl FnOnce(&T) -> Result<A, Failed> + Send + 'static,
    ) -> Result<A, Failed> {
        let named = |what: String| Failed::new(format!("module '{}' {what}", self.name));
        if self.hanging.load(Ordering::Relaxed) > 0 {
            return Err(named("has not come back from an earlier call".to_owned()));
        }
        let works = Arc::clone(&self.works);
        let mut work = tokio::task::spawn_blocking(move || call(&works));
        match tokio::time::timeout(self.limit, &mut work).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Err(named(format!("was interrupted: {error}"))),
            Err(_) => {
                self.hanging.fetch_add(1, Ordering::Relaxed);
                let hanging = Arc::clone(&self.hanging);
                tokio::spawn(async move {
                    drop(work.await);
                    hanging.fetch_sub(1, Ordering::Relaxed);
                });
                Err(named(format!("has not answered within {:?}", self.limit)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    /// A module that comes back when it is told to.
    type Slow = Mutex<Receiver<()>>;

    fn wait(slow: &Slow) -> Result<u8, Failed> {
        slow.lock().unwrap().recv().unwrap();
        Ok(7)
    }

    #[tokio::test]
    async fn who_hangs_is_left_alone_until_it_comes_back() {
        let (go, wait_for) = channel();
        let module = Timely::new("slow", Duration::from_millis(20), Arc::new(Mutex::new(wait_for)));
        let late = module.ask(wait).await.unwrap_err();
        assert_eq!(late.0, "module 'slow' has not answered within 20ms");
        let hangs = module.ask(|_| Ok(1)).await.unwrap_err();
        assert_eq!(hangs.0, "module 'slow' has not come back from an earlier call");
        go.send(()).unwrap();
        while module.ask(|_| Ok(1)).await.is_err() {
            tokio::task::yield_now().await;
        }
        go.send(()).unwrap();
        let module = Timely { limit: Duration::from_secs(60), ..module };
        assert_eq!(module.ask(wait).await, Ok(7));
    }
}
