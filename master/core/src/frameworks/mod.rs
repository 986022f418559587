//! Frameworks: from subscribing to their end, and what their schedulers call.

mod calls;
mod connection;
mod record;
mod remove;
mod store;
mod subscribe;
mod update;

pub(crate) use record::Pending;
pub(crate) use store::{Framework, Frameworks, Lost, State};
pub(crate) use subscribe::{Wishes, address, refuse};
