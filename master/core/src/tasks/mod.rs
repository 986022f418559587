//! Tasks: launches, status updates, kills, reconciliation; and the executors they run in.

mod executors;
mod kill;
mod launch;
mod lose;
mod operations;
mod ready;
mod reclaim;
mod reconcile;
mod speak;
mod store;
mod tally;
mod unreachable;
mod updates;

pub(crate) use launch::mark_allocated;
pub(crate) use reclaim::GivesWay;
pub(crate) use speak::Speech;
pub(crate) use store::{Task, TaskIx, Tasks};
pub(crate) use tally::{Tally, role_of};
