//! The Mesos wire: message types, their two encodings, the record framing, and what differs
//! between the two generations of the protocol.
//!
//! - [`v1`]: the messages of the HTTP APIs (`mesos.v1` and its packages).
//! - [`internal`], [`SlaveInfo`]: what daemons and libprocess drivers send each other. On the wire
//!   the rest of v0 is v1, so these messages use v1 types. What Mesos's masters keep on disk is
//!   beside them.
//! - [`records`]: what our master keeps on disk and Mesos has no message for.
//! - [`v0`]: the differences as one table, v0 words, and the one call that differs in bytes.
//! - [`encode`], [`decode`], [`required`]: to protobuf bytes, and back to a message with all its
//!   required fields.
//! - [`json`]: Mesos's own JSON, both ways.
//! - [`splice`]: cutting fields out of encoded messages without decoding them.
//! - [`recordio`]: records in a stream.
//! - [`desc`]: the tables that the encodings walk over.
//!
//! What does not live here: sockets, HTTP, the meaning of any field.

#![forbid(unsafe_code)]

mod decode;
pub mod desc;
mod encode;
pub mod json;
pub mod recordio;
pub mod required;
pub mod splice;
pub mod v0;

#[allow(missing_docs, clippy::all, clippy::pedantic, rustdoc::all)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/reeve_wire.rs"));
}

pub use decode::{DecodeError, decode};
pub use desc::{Described, WireMessage};
pub use encode::encode;
pub use generated::mesos::v1;
pub use generated::mesos::{SlaveInfo, internal};
pub use generated::reeve::registry as records;
