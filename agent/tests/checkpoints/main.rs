//! Checkpoints on a real directory: an agent that dies at any write, files damaged in any way, and
//! work directories of Apache Mesos and of earlier versions.

// Tests may stop at what must not be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod crashes;
mod damage;
mod journal;
mod life;
mod mesos;
mod reeve;
mod world;
