//! The isolator and its shim with a real Docker Engine, which each test starts for itself. They
//! need root and the Debian packages `docker.io` and `busybox-static`.

#![forbid(unsafe_code)]
// The steps of a test fail by panicking, also where they are functions of their own.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::print_stderr)]

mod away;
mod limits;
mod network;
mod recovery;
mod running;
mod task;
