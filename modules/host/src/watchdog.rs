//! Notices calls that take too long.
//!
//! A caller marks when it goes into a module and when it is back, which costs it two writes of
//! memory; a thread looks at the marks now and then.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The mark of one caller. Odd: inside a call.
#[derive(Debug, Default)]
struct Mark(AtomicU64);

/// A caller that is watched.
#[derive(Clone, Debug, Default)]
pub struct Watched(Arc<Mark>);

impl Watched {
    /// Makes a call.
    pub fn call<T>(&self, call: impl FnOnce() -> T) -> T {
        self.0.0.fetch_add(1, Ordering::Relaxed);
        let answer = call();
        self.0.0.fetch_add(1, Ordering::Relaxed);
        answer
    }
}

/// A call that has taken too long, told once a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overrun {
    /// The module.
    pub module: String,
    /// How long it has been inside for.
    pub lasts: Duration,
}

#[derive(Debug)]
struct Entry {
    module: String,
    limit: Duration,
    mark: Arc<Mark>,
    /// The mark as seen last, and since when.
    seen: (u64, Instant),
    told: bool,
}

/// The thread that looks at the marks. It ends when this is dropped.
#[derive(Debug)]
pub struct Watchdog {
    entries: Arc<Mutex<Vec<Entry>>>,
    /// Dropping it ends the thread.
    _alive: Sender<()>,
}

impl Watchdog {
    /// Starts the thread; it looks every `pause` and tells each overrun to `tell`.
    ///
    /// # Errors
    ///
    /// If the system has no thread left.
    pub fn start(
        pause: Duration,
        tell: impl Fn(Overrun) + Send + 'static,
    ) -> std::io::Result<Self> {
        let entries = Arc::new(Mutex::new(Vec::new()));
        let (alive, ended) = channel();
        let shared = Arc::clone(&entries);
        std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let late = look(&mut shared.lock().unwrap_or_else(PoisonError::into_inner));
                late.into_iter().for_each(&tell);
            }
        })?;
        Ok(Self { entries, _alive: alive })
    }

    /// Watches calls into a module. A caller that is dropped is forgotten.
    pub fn watch(&self, module: &str, limit: Duration) -> Watched {
        let watched = Watched::default();
        let entry = Entry {
            module: module.to_owned(),
            limit,
            mark: Arc::clone(&watched.0),
            seen: (0, Instant::now()),
            told: false,
        };
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        watched
    }
}

fn look(entries: &mut Vec<Entry>) -> Vec<Overrun> {
    entries.retain(|entry| Arc::strong_count(&entry.mark) > 1);
    let mut late = Vec::new();
    for entry in entries {
        let mark = entry.mark.0.load(Ordering::Relaxed);
        if mark != entry.seen.0 {
            (entry.seen, entry.told) = ((mark, Instant::now()), false);
        }
        let lasts = entry.seen.1.elapsed();
        if mark % 2 == 1 && lasts >= entry.limit && !entry.told {
            entry.told = true;
            late.push(Overrun { module: entry.module.clone(), lasts });
        }
    }
    late
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_lasts_is_told_once_and_short_ones_are_not() {
        let (tell, told) = channel();
        let watchdog = Watchdog::start(Duration::from_millis(1), move |overrun: Overrun| {
            tell.send(overrun).unwrap();
        })
        .unwrap();
        let quick = watchdog.watch("quick", Duration::from_secs(3600));
        let slow = watchdog.watch("slow", Duration::from_millis(5));
        let first = slow.call(|| {
            (0..100).for_each(|_| quick.call(|| ()));
            told.recv().unwrap()
        });
        assert_eq!(first.module, "slow");
        assert!(first.lasts >= Duration::from_millis(5));
        let second = slow.call(|| told.recv().unwrap());
        assert_eq!(second.module, "slow");
        assert!(told.try_recv().is_err());
    }
}
