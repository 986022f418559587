//! The isolator and its shim with a real Docker Engine, which each test starts for itself. They
//! need root and the Debian packages `docker.io` and `busybox-static`.

#![forbid(unsafe_code)]
// The steps of a test fail by panicking, also where they are functions of their own.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::print_stderr)]

mod away;
mod engine;
mod limits;
mod network;
mod recovery;
mod running;
mod task;

use std::time::{Duration, Instant};

/// Asks until there is an answer: a fast machine does not wait and a slow one does not fail.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
