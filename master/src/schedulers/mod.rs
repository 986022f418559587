//! Schedulers that listen on a v1 event stream: their streams, and the events on them
//! (SE-1 … SE-12).

mod encode;
mod streams;

pub use encode::{Recipient, wire_event, wire_inverse_offer, wire_offer};
pub use streams::{Opened, Outlet, Streams};
