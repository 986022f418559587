//! The packages on freshly booted systems, as their users meet them: installed, configured, started,
//! upgraded under running tasks, removed, purged.
//!
//! - `host`: a Debian system that boots in a container of systemd's
//! - `debian`: the Debian packages
//!
//! It needs root and packages: `make test-packages` makes them and says where they are in
//! `REEVE_DEBS`; elsewhere all of this is left out.

#![forbid(unsafe_code)]
// The steps of a test fail by panicking, also where they are functions of their own.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::print_stderr)]

mod debian;
mod host;
