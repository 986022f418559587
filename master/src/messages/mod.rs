//! libprocess messages: what arrives becomes an event, an effect becomes what is sent
//! (LP-5, LP-6, LP-9, LP-10). Nothing is decided here.

mod agents;
mod drivers;
mod inbound;
mod older;
mod outbound;
mod parts;

pub use inbound::{Parsed, parse};
pub use outbound::{AgentFacts, OBSERVER, Outbound};
