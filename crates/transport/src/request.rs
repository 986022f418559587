//! What a handler is given: a request whose body is whole, and plain functions to take it apart.
//! Which codec a call is in is [`crate::negotiate`]'s business.

use std::fmt::Display;
use std::net::SocketAddr;
use std::str::FromStr;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use serde::de::DeserializeOwned;

use crate::gate::Principal;
use crate::response::Response;

/// A request that found its route, with the body read and unpacked.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method as it came.
    pub method: Method,
    /// The path and query as they came, actor prefix and percent signs included.
    pub uri: Uri,
    /// The path, decoded, without the actor's prefix and without a trailing slash.
    pub path: String,
    /// What of `path` lies below the route that matched, without a leading slash: `dev` for
    /// `/quota/dev` on the route `/quota`.
    pub tail: String,
    /// All headers as they came.
    pub headers: HeaderMap,
    /// The body, with any gzip taken off.
    pub body: Bytes,
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// Who sends it, if the gate asked.
    pub principal: Option<Principal>,
}

impl Request {
    /// The text of a header, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The parameters after the `?`.
    pub fn query(&self) -> Params {
        Params::parse(self.uri.query().unwrap_or("").as_bytes())
    }

    /// The parameters of a body in `application/x-www-form-urlencoded`. Like Mesos, it does
    /// not insist on the header saying so.
    pub fn form(&self) -> Params {
        Params::parse(&self.body)
    }

    /// The body as plain JSON; a 400 that says where it goes wrong otherwise.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Response> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Response::bad_request(format!("Failed to parse body into JSON: {error}"))
        })
    }
}

/// Decoded `name=value` pairs in their order. A name may come more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Decodes `a=1&b=2`; what is no UTF-8 becomes replacement characters.
    pub fn parse(encoded: &[u8]) -> Params {
        Params(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The last value of that name, as libprocess's map would have it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Every value of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// All pairs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of that name as a number or the like: `None` without it, a 400 that names it
    /// if it can't be read.
    pub fn read<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Response> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|error| {
            Response::bad_request(format!("Failed to parse '{name}' of '{text}': {error}"))
        })
    }
}

#[cfg(test)]
mod tests;
