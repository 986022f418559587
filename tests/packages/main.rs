//! The packages on freshly booted systems, as their users meet them: installed, configured, started,
//! upgraded under running tasks, removed, purged.
//!
//! - `host`: a booted Debian system; `container`: one that boots in a container of systemd's
//! - `cluster`: what must work on it, from whichever packages
//! - `debian`, `rpm`: the Debian packages, and the RPMs
//! - `machines`: several machines, as docs/cluster.md tells
//! - `authors`: a module that is built of what a package holds, as docs/modules.md tells
//! - `text`: the steps that documents tell to take
//!
//! It needs root and packages: `make test-packages` makes them and says where they are; elsewhere all of
//! this is left out.

#![forbid(unsafe_code)]
// The steps of a test fail by panicking, also where they are functions of their own.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::print_stderr)]

mod authors;
mod cluster;
mod container;
mod debian;
mod host;
mod machines;
mod rpm;
mod text;
