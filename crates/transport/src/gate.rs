//! Who may come in: what a daemon's gate is asked about a request before its body is read and a
//! handler sees it. Which realm a path belongs to is the [`crate::Router`]'s; who is let into a
//! realm is the gate's.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::Method;

use crate::response::Response;

/// Somebody who was let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal {
    /// The name; one with claims may have none.
    pub name: Option<Arc<str>>,
    /// What else the credentials say, by name.
    pub claims: Vec<(String, String)>,
}

impl Principal {
    /// Somebody of this name.
    pub fn named(name: &str) -> Principal {
        Principal { name: Some(name.into()), claims: Vec::new() }
    }
}

/// What is known of a request at the gate.
#[derive(Clone, Debug)]
pub struct Knock {
    /// The realm of its path; none if the path is open to everybody.
    pub realm: Option<&'static str>,
    /// The method.
    pub method: Method,
    /// The path, decoded, without the actor's prefix and without a trailing slash.
    pub path: String,
    /// The route that the path has led to: the path without what lies below it.
    pub route: String,
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// The header `Authorization`, if there is one and it is text.
    pub authorization: Option<String>,
}

/// Lets requests in, or says why not.
pub trait Gate: Send + Sync + fmt::Debug {
    /// Who sends the request, if it needs to be known; a refusal is the whole answer.
    fn admit(&self, knock: Knock) -> BoxFuture<'_, Result<Option<Principal>, Response>>;
}
