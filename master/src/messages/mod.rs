//! libprocess messages: what arrives becomes an event, an effect becomes what is sent
//! (LP-5, LP-6, LP-9, LP-10). Nothing is decided here.

mod agents;
mod drivers;
mod inbound;
mod older;
mod outbound;
mod parts;
mod repeated;
mod returning;

pub use inbound::{Parsed, Reader};
pub use outbound::{AgentFacts, OBSERVER, Outbound};
