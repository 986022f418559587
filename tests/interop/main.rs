//! Reeve beside a real Apache Mesos 1.11: our agent joins its master, and frameworks run tasks
//! there as if the agent were one of its own; frameworks on its native driver join our master.
//! Reeve beside a real Apache Mesos 1.11, where frameworks run tasks as if all were of one kind.
//!
//! - `tasks`: our agent under its master; `agent`: its agent under our master
//! - `replacement`: masters and agents exchanged under running tasks; `contenders`: masters of both
//!   kinds that lead in turn
//! - `maintenance`: what frameworks and operators see of it under masters of both kinds
//! - `record`: writes down what its daemons say to each other, `recorded`: as files; `registry`:
//!   what its master keeps
//! - `replay`: our daemons do as the recorded ones did
//! - `real`: its daemons; `libprocess`: what is on their wires
//!
//! Known of that master: it aborts on a `StatusUpdateMessage` without `pid`, so an agent that
//! leaves the field out takes the whole cluster down. That these tests pass shows that ours does
//! not.

#![forbid(unsafe_code)]
// The steps of a test fail by panicking, also where they are functions of their own.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::print_stderr)]

mod agent;
mod authentication;
mod contenders;
mod driver;
mod drivers;
mod libprocess;
mod maintenance;
mod real;
mod record;
mod recorded;
mod registry;
mod replacement;
mod replay;
mod tasks;
