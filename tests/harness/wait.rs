//! Waiting for a fact: it is asked for until it holds, so a fast machine does not wait and a slow
//! one does not fail.

use std::time::{Duration, Instant};

use crate::processes;

/// How long a fact may take. Far more than it needs, for machines with too much to do.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is asked for.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks until there is an answer.
///
/// # Panics
///
/// If there is none after [`PATIENCE`].
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        processes::reap_orphans();
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "waited {PATIENCE:?} in vain: {what}");
        std::thread::sleep(PAUSE);
    }
}
