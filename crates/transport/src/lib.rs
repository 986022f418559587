//! Sockets and HTTP: what carries Reeve's messages, whatever they mean.
//!
//! Lives here: the hyper server shell, routing under an actor's prefix, the choice between
//! JSON and protobuf, gzip and JSONP, RecordIO streams, libprocess messages both ways, and a
//! small HTTP client. Does not live here: what any call or message says. This crate knows no
//! offers, no tasks and no leader.
//!
//! - [`server`]: listening sockets; each connection is HTTP or libprocess by its first request.
//! - [`router`]: which handler answers a method and path.
//! - [`gate`]: who may come in, asked before a handler.
//! - [`request`], [`response`]: what handlers take and give.
//! - [`negotiate`]: codecs by `Content-Type` and `Accept`.
//! - [`stream`]: event streams with a bounded queue.
//! - [`libprocess`]: messages between actors, links, exits.
//! - [`files`]: files of this host under virtual paths.
//! - [`download`]: bodies that are read while they are sent.
//! - [`client`]: one-shot calls and record streams over HTTP.

#![forbid(unsafe_code)]

pub mod client;
pub mod download;
pub mod files;
pub mod gate;
pub mod libprocess;
pub mod negotiate;
pub mod request;
pub mod response;
pub mod router;
pub mod server;
pub mod stream;

pub use download::Download;
pub use gate::{Gate, Knock, Principal};
pub use libprocess::{Actors, Inbound, Peers, Unreached};
pub use negotiate::Codec;
pub use request::{Params, Request};
pub use response::{Body, Response};
pub use router::Router;
pub use server::{Server, ServerConfig};
pub use stream::{StreamBody, StreamSender};
